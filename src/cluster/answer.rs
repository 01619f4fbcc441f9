//! What an answer means that is not what was asked for.

use std::time::Duration;

use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::client::Body;

use crate::decode::read_status;
use crate::inventory::excerpt;
use crate::remote::{describe_page, is_html, retry_after};

/// The most that is read of an answer that is no list: a status or a version takes less than a thousand bytes.
const LIMIT: usize = 64 * 1024;

/// An answer with another status than 200, or another kind of body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// What the server says; empty when it says nothing that can be read.
    pub(super) message: String,
    /// When to come again.
    pub(super) retry_after: Option<Duration>,
    /// The body is a `Status`, as the API server writes it: what answers is Kubernetes.
    pub(super) is_kubernetes: bool,
    /// What answers instead, when it can be told.
    pub(super) foreign: Option<String>,
}

impl Answer {
    /// Reads an answer that is an error.
    pub(super) async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = read_bytes(body).await.unwrap_or_default();
        if let Some(status) = read_status(&bytes) {
            let retry_after =
                retry_after(&parts.headers, Timestamp::now()).or(status.retry_after_seconds.map(Duration::from_secs));
            let message = excerpt(&status.message).to_string();
            return Self { status: parts.status, message, retry_after, is_kubernetes: true, foreign: None };
        }
        let text = String::from_utf8_lossy(&bytes);
        let status: Option<Status> = serde_json::from_str(&text).ok().filter(|status: &Status| status.status.is_some());
        let foreign = foreign(parts.status, &parts.headers, &text);
        let details = status.as_ref().and_then(|status| status.details.as_ref());
        let retry_after = retry_after(&parts.headers, Timestamp::now()).or_else(|| {
            let seconds = details.and_then(|details| details.retry_after_seconds)?;
            seconds.try_into().ok().map(Duration::from_secs)
        });
        let is_kubernetes = status.is_some();
        let message = match status.and_then(|status| status.message) {
            Some(message) => message,
            None if foreign.is_some() => String::new(),
            None => text.trim().to_owned(),
        };
        Self { status: parts.status, message: excerpt(&message).to_string(), retry_after, is_kubernetes, foreign }
    }

    /// `: MESSAGE`, or nothing.
    pub(super) fn said(&self) -> String {
        if self.message.is_empty() { String::new() } else { format!(": {}", self.message) }
    }
}

/// The text of a small body; what is behind the limit is left out.
pub(super) async fn read_text(body: Body) -> Result<String, kube::Error> {
    read_bytes(body).await.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

async fn read_bytes(mut body: Body) -> Result<Vec<u8>, kube::Error> {
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

fn foreign(status: StatusCode, headers: &HeaderMap, text: &str) -> Option<String> {
    if status.is_redirection() {
        let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or("nowhere");
        return Some(format!("{} to {}", status.as_u16(), excerpt(location)));
    }
    is_html(headers, text).then(|| format!("{} and {}", status.as_u16(), describe_page(text)))
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
        let answer = Answer::read(response(429, "application/json", body)).await;
        assert_eq!((answer.message.as_str(), answer.is_kubernetes), ("too old", true));
        assert_eq!(answer.retry_after, Some(Duration::from_secs(7)));

        let answer = Answer::read(response(403, "text/html", "<HTML><Title> Sign in </Title>é")).await;
        assert_eq!(
            answer.foreign.as_deref(),
            Some("403 and an HTML page titled \"Sign in\" (the login page of a proxy?)")
        );
        assert_eq!(answer.said(), "");
    }

    #[tokio::test]
    async fn an_endless_answer_is_cut() {
        let answer = Answer::read(response(500, "text/plain", &"x".repeat(3 * LIMIT))).await;
        assert!(answer.message.starts_with("xxx") && answer.message.len() < 300, "{}", answer.message);
    }
}
