//! One list body of the API server, page by page, as its bytes come in.

use super::cutter::Cutter;
use super::error::DecodeError;
use super::item::{AtStart, BrokenItem, Expected, Format, Item, peek_json, read_item, read_item_at_start};
use super::shell::{ItemsForm, read_shell};
use super::sink::{Sink, Stop};
use super::skipped::{Place, skipped};
use crate::inventory::Interner;
use crate::snapshot::{Event, ListScope};

/// Reads one page of a list: bytes are pushed in as they come, events come out.
///
/// Sans-IO: the caller owns the connection, its deadlines and the gunzipping. At most one item is held at a time.
#[derive(Debug)]
pub struct ListDecoder {
    cutter: Cutter,
    page: Page,
    sifted: Vec<u8>,
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
    /// The list has ended.
    done: bool,
}

impl ListDecoder {
    /// Begins a page of a list of that scope. What its items are follows from the scope, not from their `kind`, which
    /// the API server leaves out.
    #[must_use]
    pub fn new(scope: ListScope) -> Self {
        Self { cutter: Cutter::new(), page: Page { scope, end: PageEnd::default(), done: false }, sifted: Vec::new() }
    }

    /// Takes the next bytes of the body and appends an [`Event::Pod`], [`Event::Namespace`] or [`Event::Skipped`] for
    /// each item that they complete.
    ///
    /// # Errors
    /// The body is no list, or not JSON. Nothing more can be read then.
    pub fn push(&mut self, bytes: &[u8], interner: &mut Interner, events: &mut Vec<Event>) -> Result<(), DecodeError> {
        let pushed =
            self.cutter.push(bytes, &mut PageSink { page: &mut self.page, interner, events, sifted: &mut self.sifted });
        pushed.map_err(|stop| match stop {
            Stop::Problem(problem) => DecodeError::at(self.cutter.line(), problem),
            Stop::Error(error) => error,
            Stop::Enough => DecodeError::SecondDocument,
        })
    }

    /// Ends the page.
    ///
    /// # Errors
    /// The body ended too early.
    pub fn finish(self) -> Result<PageEnd, DecodeError> {
        if self.page.done {
            return Ok(self.page.end);
        }
        if self.cutter.is_inside_document() {
            return Err(DecodeError::EndedEarly(format!("after {} items", self.page.end.items)));
        }
        Err(DecodeError::Empty)
    }
}

struct PageSink<'s> {
    page: &'s mut Page,
    interner: &'s mut Interner,
    events: &'s mut Vec<Event>,
    sifted: &'s mut Vec<u8>,
}

impl PageSink<'_> {
    fn skip(&mut self, broken: &BrokenItem) {
        let place = Place { document: 1, item: self.page.end.items };
        self.events.push(Event::Skipped(skipped(self.page.scope.clone(), broken, place, self.interner)));
    }

    fn take(&mut self, item: Item) {
        self.page.end.items += 1;
        match item {
            Item::Pod(pod) => self.events.push(Event::Pod(pod)),
            Item::Namespace(namespace) => self.events.push(Event::Namespace(namespace)),
            Item::Broken(broken) => self.skip(&broken),
            Item::Other(_) | Item::Shapeless(_) => {}
        }
    }

    fn expected(&self) -> Expected {
        match self.page.scope {
            ListScope::Namespaces => Expected::Namespace,
            ListScope::AllPods | ListScope::PodsOf(_) => Expected::Pod,
        }
    }
}

impl Sink for PageSink<'_> {
    fn items_begin(&mut self, _: &[u8]) -> Result<(), Stop> {
        self.no_second_document()
    }

    fn item(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let item = read_item(bytes, Format::Json, self.expected(), self.interner);
        self.take(item);
        Ok(())
    }

    fn item_at_start(&mut self, bytes: &[u8]) -> Result<AtStart<()>, Stop> {
        Ok(match read_item_at_start(bytes, self.expected(), self.interner, self.sifted) {
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
        self.page.end.continue_token = shell.continue_token;
        self.page.end.remaining = shell.remaining;
        self.page.end.resource_version = shell.resource_version;
        Ok(true)
    }
}

impl PageSink<'_> {
    /// A body is one list; what follows it belongs to another answer.
    fn no_second_document(&self) -> Result<(), Stop> {
        if self.page.done { Err(Stop::Enough) } else { Ok(()) }
    }
}
