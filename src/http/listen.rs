//! Opening the address of `server.listen`.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use crate::config::Listen;

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("server.listen: {address} cannot be listened on: {reason}; {advice}", advice = advice(.reason))]
pub struct BindError {
    /// The address as it was tried.
    pub address: SocketAddr,
    /// What the system says.
    pub reason: io::Error,
}

/// Opens the address; `None` when nothing is to be served. `[::]` takes IPv4 too, and where the system has no IPv6 it is
/// `0.0.0.0` instead.
///
/// # Errors
/// The address is taken, not of this host, or not allowed.
pub fn bind(listen: &Listen) -> Result<Option<TcpListener>, BindError> {
    match listen {
        Listen::None => Ok(None),
        Listen::Address(address) => open(*address).map(Some),
        Listen::DualStack(port) => match open((Ipv6Addr::UNSPECIFIED, *port).into()) {
            Ok(listener) => Ok(Some(listener)),
            Err(error) if has_no_ipv6(&error.reason) => open((Ipv4Addr::UNSPECIFIED, *port).into()).map(Some),
            Err(error) => Err(error),
        },
    }
}

fn open(address: SocketAddr) -> Result<TcpListener, BindError> {
    let open = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    open().map_err(|reason| BindError { address, reason })
}

/// A port that is taken or not allowed is as much so with IPv4, where the message would then name the wrong address.
fn has_no_ipv6(reason: &io::Error) -> bool {
    !matches!(reason.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}

fn advice(reason: &io::Error) -> &'static str {
    match reason.kind() {
        io::ErrorKind::AddrInUse => "set another port, or stop what listens there",
        io::ErrorKind::PermissionDenied => "set a port from 1024 up, or give kai the right to use this one",
        io::ErrorKind::AddrNotAvailable => "set an address of this host, or 0.0.0.0 for all of them",
        _ => "set another address, or none to serve nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_the_setting_the_address_and_what_to_do() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = taken.local_addr().expect("address");
        let error = bind(&Listen::Address(address)).expect_err("taken");
        assert_eq!(
            error.to_string(),
            format!(
                "server.listen: {address} cannot be listened on: Address already in use (os error 98); set another port, or stop what listens there"
            )
        );
    }

    #[test]
    fn nothing_is_opened_for_none() {
        assert!(bind(&Listen::None).expect("nothing to fail").is_none());
    }

    #[test]
    fn every_address_takes_ipv4_connections() {
        let listener = bind(&Listen::DualStack(0)).expect("bind").expect("listener");
        let port = listener.local_addr().expect("address").port();
        std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("IPv4 connection");
    }
}
