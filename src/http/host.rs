//! Which hosts kai answers for. On a loopback address not for every name: a page in a browser can have its own name
//! resolve to this machine and would then read the inventory as if it were its own (DNS rebinding).

use std::net::IpAddr;

use http::header::HOST;
use http::uri::Authority;
use http::{Request, Version};

use super::problem::{Problem, ProblemKind};
use crate::config::{Listen, ServerSettings};
use crate::inventory::excerpt;

/// The hosts that are answered for.
#[derive(Debug)]
pub(super) enum Hosts {
    Any,
    /// Loopback addresses, `localhost` and these.
    Local(Box<[Box<str>]>),
}

impl Hosts {
    pub(super) fn of(settings: &ServerSettings) -> Self {
        match settings.listen {
            Listen::Address(address) if address.ip().is_loopback() => {
                Self::Local(settings.allowed_hosts.iter().map(|name| name.as_str().into()).collect())
            }
            _ => Self::Any,
        }
    }

    /// Refuses a request without a host, with several, or for another.
    pub(super) fn check<B>(&self, request: &Request<B>) -> Result<(), Problem> {
        let mut hosts = request.headers().get_all(HOST).iter();
        let (first, second) = (hosts.next(), hosts.next());
        if second.is_some() {
            return Err(bad("The request has several Host headers; send one."));
        }
        let named = match (request.uri().authority(), first) {
            (Some(authority), _) => Some(authority.clone()),
            (None, Some(value)) => Some(
                Authority::try_from(value.as_bytes())
                    .map_err(|_| bad("The Host header is no host; write a name or an address, and a port if any."))?,
            ),
            (None, None) if request.version() == Version::HTTP_11 => {
                return Err(bad("The request has no Host header; HTTP/1.1 needs one."));
            }
            (None, None) => None,
        };
        match (self, named) {
            (Self::Any, _) | (_, None) => Ok(()),
            (Self::Local(allowed), Some(authority)) if is_local(authority.host(), allowed) => Ok(()),
            (Self::Local(_), Some(authority)) => {
                let detail = format!(
                    "kai listens on a loopback address and does not answer for the host \"{}\" there; use localhost, or \
                     add the name to server.allowed-hosts.",
                    excerpt(authority.host())
                );
                Err(Problem::new(ProblemKind::WrongHost, detail))
            }
        }
    }
}

fn bad(detail: &str) -> Problem {
    Problem::new(ProblemKind::BadHost, detail)
}

fn is_local(host: &str, allowed: &[Box<str>]) -> bool {
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let is_loopback = match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    };
    is_loopback || allowed.iter().any(|name| name.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("localhost", None)]
    #[case("LocalHost:8080", None)]
    #[case("127.0.0.1:8080", None)]
    #[case("127.8.9.1", None)]
    #[case("[::1]:8080", None)]
    #[case("kai.example.com", None)]
    #[case("KAI.example.com:8080", None)]
    #[case("evil.example.com", Some(ProblemKind::WrongHost))]
    #[case("127.0.0.1.evil.example.com", Some(ProblemKind::WrongHost))]
    #[case("localhost.evil.example.com", Some(ProblemKind::WrongHost))]
    #[case("192.168.1.2", Some(ProblemKind::WrongHost))]
    #[case("[::2]", Some(ProblemKind::WrongHost))]
    #[case("", Some(ProblemKind::BadHost))]
    #[case("a b", Some(ProblemKind::BadHost))]
    fn on_a_loopback_address_only_local_and_allowed_hosts_are_answered(
        #[case] host: &str,
        #[case] expected: Option<ProblemKind>,
    ) {
        let hosts = Hosts::Local(["kai.example.com".into()].into());
        let request = Request::builder().header(HOST, host).body(()).expect("request");
        assert_eq!(hosts.check(&request).err().map(|problem| problem.kind()), expected);
    }
}
