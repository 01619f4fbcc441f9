//! One page of a list: the bytes of an answer become events as they arrive.
//!
//! The events of a page are given only when the page is whole, so that a page that broke off can be asked for again
//! without a trace of the first try. Which encoding a body has is told by its `Content-Type`, so that a server (or a proxy
//! before it) that knows no protobuf is read in JSON.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{Response, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use tokio::sync::watch;

use super::request::{Failure, Reader};
use crate::decode::{DecodeError, Encoding, ListDecoder, PageEnd, Records};
use crate::metrics::Metrics;
use crate::remote::Transport;
use crate::snapshot::{Event, ListScope};

/// A whole page.
pub(super) struct Page {
    pub(super) events: Vec<Event>,
    pub(super) end: PageEnd,
}

/// Reads pages of one list.
pub(super) struct PageReader<'a> {
    pub(super) scope: &'a ListScope,
    pub(super) records: &'a Mutex<Records>,
    pub(super) metrics: &'a Metrics,
    /// Is told what asks for the next page while this one still comes, once by each try.
    pub(super) next: Option<watch::Sender<String>>,
}

impl Reader for PageReader<'_> {
    type Output = Page;
    const ACCEPT: &'static str = Encoding::ACCEPT;

    /// Reads the body to its end, never holding more of it than one item.
    async fn read(&self, response: Response<Body>) -> Result<Page, Failure> {
        let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let encoding = Encoding::of_content_type(content_type.unwrap_or_default());
        let mut decoder = ListDecoder::of_encoding(self.scope.clone(), encoding);
        let mut next = self.next.as_ref();
        let mut events = Vec::new();
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Failure::of(&error))?;
            if let Ok(bytes) = frame.into_data() {
                self.metrics.api().received(bytes.len());
                decoder.push(&bytes, &mut lock(self.records), &mut events).map_err(undecodable)?;
                if let Some(token) = decoder.next_page()
                    && let Some(next) = next.take()
                {
                    next.send_replace(token.to_owned());
                }
            }
        }
        let end = decoder.finish().map_err(undecodable)?;
        Ok(Page { events, end })
    }
}

/// The decoder's own words are for whoever reads a dump; here the question is what kind of server answers so.
pub(super) fn undecodable(error: DecodeError) -> Failure {
    match error {
        // A body that only seems whole, because a proxy closed the connection in good order.
        DecodeError::EndedEarly(place) => Failure::Transport(Transport::Broken(format!("the body ends {place}"))),
        DecodeError::Empty => Failure::NotKubernetes("an empty body".to_owned()),
        DecodeError::NotText(what) => Failure::NotKubernetes(what.to_owned()),
        DecodeError::NoObject(what) | DecodeError::NotKubernetes(what) => Failure::NotKubernetes(what),
        error => Failure::Malformed(error.to_string()),
    }
}

pub(super) fn lock(records: &Mutex<Records>) -> MutexGuard<'_, Records> {
    // A panic while it was held leaves at worst a text that nothing shares.
    records.lock().unwrap_or_else(PoisonError::into_inner)
}
