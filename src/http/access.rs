//! The access log, at debug.

use std::time::Duration;

use axum::response::Response;
use http::{HeaderValue, Method, Uri};
use http_body::Body as _;

use crate::inventory::excerpt;

/// Logs an answer that was ready after `elapsed`. The query is left out: it may hold what is not for a log.
pub(super) fn log(method: &Method, uri: &Uri, response: &Response, id: &HeaderValue, elapsed: Duration) {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    let path = excerpt(uri.path());
    let request_id = id.to_str().unwrap_or_default();
    tracing::debug!(
        %method,
        %path,
        status = response.status().as_u16(),
        duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        bytes = response.body().size_hint().exact(),
        request_id,
        "request"
    );
}
