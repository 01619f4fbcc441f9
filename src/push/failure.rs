//! Why the receiver has not taken what was sent: a sentence for a person, and what a caller decides by.

use std::time::Duration;

use reqwest::Url;

use super::address::shown;
use crate::inventory::excerpt;
use crate::remote::{CertificateCure, Proxy, Transport};

/// A request that was not successful. The text is whole: URL, what happened, what to do. No password is in it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// No connection.
    #[error("cannot reach {url}{via}: {reason}; {advice}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// ` through the proxy …`, or nothing.
        via: String,
        /// The system's message.
        reason: String,
        /// What to try.
        advice: String,
    },
    /// The proxy does not lead to the receiver.
    #[error("the proxy {proxy} does not lead to {url}: {reason}; check {setting}, and NO_PROXY if no proxy is needed")]
    Proxy {
        /// What was asked for.
        url: String,
        /// Address of the proxy.
        proxy: String,
        /// The key or variable that names it.
        setting: &'static str,
        /// Its answer.
        reason: String,
        /// It wants credentials, and will the next time.
        is_final: bool,
    },
    /// One side does not trust the other, or they use different protocols.
    #[error("no usable connection to {url}{via}: {reason}; {advice}")]
    Tls {
        /// What was asked for.
        url: String,
        /// ` through the proxy …`, or nothing.
        via: String,
        /// What is wrong with whose certificate.
        reason: String,
        /// What to try.
        advice: String,
    },
    /// The connection broke before the answer was whole. Whether the receiver has taken what was sent is not known.
    #[error("the connection to {url}{via} broke off: {reason}; {advice}")]
    BrokenOff {
        /// What was asked for.
        url: String,
        /// ` through the proxy …`, or nothing.
        via: String,
        /// How it broke.
        reason: String,
        /// What to try.
        advice: &'static str,
    },
    /// No whole answer within `anchore.http.timeout-seconds`.
    #[error(
        "no whole answer from {url}{via} within {limit:?}; check that it can be reached from here, or raise \
         anchore.http.timeout-seconds"
    )]
    Timeout {
        /// What was asked for.
        url: String,
        /// ` through the proxy …`, or nothing.
        via: String,
        /// The deadline.
        limit: Duration,
    },
    /// Another status than 2xx.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// A status of success, and no answer of Anchore.
    #[error("{url} is not Anchore Enterprise: it answers {status} with {what}; check anchore.url")]
    NotAnchore {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// A web page, a text.
        what: String,
    },
    /// A redirect. None is followed.
    #[error("{url} redirects ({status}) {problem}")]
    Redirect {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// Where to, why not, and what to do.
        problem: String,
    },
    /// The password file gives no password.
    #[error("anchore.password-file {path} {problem}; write the password into its first line")]
    Password {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The name of an account that no header can carry.
    #[error(
        "the account \"{account}\" has a control character in its name, and cannot be sent to; check anchore.account, \
         account-routes or the label of account-route-by-namespace-label"
    )]
    Account {
        /// The name.
        account: String,
    },
}

/// An answer of another status than 2xx.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{url} answers {status}{text}; {advice}")]
pub struct Refusal {
    /// What was asked for.
    pub url: String,
    /// The HTTP status.
    pub status: u16,
    /// `: MESSAGE`, in the receiver's words, cut and escaped; or nothing.
    pub text: String,
    /// What to try.
    pub advice: String,
    /// `Retry-After`, as the receiver wrote it.
    pub retry_after: Option<Duration>,
    /// The one answer that means that the account does not exist.
    pub is_unknown_account: bool,
}

impl Failure {
    /// A word for what went wrong, of a fixed set, to count by.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Proxy { .. } => "proxy",
            Self::Tls { .. } => "tls",
            Self::BrokenOff { .. } => "broken_off",
            Self::Timeout { .. } => "timeout",
            Self::Refused(refusal) if refusal.is_unknown_account => "unknown_account",
            Self::Refused(refusal) => match refusal.status {
                401 => "unauthorized",
                403 => "forbidden",
                404 => "not_found",
                429 => "throttled",
                500.. => "server_error",
                _ => "rejected",
            },
            Self::NotAnchore { .. } => "not_anchore",
            Self::Redirect { .. } => "redirect",
            Self::Password { .. } => "password",
            Self::Account { .. } => "account",
        }
    }

    /// Whether the same request may succeed later: connection errors and broken-off exchanges, time-outs, 408, 429 and 5xx.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::BrokenOff { .. } | Self::Timeout { .. } => true,
            Self::Proxy { is_final, .. } => !is_final,
            Self::Refused(refusal) => matches!(refusal.status, 408 | 429 | 500..),
            Self::Tls { .. }
            | Self::NotAnchore { .. }
            | Self::Redirect { .. }
            | Self::Password { .. }
            | Self::Account { .. } => false,
        }
    }

    /// When the receiver wants to be asked again. Not capped: it may ask for hours.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.refusal().and_then(|refusal| refusal.retry_after)
    }

    /// Whether the receiver answered that the account does not exist: 403 or 404 with that message, and nothing else.
    #[must_use]
    pub fn is_unknown_account(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.is_unknown_account)
    }

    /// Whether the receiver has no such path: 404 that is not about the account.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.status == 404 && !refusal.is_unknown_account)
    }

    /// Whether the user or the password was not accepted.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.status == 401)
    }

    /// The status of the answer, when there was one; that of success when it was no answer of Anchore.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.status),
            Self::NotAnchore { status, .. } | Self::Redirect { status, .. } => Some(*status),
            _ => None,
        }
    }

    fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

/// What the messages about one exchange have in common.
pub(super) struct Circumstances<'a> {
    pub(super) url: &'a Url,
    pub(super) proxy: Option<&'a Proxy>,
    /// kai shows a certificate of its own.
    pub(super) has_client_certificate: bool,
}

impl Circumstances<'_> {
    /// What the absence of an answer means.
    pub(super) fn no_answer(&self, transport: Transport) -> Failure {
        let (url, via) = (shown(self.url), self.via());
        let tls = |reason: String, advice: &str| Failure::Tls {
            url: url.clone(),
            via: via.clone(),
            reason,
            advice: advice.to_owned(),
        };
        match transport {
            Transport::Unreachable(reason) => Failure::Unreachable { url, via, reason, advice: self.way_advice() },
            Transport::Broken(reason) => {
                let answer = reason.strip_prefix("tunnel error: ").or_else(|| reason.strip_prefix("SOCKS error: "));
                match (answer, self.proxy) {
                    (Some(answer), Some(proxy)) => tunnel(url, proxy, answer),
                    _ => Failure::BrokenOff { url, via, reason, advice: self.broken_advice() },
                }
            }
            Transport::ServerCertificate { reason, cure } => tls(reason, certificate_advice(cure)),
            Transport::ClientRefused(reason) if self.has_client_certificate => {
                tls(reason, "renew anchore.http.client-certificate and anchore.http.client-key")
            }
            Transport::ClientRefused(reason) => tls(
                reason,
                "if the receiver wants a certificate, set anchore.http.client-certificate and anchore.http.client-key",
            ),
            Transport::NoTls => tls(
                "what answers there speaks no TLS".to_owned(),
                "if it is served without TLS, write http:// in anchore.url",
            ),
            Transport::NoHttp if self.url.scheme() == "http" => tls(
                "what answers there speaks no HTTP".to_owned(),
                "if it is served with TLS, write https:// in anchore.url",
            ),
            Transport::NoHttp => tls("what answers there speaks no HTTP".to_owned(), "check anchore.url"),
        }
    }

    pub(super) fn timeout(&self, limit: Duration) -> Failure {
        Failure::Timeout { url: shown(self.url), via: self.via(), limit }
    }

    fn via(&self) -> String {
        let through = |proxy: &Proxy| format!(" through the proxy {} ({})", excerpt(&proxy.shown()), proxy.setting);
        self.proxy.map(through).unwrap_or_default()
    }

    fn broken_advice(&self) -> &'static str {
        // What a receiver has against a certificate, or the lack of one, can be lost when it hangs up.
        match (self.url.scheme(), self.has_client_certificate) {
            ("https", false) => {
                "try again later, or see what the receiver's log says: one that wants a certificate may hang up like this \
                 (anchore.http.client-certificate and anchore.http.client-key)"
            }
            ("https", true) => {
                "try again later, or see what the receiver's log says: one that does not accept \
                 anchore.http.client-certificate may hang up like this"
            }
            _ => "try again later, or see what the receiver's log says",
        }
    }

    fn way_advice(&self) -> String {
        match self.proxy {
            Some(proxy) => format!("check {}, and NO_PROXY if no proxy is needed", proxy.setting),
            None => "check anchore.url, and that the receiver runs".to_owned(),
        }
    }
}

/// What a proxy has answered. hyper's errors for this are private: their texts are all there is.
fn tunnel(url: String, proxy: &Proxy, reason: &str) -> Failure {
    let (reason, is_final) = match reason {
        "proxy authorization required" => ("it wants a user and a password (407)", true),
        "credentials not accepted" => ("it does not accept the user and password", true),
        "unsuccessful" => ("it refuses to open a way there", false),
        "unexpected end of file" => ("it hung up", false),
        "failed to create underlying connection" => ("it cannot be reached", false),
        reason => (reason, false),
    };
    let shown = excerpt(&proxy.shown()).to_string();
    Failure::Proxy { url, proxy: shown, setting: proxy.setting, reason: reason.to_owned(), is_final }
}

fn certificate_advice(cure: CertificateCure) -> &'static str {
    match cure {
        CertificateCure::Authority => "put the receiver's authority into anchore.http.ca-certificate",
        CertificateCure::Time => "renew the receiver's certificate, or set this machine's clock",
        CertificateCure::Name => "use one of its names in anchore.url",
        CertificateCure::Certificate => {
            "replace the receiver's certificate by one with its names as subject alternative names, signed by an authority \
             (anchore.http.ca-certificate)"
        }
    }
}
