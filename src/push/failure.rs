//! Why the receiver has not taken what was sent: a sentence for a person, and what a caller decides by.

use std::time::Duration;

use crate::remote::CallError;

/// A request that was not successful. The text is whole: URL, what happened, what to do. No password is in it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// No whole answer. Whether the receiver has taken what was sent is not known.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Another status than 2xx.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// A status of success, and no answer of Anchore.
    #[error("{url} is not Anchore Enterprise: it answers {status} with {what}; check anchore.url")]
    NotAnchore {
        url: String,
        status: u16,
        /// A web page, a text.
        what: String,
    },
    /// A redirect. None is followed.
    #[error("{url} redirects ({status}) {problem}")]
    Redirect {
        url: String,
        status: u16,
        /// Where to, why not, and what to do.
        problem: String,
    },
    /// The password file gives no password.
    #[error("anchore.password-file {path} {problem}; write the password into its first line")]
    Password {
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The name of an account that no header can carry.
    #[error(
        "the account \"{account}\" has a control character in its name, and cannot be sent to; check anchore.account, \
         account-routes or the label of account-route-by-namespace-label"
    )]
    Account { account: String },
}

/// An answer of another status than 2xx.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{url} answers {status}{text}; {advice}")]
pub struct Refusal {
    pub url: String,
    pub status: u16,
    /// `: MESSAGE`, in the receiver's words, cut and escaped; or nothing.
    pub text: String,
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
            Self::Call(error) => error.kind(),
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
            Self::Call(error) => error.is_retryable(),
            Self::Refused(refusal) => matches!(refusal.status, 408 | 429 | 500..),
            Self::NotAnchore { .. } | Self::Redirect { .. } | Self::Password { .. } | Self::Account { .. } => false,
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
