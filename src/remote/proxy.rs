//! Whether a server is reached through a proxy, by the rules that kubectl follows.
//!
//! kube compares `NO_PROXY` with the proxy's own name instead of the server's, and refuses entries that other programs
//! skip; reqwest does not give the proxy that it took. So the choice is made here.

use std::fmt;
use std::net::IpAddr;

use http::Uri;

/// A proxy, and who named it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// May hold a user and a password.
    pub(crate) uri: Uri,
    /// `HTTPS_PROXY`, `HTTP_PROXY`, or the key that names it.
    pub(crate) setting: &'static str,
}

/// The variables that name proxies.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProxyVariables {
    /// `HTTPS_PROXY` or `https_proxy`.
    pub(crate) https: Option<String>,
    /// `HTTP_PROXY` or `http_proxy`.
    pub(crate) http: Option<String>,
    /// `NO_PROXY` or `no_proxy`.
    pub(crate) exempt: Option<String>,
}

/// A proxy that cannot be used. Its value is not shown: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} cannot be used: {reason}; write it as KIND://HOST:PORT, KIND being one of {}", .kinds.join(", "))]
pub(crate) struct ProxyError {
    pub(crate) setting: &'static str,
    pub(crate) reason: String,
    pub(crate) kinds: &'static [&'static str],
}

impl ProxyVariables {
    /// What this process was started with.
    pub(crate) fn of_process() -> Self {
        let text = |variable: &str| std::env::var(variable).ok().filter(|value| !value.is_empty());
        let either = |upper: &str, lower: &str| text(upper).or_else(|| text(lower));
        Self {
            https: either("HTTPS_PROXY", "https_proxy"),
            http: either("HTTP_PROXY", "http_proxy"),
            exempt: either("NO_PROXY", "no_proxy"),
        }
    }

    /// The proxy to `server`: the variable for the server's scheme, unless the server is this host or `NO_PROXY` names it.
    /// `kinds`: the schemes of proxies that the client speaks to.
    pub(crate) fn choose(&self, server: &Uri, kinds: &'static [&'static str]) -> Result<Option<Proxy>, ProxyError> {
        let (variable, setting) = match server.scheme_str() {
            Some("http") => (&self.http, "HTTP_PROXY"),
            _ => (&self.https, "HTTPS_PROXY"),
        };
        match variable {
            Some(url) if !is_local(server) && !is_exempt(server, self.exempt.as_deref()) => {
                Proxy::parse(url, setting, kinds).map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl Proxy {
    /// Reads the value of `setting`. `kinds`: the schemes of proxies that the client speaks to.
    pub(crate) fn parse(
        value: &str,
        setting: &'static str,
        kinds: &'static [&'static str],
    ) -> Result<Self, ProxyError> {
        // As curl and Go read it: a host with a port alone is an HTTP proxy.
        let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
        let url = format!("{}://{rest}", scheme.to_ascii_lowercase());
        let malformed = |reason: String| ProxyError { setting, reason, kinds };
        let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| malformed(error.to_string()))?;
        match uri.scheme_str() {
            Some(scheme) if kinds.contains(&scheme) && uri.host().is_some() => Ok(Self { uri, setting }),
            Some(scheme) if kinds.contains(&scheme) => Err(malformed("it has no host".to_owned())),
            scheme => Err(malformed(format!("{} is not a known kind of proxy", scheme.unwrap_or("no scheme")))),
        }
    }

    /// The address without the user and password that it may hold.
    pub(crate) fn shown(&self) -> String {
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        let address = authority.rsplit('@').next().unwrap_or_default();
        format!("{}://{address}", self.uri.scheme_str().unwrap_or("http"))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({} of {})", self.shown(), self.setting)
    }
}

fn host_of(uri: &Uri) -> &str {
    uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
}

fn is_local(server: &Uri) -> bool {
    let host = host_of(server);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_exempt(server: &Uri, no_proxy: Option<&str>) -> bool {
    let host = host_of(server).to_ascii_lowercase();
    let port = server.port_u16().unwrap_or(if server.scheme_str() == Some("http") { 80 } else { 443 });
    no_proxy
        .unwrap_or_default()
        .split(',')
        .map(|entry| entry.trim().to_ascii_lowercase())
        .filter(|entry| !entry.is_empty())
        .any(|entry| entry_matches(&entry, &host, port))
}

fn entry_matches(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    let address: Option<IpAddr> = host.parse().ok();
    if let Some((network, bits)) = entry.split_once('/') {
        return address.zip(network.parse().ok()).zip(bits.parse().ok()).is_some_and(|((a, n), b)| within(a, n, b));
    }
    let (name, wanted) = split_port(entry);
    if wanted.is_some_and(|wanted| wanted != port) {
        return false;
    }
    if let Some(address) = address {
        return name.trim_start_matches('[').trim_end_matches(']').parse() == Ok(address);
    }
    match name.strip_prefix("*.").or_else(|| name.strip_prefix('.')) {
        Some(domain) => is_below(host, domain),
        None => host == name || is_below(host, name),
    }
}

/// `example.com:443` and `[::1]:443` have a port; `::1` has none.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    match entry.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

fn within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            a.to_bits() & mask == n.to_bits() & mask
        }
        (IpAddr::V6(a), IpAddr::V6(n)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            a.to_bits() & mask == n.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const KINDS: &[&str] = &["http", "socks5"];

    fn chosen(server: &str, no_proxy: &str) -> Option<String> {
        let variables = ProxyVariables {
            https: Some("proxy.example:3128".to_owned()),
            http: Some("http://user:secret@plain.example".to_owned()),
            exempt: Some(no_proxy.to_owned()),
        };
        variables.choose(&server.parse().unwrap(), KINDS).unwrap().map(|proxy| proxy.shown())
    }

    #[rstest]
    #[case::named_host("https://api.example:6443", "api.example", false)]
    #[case::other_host("https://api.example:6443", "other.example,", true)]
    #[case::the_proxy_itself_means_nothing("https://api.example", "proxy.example", true)]
    #[case::parent_domain("https://api.eu.example", "example", false)]
    #[case::no_parent_by_text("https://myexample.org", "example.org", true)]
    #[case::subdomains_only("https://example.org", ".example.org", true)]
    #[case::star_domain("https://api.example.org", "*.example.org", false)]
    #[case::everything("https://api.example", "*", false)]
    #[case::network("https://10.1.2.3", " 10.0.0.0/8 ", false)]
    #[case::other_network("https://10.1.2.3", "10.2.0.0/16", true)]
    #[case::all_addresses("https://10.1.2.3", "0.0.0.0/0", false)]
    #[case::network_v6("https://[fd00::1]:6443", "fd00::/8", false)]
    #[case::address("https://10.1.2.3", "10.1.2.3", false)]
    #[case::its_port("https://api.example:6443", "api.example:6443", false)]
    #[case::another_port("https://api.example:6443", "api.example:443", true)]
    #[case::loopback("https://127.0.0.1:6443", "", false)]
    #[case::localhost("https://localhost:6443", "", false)]
    fn no_proxy_is_compared_with_the_server(#[case] server: &str, #[case] no_proxy: &str, #[case] proxied: bool) {
        assert_eq!(chosen(server, no_proxy).is_some(), proxied);
    }

    #[test]
    fn the_scheme_chooses_the_variable_and_secrets_are_not_shown() {
        assert_eq!(chosen("https://api.example", "").as_deref(), Some("http://proxy.example:3128"));
        assert_eq!(chosen("http://api.example", "").as_deref(), Some("http://plain.example"));
    }

    #[test]
    fn an_unknown_kind_of_proxy_is_named_without_its_value() {
        let error = Proxy::parse("ftp://user:secret@host", "proxy-url", KINDS).unwrap_err().to_string();
        assert!(
            error.contains("proxy-url") && error.contains("of http, socks5") && !error.contains("secret"),
            "{error}"
        );
    }

    #[test]
    fn a_proxy_is_debugged_without_its_password() {
        let proxy = Proxy::parse("user:secret@proxy.example:3128", "HTTPS_PROXY", KINDS).unwrap();
        assert_eq!(format!("{proxy:?}"), "Proxy(http://proxy.example:3128 of HTTPS_PROXY)");
    }
}
