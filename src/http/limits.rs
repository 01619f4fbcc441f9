//! How much of a request kai accepts, and how many answers are made and sent at once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::EXPECT;
use http::{HeaderMap, HeaderValue, Request};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::{Problem, ProblemKind};
use super::request_id::X_REQUEST_ID;

/// Bytes of path and query.
const URI: usize = 8 * 1024;
/// Bytes of all header names and values.
const HEADERS: usize = 32 * 1024;
/// Header lines.
const FIELDS: usize = 64;
/// Bytes of a body. No route needs one; it is read so that the connection can go on.
pub(super) const BODY: usize = 64 * 1024;
/// The longest that a client may take to send a body.
const BODY_WAIT: Duration = Duration::from_secs(1);

/// Refuses an address or headers that are too large.
pub(super) fn check<B>(request: &Request<B>) -> Result<(), Problem> {
    let uri = request.uri();
    let length = uri.path_and_query().map_or(0, |text| text.as_str().len());
    if length > URI {
        let detail = format!("The address has {length} bytes; at most {URI} are accepted.");
        return Err(Problem::new(ProblemKind::UriTooLong, detail));
    }
    // The layers have set the id when the client has not, and it has a limit of its own.
    let fields = request.headers().iter().filter(|(name, _)| **name != X_REQUEST_ID);
    let sizes = fields.map(|(name, value)| name.as_str().len() + value.len());
    let (count, size) = sizes.fold((0, 0), |(count, size), field| (count + 1, size + field));
    if count > FIELDS {
        let detail = format!("The request has {count} header fields; at most {FIELDS} are accepted.");
        return Err(Problem::new(ProblemKind::HeadersTooLarge, detail));
    }
    if size > HEADERS {
        let detail = format!("The header fields have {size} bytes; at most {HEADERS} are accepted.");
        return Err(Problem::new(ProblemKind::HeadersTooLarge, detail));
    }
    Ok(())
}

/// Answers at once, by `server.max-concurrent-requests`. Those that are ready pass without a permit.
#[derive(Debug)]
pub(super) struct Gate {
    permits: Arc<Semaphore>,
    limit: usize,
    retry_after: HeaderValue,
}

/// One answer that is made or sent.
pub(super) type Permit = OwnedSemaphorePermit;

impl Gate {
    pub(super) fn new(limit: usize, retry_after: HeaderValue) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self { permits: Arc::new(Semaphore::new(limit)), limit, retry_after }
    }

    /// How many answers are made or sent.
    pub(super) fn in_flight(&self) -> usize {
        self.limit - self.permits.available_permits()
    }

    /// A permit to make an answer. Waits for the request's body before it takes one: a client that announces a body and
    /// sends none holds nothing.
    pub(super) async fn enter(&self, headers: &HeaderMap, body: Body) -> Result<Permit, Problem> {
        // To read it would ask the client to send it, and it is not needed.
        if !body.is_end_stream() && !headers.contains_key(EXPECT) {
            read_away(body).await?;
        }
        Arc::clone(&self.permits).try_acquire_owned().map_err(|_| {
            let detail = "kai makes as many answers at once as server.max-concurrent-requests allows; try again later.";
            Problem::new(ProblemKind::Busy, detail).retry_after(&self.retry_after)
        })
    }
}

/// Reads a body away, so that the connection can be used again. The answer does not depend on it: what is not there in
/// time is left.
async fn read_away(mut body: Body) -> Result<(), Problem> {
    let read = async {
        while let Some(frame) = body.frame().await {
            // The only error that the client has not caused by going away is a body above the limit.
            frame.map_err(|_| Problem::of_status(http::StatusCode::PAYLOAD_TOO_LARGE))?;
        }
        Ok(())
    };
    tokio::time::timeout(BODY_WAIT, read).await.unwrap_or(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_permit_is_free_again_when_it_is_dropped() {
        let gate = Gate::new(1, HeaderValue::from_static("5"));
        let none = HeaderMap::new();
        let permit = gate.enter(&none, Body::empty()).await;
        assert_eq!((permit.is_ok(), gate.in_flight()), (true, 1));
        assert!(gate.enter(&none, Body::empty()).await.is_err());
        drop(permit);
        assert!(gate.enter(&none, Body::empty()).await.is_ok());
    }
}
