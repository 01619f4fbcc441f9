//! A call that got no whole answer: what happened and what to do, in one place for every server that kai calls.

use std::time::Duration;

use super::{CertificateCure, Proxy, Transport};
use crate::inventory::excerpt;

/// Why there is no whole answer. The text is whole: server, proxy, cause, advice. No password is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No connection: refused, no such name, no route, no answer to the attempt.
    #[error("cannot reach {server}{via}: {reason}; {advice}")]
    Unreachable {
        server: String,
        /// ` through the proxy …`, or nothing.
        via: String,
        reason: String,
        advice: String,
    },
    /// The proxy does not lead to the server.
    #[error(
        "the proxy {proxy} does not lead to {server}: {reason}; check {setting}, and NO_PROXY if no proxy is needed"
    )]
    Proxy {
        server: String,
        proxy: String,
        /// The key or variable that names it.
        setting: &'static str,
        reason: String,
        /// It wants credentials, and will the next time.
        is_final: bool,
    },
    /// One side does not trust the other's certificate, or one of them speaks no TLS or no HTTP.
    #[error("no usable connection to {server}{via}: {reason}; {advice}")]
    Tls {
        server: String,
        /// ` through the proxy …`, or nothing.
        via: String,
        /// What is wrong with whose certificate.
        reason: String,
        advice: String,
    },
    /// The connection broke before the answer was whole. Whether the server has taken what was sent is not known.
    #[error("the connection to {server}{via} broke off{request}: {reason}; {advice}")]
    BrokenOff {
        server: String,
        /// ` through the proxy …`, or nothing.
        via: String,
        /// ` in GET /api/v1/pods`, or nothing.
        request: String,
        reason: String,
        advice: String,
    },
    /// No whole answer within the deadline of a call.
    #[error("no complete answer from {server}{via}{request} within {limit:?}; {advice}")]
    Timeout {
        server: String,
        /// ` through the proxy …`, or nothing.
        via: String,
        /// ` to GET /api/v1/pods`, or nothing.
        request: String,
        limit: Duration,
        advice: String,
    },
}

impl CallError {
    /// A word for what went wrong, of a fixed set, to count by.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Proxy { .. } => "proxy",
            Self::Tls { .. } => "tls",
            Self::BrokenOff { .. } => "broken_off",
            Self::Timeout { .. } => "timeout",
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::BrokenOff { .. } | Self::Timeout { .. } => true,
            Self::Proxy { is_final, .. } => !is_final,
            Self::Tls { .. } => false,
        }
    }
}

/// A server that is called: how messages name it, and which settings lead to it.
pub(crate) struct Server<'a> {
    /// `the API server https://10.0.0.1:6443 (in-cluster)`, or a URL.
    pub(crate) name: String,
    /// What kind of server it is: `API server`, `receiver`.
    pub(crate) kind: &'static str,
    pub(crate) is_https: bool,
    /// Where its address is set.
    pub(crate) address: String,
    /// What else helps when its certificate is for another name: `, or set …`, or nothing.
    pub(crate) other_name: &'static str,
    /// Where the authority that it is checked with is set.
    pub(crate) authority: String,
    pub(crate) credentials: Credentials,
    /// What helps when it is too slow.
    pub(crate) slow_advice: &'static str,
    /// `GET /api/v1/pods`, where the name does not show what was asked for.
    pub(crate) request: Option<String>,
    pub(crate) proxy: Option<&'a Proxy>,
}

/// Whose certificate the server may want, and where it is set.
pub(crate) enum Credentials {
    /// A certificate is one way to log in among others.
    AnyKind(String),
    /// A certificate is shown.
    Certificate(&'static str),
    /// None is shown.
    NoCertificate(&'static str),
}

impl Server<'_> {
    /// What the absence of an answer means.
    pub(crate) fn no_answer(&self, transport: Transport) -> CallError {
        let (server, via) = (self.name.clone(), self.via());
        let (reason, advice) = match transport {
            Transport::Unreachable(reason) => {
                return CallError::Unreachable { server, via, reason, advice: self.address_advice() };
            }
            Transport::Broken(reason) => return self.broken_off(reason),
            Transport::ServerCertificate { reason, cure } => (reason, self.certificate_advice(cure)),
            Transport::ClientRefused(reason) => (reason, self.login_advice()),
            Transport::NoTls => (
                "the server there does not speak TLS".to_owned(),
                format!("if it is served without TLS, write http:// in {}", self.address),
            ),
            Transport::NoHttp => {
                let advice = if self.is_https {
                    format!("check {}", self.address)
                } else {
                    format!("if it is served with TLS, write https:// in {}", self.address)
                };
                ("the server there does not speak HTTP".to_owned(), advice)
            }
        };
        CallError::Tls { server, via, reason, advice }
    }

    /// No whole answer within `limit`.
    pub(crate) fn timeout(&self, limit: Duration) -> CallError {
        let request = self.request.as_ref().map(|request| format!(" to {request}")).unwrap_or_default();
        let (server, via, advice) = (self.name.clone(), self.via(), self.slow_advice.to_owned());
        CallError::Timeout { server, via, request, limit, advice }
    }

    fn broken_off(&self, reason: String) -> CallError {
        let server = self.name.clone();
        let answer = reason.strip_prefix("tunnel error: ").or_else(|| reason.strip_prefix("SOCKS error: "));
        if let (Some(answer), Some(proxy)) = (answer, self.proxy) {
            return tunnel(server, proxy, answer);
        }
        let request = self.request.as_ref().map(|request| format!(" in {request}")).unwrap_or_default();
        let advice = format!("try again later, or see the log of the {}{}", self.other_end(), self.hang_up_hint());
        CallError::BrokenOff { server, via: self.via(), request, reason, advice }
    }

    fn via(&self) -> String {
        let via = |proxy: &Proxy| format!(" through the proxy {} ({})", excerpt(&proxy.shown()), proxy.setting);
        self.proxy.map(via).unwrap_or_default()
    }

    fn other_end(&self) -> &'static str {
        if self.proxy.is_some() { "proxy" } else { self.kind }
    }

    /// What a server has against a certificate, or the lack of one, can be lost when it hangs up.
    fn hang_up_hint(&self) -> String {
        match &self.credentials {
            Credentials::Certificate(setting) if self.is_https => {
                format!(": a {} that does not accept {setting} may close the connection like this", self.kind)
            }
            Credentials::NoCertificate(setting) if self.is_https => {
                format!(": a {} that requires a certificate may close the connection like this ({setting})", self.kind)
            }
            _ => String::new(),
        }
    }

    fn address_advice(&self) -> String {
        match self.proxy {
            Some(proxy) => format!("check {}, and NO_PROXY if no proxy is needed", proxy.setting),
            None => format!("check {}, and that the {} runs", self.address, self.kind),
        }
    }

    fn login_advice(&self) -> String {
        match &self.credentials {
            Credentials::AnyKind(setting) => format!("renew {setting}"),
            Credentials::Certificate(setting) => format!("renew {setting}"),
            Credentials::NoCertificate(setting) => {
                format!("if the {} requires a certificate, set {setting}", self.kind)
            }
        }
    }

    fn certificate_advice(&self, cure: CertificateCure) -> String {
        let kind = self.kind;
        match cure {
            CertificateCure::Authority => format!("put the {kind}'s authority into {}", self.authority),
            CertificateCure::Time => format!("renew the {kind}'s certificate, or set this machine's clock"),
            CertificateCure::Name => format!("use one of its names in {}{}", self.address, self.other_name),
            CertificateCure::Certificate => format!(
                "replace the {kind}'s certificate by one that has its names as subject alternative names and is signed \
                 by an authority ({})",
                self.authority
            ),
        }
    }
}

/// What a proxy has answered. hyper's errors for this are private: their texts are all there is.
fn tunnel(server: String, proxy: &Proxy, reason: &str) -> CallError {
    let (reason, is_final) = match reason {
        "proxy authorization required" => ("it requires a user and a password (407)", true),
        "credentials not accepted" => ("it does not accept the user and password", true),
        "unsuccessful" => ("it refuses to open a connection there", false),
        "unexpected end of file" => ("it hung up", false),
        "failed to create underlying connection" => ("it cannot be reached", false),
        reason => (reason, false),
    };
    let shown = excerpt(&proxy.shown()).to_string();
    CallError::Proxy { server, proxy: shown, setting: proxy.setting, reason: reason.to_owned(), is_final }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn server(proxy: Option<&Proxy>) -> Server<'_> {
        Server {
            name: "https://a.example/v2".to_owned(),
            kind: "receiver",
            is_https: true,
            address: "a.url".to_owned(),
            other_name: ", or set a.name",
            authority: "a.authority".to_owned(),
            credentials: Credentials::NoCertificate("a.certificate"),
            slow_advice: "raise a.timeout",
            request: Some("GET /x".to_owned()),
            proxy,
        }
    }

    fn proxy() -> Proxy {
        Proxy::parse("http://me:hunter2@p.example:3128", "HTTPS_PROXY", &["http"]).unwrap()
    }

    #[rstest]
    #[case(
        Transport::Unreachable("connection refused".to_owned()),
        "cannot reach https://a.example/v2: connection refused; check a.url, and that the receiver runs"
    )]
    #[case(
        Transport::Broken("reset".to_owned()),
        "the connection to https://a.example/v2 broke off in GET /x: reset; try again later, or see the log of the \
         receiver: a receiver that requires a certificate may close the connection like this (a.certificate)"
    )]
    #[case(
        Transport::ServerCertificate { reason: "it has expired".to_owned(), cure: CertificateCure::Name },
        "no usable connection to https://a.example/v2: it has expired; use one of its names in a.url, or set a.name"
    )]
    #[case(
        Transport::ClientRefused("alert".to_owned()),
        "no usable connection to https://a.example/v2: alert; if the receiver requires a certificate, set a.certificate"
    )]
    #[case(
        Transport::NoTls,
        "no usable connection to https://a.example/v2: the server there does not speak TLS; if it is served without TLS, \
         write http:// in a.url"
    )]
    fn each_failure_names_the_setting(#[case] transport: Transport, #[case] expected: &str) {
        assert_eq!(server(None).no_answer(transport).to_string(), expected);
    }

    #[rstest]
    #[case("proxy authorization required", "it requires a user and a password (407)", false)]
    #[case("unsuccessful", "it refuses to open a connection there", true)]
    fn a_proxy_that_leads_nowhere_is_named_without_its_password(
        #[case] answer: &str,
        #[case] expected: &str,
        #[case] is_retryable: bool,
    ) {
        let proxy = proxy();
        let error = server(Some(&proxy)).no_answer(Transport::Broken(format!("tunnel error: {answer}")));
        let message = error.to_string();
        assert!(
            message.starts_with("the proxy http://p.example:3128 does not lead to https://a.example/v2"),
            "{message}"
        );
        assert!(message.contains(expected) && !message.contains("hunter2"), "{message}");
        assert_eq!(error.is_retryable(), is_retryable);
    }

    #[test]
    fn a_certificate_that_is_not_accepted_is_to_be_renewed() {
        let server = Server { credentials: Credentials::Certificate("a.certificate"), ..server(None) };
        let refused = server.no_answer(Transport::ClientRefused("alert".to_owned())).to_string();
        assert!(refused.ends_with("alert; renew a.certificate"), "{refused}");
        let broken = server.no_answer(Transport::Broken("reset".to_owned())).to_string();
        assert!(
            broken.ends_with("a receiver that does not accept a.certificate may close the connection like this"),
            "{broken}"
        );
    }

    #[test]
    fn a_timeout_names_what_was_asked_for() {
        let message = server(None).timeout(Duration::from_secs(3)).to_string();
        assert_eq!(message, "no complete answer from https://a.example/v2 to GET /x within 3s; raise a.timeout");
    }
}
