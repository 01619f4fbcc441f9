//! The name of a request, in its answer, its problem and the log.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// `X-Request-Id`
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken from a client: it goes into the log.
const LIMIT: usize = 128;

/// Makes ids that no other process makes: eight random hex digits of this one and a count. A random id for each request
/// would cost as much as the rest of a cached answer's headers.
#[derive(Debug)]
pub(super) struct RequestIds {
    prefix: Box<str>,
    next: AtomicU64,
}

/// An id as a header. Always visible ASCII.
#[derive(Debug, Clone)]
pub(super) struct RequestId(HeaderValue);

impl RequestIds {
    pub(super) fn new() -> Self {
        let random = uuid::Uuid::new_v4().simple().to_string();
        Self { prefix: random[..8].into(), next: AtomicU64::new(1) }
    }

    /// The client's own id when it is one, else a new one.
    pub(super) fn of(&self, headers: &HeaderMap) -> RequestId {
        match headers.get(X_REQUEST_ID) {
            Some(value) if is_sane(value.as_bytes()) => RequestId(value.clone()),
            _ => self.make(),
        }
    }

    fn make(&self) -> RequestId {
        let text = format!("{}-{:x}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed));
        // Hex digits and a hyphen are a header value; the static one stands for the impossible case.
        RequestId(
            HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or_else(|_| HeaderValue::from_static("unknown")),
        )
    }
}

impl RequestId {
    pub(super) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or("unknown")
    }

    pub(super) fn into_header(self) -> HeaderValue {
        self.0
    }
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
    fn only_a_sane_id_is_taken(#[case] id: &str, #[case] taken: bool) {
        let headers = [(X_REQUEST_ID, HeaderValue::from_str(id).expect("header"))].into_iter().collect();
        assert_eq!(RequestIds::new().of(&headers).as_str() == id, taken);
    }

    #[test]
    fn ids_that_are_made_differ() {
        let (ids, other) = (RequestIds::new(), RequestIds::new());
        let none = HeaderMap::new();
        let made = [ids.of(&none), ids.of(&none), other.of(&none)];
        let distinct: std::collections::BTreeSet<_> = made.iter().map(RequestId::as_str).collect();
        assert_eq!(distinct.len(), 3);
    }
}
