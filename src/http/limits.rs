//! How much of a request kai takes, and how many at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};
use http_body::Body;
use http_body_util::BodyExt;

use super::problem::Problem;

/// Bytes of path and query.
pub(super) const URI: usize = 8 * 1024;
/// Bytes of all header names and values.
pub(super) const HEADERS: usize = 32 * 1024;
/// Header lines.
pub(super) const FIELDS: usize = 64;
/// Bytes of a body. No route reads one; it is taken so that the connection can go on.
pub(super) const BODY: usize = 64 * 1024;
/// Bytes of a body above the limit that are still read, and how long: a client that sends it whole before it reads would
/// otherwise see a broken connection and not the answer.
const LINGER: (usize, Duration) = (1024 * 1024, Duration::from_secs(1));

/// Refuses an address or headers that are too large.
pub(super) fn check(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let length = uri.path_and_query().map_or(0, |text| text.as_str().len());
    if length > URI {
        let detail = format!("The address has {length} bytes; at most {URI} are taken.");
        return Err(Problem::new(StatusCode::URI_TOO_LONG, detail));
    }
    if headers.len() > FIELDS {
        let detail = format!("The request has {} header fields; at most {FIELDS} are taken.", headers.len());
        return Err(Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail));
    }
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > HEADERS {
        let detail = format!("The header fields have {size} bytes; at most {HEADERS} are taken.");
        return Err(Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail));
    }
    Ok(())
}

/// Reads the body away.
pub(super) async fn read_body<B>(body: B) -> Result<(), Problem>
where
    B: Body<Data = Bytes> + Send,
{
    if body.is_end_stream() {
        return Ok(());
    }
    let mut body = std::pin::pin!(body);
    if body.size_hint().lower() <= BODY as u64 && read_at_most(&mut body, BODY).await? {
        return Ok(());
    }
    // Whether the rest came or not, the answer is the same.
    let _ = tokio::time::timeout(LINGER.1, read_at_most(&mut body, LINGER.0)).await;
    Err(Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("The body has more than {BODY} bytes; no resource here takes one at all."),
    ))
}

/// Whether the body ended within so many bytes.
async fn read_at_most<B: Body<Data = Bytes> + Unpin>(body: &mut B, limit: usize) -> Result<bool, Problem> {
    let mut left = limit;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::bad_request("The body ended before its end; send it whole or none."))?;
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(rest) => left = rest,
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// Requests at once.
#[derive(Debug)]
pub(super) struct Slots {
    taken: Arc<AtomicUsize>,
    limit: usize,
}

/// One request under way; free again when dropped, however the request ends.
#[derive(Debug)]
pub(super) struct Slot(Arc<AtomicUsize>);

impl Slots {
    pub(super) fn new(limit: usize) -> Self {
        Self { taken: Arc::default(), limit }
    }

    /// How many are under way.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// A place for a request; `None` when all are taken.
    pub(super) fn take(&self) -> Option<Slot> {
        let slot = Slot(Arc::clone(&self.taken));
        (slot.0.fetch_add(1, Ordering::Relaxed) < self.limit).then_some(slot)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_again_when_its_request_ends() {
        let slots = Slots::new(1);
        let taken = slots.take();
        assert!(taken.is_some() && slots.take().is_none() && slots.take().is_none());
        drop(taken);
        assert!(slots.take().is_some());
    }
}
