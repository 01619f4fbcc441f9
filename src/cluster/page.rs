//! One page of a list: the bytes of an answer become events as they arrive.
//!
//! The events of a page are given only when the page is whole, so that a page that broke off can be asked for again
//! without a trace of the first try. Another form of body is another decoder here, and another `Accept`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::Response;
use http_body_util::BodyExt as _;
use kube::client::Body;

use super::request::Failure;
use super::transport::Transport;
use crate::decode::{ListDecoder, PageEnd};
use crate::inventory::Interner;
use crate::snapshot::{Event, ListScope};

/// What lists are asked for in.
pub(super) const ACCEPT: &str = "application/json";

/// A whole page.
pub(super) struct Page {
    pub(super) events: Vec<Event>,
    pub(super) end: PageEnd,
}

/// Reads the body of a page to its end, never holding more of it than one item.
pub(super) async fn read(
    response: Response<Body>,
    scope: ListScope,
    interner: &Mutex<Interner>,
) -> Result<Page, Failure> {
    let mut decoder = ListDecoder::new(scope);
    let mut events = Vec::new();
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::of(&error))?;
        if let Ok(bytes) = frame.into_data() {
            decoder
                .push(&bytes, &mut lock(interner), &mut events)
                .map_err(|error| Failure::Malformed(error.to_string()))?;
        }
    }
    // A body that only seems whole, because a proxy closed the connection in good order, ends inside the list.
    let end = decoder.finish().map_err(|error| Failure::Transport(Transport::Broken(error.to_string())))?;
    Ok(Page { events, end })
}

fn lock(interner: &Mutex<Interner>) -> MutexGuard<'_, Interner> {
    // A panic while it was held leaves at worst a text that nothing shares.
    interner.lock().unwrap_or_else(PoisonError::into_inner)
}
