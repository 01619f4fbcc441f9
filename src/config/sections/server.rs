//! `server.*`: where and how kai answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Given, server_tls};
use crate::config::effective::Effective;
use crate::config::keys::{
    SERVER_ALLOWED_HOSTS, SERVER_CACHE_MAX_BYTES, SERVER_CORS_ORIGINS, SERVER_LISTEN, SERVER_MAX_CONCURRENT_REQUESTS,
    SERVER_PROBE_LISTEN, SERVER_REQUEST_TIMEOUT, SERVER_SHUTDOWN_TIMEOUT,
};
use crate::config::problem::Problems;
use crate::config::settings::{Listen, ServerSettings};
use crate::inventory::excerpt;

pub(super) fn build(given: Given<'_>, problems: &mut Problems) -> ServerSettings {
    let values = given.values;
    let listen = listen(values, problems);
    ServerSettings {
        probe_listen: probe_listen(values, &listen, problems),
        tls: server_tls::build(given, problems),
        listen,
        request_timeout: values.seconds(SERVER_REQUEST_TIMEOUT),
        max_concurrent_requests: values.small_number(SERVER_MAX_CONCURRENT_REQUESTS) as usize,
        shutdown_timeout: values.seconds(SERVER_SHUTDOWN_TIMEOUT),
        cache_max_bytes: values.number(SERVER_CACHE_MAX_BYTES),
        cors_origins: cors_origins(values, problems),
        allowed_hosts: allowed_hosts(values, problems),
    }
}

fn listen(values: &Effective, problems: &mut Problems) -> Listen {
    let written = values.text(SERVER_LISTEN).unwrap_or_default();
    read_listen(written).unwrap_or_else(|| {
        let text = format!(
            "\"{}\" is not a listen address; write an IP address with a port, for example 127.0.0.1:8080, :8080 for every \
             address, or none",
            excerpt(written)
        );
        problems.add(values.origin(SERVER_LISTEN), SERVER_LISTEN, text);
        Listen::None
    })
}

/// Empty, or an address of its own.
fn probe_listen(values: &Effective, listen: &Listen, problems: &mut Problems) -> Listen {
    let Some(written) = values.text(SERVER_PROBE_LISTEN) else { return Listen::None };
    let text = match read_listen(written) {
        Some(Listen::None) => {
            format!("\"{}\" is not an address; leave it empty for no separate probe address", excerpt(written))
        }
        Some(address) if address == *listen && address.port() != Some(0) => {
            format!("\"{}\" is the address of {SERVER_LISTEN} too; write another port", excerpt(written))
        }
        Some(address) => return address,
        None => format!(
            "\"{}\" is not a listen address; write an IP address with a port, for example 127.0.0.1:8081, :8081 for every \
             address, or leave it empty",
            excerpt(written)
        ),
    };
    problems.add(values.origin(SERVER_PROBE_LISTEN), SERVER_PROBE_LISTEN, text);
    Listen::None
}

/// No host names: a name that resolves differently tomorrow would move the service.
fn read_listen(written: &str) -> Option<Listen> {
    let written = written.trim();
    if written.eq_ignore_ascii_case("none") {
        return Some(Listen::None);
    }
    if let Some(port) = written.strip_prefix(':') {
        return Some(Listen::DualStack(read_port(port)?));
    }
    if let Some(port) = written.strip_prefix("localhost:") {
        return Some(Listen::Address(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), read_port(port)?)));
    }
    let address: SocketAddr = written.parse().ok()?;
    let every_address = address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    Some(if every_address { Listen::DualStack(address.port()) } else { Listen::Address(address) })
}

fn read_port(text: &str) -> Option<u16> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn cors_origins(values: &Effective, problems: &mut Problems) -> Vec<String> {
    let items = values.items(SERVER_CORS_ORIGINS);
    let mut origins = Vec::with_capacity(items.len());
    for item in items {
        let reason = if item.text == "*" {
            if items.len() == 1 {
                origins.push(item.text.clone());
                continue;
            }
            "means every origin and must be the only entry; remove it or the others"
        } else if is_origin(&item.text) {
            // Browsers send scheme and host in lower case.
            origins.push(item.text.to_ascii_lowercase());
            continue;
        } else {
            "is not an origin; write, for example, https://dashboard.example.com or http://localhost:3000, without a path, or * \
             alone"
        };
        problems.add(&item.origin, SERVER_CORS_ORIGINS, format!("\"{}\" {reason}", excerpt(&item.text)));
    }
    origins
}

fn allowed_hosts(values: &Effective, problems: &mut Problems) -> Vec<String> {
    let items = values.items(SERVER_ALLOWED_HOSTS);
    for item in items.iter().filter(|item| !is_host(&item.text)) {
        let text = format!(
            "\"{}\" is no host name; write one as in kai.example.com, without a scheme, a port or a path",
            excerpt(&item.text)
        );
        problems.add(&item.origin, SERVER_ALLOWED_HOSTS, text);
    }
    items.iter().map(|item| item.text.clone()).filter(|text| is_host(text)).collect()
}

/// A name or an address alone.
fn is_host(text: &str) -> bool {
    text.parse::<http::uri::Authority>().is_ok_and(|authority| authority.host() == text && !text.contains('*'))
}

/// `scheme://host[:port]`, nothing else.
fn is_origin(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let scheme_is_one = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let Ok(authority) = rest.parse::<http::uri::Authority>() else { return false };
    let host = authority.host();
    let port_is_one = match rest.strip_prefix(host) {
        Some("") => true,
        Some(port) => port.strip_prefix(':').and_then(read_port).is_some_and(|port| port > 0),
        None => false,
    };
    scheme_is_one && !host.is_empty() && !host.contains('*') && port_is_one
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("none", Some(Listen::None))]
    #[case("NONE", Some(Listen::None))]
    #[case("127.0.0.1:8080", Some(Listen::Address(([127, 0, 0, 1], 8080).into())))]
    #[case("localhost:9", Some(Listen::Address(([127, 0, 0, 1], 9).into())))]
    #[case("0.0.0.0:80", Some(Listen::Address(([0, 0, 0, 0], 80).into())))]
    #[case("[::1]:80", Some(Listen::Address((Ipv6Addr::LOCALHOST, 80).into())))]
    #[case("[::]:8080", Some(Listen::DualStack(8080)))]
    #[case(":8080", Some(Listen::DualStack(8080)))]
    #[case(":0", Some(Listen::DualStack(0)))]
    #[case("8080", None)]
    #[case("127.0.0.1", None)]
    #[case(":80800", None)]
    #[case(":+80", None)]
    #[case(":", None)]
    #[case("kai.example.com:80", None)]
    #[case("", None)]
    fn an_address_is_read_or_refused(#[case] written: &str, #[case] expected: Option<Listen>) {
        assert_eq!(read_listen(written), expected);
    }

    #[rstest]
    #[case("kai.example.com", true)]
    #[case("192.168.1.2", true)]
    #[case("[fd00::1]", true)]
    #[case("kai.example.com:8080", false)]
    #[case("https://kai.example.com", false)]
    #[case("user@kai.example.com", false)]
    #[case("*.example.com", false)]
    #[case("", false)]
    fn a_host_is_a_name_or_an_address_alone(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_host(text), expected);
    }

    #[rstest]
    #[case("https://dashboard.example.com", true)]
    #[case("http://localhost:3000", true)]
    #[case("http://[::1]:3000", true)]
    #[case("chrome-extension://abc", true)]
    #[case("https://dashboard.example.com/", false)]
    #[case("https://a.example.com/path", false)]
    #[case("dashboard.example.com", false)]
    #[case("https://", false)]
    #[case("https://u@example.com", false)]
    #[case("https://example.com:", false)]
    #[case("https://example.com:99999", false)]
    #[case("https://*.example.com", false)]
    #[case("null", false)]
    #[case("", false)]
    #[case("https://a b", false)]
    fn an_origin_is_scheme_host_and_port(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_origin(text), expected);
    }
}
