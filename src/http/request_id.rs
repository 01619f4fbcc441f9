//! The id of a request, in its answer, its problem and the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use tower_http::request_id::{MakeRequestId, RequestId};

/// `X-Request-Id`
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is accepted from a client: it goes into the log.
const LIMIT: usize = 128;

/// Makes ids that no other process makes: eight random hex digits of this one and a count. A random id for each request
/// would cost as much as the rest of a cached answer's headers.
#[derive(Debug, Clone)]
pub(super) struct RequestIds {
    prefix: Arc<str>,
    next: Arc<AtomicU64>,
}

impl RequestIds {
    pub(super) fn new() -> Self {
        let random = uuid::Uuid::new_v4().simple().to_string();
        Self { prefix: random[..8].into(), next: Arc::new(AtomicU64::new(1)) }
    }
}

impl MakeRequestId for RequestIds {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        let text = format!("{}-{:x}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed));
        HeaderValue::from_maybe_shared(Bytes::from(text)).ok().map(RequestId::new)
    }
}

/// Removes an id that must not go into the log, so that a new one is made.
pub(super) fn accept_id<B>(mut request: Request<B>) -> Request<B> {
    if request.headers().get(X_REQUEST_ID).is_some_and(|id| !is_sane(id.as_bytes())) {
        request.headers_mut().remove(X_REQUEST_ID);
    }
    request
}

/// The id that the layers gave to a request.
pub(super) fn id_of<B>(request: &Request<B>) -> HeaderValue {
    let id = request.extensions().get::<RequestId>();
    id.map_or_else(|| HeaderValue::from_static("unknown"), |id| id.header_value().clone())
}

fn is_sane(value: &[u8]) -> bool {
    (1..=LIMIT).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::a_uuid("0b5c2d52-7a0e-4a5e-9a2b-0f4f3c2d1e00", true)]
    #[case::of_the_longest(&"x".repeat(128), true)]
    #[case::too_long(&"x".repeat(129), false)]
    #[case::empty("", false)]
    #[case::with_a_space("a b", false)]
    fn only_a_sane_id_is_accepted(#[case] id: &str, #[case] accepted: bool) {
        let request = Request::builder().header(X_REQUEST_ID, id).body(()).expect("request");
        assert_eq!(accept_id(request).headers().contains_key(X_REQUEST_ID), accepted);
    }

    #[test]
    fn ids_that_are_made_differ() {
        let (mut ids, mut other) = (RequestIds::new(), RequestIds::new());
        let request = Request::new(());
        let mut made = [ids.make_request_id(&request), ids.make_request_id(&request), other.make_request_id(&request)]
            .map(|id| id.expect("an id").into_header_value().to_str().expect("text").to_owned())
            .to_vec();
        made.sort();
        made.dedup();
        assert_eq!(made.len(), 3);
    }
}
