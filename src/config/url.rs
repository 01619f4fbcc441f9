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
            "has an @, and a URL with a user or password in it is not taken; write them to their own keys".to_owned()
        );
    }
    let refused =
        |reason: &str| format!("\"{}\" {reason}; write a URL as in https://anchore.example.com", excerpt(text));
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
        "\"anchore.example.com\" has no scheme http or https; write a URL as in https://anchore.example.com"
    )]
    #[case(
        "ftp://a.example.com",
        "\"ftp://a.example.com\" has no scheme http or https; write a URL as in https://anchore.example.com"
    )]
    #[case("https://", "\"https://\" is no URL; write a URL as in https://anchore.example.com")]
    #[case("https://a b", "\"https://a b\" is no URL; write a URL as in https://anchore.example.com")]
    #[case("https://a:0", "\"https://a:0\" has no valid host and port; write a URL as in https://anchore.example.com")]
    #[case(
        "https://a:99999",
        "\"https://a:99999\" has no valid host and port; write a URL as in https://anchore.example.com"
    )]
    #[case(
        "https://a/?x=1",
        "\"https://a/?x=1\" has a query or fragment, which is no part of a server's address; write a URL as in https://anchore.example.com"
    )]
    #[case(
        "https://me:hunter2@a",
        "has an @, and a URL with a user or password in it is not taken; write them to their own keys"
    )]
    fn anything_else_is_refused(#[case] text: &str, #[case] message: &str) {
        assert_eq!(check_http_url(text), Err(message.to_owned()));
    }
}
