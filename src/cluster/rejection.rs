//! What an answer means that is not what was asked for.

use std::time::Duration;

use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::client::Body;

use crate::decode::read_status;
use crate::inventory::excerpt;
use crate::remote::{describe_error_page, is_html, retry_after};

/// The most that is read of an answer that is no list: a status or a version takes less than a thousand bytes.
pub(super) const LIMIT: usize = 64 * 1024;

/// An answer with another status than 200, or a `Status` of failure behind 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejection {
    pub(super) status: StatusCode,
    pub(super) source: Source,
    pub(super) retry_after: Option<Duration>,
}

/// Who answers, as far as the body shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The API server, by a `Status`: its message.
    Kubernetes(String),
    /// Something that sends a web page.
    Page(String),
    /// Something that sends the client elsewhere.
    Redirect(String),
    /// A text, which may be anybody's.
    Text(String),
}

impl Rejection {
    /// Reads an answer that is an error.
    pub(super) async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = read_bytes(body).await.unwrap_or_default();
        let asked = retry_after(&parts.headers, Timestamp::now());
        if let Some(rejection) = Self::of_status(&bytes) {
            return Self { status: parts.status, retry_after: asked.or(rejection.retry_after), ..rejection };
        }
        let source = Source::of(parts.status, &parts.headers, &String::from_utf8_lossy(&bytes));
        Self { status: parts.status, source, retry_after: asked }
    }

    /// A body that is a `Status` of failure, whatever status the answer itself has.
    pub(super) fn of_status(body: &[u8]) -> Option<Self> {
        let (message, code, seconds) = if let Some(status) = read_status(body) {
            (status.message, status.code, status.retry_after_seconds)
        } else {
            let status: Status = serde_json::from_slice(body).ok()?;
            if status.status.as_deref() != Some("Failure") {
                return None;
            }
            let seconds = status.details.and_then(|details| details.retry_after_seconds);
            let code = status.code.and_then(|code| u16::try_from(code).ok());
            (status.message.unwrap_or_default(), code, seconds.and_then(|seconds| u64::try_from(seconds).ok()))
        };
        Some(Self {
            status: code.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::OK),
            source: Source::Kubernetes(excerpt(&message).to_string()),
            retry_after: seconds.map(Duration::from_secs),
        })
    }

    /// Whether the same request may succeed soon, whoever answered: a load balancer sends a page while servers restart.
    pub(super) fn is_temporary(&self) -> bool {
        matches!(self.status.as_u16(), 408 | 429) || self.status.is_server_error()
    }

    /// The words of whoever answered: `: MESSAGE`, ` with an HTML page`, or nothing.
    pub(super) fn words(&self) -> String {
        match &self.source {
            Source::Kubernetes(text) | Source::Text(text) if text.is_empty() => String::new(),
            Source::Kubernetes(text) | Source::Text(text) => format!(": {text}"),
            Source::Page(page) => format!(" with {page}"),
            Source::Redirect(location) => format!(" to {location}"),
        }
    }
}

impl Source {
    fn of(status: StatusCode, headers: &HeaderMap, text: &str) -> Self {
        if status.is_redirection() {
            let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or("nowhere");
            return Self::Redirect(excerpt(location).to_string());
        }
        if is_html(headers, text) {
            return Self::Page(describe_error_page(text));
        }
        Self::Text(excerpt(text.trim()).to_string())
    }
}

/// The text of a small body; what is behind the limit is left out.
pub(super) async fn read_text(body: Body) -> Result<String, kube::Error> {
    read_bytes(body).await.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) async fn read_bytes(mut body: Body) -> Result<Vec<u8>, kube::Error> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data[..data.len().min(LIMIT - bytes.len())]);
        }
        if bytes.len() >= LIMIT {
            break;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, content_type: &str, body: &str) -> Response<Body> {
        let response = Response::builder().status(status).header("content-type", content_type);
        response.body(Body::from(body.as_bytes().to_vec())).unwrap()
    }

    #[tokio::test]
    async fn a_status_is_told_from_a_page() {
        let body =
            r#"{"kind":"Status","status":"Failure","message":"too old","code":429,"details":{"retryAfterSeconds":7}}"#;
        let rejection = Rejection::read(response(429, "application/json", body)).await;
        assert_eq!(rejection.source, Source::Kubernetes("too old".to_owned()));
        assert_eq!(rejection.retry_after, Some(Duration::from_secs(7)));

        let rejection = Rejection::read(response(403, "text/html", "<HTML><Title> Sign in </Title>é")).await;
        assert_eq!(rejection.source, Source::Page("an HTML page titled \"Sign in\"".to_owned()));
        assert_eq!(rejection.words(), " with an HTML page titled \"Sign in\"");
    }

    #[test]
    fn a_status_of_failure_has_its_own_code() {
        let body = br#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"etcd is slow","code":504}"#;
        let rejection = Rejection::of_status(body).unwrap();
        assert_eq!((rejection.status.as_u16(), rejection.words()), (504, ": etcd is slow".to_owned()));
        assert!(Rejection::of_status(br#"{"kind":"Status","apiVersion":"v1","status":"Success"}"#).is_none());
        assert!(Rejection::of_status(br#"{"kind":"PodList","items":[]}"#).is_none());
    }

    #[tokio::test]
    async fn an_endless_answer_is_cut() {
        let rejection = Rejection::read(response(500, "text/plain", &"x".repeat(3 * LIMIT))).await;
        let words = rejection.words();
        assert!(words.starts_with(": xxx") && words.len() < 300, "{words}");
    }
}
