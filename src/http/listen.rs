//! Opening the addresses of `server.listen` and `server.probe-listen`.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use super::renewal::Tls;
use super::tls::TlsError;
use crate::config::{Listen, ServerSettings};

const LISTEN: Setting = Setting { key: "server.listen", or_nothing: "none to serve nothing" };
const PROBE_LISTEN: Setting =
    Setting { key: "server.probe-listen", or_nothing: "leave it empty to have no probes on an address of their own" };

/// What is listened on, and with what it is served.
#[derive(Debug)]
pub struct Listeners {
    pub(super) all: Option<TcpListener>,
    pub(super) tls: Option<Tls>,
    pub(super) probes: Option<TcpListener>,
}

/// The addresses, or the files of TLS, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A file cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Listeners {
    /// Reads the files of TLS and opens the addresses.
    ///
    /// # Errors
    /// A file cannot be read, is no certificate or key, or they do not fit; an address is taken, not of this host, or not
    /// allowed.
    pub fn open(settings: &ServerSettings) -> Result<Self, ListenError> {
        let tls = match &settings.listen {
            Listen::None => None,
            _ => settings.tls.as_ref().map(Tls::open).transpose()?,
        };
        let (all, probes) = (bind(LISTEN, &settings.listen)?, bind(PROBE_LISTEN, &settings.probe_listen)?);
        Ok(Self { all, tls, probes })
    }

    /// Whether there is nothing to serve.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_none() && self.probes.is_none()
    }

    /// Where everything is served, as in `https://127.0.0.1:8443`.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        url(scheme, self.all.as_ref())
    }

    /// Where the probes are served besides, as in `http://127.0.0.1:8081`.
    #[must_use]
    pub fn probe_url(&self) -> Option<String> {
        url("http", self.probes.as_ref())
    }
}

fn url(scheme: &str, listener: Option<&TcpListener>) -> Option<String> {
    let address = listener?.local_addr().ok()?;
    Some(format!("{scheme}://{address}"))
}

/// The setting that names an address.
#[derive(Debug, Clone, Copy)]
struct Setting {
    key: &'static str,
    /// How to do without it.
    or_nothing: &'static str,
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {address} cannot be listened on: {reason}; {advice}", key = .setting.key, advice = advice(*.setting, .reason))]
pub struct BindError {
    setting: Setting,
    /// The address as it was tried.
    pub address: SocketAddr,
    pub reason: io::Error,
}

/// Opens the address; `None` when nothing is to be served. `[::]` takes IPv4 too, and where the system has no IPv6 it is
/// `0.0.0.0` instead.
fn bind(setting: Setting, listen: &Listen) -> Result<Option<TcpListener>, BindError> {
    match listen {
        Listen::None => Ok(None),
        Listen::Address(address) => open(setting, *address).map(Some),
        Listen::DualStack(port) => match open(setting, (Ipv6Addr::UNSPECIFIED, *port).into()) {
            Ok(listener) => Ok(Some(listener)),
            Err(error) if has_no_ipv6(&error.reason) => open(setting, (Ipv4Addr::UNSPECIFIED, *port).into()).map(Some),
            Err(error) => Err(error),
        },
    }
}

fn open(setting: Setting, address: SocketAddr) -> Result<TcpListener, BindError> {
    let open = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    open().map_err(|reason| BindError { setting, address, reason })
}

/// A port that is taken or not allowed is as much so with IPv4, where the message would then name the wrong address.
fn has_no_ipv6(reason: &io::Error) -> bool {
    !matches!(reason.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}

fn advice(setting: Setting, reason: &io::Error) -> String {
    let advice = match reason.kind() {
        io::ErrorKind::AddrInUse => "set another port, or stop what listens there",
        io::ErrorKind::PermissionDenied => "set a port from 1024 up, or give kai the right to use this one",
        io::ErrorKind::AddrNotAvailable => "set an address of this host, or 0.0.0.0 for all of them",
        _ => return format!("set another address, or {}", setting.or_nothing),
    };
    advice.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_opened_for_none() {
        assert!(bind(PROBE_LISTEN, &Listen::None).expect("nothing to fail").is_none());
    }
}
