//! Failures as `application/problem+json`: one type, one table of the kinds, one place that writes them.

use std::any::Any;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::inventory::{excerpt, panic_text};

/// The media type of a problem.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";
/// Where the kinds are explained; the name of the kind is the anchor.
pub(super) const PROBLEMS_PAGE: &str = "/docs/problems";
/// The most characters of the request's path that a problem repeats.
const INSTANCE_LIMIT: usize = 200;

/// What kind of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProblemKind {
    BadParameter,
    BadHost,
    RefusedNamespace,
    UnknownNamespace,
    UnknownDigest,
    UnknownCluster,
    NoCluster,
    NoFleet,
    UnknownResource,
    IncompleteHistory,
    SnapshotGone,
    MethodNotAllowed,
    NotAcceptable,
    BodyTooLarge,
    UriTooLong,
    WrongHost,
    HeadersTooLarge,
    InternalError,
    NoSnapshot,
    Busy,
    TooMuchUnread,
    TooManyClients,
    UnreadableHistory,
    ProbeFailed,
    DeadlineExceeded,
    /// An error of the framework that has no kind of its own: its status says it.
    Other(StatusCode),
}

/// What is fixed for a kind.
pub(super) struct Row {
    /// The anchor of its `type`.
    pub(super) name: &'static str,
    pub(super) status: StatusCode,
    pub(super) title: &'static str,
    /// What it means and what to do, for the documentation.
    pub(super) meaning: &'static str,
}

impl ProblemKind {
    /// Every kind that has a name, by status.
    pub(super) const ALL: [Self; 25] = [
        Self::BadParameter,
        Self::BadHost,
        Self::RefusedNamespace,
        Self::UnknownNamespace,
        Self::UnknownDigest,
        Self::UnknownCluster,
        Self::NoCluster,
        Self::NoFleet,
        Self::UnknownResource,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::IncompleteHistory,
        Self::SnapshotGone,
        Self::BodyTooLarge,
        Self::UriTooLong,
        Self::WrongHost,
        Self::HeadersTooLarge,
        Self::InternalError,
        Self::NoSnapshot,
        Self::Busy,
        Self::TooMuchUnread,
        Self::TooManyClients,
        Self::UnreadableHistory,
        Self::ProbeFailed,
        Self::DeadlineExceeded,
    ];

    #[expect(clippy::too_many_lines, reason = "a table")]
    pub(super) fn row(self) -> Row {
        let row = |name, status, title, meaning| Row { name, status, title, meaning };
        match self {
            Self::BadParameter => row(
                "bad-parameter",
                StatusCode::BAD_REQUEST,
                "Bad parameter",
                "A parameter is unknown or has an invalid value; the detail names the valid ones.",
            ),
            Self::BadHost => row(
                "bad-host",
                StatusCode::BAD_REQUEST,
                "Bad Host header",
                "The request has no `Host` header, or several, or one that is no host.",
            ),
            Self::RefusedNamespace => row(
                "refused-namespace",
                StatusCode::FORBIDDEN,
                "Refused namespace",
                "The cluster does not let kai list the pods of the namespace. `namespace` and `reason` are members of \
                 the problem. Grant kai the right, or exclude the namespace.",
            ),
            Self::UnknownNamespace => row(
                "unknown-namespace",
                StatusCode::NOT_FOUND,
                "Unknown namespace",
                "The namespace is unknown to kai, or excluded by its configuration. `namespace` is a member of the \
                 problem.",
            ),
            Self::UnknownDigest => row(
                "unknown-digest",
                StatusCode::NOT_FOUND,
                "Unknown digest",
                "No pod that kai could read runs with the digest or pins it. That does not say that the content does not \
                 run: of a multi-platform image nodes report the digest of the index, or that of their platform.",
            ),
            Self::UnknownCluster => row(
                "unknown-cluster",
                StatusCode::NOT_FOUND,
                "Unknown cluster",
                "No kai of a cluster of that uid or name has written to the database. `/v1/clusters` lists those that have.",
            ),
            Self::NoCluster => row(
                "no-cluster",
                StatusCode::NOT_FOUND,
                "No cluster",
                "This kai was started with `--no-cluster`: it reads the database of a fleet, and has no cluster of its own. Ask \
                 `/v1/clusters`, or `/v1/history` with `cluster`.",
            ),
            Self::NoFleet => row(
                "no-fleet",
                StatusCode::NOT_FOUND,
                "No fleet",
                "This kai keeps the history of its own cluster alone. Kais that share one in PostgreSQL (`history.postgres.url`) \
                 know of each other's clusters.",
            ),
            Self::UnknownResource => {
                row("unknown-resource", StatusCode::NOT_FOUND, "Unknown resource", "There is no resource at this path.")
            }
            Self::MethodNotAllowed => row(
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "Method not allowed",
                "Resources answer GET and HEAD; `Allow` names them.",
            ),
            Self::NotAcceptable => row(
                "not-acceptable",
                StatusCode::NOT_ACCEPTABLE,
                "Not acceptable",
                "`Accept` or `Accept-Encoding` allows nothing that kai can send here.",
            ),
            Self::IncompleteHistory => row(
                "incomplete-history",
                StatusCode::CONFLICT,
                "Incomplete history",
                "An image that was in use may be left out: kai was not looking all the time, may not read a namespace, or \
                 had to forget rows. The detail has the reasons. Delete nothing by such a list; `incomplete=allow` gives it \
                 all the same.",
            ),
            Self::SnapshotGone => row(
                "snapshot-gone",
                StatusCode::GONE,
                "Snapshot gone",
                "The snapshot of `pin`, or of a `cursor` of rows that are sorted by counts, is older than a minute, or of \
                 another process. Begin again without both.",
            ),
            Self::BodyTooLarge => row(
                "body-too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "Body too large",
                "The request's body has more than 64 KiB. No resource needs a body.",
            ),
            Self::UriTooLong => row(
                "uri-too-long",
                StatusCode::URI_TOO_LONG,
                "Address too long",
                "Path and query have more than 8 KiB.",
            ),
            Self::WrongHost => row(
                "wrong-host",
                StatusCode::MISDIRECTED_REQUEST,
                "Wrong host",
                "kai listens on a loopback address and answers there only for `localhost`, loopback addresses and the \
                 names in `server.allowed-hosts`.",
            ),
            Self::HeadersTooLarge => row(
                "headers-too-large",
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "Header fields too large",
                "There are more than 64 header fields, or they have more than 32 KiB.",
            ),
            Self::InternalError => row(
                "internal-error",
                StatusCode::INTERNAL_SERVER_ERROR,
                "Internal error",
                "A bug in kai. The log has the cause, with the request's id.",
            ),
            Self::NoSnapshot => row(
                "no-snapshot",
                StatusCode::SERVICE_UNAVAILABLE,
                "No inventory yet",
                "No list of the cluster has finished yet. `Retry-After` has the time to wait.",
            ),
            Self::Busy => row(
                "busy",
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many requests at once",
                "As many answers as `server.max-concurrent-requests` allows are being made or sent. `Retry-After` has \
                 the time to wait.",
            ),
            Self::TooMuchUnread => row(
                "too-much-unread",
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many answers unread",
                "The connection has 16 MiB of answers that the client has not read, or all connections together have \
                 `server.cache-max-bytes`. Read the answers before sending more requests.",
            ),
            Self::TooManyClients => row(
                "too-many-clients",
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many clients",
                "64 clients follow `/v1/changes`. `Retry-After` has the time to wait.",
            ),
            Self::UnreadableHistory => row(
                "unreadable-history",
                StatusCode::SERVICE_UNAVAILABLE,
                "Unreadable history",
                "The store of the history cannot be read. `Retry-After` has the time to wait; `/readyz?verbose` has the \
                 reason in the check `history`.",
            ),
            Self::ProbeFailed => row(
                "probe-failed",
                StatusCode::SERVICE_UNAVAILABLE,
                "Probe failed",
                "The probe fails; with `?verbose` the problem has the members of the answer that succeeds.",
            ),
            Self::DeadlineExceeded => row(
                "deadline-exceeded",
                StatusCode::GATEWAY_TIMEOUT,
                "Deadline exceeded",
                "The answer was not ready within `server.request-timeout-seconds`.",
            ),
            Self::Other(status) => {
                row("", status, status.canonical_reason().unwrap_or("Error"), "The request could not be answered.")
            }
        }
    }

    /// The value of `type`.
    pub(super) fn uri(self) -> String {
        match self.row().name {
            "" => "about:blank".to_owned(),
            name => format!("{PROBLEMS_PAGE}#{name}"),
        }
    }
}

/// A failure: handlers return it, [`write`](Self::write) gives it the request's path and id.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    kind: ProblemKind,
    pub(super) detail: String,
    retry_after: Option<HeaderValue>,
    /// Members beside those that every problem has.
    extensions: Map<String, Value>,
    /// What went wrong inside, for the log alone.
    cause: Option<String>,
}

/// An error: problem details (RFC 9457).
///
/// Some types have more members: `namespace` and `reason` of a refused namespace, `checks`, `snapshot` and `push` of a
/// probe with `?verbose`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProblemDetails<'a> {
    /// Type of the problem: a link to its description under `/docs/problems`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "/docs/problems#unknown-namespace")]
    kind: String,
    /// The type in words.
    #[schema(value_type = String, example = "Unknown namespace")]
    title: &'a str,
    /// The status as a number.
    #[schema(example = 404, minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong and what to do.
    #[schema(value_type = String, example = "The namespace \"shopp\" is unknown or excluded by the configuration; /namespaces lists the known ones.")]
    detail: &'a str,
    /// The requested path, at most 200 characters.
    #[schema(value_type = String, example = "/namespaces/shopp/images")]
    instance: &'a str,
    /// Id of the request, as in `X-Request-Id` and in the log.
    #[schema(value_type = String, example = "4b1d9f20-2a")]
    request_id: &'a str,
    #[serde(flatten)]
    #[schema(ignore)]
    extensions: Map<String, Value>,
}

impl Problem {
    pub(super) fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), retry_after: None, extensions: Map::new(), cause: None }
    }

    /// Of a bug: the words are for the client, the cause for the log.
    pub(super) fn internal(cause: impl Into<String>) -> Self {
        let detail = "kai failed to answer; the log has the cause, with this request's id.";
        Self { cause: Some(cause.into()), ..Self::new(ProblemKind::InternalError, detail) }
    }

    /// Of a handler that panicked.
    pub(super) fn of_panic(panic: &(dyn Any + Send)) -> Self {
        Self::internal(format!("panic: {}", panic_text(panic)))
    }

    /// Of an error that is no problem, as of the framework.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(
                ProblemKind::BodyTooLarge,
                "The body has more than 65536 bytes; send none, no resource needs a body.",
            ),
            StatusCode::GATEWAY_TIMEOUT => Self::new(
                ProblemKind::DeadlineExceeded,
                "The answer was not ready within server.request-timeout-seconds; try again later.",
            ),
            status => Self::new(ProblemKind::Other(status), "The request could not be answered."),
        }
    }

    pub(super) fn unknown_namespace(name: &str) -> Self {
        let detail = format!(
            "The namespace \"{}\" is unknown or excluded by the configuration; /namespaces lists the known ones.",
            excerpt(name)
        );
        Self::new(ProblemKind::UnknownNamespace, detail).with("namespace", excerpt(name).to_string())
    }

    #[cfg(test)]
    pub(super) fn kind(&self) -> ProblemKind {
        self.kind
    }

    pub(super) fn retry_after(self, seconds: &HeaderValue) -> Self {
        Self { retry_after: Some(seconds.clone()), ..self }
    }

    /// With a member more.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// With the members of an answer.
    pub(super) fn with_members_of(mut self, answer: &impl Serialize) -> Self {
        if let Ok(Value::Object(members)) = serde_json::to_value(answer) {
            self.extensions.extend(members);
        }
        self
    }

    /// Writes the problem that a response carries into it; an error that carries none becomes one. Other headers stay.
    pub(super) fn write(response: Response, path: &str, request_id: &HeaderValue) -> Response {
        let (mut parts, _) = response.into_parts();
        let problem = parts.extensions.remove::<Self>().unwrap_or_else(|| Self::of_status(parts.status));
        let request_id = request_id.to_str().unwrap_or_default();
        let Self { kind, detail, retry_after, extensions, cause } = problem;
        if let Some(cause) = cause {
            tracing::error!(request_id, cause, "a request could not be answered");
        }
        let Row { status, title, .. } = kind.row();
        let details = ProblemDetails {
            kind: kind.uri(),
            title,
            status: status.as_u16(),
            detail: &detail,
            instance: cut(path),
            request_id,
            extensions,
        };
        // Plain texts and numbers cannot fail to serialize; an empty body would still carry the status.
        let body = serde_json::to_vec(&details).unwrap_or_default();
        parts.status = status;
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        parts.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        parts.headers.insert(http::header::CONTENT_LENGTH, body.len().into());
        if let Some(seconds) = retry_after {
            parts.headers.insert(RETRY_AFTER, seconds);
        }
        if status != StatusCode::METHOD_NOT_ALLOWED {
            parts.headers.remove(ALLOW);
        }
        Response::from_parts(parts, Body::from(body))
    }
}

/// Carries the problem to the layer that knows the path and the request's id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.row().status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

fn cut(path: &str) -> &str {
    path.char_indices().nth(INSTANCE_LIMIT).map_or(path, |(end, _)| &path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_has_a_type_of_its_own() {
        let uris: BTreeSet<_> = ProblemKind::ALL.iter().map(|kind| kind.uri()).collect();
        assert_eq!(uris.len(), ProblemKind::ALL.len());
        assert!(uris.iter().all(|uri| uri.starts_with("/docs/problems#")), "{uris:?}");
    }
}
