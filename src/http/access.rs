//! The access log, at debug.

use std::time::Instant;

use http::{HeaderValue, Method, Response, Uri};
use http_body::Body;

use crate::inventory::excerpt;

/// A request under way; without a start when nobody reads the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access(Option<Instant>);

impl Access {
    pub(super) fn begin() -> Self {
        Self(tracing::enabled!(tracing::Level::DEBUG).then(Instant::now))
    }

    /// Logs the answer. The query is left out: it says nothing that the bytes do not, and may hold what is not for a log.
    pub(super) fn end<B: Body>(self, method: &Method, uri: &Uri, reply: &Response<B>, id: &HeaderValue) {
        let Some(started) = self.0 else { return };
        let path = excerpt(uri.path());
        let request_id = id.to_str().unwrap_or_default();
        tracing::debug!(
            %method,
            %path,
            status = reply.status().as_u16(),
            duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            bytes = reply.body().size_hint().exact(),
            request_id,
            "request"
        );
    }
}
