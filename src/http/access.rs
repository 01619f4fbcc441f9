//! When a request came, and the access log, at debug.

use std::time::{Duration, Instant};

use http::{HeaderValue, Method, Response, Uri};
use http_body::Body;

use crate::inventory::excerpt;

/// A request under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    started: Instant,
    /// Whether somebody reads the log.
    is_logged: bool,
}

impl Access {
    pub(super) fn begin() -> Self {
        Self { started: Instant::now(), is_logged: tracing::enabled!(tracing::Level::DEBUG) }
    }

    /// How long ago it came.
    pub(super) fn elapsed(self) -> Duration {
        self.started.elapsed()
    }

    /// Logs the answer, which was there after `elapsed`. The query is left out: it says nothing that the bytes do not, and may hold what is not for a log.
    pub(super) fn end<B: Body>(
        self,
        method: &Method,
        uri: &Uri,
        reply: &Response<B>,
        id: &HeaderValue,
        elapsed: Duration,
    ) {
        if !self.is_logged {
            return;
        }
        let path = excerpt(uri.path());
        let request_id = id.to_str().unwrap_or_default();
        tracing::debug!(
            %method,
            %path,
            status = reply.status().as_u16(),
            duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            bytes = reply.body().size_hint().exact(),
            request_id,
            "request"
        );
    }
}
