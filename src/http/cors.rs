//! Which pages of other origins may read the answers, by `server.cors-origins`.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

/// What a page may read besides what every page may.
const EXPOSED: &str =
    "ETag, Inventory-Generation, Inventory-Observed-At, Inventory-Complete, Retry-After, X-Request-Id";
/// What a page may send besides what every page may.
const ALLOWED: &str = "Accept, If-None-Match, X-Request-Id";
/// Seconds for which a browser need not ask again.
const MAX_AGE: &str = "600";

/// The origins that may read.
#[derive(Debug)]
pub(super) enum Cors {
    Any,
    These(Box<[Box<str>]>),
}

impl Cors {
    /// By the setting; `None` when it is empty.
    pub(super) fn of(origins: &[String]) -> Option<Self> {
        if origins.is_empty() {
            None
        } else if origins.iter().any(|origin| origin == "*") {
            Some(Self::Any)
        } else {
            Some(Self::These(origins.iter().map(|origin| origin.as_str().into()).collect()))
        }
    }

    /// The answer to a browser that asks first; `None` when it does not ask, or from an origin that may not read.
    pub(super) fn preflight(&self, method: &Method, request: &HeaderMap) -> Option<Response<Full<Bytes>>> {
        if method != Method::OPTIONS
            || !request.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
            || self.origin(request).is_none()
        {
            return None;
        }
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        Some(response)
    }

    /// Lets the page read the answer when its origin may.
    pub(super) fn allow(&self, request: &HeaderMap, reply: &mut HeaderMap) {
        if matches!(self, Self::These(_)) {
            // The answer differs by origin even where no origin was sent: a cache must know.
            reply.append(VARY, HeaderValue::from_static("Origin"));
        }
        if let Some(origin) = self.origin(request) {
            reply.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            reply.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }

    fn origin(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let origin = request.get(ORIGIN)?;
        match self {
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::These(origins) => {
                let is_allowed =
                    origins.iter().any(|allowed| allowed.as_bytes().eq_ignore_ascii_case(origin.as_bytes()));
                is_allowed.then(|| origin.clone())
            }
        }
    }
}
