//! One list body of the API server, page by page, as its bytes come in.

mod namespace;
mod protobuf;

pub use namespace::read_one_namespace;

use super::encoding::Encoding;
use super::envelope::{Envelope, Items};
use super::error::{DecodeError, Found};
use super::item::{self, Read};
use super::json::{self, Documents};
use super::records::Records;
use super::sink::{AtStart, Sink, Stop};
use super::skipped::{BrokenItem, Kind, Position, skipped};
use crate::inventory::excerpt;
use crate::snapshot::{Event, ListScope};

/// Reads one page of a list: bytes are pushed in as they come, events come out.
///
/// Sans-IO: the caller owns the connection, its deadlines and the gunzipping. At most one item is held at a time.
#[derive(Debug)]
pub struct ListDecoder {
    body: Body,
    page: Page,
}

#[derive(Debug)]
enum Body {
    Json(json::Stream),
    Protobuf(protobuf::Stream),
}

/// What a page says of itself when it has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageEnd {
    /// `metadata.continue`: what asks for the next page; `None` on the last one.
    pub continue_token: Option<String>,
    /// `metadata.remainingItemCount`: how many items the pages after this one have, where the server says so.
    pub remaining: Option<u64>,
    /// `metadata.resourceVersion`.
    pub resource_version: Option<String>,
    /// Items of this page, broken ones included.
    pub items: u64,
}

#[derive(Debug)]
struct Page {
    scope: ListScope,
    encoding: Encoding,
    end: PageEnd,
    is_done: bool,
}

impl ListDecoder {
    /// Begins a page in JSON of a list of that scope. What its items are follows from the scope, not from their `kind`,
    /// which the API server leaves out.
    #[must_use]
    pub fn new(scope: ListScope) -> Self {
        Self::of_encoding(scope, Encoding::Json)
    }

    /// Begins a page in that encoding.
    #[must_use]
    pub fn of_encoding(scope: ListScope, encoding: Encoding) -> Self {
        let body = match encoding {
            Encoding::Json => Body::Json(json::Stream::new(Documents::One)),
            Encoding::Protobuf => Body::Protobuf(protobuf::Stream::new()),
        };
        Self { body, page: Page { scope, encoding, end: PageEnd::default(), is_done: false } }
    }

    /// What asks for the next page, as soon as this one has said it: the API server writes it before the items, so that
    /// the next page can be asked for while this one still comes. [`PageEnd`] has the last word.
    #[must_use]
    pub fn next_page(&self) -> Option<&str> {
        self.page.end.continue_token.as_deref()
    }

    /// Takes the next bytes of the body and appends an [`Event::Applied`] or
    /// [`Event::Skipped`] for each item that they complete. Nodes are left out when `records` keeps none.
    ///
    /// # Errors
    /// The body is no list, or not in that encoding. Nothing more can be read then.
    pub fn push(&mut self, bytes: &[u8], records: &mut Records, events: &mut Vec<Event>) -> Result<(), DecodeError> {
        let mut sink = PageSink { page: &mut self.page, records, events };
        match &mut self.body {
            Body::Json(stream) => stream.push(bytes, &mut sink).map_err(|stop| match stop {
                Stop::Problem(problem) => stream.error(problem),
                Stop::Error(error) => error,
                Stop::Enough => DecodeError::SecondDocument,
            }),
            Body::Protobuf(stream) => stream.push(bytes, &mut sink).map_err(|stop| match stop {
                Stop::Error(error) => error,
                Stop::Problem(_) | Stop::Enough => DecodeError::SecondDocument,
            }),
        }
    }

    /// Ends the page.
    ///
    /// # Errors
    /// The body ended too early.
    pub fn finish(self) -> Result<PageEnd, DecodeError> {
        let (is_begun, is_whole) = match &self.body {
            Body::Json(stream) => (stream.is_inside_document(), true),
            Body::Protobuf(stream) => (!stream.is_at_start(), stream.is_between_fields()),
        };
        match self.page.is_done {
            true if is_whole => Ok(self.page.end),
            false if !is_begun => Err(DecodeError::Empty),
            _ => Err(DecodeError::EndedEarly(format!("after {} items", self.page.end.items))),
        }
    }
}

struct PageSink<'s> {
    page: &'s mut Page,
    records: &'s mut Records,
    events: &'s mut Vec<Event>,
}

impl Sink for PageSink<'_> {
    fn list_begins(&mut self, list: Envelope) -> Result<(), Stop> {
        self.take_envelope(&list)
    }

    fn item(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let read = item::read(bytes, self.page.encoding, self.kind(), self.records);
        self.take(read);
        Ok(())
    }

    fn item_at_start(&mut self, bytes: &[u8]) -> Result<AtStart<()>, Stop> {
        Ok(match item::read_at_start(bytes, self.kind(), self.records) {
            AtStart::Read(read, length) => {
                self.take(read);
                AtStart::Read((), length)
            }
            AtStart::Unfinished => AtStart::Unfinished,
            AtStart::Irregular => AtStart::Irregular,
        })
    }

    fn item_too_large(&mut self, head: &[u8]) -> Result<(), Stop> {
        let identity = item::identity(head, self.page.encoding);
        self.take(BrokenItem::too_large(identity, self.kind()).into());
        Ok(())
    }

    fn list_ends(&mut self, list: Envelope) -> Result<(), Stop> {
        self.take_envelope(&list)?;
        self.page.is_done = true;
        Ok(())
    }

    fn object(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let list: Envelope = json::read(bytes)
            .map_err(|unreadable| Stop::Error(DecodeError::BrokenList(excerpt(&unreadable.problem).to_string())))?;
        // A nil slice of Go is `null`: how some API servers write an empty list.
        if list.items == Items::Null && list.kind().ends_with("List") {
            return self.list_ends(list);
        }
        if self.page.is_done {
            return Err(Stop::Error(DecodeError::SecondDocument));
        }
        Err(Stop::Error(DecodeError::NotKubernetes(json::identity(bytes).described())))
    }

    fn foreign_line(&mut self, _line: u64, text: String, _is_among_items: bool) -> Result<(), Stop> {
        let first = text.bytes().next().unwrap_or(b' ');
        Err(Stop::Error(DecodeError::NoObject(Found(first).described())))
    }
}

impl PageSink<'_> {
    fn kind(&self) -> Kind {
        Kind::of_scope(&self.page.scope)
    }

    fn take_envelope(&mut self, list: &Envelope) -> Result<(), Stop> {
        // A body is one list; what follows it belongs to another answer.
        if self.page.is_done {
            return Err(Stop::Error(DecodeError::SecondDocument));
        }
        // Field numbers mean something in one kind of list alone: unlike JSON's keys they say nothing by themselves.
        if self.page.encoding == Encoding::Protobuf && list.kind().strip_suffix("List") != Some(self.kind().word()) {
            return Err(Stop::Error(DecodeError::NotKubernetes(match list.kind() {
                "" => "an object without kind".to_owned(),
                found => format!("`{}`", excerpt(found)),
            })));
        }
        let Some(metadata) = &list.metadata else { return Ok(()) };
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        self.page.end = PageEnd {
            continue_token: text(&metadata.continue_token),
            remaining: metadata.remaining_item_count.and_then(|count| u64::try_from(count).ok()),
            resource_version: text(&metadata.resource_version),
            items: self.page.end.items,
        };
        Ok(())
    }

    fn take(&mut self, read: Read) {
        self.page.end.items += 1;
        for broken in &read.broken {
            let position = Position::Item { document: 1, item: self.page.end.items };
            self.events.push(Event::Skipped(skipped(self.page.scope.clone(), broken, position, self.records)));
        }
        self.events.extend(read.object.map(Event::Applied));
    }
}
