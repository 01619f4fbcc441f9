//! What a dump holds, object by object: counted, and handed on as events.

mod nested;

use std::ops::ControlFlow;

use super::end::Found;
use super::item::{Format, Item, Untold, read_at_start, read_item, record, too_large};
use super::watch;
use super::yaml::{self, Anchors};
use crate::decode::envelope::{Envelope, Items, ListKind};
use crate::decode::error::{DecodeError, Problem};
use crate::decode::objects::Status;
use crate::decode::pod::PodRead;
use crate::decode::records::Records;
use crate::decode::sink::{AtStart, Sink, Stop};
use crate::decode::skipped::{BrokenItem, Kind, Position, skipped};
use crate::inventory::{NamespaceRecord, NodeRecord, excerpt};
use crate::snapshot::{Event, ListScope};

/// The most items whose kind must wait for the end of their list. A list of so many objects that are neither pods nor
/// say what they are is none that kai reads.
const WAITING_MAX: usize = 1_000_000;
/// So many unreadable items before the first pod or namespace are no list of such.
const UNREADABLE_MAX: u64 = 100_000;

/// The objects of a dump.
pub(super) struct Contents<'o> {
    records: &'o mut Records,
    emit: &'o mut dyn FnMut(Event) -> ControlFlow<()>,
    /// How the document being read is written.
    pub(super) format: Format,
    pub(super) found: Found,
    anchors: Anchors,
    /// The document being read, counted from 1.
    document: u64,
    list: List,
    /// Lists that the one being read is inside of.
    depth: u32,
}

#[derive(Debug, Default)]
struct List {
    kind: ListKind,
    /// The kind of its items, where the list names it.
    item_kind: String,
    items: u64,
    had_pods: bool,
    /// Its last item was a list.
    nested_last: bool,
    /// Items whose kind the list tells at its end, with their positions.
    waiting: Vec<(u64, Box<Untold>)>,
}

impl List {
    fn named(word: &str) -> Self {
        let item_kind = word.strip_suffix("List").unwrap_or(word).to_owned();
        Self { kind: ListKind::of_word(word), item_kind, ..Self::default() }
    }
}

impl<'o> Contents<'o> {
    pub(super) fn new(records: &'o mut Records, emit: &'o mut dyn FnMut(Event) -> ControlFlow<()>) -> Self {
        Self {
            records,
            emit,
            format: Format::Json,
            found: Found::default(),
            anchors: Anchors::default(),
            document: 1,
            list: List::default(),
            depth: 0,
        }
    }

    /// The item of the list that would come next, counted from 1.
    pub(super) fn next_item(&self) -> u64 {
        self.list.items + 1
    }

    /// Whether the last item of the list being read was a list.
    pub(super) fn ended_in_list(&self) -> bool {
        self.list.nested_last
    }

    /// Documents that were read to their end.
    pub(super) fn documents(&self) -> u64 {
        self.document - 1
    }

    /// The list ended without saying what it is.
    pub(super) fn settle_unfinished(&mut self) -> Result<(), Stop> {
        self.settle(self.list.kind)
    }

    fn send(&mut self, event: Event) -> Result<(), Stop> {
        match (self.emit)(event) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stop::Enough),
        }
    }

    /// Takes the item that the bytes are, the `at`th of its list.
    fn take(&mut self, item: Item, bytes: &[u8], at: u64) -> Result<(), Stop> {
        self.list.nested_last = matches!(item, Item::List);
        match item {
            Item::Pod(pod) => self.take_pod(pod, at),
            Item::Namespace(namespace) => self.take_namespace(namespace),
            Item::Node(node) => self.take_node(node),
            Item::List => self.take_nested(bytes, at),
            Item::Status => {
                self.take_status(bytes);
                Ok(())
            }
            Item::Other(kind) => {
                let kind = if kind.is_empty() { self.list.item_kind.clone() } else { kind };
                self.found.count_other(&kind);
                Ok(())
            }
            Item::Untold(untold) if watch::is_event(&untold.identity) => self.take_watch_event(bytes, at),
            Item::Untold(untold) => {
                self.found.note_go_names(&untold.identity);
                if self.list.waiting.len() >= WAITING_MAX {
                    return Err(Stop::Error(DecodeError::NotKubernetes(untold.identity.described())));
                }
                self.list.waiting.push((at, untold));
                Ok(())
            }
            Item::Spliced { below } => Err(Problem::Splice { below }.into()),
            Item::Broken(broken) => self.take_broken(&broken, at),
        }
    }

    fn take_pod(&mut self, PodRead { pod, left_out }: PodRead, at: u64) -> Result<(), Stop> {
        self.found.end.is_recognised = true;
        self.found.end.pods += 1;
        self.list.had_pods = true;
        for lack in &left_out {
            self.skip(&BrokenItem::left_out(&pod, lack), at)?;
        }
        self.send(Event::from(pod))
    }

    fn take_namespace(&mut self, namespace: NamespaceRecord) -> Result<(), Stop> {
        self.found.end.is_recognised = true;
        self.found.end.namespaces += 1;
        self.send(Event::from(namespace))
    }

    /// A node is no reason to take the input for a dump: it is read only besides what runs.
    fn take_node(&mut self, node: NodeRecord) -> Result<(), Stop> {
        self.found.end.nodes += 1;
        self.found.count_other("Node");
        self.send(Event::from(node))
    }

    fn take_unreadable(&mut self, bytes: &[u8], kind: Kind, problem: String, at: u64) -> Result<(), Stop> {
        self.take_broken(&BrokenItem { identity: self.format.identity(bytes), kind, problem }, at)
    }

    /// What the API server answered in place of objects is no object.
    fn take_status(&mut self, bytes: &[u8]) {
        let status: Status = self.format.read(bytes).unwrap_or_default();
        if status.outcome.as_deref() == Some("Success") {
            self.found.count_other("Status");
            return;
        }
        let message = status.message.filter(|message| !message.is_empty());
        let message = excerpt(message.as_deref().unwrap_or("it failed, without a message")).to_string();
        self.found.gaps.push(format!("document {}: the API server answered with an error: {message}", self.document));
        self.found.refusal.get_or_insert(message);
    }

    fn take_broken(&mut self, broken: &BrokenItem, at: u64) -> Result<(), Stop> {
        self.found.note_go_names(&broken.identity);
        match broken.kind {
            Kind::Pod | Kind::Namespace => {
                self.found.end.is_recognised = true;
                self.list.had_pods |= broken.kind == Kind::Pod;
            }
            Kind::Node => {
                self.found.count_other("Node");
                let is_wanted = self.records.detail.nodes.is_some();
                return if is_wanted { self.skip_in(ListScope::Nodes, broken, at) } else { Ok(()) };
            }
            Kind::Unknown => {
                let problem = || format!("an object that could not be read ({})", excerpt(&broken.problem));
                self.found.unknown.get_or_insert_with(problem);
            }
        }
        if self.found.is_foreign() && at > UNREADABLE_MAX {
            let unknown = self.found.unknown.take().unwrap_or_default();
            return Err(Stop::Error(DecodeError::NotKubernetes(unknown)));
        }
        self.skip(broken, at)
    }

    fn skip(&mut self, broken: &BrokenItem, item: u64) -> Result<(), Stop> {
        self.skip_in(ListScope::AllPods, broken, item)
    }

    fn skip_in(&mut self, scope: ListScope, broken: &BrokenItem, item: u64) -> Result<(), Stop> {
        let position = Position::Item { document: self.document, item };
        let skipped = skipped(scope, broken, position, self.records);
        self.send(Event::Skipped(skipped))
    }

    /// Now that the kind of the list is known, so are its items that do not say theirs.
    fn settle(&mut self, kind: ListKind) -> Result<(), Stop> {
        for (at, untold) in std::mem::take(&mut self.list.waiting) {
            let Untold { identity, pod, namespace, node } = *untold;
            let missing =
                if identity.name.is_empty() { "metadata.name: missing" } else { "metadata.namespace: missing" };
            let described = identity.described();
            let broken = |kind, problem: &str| BrokenItem { identity, kind, problem: problem.to_owned() };
            match (kind, pod, namespace, node) {
                (ListKind::Pods, Some(pod), ..) => self.take_pod(pod, at)?,
                (ListKind::Namespaces, _, Some(namespace), _) => self.take_namespace(namespace)?,
                (ListKind::Nodes, .., Some(node)) => self.take_node(node)?,
                (ListKind::Nodes, .., None) => self.found.count_other("Node"),
                (ListKind::Other, ..) => self.found.count_other(&self.list.item_kind.clone()),
                (ListKind::Pods, ..) => self.take_broken(&broken(Kind::Pod, missing), at)?,
                (ListKind::Namespaces, ..) => self.take_broken(&broken(Kind::Namespace, missing), at)?,
                (ListKind::Unnamed | ListKind::Mixed, ..) => {
                    self.found.unknown.get_or_insert(described);
                    self.skip(&broken(Kind::Unknown, "neither `kind` nor `spec.containers` says what it is"), at)?;
                }
            }
        }
        Ok(())
    }

    /// What a list says of itself has come to its end.
    fn end_list(&mut self, envelope: &Envelope) -> Result<(), Stop> {
        let word = envelope.kind();
        let kind = ListKind::of_word(word);
        if self.list.item_kind.is_empty() {
            self.list.item_kind = List::named(word).item_kind;
        }
        self.settle(kind)?;
        let is_empty = self.list.items == 0;
        match kind {
            ListKind::Pods | ListKind::Namespaces => self.found.end.is_recognised = true,
            ListKind::Mixed | ListKind::Unnamed => self.found.end.is_recognised |= is_empty,
            ListKind::Nodes | ListKind::Other if is_empty => self.found.count_other(word),
            ListKind::Nodes | ListKind::Other => {}
        }
        let may_have_pods = matches!(kind, ListKind::Mixed | ListKind::Unnamed) && is_empty;
        self.found.end.had_pod_list |= kind == ListKind::Pods || self.list.had_pods || may_have_pods;
        if let Some(metadata) = &envelope.metadata {
            self.found.pages.note(word, metadata, self.list.items, self.document);
        }
        Ok(())
    }

    /// The document at hand ended.
    fn end_document(&mut self) {
        if self.depth == 0 {
            self.document += 1;
            self.anchors = Anchors::default();
        }
        self.list = List::default();
    }

    /// A document without `items` that were cut: an object, or a list with `null` for them or in YAML's flow style.
    fn take_object(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let identity = self.format.identity(bytes);
        self.found.note_go_names(&identity);
        let kind = ListKind::of_word(&identity.kind);
        let is_list = !matches!(kind, ListKind::Other | ListKind::Unnamed) || identity.has_key("items");
        if !is_list {
            let item = read_item(bytes, self.format, ListKind::Unnamed, self.records);
            self.take(item, bytes, 1)?;
            return self.settle(ListKind::Unnamed);
        }
        let envelope: Envelope = self
            .format
            .read(bytes)
            .map_err(|unreadable| Stop::Error(DecodeError::BrokenList(excerpt(&unreadable.problem).to_string())))?;
        match (envelope.items, self.format) {
            (Items::Null, _) => self.end_list(&envelope),
            (Items::Array, Format::Yaml) => self.take_nested(bytes, 1),
            _ if kind == ListKind::Other => {
                self.found.count_other(&identity.kind);
                Ok(())
            }
            _ => {
                let what = format!("a `{}` without `items`", excerpt(&identity.kind));
                Err(Stop::Error(DecodeError::NotKubernetes(what)))
            }
        }
    }

    /// Reads an item of YAML once more, with what its aliases stand for.
    fn explained(&mut self, bytes: &[u8]) -> Option<Item> {
        let text = self.anchors.explained(bytes)?;
        let object = yaml::read_explained(&text)?;
        Some(record(object, bytes, Format::Yaml, self.list.kind, self.records))
    }
}

impl Sink for Contents<'_> {
    fn list_begins(&mut self, list: Envelope) -> Result<(), Stop> {
        self.list = List::named(list.kind());
        Ok(())
    }

    fn item_at_start(&mut self, bytes: &[u8]) -> Result<AtStart<()>, Stop> {
        Ok(match read_at_start(bytes, self.list.kind, self.records) {
            AtStart::Read(item, length) => {
                self.list.items += 1;
                self.take(item, &bytes[..length], self.list.items)?;
                AtStart::Read((), length)
            }
            AtStart::Unfinished => AtStart::Unfinished,
            AtStart::Irregular => AtStart::Irregular,
        })
    }

    fn item(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.list.items += 1;
        let mut item = read_item(bytes, self.format, self.list.kind, self.records);
        if self.format == Format::Yaml {
            if matches!(item, Item::Broken(_))
                && let Some(explained) = self.explained(bytes)
            {
                item = explained;
            }
            self.anchors.note(bytes);
        }
        self.take(item, bytes, self.list.items)
    }

    fn item_too_large(&mut self, head: &[u8]) -> Result<(), Stop> {
        self.list.items += 1;
        let item = too_large(head, self.format, self.list.kind);
        self.take(item, head, self.list.items)
    }

    fn list_ends(&mut self, list: Envelope) -> Result<(), Stop> {
        let ended = self.end_list(&list);
        self.end_document();
        ended
    }

    fn object(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let taken = self.take_object(bytes);
        self.end_document();
        taken
    }

    /// What stands before the objects is another program's output, or an error in their place; behind them something may
    /// be missing.
    fn foreign_line(&mut self, line: u64, text: String, is_among_items: bool) -> Result<(), Stop> {
        let is_first = self.documents() == 0 && !is_among_items;
        if is_first || self.found.is_foreign() {
            return Err(Stop::Error(DecodeError::ForeignLine { line, text }));
        }
        self.found.gaps.push(DecodeError::ForeignLine { line, text }.to_string());
        Ok(())
    }
}
