//! Failures as `application/problem+json`, one type and one place for all of them.

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::probes::ProbeState;
use crate::inventory::excerpt;

/// The media type of a problem.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";
/// The most characters of the request's path that a problem repeats.
const INSTANCE_LIMIT: usize = 200;

/// A failure before it is told: handlers return it, [`render`](Self::render) gives it the request's path and id.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) detail: String,
    pub(super) retry_after: Option<HeaderValue>,
    pub(super) allow: Option<HeaderValue>,
    pub(super) checks: Option<Box<ProbeState>>,
}

/// A failure, in the form of RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProblemDetails<'a> {
    /// What kind of problem it is; always `about:blank`: the status says it.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "about:blank")]
    kind: &'static str,
    /// The status in words.
    #[schema(value_type = String, example = "Not Found")]
    title: &'a str,
    /// The status as a number.
    #[schema(example = 404, minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong and what to do, for a person.
    #[schema(value_type = String, example = "The namespace \"shopp\" is unknown to kai or excluded by its configuration; /namespaces lists the known ones.")]
    detail: &'a str,
    /// The path that was asked for, at most 200 characters of it.
    #[schema(value_type = String, example = "/namespaces/shopp/images")]
    instance: &'a str,
    /// The request's id, as in the header `X-Request-Id` and in the log.
    #[schema(value_type = String, example = "4b1d9f20-2a")]
    request_id: &'a str,
    /// Of a probe with `?verbose`: the whole answer.
    #[serde(flatten)]
    #[schema(inline = false, ignore)]
    checks: Option<&'a ProbeState>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), retry_after: None, allow: None, checks: None }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn unavailable(detail: impl Into<String>, retry_after: &HeaderValue) -> Self {
        Self { retry_after: Some(retry_after.clone()), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    pub(super) fn unknown_namespace(name: &str) -> Self {
        let detail = format!(
            "The namespace \"{}\" is unknown to kai or excluded by its configuration; /namespaces lists the known ones.",
            excerpt(name)
        );
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn too_slow() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "The request was not done within server.request-timeout-seconds; send it faster or try again.",
        )
    }

    /// Of a bug: the words are for the client, the cause is in the log.
    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "kai failed to answer; its log has the cause under this request's id.",
        )
    }

    /// The response as it is sent.
    pub(super) fn render(self, path: &str, request_id: &str) -> Response {
        let Self { status, detail, retry_after, allow, checks } = self;
        let details = ProblemDetails {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: &detail,
            instance: cut(path),
            request_id,
            checks: checks.as_deref(),
        };
        // Plain strings and numbers cannot fail to serialize; an empty body would still carry the status.
        let body = serde_json::to_vec(&details).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, seconds);
        }
        if let Some(methods) = allow {
            headers.insert(ALLOW, methods);
        }
        response
    }
}

/// Carries the problem to the service, which knows the path and the request's id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

fn cut(path: &str) -> &str {
    path.char_indices().nth(INSTANCE_LIMIT).map_or(path, |(end, _)| &path[..end])
}
