//! Which proxy leads to the receiver: `anchore.http.proxy`, else the proxy variables.

use http::Uri;
use reqwest::{ClientBuilder, Url};
use secrecy::{ExposeSecret as _, SecretString};

use super::error::ClientError;
use crate::remote::{Proxy, ProxyVariables};

/// The kinds that reqwest supports.
const KINDS: &[&str] = &["http", "https", "socks5", "socks5h"];

const KEY: &str = "anchore.http.proxy";

/// The proxy to a server. The setting is for every receiver; the variables follow `NO_PROXY`.
pub(super) fn choose(
    server: &Url,
    setting: Option<&SecretString>,
    variables: &ProxyVariables,
) -> Result<Option<Proxy>, ClientError> {
    let proxy = if let Some(setting) = setting {
        Proxy::parse(setting.expose_secret(), KEY, KINDS).map(Some)
    } else {
        let Ok(uri) = server.as_str().parse::<Uri>() else { return Ok(None) };
        variables.choose(&uri, KINDS)
    };
    proxy.map_err(|error| ClientError::Proxy(error.to_string()))
}

/// Makes a client go this way and no other.
pub(super) fn apply(proxy: Option<&Proxy>, builder: ClientBuilder) -> Result<ClientBuilder, ClientError> {
    // The variables are in it already; reqwest would read them by rules of its own.
    let builder = builder.no_proxy();
    let Some(proxy) = proxy else { return Ok(builder) };
    Ok(builder.proxy(reqwest::Proxy::all(proxy.uri.to_string()).map_err(|_| unusable(proxy))?))
}

/// reqwest's own words would show the URL, and in it the password.
fn unusable(proxy: &Proxy) -> ClientError {
    ClientError::Proxy(format!("{} cannot be used: it is no URL; write it as http://HOST:PORT", proxy.setting))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn variables(exempt: &str) -> ProxyVariables {
        ProxyVariables {
            https: Some("http://secure.example:3128".to_owned()),
            http: Some("http://me:hunter2@plain.example".to_owned()),
            exempt: Some(exempt.to_owned()),
        }
    }

    fn chosen(url: &str, setting: Option<&str>, exempt: &str) -> Option<String> {
        let url: Url = url.parse().unwrap();
        let proxy = choose(&url, setting.map(SecretString::from).as_ref(), &variables(exempt)).unwrap();
        proxy.map(|proxy| format!("{} {}", proxy.setting, proxy.shown()))
    }

    #[rstest]
    #[case::by_scheme("https://a.example", None, "", Some("HTTPS_PROXY http://secure.example:3128"))]
    #[case::by_the_other_scheme("http://a.example", None, "", Some("HTTP_PROXY http://plain.example"))]
    #[case::exempt("https://a.example", None, "a.example", None)]
    #[case::exempt_with_its_port("https://a.example:8443", None, "a.example:8443", None)]
    #[case::another_port_is_exempt(
        "https://a.example",
        None,
        "a.example:8443",
        Some("HTTPS_PROXY http://secure.example:3128")
    )]
    #[case::setting("https://a.example", Some("socks5h://p:1"), "*", Some("anchore.http.proxy socks5h://p:1"))]
    #[case::setting_for_this_host("http://127.0.0.1:1", Some("http://p:1"), "", Some("anchore.http.proxy http://p:1"))]
    fn the_setting_wins_over_the_variables(
        #[case] url: &str,
        #[case] setting: Option<&str>,
        #[case] exempt: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(chosen(url, setting, exempt).as_deref(), expected);
    }

    #[test]
    fn a_proxy_of_an_unknown_kind_is_an_error_without_its_password() {
        let setting = SecretString::from("ftp://me:hunter2@p");
        let url = "https://a.example".parse().unwrap();
        let message = choose(&url, Some(&setting), &ProxyVariables::default()).unwrap_err().to_string();
        assert!(
            message.starts_with("anchore.http.proxy cannot be used: ftp is not a known kind of proxy"),
            "{message}"
        );
        assert!(message.contains("socks5h") && !message.contains("hunter2"), "{message}");
    }
}
