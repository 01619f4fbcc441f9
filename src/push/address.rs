//! Where the receiver is: the URL of a path below `anchore.url`, and what to write there after a redirect.

use reqwest::Url;

use super::error::ClientError;
use crate::inventory::excerpt;

/// Where the interfaces of Anchore begin, longest first. kai's own paths begin so, and must not begin so twice.
const ROOTS: [&[&str]; 3] = [&["v1", "enterprise"], &["v1"], &["v2"]];

/// `anchore.url`.
///
/// A base path may come before Anchore's own paths, with or without a slash at its end. One of Anchore's own beginnings at
/// the end of it (`/v2`, `/v1`, `/v1/enterprise`), as it is often copied from a browser or a client's configuration, is
/// left out: kai writes it itself, by the interface that it uses.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// Without a slash at the end of its path.
    base: Url,
    /// The path of `base`, without a slash at its end.
    path: String,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, ClientError> {
        // What stands in front of an `@` may be a password, and is not shown.
        if text.contains('@') {
            let problem = "has an @, and a URL must not have a user or password in it";
            return Err(ClientError::Url { shown: String::new(), problem });
        }
        let fault = |problem| ClientError::Url { shown: format!(" is \"{}\", which", excerpt(text)), problem };
        let base: Url = text.trim().parse().map_err(|_| fault("is no URL"))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(fault("has no scheme http or https"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(fault("has a query or fragment, which is no part of a server's address"));
        }
        let mut segments: Vec<&str> = base.path().split('/').filter(|segment| !segment.is_empty()).collect();
        if let Some(root) = ROOTS.iter().find(|root| segments.ends_with(root)) {
            segments.truncate(segments.len() - root.len());
        }
        let path = segments.iter().fold(String::new(), |path, segment| format!("{path}/{segment}"));
        Ok(Self { base, path })
    }

    /// The URL of one of Anchore's paths, with or without a slash at its beginning.
    pub(super) fn join(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{}", self.path, path.trim_start_matches('/')));
        url
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }
}

/// What to do about a redirect from one of Anchore's paths: nothing is sent where it leads.
pub(super) fn redirect_advice(from: &Url, path: &str, location: Option<&str>) -> String {
    let Some(location) = location else {
        return "to no address (it has no Location); check anchore.url".to_owned();
    };
    let Ok(to) = from.join(location) else {
        return format!("to \"{}\", which is no URL; check anchore.url", excerpt(location));
    };
    let (from, to) = (shown(from), shown(&to));
    if from.starts_with("https:") && to.starts_with("http:") {
        return format!("to {to}, which has no TLS; find out who answers at anchore.url");
    }
    // Where the same path is at the other end, what stands before it is what the setting is to be.
    match to.strip_suffix(path).and_then(|to| to.strip_suffix('/')) {
        Some(base) => {
            format!("to {to}; kai sends reports to anchore.url alone: write {base} there if that is the receiver")
        }
        None => {
            format!("to {to}; kai sends reports to anchore.url alone: check it, and what stands before the receiver")
        }
    }
}

/// A URL for a message: what follows a `?` or stands before an `@` may be a secret of somebody.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    // These fail for URLs that cannot have a user, and then there is none to show.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    excerpt(url.as_str()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::bare("https://a", "https://a/v2/x")]
    #[case::slash("https://a/", "https://a/v2/x")]
    #[case::base_path("https://a/anchore", "https://a/anchore/v2/x")]
    #[case::base_path_with_slash("https://a/anchore/", "https://a/anchore/v2/x")]
    #[case::many_slashes("https://a//anchore//", "https://a/anchore/v2/x")]
    #[case::port("http://a:8228/b/c", "http://a:8228/b/c/v2/x")]
    #[case::ipv6("https://[::1]:443", "https://[::1]/v2/x")]
    #[case::upper_case("HTTPS://Anchore.Example", "https://anchore.example/v2/x")]
    #[case::spaces_around(" https://a/ ", "https://a/v2/x")]
    #[case::v2("https://a/v2", "https://a/v2/x")]
    #[case::v2_with_slash("https://a/anchore/v2/", "https://a/anchore/v2/x")]
    #[case::v1("https://a/v1/", "https://a/v2/x")]
    #[case::v1_enterprise("https://a/v1/enterprise", "https://a/v2/x")]
    #[case::only_whole_names("https://a/rev2", "https://a/rev2/v2/x")]
    #[case::only_at_the_end("https://a/v2/anchore", "https://a/v2/anchore/v2/x")]
    #[case::only_once("https://a/v2/v2", "https://a/v2/v2/x")]
    #[case::enterprise_alone("https://a/enterprise", "https://a/enterprise/v2/x")]
    fn a_path_is_joined_whatever_slashes_and_base_path_there_are(#[case] url: &str, #[case] expected: &str) {
        let address = Address::parse(url).unwrap();
        assert_eq!(address.join("v2/x").as_str(), expected);
        assert_eq!(address.join("/v2/x").as_str(), expected);
    }

    #[rstest]
    #[case(
        "anchore.example",
        "anchore.url is \"anchore.example\", which is no URL; write a URL, for example https://anchore.example.com"
    )]
    #[case(
        "ftp://a",
        "anchore.url is \"ftp://a\", which has no scheme http or https; write a URL, for example https://anchore.example.com"
    )]
    #[case(
        "https://a?x",
        "anchore.url is \"https://a?x\", which has a query or fragment, which is no part of a server's address; write a URL, for example https://anchore.example.com"
    )]
    #[case(
        "https://me:hunter2@a",
        "anchore.url has an @, and a URL must not have a user or password in it; write a URL, for example https://anchore.example.com"
    )]
    fn what_is_no_address_is_an_error(#[case] url: &str, #[case] message: &str) {
        assert_eq!(Address::parse(url).unwrap_err().to_string(), message);
    }

    #[rstest]
    #[case::other_host(
        "https://a/v2/x",
        "https://b/base/v2/x",
        "to https://b/base/v2/x; ",
        "write https://b/base there"
    )]
    #[case::other_port(
        "https://a/v2/x",
        "https://a:8443/v2/x",
        "to https://a:8443/v2/x; ",
        "write https://a:8443 there"
    )]
    #[case::tls("http://a:8228/v2/x", "https://a/v2/x", "to https://a/v2/x; ", "write https://a there")]
    #[case::base_path(
        "https://a/v2/x",
        "/anchore/v2/x",
        "to https://a/anchore/v2/x; ",
        "write https://a/anchore there"
    )]
    #[case::oldest(
        "https://a/v1/enterprise/x",
        "//b/v1/enterprise/x",
        "to https://b/v1/enterprise/x; ",
        "write https://b there"
    )]
    #[case::other_path("https://a/v2/x", "/v2/x/", "to https://a/v2/x/; ", "check it")]
    #[case::secrets("https://a/v2/x", "https://me:hunter2@b/login?token=hunter2", "to https://b/login; ", "check it")]
    #[case::downgrade(
        "https://a/v2/x",
        "http://a/v2/x",
        "to http://a/v2/x, which has no TLS",
        "who answers at anchore.url"
    )]
    #[case::no_url("https://a/v2/x", "https://:0:/\n", "to \"https://:0:/\\n\", which is no URL", "check anchore.url")]
    fn a_redirect_names_what_to_write(
        #[case] from: &str,
        #[case] location: &str,
        #[case] start: &str,
        #[case] advice: &str,
    ) {
        let from: Url = from.parse().unwrap();
        let message = redirect_advice(&from, from.path().trim_start_matches('/'), Some(location));
        assert!(message.starts_with(start) && message.contains(advice), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn a_redirect_without_an_address_is_an_error() {
        assert!(redirect_advice(&"https://a/x".parse().unwrap(), "x", None).contains("no Location"));
    }
}
