//! One page of a list: the bytes of an answer become events as they arrive.
//!
//! The events of a page are given only when the page is whole, so that a page that broke off can be asked for again
//! without a trace of the first try. The encoding of a body is that of its `Content-Type`, so that a server (or a proxy
//! before it) that knows no protobuf is read in JSON.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{Response, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use tokio::sync::watch;

use super::failure::Failure;
use super::rejection::{LIMIT, Rejection};
use super::request::Reader;
use crate::decode::{DecodeError, Encoding, ListDecoder, PageEnd, Records};
use crate::metrics::Metrics;
use crate::remote::Transport;
use crate::snapshot::{Event, ListScope};

/// More bytes than the pods of any cluster take in one page.
const BYTES_MAX: u64 = 4 << 30;
/// More items than any cluster has pods in one page.
const EVENTS_MAX: usize = 500_000;

pub(super) struct Page {
    pub(super) events: Vec<Event>,
    pub(super) end: PageEnd,
}

/// Reads pages of one list.
pub(super) struct PageReader<'a> {
    pub(super) scope: &'a ListScope,
    pub(super) records: &'a Mutex<Records>,
    pub(super) metrics: &'a Metrics,
    /// Gets the token of the next page while this one still comes, once by each try.
    pub(super) next: Option<watch::Sender<String>>,
}

impl Reader for PageReader<'_> {
    type Output = Page;
    const ACCEPT: &'static str = Encoding::ACCEPT;

    async fn read(&self, response: Response<Body>) -> Result<Page, Failure> {
        let mut start = Vec::new();
        self.read_page(response, &mut start, &Bounds::default()).await.map_err(|failure| {
            // What is no list may be the server's own error behind a status of success.
            Rejection::of_status(&start).map_or(failure, Failure::Rejected)
        })
    }
}

/// The most that a page may be: a server may send for as long as a request lasts.
struct Bounds {
    bytes: u64,
    events: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { bytes: BYTES_MAX, events: EVENTS_MAX }
    }
}

impl PageReader<'_> {
    /// Reads the body to its end, never holding more of it than one item and its first bytes.
    async fn read_page(&self, response: Response<Body>, start: &mut Vec<u8>, bounds: &Bounds) -> Result<Page, Failure> {
        let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let encoding = Encoding::of_content_type(content_type.unwrap_or_default());
        let mut decoder = ListDecoder::of_encoding(self.scope.clone(), encoding);
        let mut next = self.next.as_ref();
        let (mut events, mut length) = (Vec::new(), 0);
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Failure::of(&error))?;
            let Ok(bytes) = frame.into_data() else { continue };
            self.metrics.api().received(bytes.len());
            length += bytes.len() as u64;
            start.extend_from_slice(&bytes[..bytes.len().min(LIMIT - start.len())]);
            decoder.push(&bytes, &mut lock(self.records), &mut events).map_err(undecodable)?;
            if length > bounds.bytes || events.len() > bounds.events {
                let problem = format!("a page has more than {} items or {} bytes", bounds.events, bounds.bytes);
                return Err(Failure::Malformed(problem));
            }
            if let Some(token) = decoder.next_page()
                && let Some(next) = next.take()
            {
                next.send_replace(token.to_owned());
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::items(Bounds { bytes: 1_000_000, events: 99 }, true)]
    #[case::bytes(Bounds { bytes: 1_000, events: 1_000 }, true)]
    #[case::neither(Bounds { bytes: 1_000_000, events: 100 }, false)]
    #[tokio::test]
    async fn a_page_has_a_bound_of_items_and_bytes(#[case] bounds: Bounds, #[case] is_too_much: bool) {
        let records = Mutex::default();
        let reader =
            PageReader { scope: &ListScope::AllPods, records: &records, metrics: &Metrics::default(), next: None };
        let pod = r#"{"metadata":{"name":"a","namespace":"b"},"spec":{"containers":[{"name":"c","image":"d"}]}}"#;
        let body = format!(r#"{{"kind":"PodList","items":[{}]}}"#, vec![pod; 100].join(","));
        let read = reader.read_page(Response::new(Body::from(body.into_bytes())), &mut Vec::new(), &bounds).await;
        let is_refused = matches!(&read, Err(Failure::Malformed(problem)) if problem.starts_with("a page has more"));
        assert_eq!(is_refused, is_too_much, "{:?}", read.err());
    }
}
