//! One list body of the API server, page by page, as its bytes come in.

use super::cutter::Cutter;
use super::encoding::Encoding;
use super::error::DecodeError;
use super::item::{AtStart, BrokenItem, Expected, Format, Item, peek_json, read_item, read_item_at_start};
use super::proto;
use super::records::Records;
use super::shell::{ItemsForm, Shell, read_shell};
use super::sink::{Sink, Stop};
use super::skipped::{Place, skipped};
use crate::inventory::excerpt;
use crate::snapshot::{Event, ListScope};

/// Reads one page of a list: bytes are pushed in as they come, events come out.
///
/// Sans-IO: the caller owns the connection, its deadlines and the gunzipping. At most one item is held at a time.
#[derive(Debug)]
pub struct ListDecoder {
    body: Body,
    page: Page,
    sifted: Vec<u8>,
}

#[derive(Debug)]
enum Body {
    Json(Cutter),
    Protobuf(proto::Cutter),
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
    end: PageEnd,
    /// The list has begun.
    begun: bool,
    /// The list has ended.
    done: bool,
    /// What the body says it is, before its list; only protobuf does.
    kind: String,
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
            Encoding::Json => Body::Json(Cutter::new()),
            Encoding::Protobuf => Body::Protobuf(proto::Cutter::new()),
        };
        let page = Page { scope, end: PageEnd::default(), begun: false, done: false, kind: String::new() };
        Self { body, page, sifted: Vec::new() }
    }

    /// What asks for the next page, as soon as this one has said it: the API server writes it before the items, so that
    /// the next page can be asked for while this one still comes. [`PageEnd`] has the last word.
    #[must_use]
    pub fn next_page(&self) -> Option<&str> {
        self.page.end.continue_token.as_deref()
    }

    /// Takes the next bytes of the body and appends an [`Event::Pod`], [`Event::Namespace`], [`Event::Node`] or
    /// [`Event::Skipped`] for each item that they complete. Nodes are left out when `records` keeps none.
    ///
    /// # Errors
    /// The body is no list, or not in that encoding. Nothing more can be read then.
    pub fn push(&mut self, bytes: &[u8], records: &mut Records, events: &mut Vec<Event>) -> Result<(), DecodeError> {
        let mut sink = PageSink { page: &mut self.page, records, events, sifted: &mut self.sifted };
        match &mut self.body {
            Body::Json(cutter) => cutter.push(bytes, &mut sink).map_err(|stop| match stop {
                Stop::Problem(problem) => DecodeError::at(cutter.line(), problem),
                Stop::Error(error) => error,
                Stop::Enough => DecodeError::SecondDocument,
            }),
            Body::Protobuf(cutter) => cutter.push(bytes, &mut sink),
        }
    }

    /// Ends the page.
    ///
    /// # Errors
    /// The body ended too early.
    pub fn finish(self) -> Result<PageEnd, DecodeError> {
        let (is_begun, is_whole) = match &self.body {
            Body::Json(cutter) => (cutter.is_inside_document(), true),
            Body::Protobuf(cutter) => (!cutter.is_at_start(), cutter.is_between_fields()),
        };
        match self.page.done {
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
    sifted: &'s mut Vec<u8>,
}

impl PageSink<'_> {
    fn skip(&mut self, broken: &BrokenItem) {
        let place = Place { document: 1, item: self.page.end.items };
        self.events.push(Event::Skipped(skipped(self.page.scope.clone(), broken, place, self.records)));
    }

    fn take(&mut self, item: Item) {
        self.page.end.items += 1;
        match item {
            Item::Pod(pod) => self.events.push(Event::Pod(pod)),
            Item::Namespace(namespace) => self.events.push(Event::Namespace(namespace)),
            Item::Node(node) => self.events.push(Event::Node(node)),
            Item::Broken(broken) => self.skip(&broken),
            Item::Other(_) | Item::Shapeless(_) => {}
        }
    }

    fn expected(&self) -> Expected {
        match self.page.scope {
            ListScope::Namespaces => Expected::Namespace,
            ListScope::AllPods | ListScope::PodsOf(_) => Expected::Pod,
            ListScope::Nodes => Expected::Node,
        }
    }
}

impl Sink for PageSink<'_> {
    fn items_begin(&mut self, shell: &[u8]) -> Result<(), Stop> {
        self.no_second_document()?;
        // What is wrong with it is told at the end, when all of it is there.
        if let Ok(shell) = read_shell(&[shell, b"]}"].concat(), Format::Json) {
            self.page.set_end(shell);
        }
        Ok(())
    }

    fn item(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let item = read_item(bytes, Format::Json, self.expected(), self.records);
        self.take(item);
        Ok(())
    }

    fn item_at_start(&mut self, bytes: &[u8]) -> Result<AtStart<()>, Stop> {
        Ok(match read_item_at_start(bytes, self.expected(), self.records, self.sifted) {
            AtStart::Read(item, length) => {
                self.take(item);
                AtStart::Read((), length)
            }
            AtStart::Unfinished => AtStart::Unfinished,
            AtStart::Irregular => AtStart::Irregular,
        })
    }

    fn item_too_large(&mut self, head: &[u8]) -> Result<(), Stop> {
        self.page.end.items += 1;
        self.skip(&BrokenItem::too_large(peek_json(head), self.expected()));
        Ok(())
    }

    fn document_end(&mut self, shell: &[u8], has_items: bool) -> Result<bool, Stop> {
        self.no_second_document()?;
        let peek = peek_json(shell);
        let shell = read_shell(shell, Format::Json).map_err(Stop::Error)?;
        // A nil slice of Go is `null`: how some API servers write an empty list.
        let is_list = has_items || (shell.items == ItemsForm::Null && shell.kind.ends_with("List"));
        if !is_list {
            return Err(Stop::Error(DecodeError::NotKubernetes(peek.described())));
        }
        self.page.done = true;
        self.page.set_end(shell);
        Ok(true)
    }
}

impl proto::Sink for PageSink<'_> {
    fn type_meta(&mut self, message: &[u8]) -> Result<(), DecodeError> {
        self.page.kind = proto::kind_of(message)?;
        Ok(())
    }

    /// Field numbers mean something in one kind of list alone: unlike JSON's keys they say nothing by themselves.
    fn list_begin(&mut self) -> Result<(), DecodeError> {
        let kind = match self.expected() {
            Expected::Namespace => "NamespaceList",
            Expected::Node => "NodeList",
            _ => "PodList",
        };
        if self.page.begun {
            return Err(DecodeError::SecondDocument);
        }
        if self.page.kind != kind {
            return Err(DecodeError::NotKubernetes(match self.page.kind.as_str() {
                "" => "an object without kind".to_owned(),
                found => format!("`{}`", excerpt(found)),
            }));
        }
        self.page.begun = true;
        Ok(())
    }

    fn list_meta(&mut self, message: &[u8]) -> Result<(), DecodeError> {
        let proto::ListMeta { resource_version, continue_token, remaining } = proto::ListMeta::read(message)?;
        self.page.end = PageEnd { resource_version, continue_token, remaining, items: self.page.end.items };
        Ok(())
    }

    fn item(&mut self, message: &[u8]) -> Result<(), DecodeError> {
        let item = proto::read_item(message, self.expected(), self.records);
        self.take(item);
        Ok(())
    }

    fn item_too_large(&mut self, head: &[u8]) -> Result<(), DecodeError> {
        self.page.end.items += 1;
        self.skip(&BrokenItem::too_large(proto::peek(head), self.expected()));
        Ok(())
    }

    fn list_end(&mut self) -> Result<(), DecodeError> {
        self.page.done = true;
        Ok(())
    }
}

impl Page {
    fn set_end(&mut self, shell: Shell) {
        self.end.continue_token = shell.continue_token;
        self.end.remaining = shell.remaining;
        self.end.resource_version = shell.resource_version;
    }
}

impl PageSink<'_> {
    /// A body is one list; what follows it belongs to another answer.
    fn no_second_document(&self) -> Result<(), Stop> {
        if self.page.done { Err(Stop::Enough) } else { Ok(()) }
    }
}
