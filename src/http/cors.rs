//! Which pages of other origins may read the answers, by `server.cors-origins`.

use std::time::Duration;

use http::header::{ACCEPT, ETAG, IF_NONE_MATCH, ORIGIN, RETRY_AFTER};
use http::{HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::changes::LAST_EVENT_ID;
use super::reply::{INVENTORY_COMPLETE, INVENTORY_GENERATION, INVENTORY_OBSERVED_AT};
use super::request_id::X_REQUEST_ID;

/// For how long a browser need not ask again.
const MAX_AGE: Duration = Duration::from_mins(10);

/// By the setting: exact origins, or `*` alone; `None` when it is empty.
pub(super) fn layer(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([ACCEPT, IF_NONE_MATCH, LAST_EVENT_ID, X_REQUEST_ID])
        .expose_headers([
            ETAG,
            INVENTORY_GENERATION,
            INVENTORY_OBSERVED_AT,
            INVENTORY_COMPLETE,
            RETRY_AFTER,
            X_REQUEST_ID,
        ])
        .max_age(MAX_AGE);
    if origins.iter().any(|origin| origin == "*") {
        return Some(layer.allow_origin(AllowOrigin::any()));
    }
    let origins: Vec<Box<str>> = origins.iter().map(|origin| origin.as_str().into()).collect();
    let is_allowed = move |origin: &HeaderValue, _: &_| {
        origins.iter().any(|allowed| allowed.as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
    };
    // The answer differs by origin even where no origin was sent: a cache must know.
    Some(layer.allow_origin(AllowOrigin::predicate(is_allowed)).vary([ORIGIN]))
}
