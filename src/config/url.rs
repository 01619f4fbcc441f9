//! Checks the URLs of servers that kai calls.

use crate::inventory::excerpt;

/// Whether `text` is an http or https URL of a host, without a user, query or fragment.
///
/// # Errors
/// A message with the URL, unless it may hold a password, and what to write.
pub(super) fn check_http_url(text: &str) -> Result<(), String> {
    // Before anything else: what stands in front of an `@` may be a password, and is not shown.
    if text.contains('@') {
        return Err(
            "has an @, and a URL must not have a user or password in it; write them to their own keys".to_owned()
        );
    }
    let refused =
        |reason: &str| format!("\"{}\" {reason}; write a URL, for example https://anchore.example.com", excerpt(text));
    let (_, behind_scheme) = text.split_once("://").unwrap_or_default();
    let authority = behind_scheme.split('/').next().unwrap_or_default();
    if authority.matches(':').count() > 1 && !authority.contains('[') {
        return Err(format!(
            "\"{}\" has an IPv6 address without brackets; write it as in https://[fd00::1]:8228",
            excerpt(text)
        ));
    }
    let url: http::Uri = text.parse().map_err(|_| refused("is no URL"))?;
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err(refused("has no scheme http or https"));
    }
    if url.host().is_none_or(str::is_empty) || url.authority().is_some_and(|authority| bad_port(authority.as_str())) {
        return Err(refused("has no valid host and port"));
    }
    if text.contains(['?', '#']) {
        return Err(refused("has a query or fragment, which is no part of a server's address"));
    }
    Ok(())
}

/// The schemes of proxies that kai can speak to.
const PROXY_SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

/// Whether `text` is the URL of a proxy: a scheme of the four, perhaps a user with a password, a host and perhaps a port.
///
/// # Errors
/// What is wrong and what to write, without the URL: where one is misspelt, a password may stand anywhere in it.
pub(super) fn check_proxy_url(text: &str) -> Result<(), String> {
    let refused = |reason: &str| {
        format!(
            "{reason}; write http, https, socks5 or socks5h, host and port, for example http://proxy.example.com:3128, and percent-encode special characters of a password (@ is %40)"
        )
    };
    let url: http::Uri = text.parse().map_err(|_| refused("is no URL"))?;
    if !url.scheme_str().is_some_and(|scheme| PROXY_SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known))) {
        return Err(refused("has no proxy scheme"));
    }
    let authority = url.authority().map_or("", http::uri::Authority::as_str);
    let behind_user = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if url.host().is_none_or(str::is_empty) || bad_port(behind_user) {
        return Err(refused("has no valid host and port"));
    }
    if !matches!(url.path(), "" | "/") || text.contains(['?', '#']) {
        return Err(refused("has something after its host and port"));
    }
    Ok(())
}

/// The URL of a proxy with `mark` in the place of its user and password; `None` when it has none. All of it is `mark` when it
/// is no such URL.
pub(super) fn without_user(text: &str, mark: &str) -> Option<String> {
    if check_proxy_url(text).is_err() {
        return Some(mark.to_owned());
    }
    let (before, host) = text.rsplit_once('@')?;
    let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
    Some(format!("{scheme}://{mark}@{host}"))
}

/// A colon behind the host that no port from 1 to 65535 follows.
fn bad_port(authority: &str) -> bool {
    let behind_host = authority.rsplit_once(']').map_or(authority, |(_, rest)| rest);
    behind_host.split_once(':').is_some_and(|(_, port)| !port.parse::<u16>().is_ok_and(|port| port > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://anchore.example.com")]
    #[case("http://anchore.example.com:8228/base/path/")]
    #[case("https://[::1]:6443")]
    #[case("HTTPS://Anchore.example.com")]
    fn a_server_is_accepted(#[case] text: &str) {
        assert_eq!(check_http_url(text), Ok(()));
    }

    #[rstest]
    #[case(
        "anchore.example.com",
        "\"anchore.example.com\" has no scheme http or https; write a URL, for example https://anchore.example.com"
    )]
    #[case(
        "ftp://a.example.com",
        "\"ftp://a.example.com\" has no scheme http or https; write a URL, for example https://anchore.example.com"
    )]
    #[case(
        "https://fd00::1:6443",
        "\"https://fd00::1:6443\" has an IPv6 address without brackets; write it as in https://[fd00::1]:8228"
    )]
    #[case("https://", "\"https://\" is no URL; write a URL, for example https://anchore.example.com")]
    #[case("https://a b", "\"https://a b\" is no URL; write a URL, for example https://anchore.example.com")]
    #[case(
        "https://a:0",
        "\"https://a:0\" has no valid host and port; write a URL, for example https://anchore.example.com"
    )]
    #[case(
        "https://a:99999",
        "\"https://a:99999\" has no valid host and port; write a URL, for example https://anchore.example.com"
    )]
    #[case(
        "https://a/?x=1",
        "\"https://a/?x=1\" has a query or fragment, which is no part of a server's address; write a URL, for example https://anchore.example.com"
    )]
    #[case(
        "https://me:hunter2@a",
        "has an @, and a URL must not have a user or password in it; write them to their own keys"
    )]
    fn anything_else_is_refused(#[case] text: &str, #[case] message: &str) {
        assert_eq!(check_http_url(text), Err(message.to_owned()));
    }

    #[rstest]
    #[case("http://proxy.example.com:3128")]
    #[case("http://proxy.example.com:3128/")]
    #[case("https://proxy.example.com")]
    #[case("SOCKS5://[::1]:1080")]
    #[case("socks5h://me:hunter2@proxy.example.com:1080")]
    #[case("http://me:hun%40ter2@proxy.example.com")]
    fn a_proxy_is_accepted(#[case] text: &str) {
        assert_eq!(check_proxy_url(text), Ok(()));
    }

    #[rstest]
    #[case("proxy.example.com:3128", "has no proxy scheme; ")]
    #[case("proxy.example.com", "has no proxy scheme; ")]
    #[case("me:hunter2@proxy.example.com:3128", "has no proxy scheme; ")]
    #[case("ftp://me:hunter2@proxy", "has no proxy scheme; ")]
    #[case("socks4://proxy:1080", "has no proxy scheme; ")]
    #[case("http://me:hunter2", "has no valid host and port; ")]
    #[case("http://me:hunter2@:3128", "has no valid host and port; ")]
    #[case("http://me:hunter2@proxy:0", "has no valid host and port; ")]
    #[case("http://me:hunter2@", "is no URL; ")]
    #[case("http://me:hunter 2@proxy", "is no URL; ")]
    #[case("http://me:hunter2/@proxy", "has no valid host and port; ")]
    #[case("http://proxy/path", "has something after its host and port; ")]
    #[case("http://proxy/?x", "has something after its host and port; ")]
    fn anything_else_is_no_proxy_and_never_shown(#[case] text: &str, #[case] start: &str) {
        let message = check_proxy_url(text).expect_err("refused");
        assert!(message.starts_with(start), "{message}");
        assert!(!message.contains("hunt") && !message.contains("er2"), "{message}");
        assert_eq!(without_user(text, "MARK").as_deref(), Some("MARK"));
    }

    #[rstest]
    #[case("http://proxy:3128", None)]
    #[case("http://me:hunter2@proxy:3128", Some("http://MARK@proxy:3128"))]
    #[case("http://me:hunt@er2@proxy", Some("http://MARK@proxy"))]
    #[case("socks5://hunter2@proxy/", Some("socks5://MARK@proxy/"))]
    fn a_proxy_is_shown_without_its_user(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(without_user(text, "MARK").as_deref(), expected);
    }
}
