//! `/v1/changes`: what changes, to whoever stays to hear of it.
//!
//! `log` makes the events of each snapshot once and keeps the last of them in a `ring`; each client is a `reader` with a
//! place in it, to which `stream` sends events one after another, or a list of them.

mod log;
mod params;
mod reader;
mod ring;
mod standing;
mod stream;

use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Version};

use self::params::ChangeParams;
use self::reader::Reader;
use super::App;
use super::failures::OfData;
use super::negotiate::accepts;
use super::params::Params;
use super::problem::{Problem, ProblemKind};
use super::reply::not_acceptable;
use super::unread::Unread;
use crate::views::ChangeList;
pub(super) use log::ChangeLog;

pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Of nginx: send on what comes, at once.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

const EVENT_STREAM: &str = "text/event-stream";
const JSON: &str = "application/json";

/// What a client that stays takes from its request besides the query.
#[derive(Debug)]
pub(super) struct Staying {
    headers: HeaderMap,
    unread: Unread,
    /// Whether the connection has other requests at the same time.
    is_shared: bool,
}

impl<S: Sync> FromRequestParts<S> for Staying {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let unread = parts.extensions.get::<Unread>().cloned().unwrap_or_default();
        Ok(Self { headers: parts.headers.clone(), unread, is_shared: parts.version == Version::HTTP_2 })
    }
}

impl Staying {
    fn check_accepts(&self, essence: &str) -> Result<(), Problem> {
        if accepts(&self.headers, essence) { Ok(()) } else { Err(not_acceptable("Accept", essence)) }
    }

    /// What an `EventSource` sends when it comes back.
    fn last_event_id(&self) -> Option<String> {
        let value = self.headers.get(LAST_EVENT_ID)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned()).filter(|id| !id.is_empty())
    }
}

/// Changes
///
/// Server-sent events: which images appear in namespaces and leave them, which references run with another digest, which
/// namespaces kai may not read any more, and whether something is missing. The first event is `hello`; it says in which
/// snapshot the events begin. With `Last-Event-ID` they go on behind that event, or begin with `reset` when it is unknown, of
/// another process or too old. A comment comes after 15 s without an event. With `wait`, the answer is a list in JSON. Parameters
/// that filter may be repeated: values of one are alternatives, and all that are given must hold; of what is about no image only
/// `namespace` counts. 64 clients can follow at once. One that is 1 MiB behind is cut off.
#[utoipa::path(
    get,
    path = "/v1/changes",
    operation_id = "list_changes",
    tag = "images",
    params(
        ("Last-Event-ID" = Option<String>, Header, description = "Id of the last event that the client has.", example = "1f6b22c9-7"),
        ChangeParams,
    ),
    responses((status = 200, description = "Events as they come or, with `wait`, a list of them.", content(
        (String = "text/event-stream", example = "event: hello\nid: 1f6b22c9-0\ndata: {\"id\":\"1f6b22c9-0\",\"generation\":42,\"observed_at\":\"2026-11-24T09:30:00Z\",\"pin\":\"1f6b22c9-42\"}\n\n"),
        (ChangeList = "application/json", example = json!({
            "last_event_id": "1f6b22c9-1", "reset": false, "start": null,
            "events": [{
                "id": "1f6b22c9-1", "type": "digest-changed", "generation": 43, "observed_at": "2026-11-24T09:30:00Z", "namespace": "shop",
                "image": "quay.io/acme/cart:1.25", "registry": "quay.io", "repository": "acme/cart", "tag": "1.25",
                "digest": "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628",
                "old_digest": "sha256:67ef66a446f9e49dbc6fd92fa62d5de560473b4650b28d61bf2ea407678e232d", "old_digest_left": false,
                "containers": 1, "pods": 1, "owners": 1, "workloads": ["Deployment/cart"], "flags": [], "complete": null, "reason": null,
            }],
        })),
    )), OfData),
)]
pub(super) async fn list_changes(
    State(app): State<Arc<App>>,
    Params(params): Params<ChangeParams>,
    staying: Staying,
) -> Result<Response, Problem> {
    let ChangeParams { filter, wait, last_event_id } = params;
    let media_type = if wait.is_some() { JSON } else { EVENT_STREAM };
    staying.check_accepts(media_type)?;
    // What a client adds when it comes back is newer than its address.
    let id = staying.last_event_id().or(last_event_id);
    let position = app.changes.position(id.as_deref()).ok_or_else(|| app.not_yet())?;
    let place = app.changes.enter().ok_or_else(|| {
        let detail = "64 clients follow the changes, and there is no place for more; try again later.";
        Problem::new(ProblemKind::TooManyClients, detail).retry_after(&app.retry_after)
    })?;
    if let Some(snapshot) = &position.start {
        app.pins.hold_snapshot(snapshot);
    }
    let Staying { unread, is_shared, .. } = staying;
    let reader = Reader::new(&app.changes, filter, position.sequence, unread.given_up(), place);
    let body = match wait {
        Some(wait) => stream::list(reader, position, wait),
        None => stream::events(reader, &position),
    };
    let mut response = Response::new(unread.follow(body, is_shared));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}
