//! Why a relist or a watch failed, as far as it decides what comes next.

use std::time::Duration;

use crate::cluster::list::{missing_right, path};
use crate::decode::ApiStatus;
use crate::snapshot::ListScope;

/// Why it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// 410, as an answer or in the stream: only a new list helps.
    Expired,
    /// 429: later, at the server's own time if it names one.
    Busy(Option<Duration>),
    /// 504: the server that answered has not come as far as the watch.
    TooLargeVersion,
    /// 5xx.
    Server,
    /// No connection, or it broke off.
    Transport,
    /// 401.
    Unauthorized,
    /// 403, and the right that is missing.
    Forbidden(String),
    /// Any other status: the request is not one that the server takes.
    Refused(String),
    /// 200, and no stream of frames.
    Unusable(String),
}

impl Fault {
    /// A word to count by.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Busy(_) => "busy",
            Self::TooLargeVersion => "too_large_version",
            Self::Server => "server",
            Self::Transport => "transport",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden(_) => "forbidden",
            Self::Refused(_) => "refused",
            Self::Unusable(_) => "unusable",
        }
    }

    /// The fault of a status, as the answer to a watch or in its stream.
    pub(super) fn of(status: &ApiStatus, scope: &ListScope) -> Self {
        let retry_after = status.retry_after_seconds.map(Duration::from_secs);
        match (status.code.unwrap_or_default(), status.reason.as_str()) {
            _ if status.is_expired() => Self::Expired,
            // There is no word of its own for it in `reason`.
            (504, _) if status.message.contains("Too large resource version") => Self::TooLargeVersion,
            (401, _) | (0, "Unauthorized") => Self::Unauthorized,
            (403, _) | (0, "Forbidden") => Self::Forbidden(format!(
                "{}; add the verb watch to that ClusterRole or Role",
                missing_right("watch", scope, &status.message)
            )),
            (429, _) | (0, "TooManyRequests") => Self::Busy(retry_after),
            // Some servers shut down with a time to come again.
            (500.., _) if retry_after.is_some() => Self::Busy(retry_after),
            (0 | 500.., _) => Self::Server,
            (code, _) => Self::Refused(format!("HTTP {code} for a watch of {}: {}", path(scope), status.message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::expired(410, "Expired", None, "too old resource version", Fault::Expired)]
    #[case::gone(410, "Gone", None, "", Fault::Expired)]
    #[case::expired_in_a_word_alone(0, "Expired", None, "", Fault::Expired)]
    #[case::too_large(
        504,
        "Timeout",
        Some(1),
        "Timeout: Too large resource version: 9, current: 7",
        Fault::TooLargeVersion
    )]
    #[case::timeout(504, "Timeout", None, "etcd is slow", Fault::Server)]
    #[case::internal(500, "InternalError", None, "", Fault::Server)]
    #[case::unavailable_for_a_while(503, "", Some(3), "", Fault::Busy(Some(Duration::from_secs(3))))]
    #[case::busy(429, "TooManyRequests", Some(7), "", Fault::Busy(Some(Duration::from_secs(7))))]
    #[case::busy_without_time(429, "", None, "", Fault::Busy(None))]
    #[case::unauthorized(401, "Unauthorized", None, "", Fault::Unauthorized)]
    #[case::forbidden(403, "Forbidden", None, "no", Fault::Forbidden("missing right: watch pods in all namespaces (no); add the verb watch to that ClusterRole or Role".to_owned()))]
    #[case::invalid(422, "Invalid", None, "no", Fault::Refused("HTTP 422 for a watch of /api/v1/pods: no".to_owned()))]
    #[case::nothing(0, "", None, "", Fault::Server)]
    fn a_status_is_a_fault(
        #[case] code: u16,
        #[case] reason: &str,
        #[case] retry_after_seconds: Option<u64>,
        #[case] message: &str,
        #[case] expected: Fault,
    ) {
        let code = Some(code).filter(|code| *code > 0);
        let status = ApiStatus { message: message.to_owned(), reason: reason.to_owned(), code, retry_after_seconds };
        assert_eq!(Fault::of(&status, &ListScope::AllPods), expected);
    }
}
