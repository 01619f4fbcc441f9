//! What a saved dump holds, object by object: told apart, counted, and handed on as events.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::error::DecodeError;
use super::forms::Map;
use super::item::{
    AtStart, BrokenItem, Expected, Format, Item, Kind, Shapeless, read_item, read_item_at_start, read_object,
};
use super::peek::Peek;
use super::records::Records;
use super::shell::{ItemsForm, ListKind, read_shell};
use super::sink::{Problem, Sink, Stop};
use super::skipped::{Place, skipped};
use super::wire::Object;
use super::yaml;
use crate::inventory::{NamespaceRecord, NodeRecord, PodRecord, excerpt};
use crate::snapshot::{Event, ListScope};

/// The most items whose kind must wait for the end of their list. A list of so many objects that are neither pods nor
/// say what they are is none that kai reads.
const WAITING_MAX: usize = 1_000_000;
/// So many unreadable items before the first pod or namespace are no list of such.
const UNREADABLE_MAX: u64 = 100_000;
/// As many other kinds as a message names.
const KINDS_SHOWN: usize = 8;

/// The objects of a dump.
pub(super) struct Objects<'o> {
    records: &'o mut Records,
    emit: &'o mut dyn FnMut(Event) -> ControlFlow<()>,
    /// How the document being read is written.
    pub(super) format: Format,
    /// Pods and namespaces that were read.
    pub(super) read: u64,
    pub(super) had_namespaces: bool,
    /// Lists that may hold pods or namespaces, or broken items of such: enough not to take the input for something else.
    recognised: bool,
    other_kinds: BTreeSet<String>,
    /// The first object that neither says nor shows what it is.
    stranger: Option<String>,
    go_names: Option<String>,
    document: u64,
    list: List,
    /// Room for the part of an item that is read.
    sifted: Vec<u8>,
}

/// The list being read.
#[derive(Debug)]
struct List {
    kind: ListKind,
    items: u64,
    /// Items whose kind the list tells at its end, with their places.
    waiting: Vec<(u64, Box<Shapeless>)>,
}

impl Default for List {
    fn default() -> Self {
        Self { kind: ListKind::Unnamed, items: 0, waiting: Vec::new() }
    }
}

impl List {
    /// What its items are.
    fn expected(&self) -> Expected {
        match self.kind {
            ListKind::Pods => Expected::KindOrPod,
            ListKind::Namespaces => Expected::KindOrNamespace,
            ListKind::Nodes => Expected::KindOrNode,
            ListKind::Mixed | ListKind::Unnamed => Expected::KindOrShape,
            ListKind::Other => Expected::KindOrOther,
        }
    }
}

impl<'o> Objects<'o> {
    pub(super) fn new(records: &'o mut Records, emit: &'o mut dyn FnMut(Event) -> ControlFlow<()>) -> Self {
        Self {
            records,
            emit,
            format: Format::Json,
            read: 0,
            had_namespaces: false,
            recognised: false,
            other_kinds: BTreeSet::new(),
            stranger: None,
            go_names: None,
            document: 1,
            list: List::default(),
            sifted: Vec::new(),
        }
    }

    /// The item of the list that would come next, counted from 1.
    pub(super) fn next_item(&self) -> u64 {
        self.list.items + 1
    }

    /// Whether the input is one that kai reads, even if nothing is in it.
    pub(super) fn is_recognised(&self) -> bool {
        self.recognised
    }

    /// Why nothing could be read.
    pub(super) fn nothing_read(&mut self) -> DecodeError {
        if let Some(names) = self.go_names.take() {
            return DecodeError::GoFieldNames(names);
        }
        if !self.other_kinds.is_empty() {
            let kinds: Vec<String> =
                self.other_kinds.iter().take(KINDS_SHOWN).map(|kind| format!("`{}`", excerpt(kind))).collect();
            return DecodeError::OtherKinds(kinds.join(", "));
        }
        self.stranger.take().map_or(DecodeError::Empty, DecodeError::NotKubernetes)
    }

    /// The list ended without saying what it is.
    pub(super) fn settle_unfinished(&mut self) -> Result<(), Stop> {
        self.settle(ListKind::Unnamed)
    }

    fn send(&mut self, event: Event) -> Result<(), Stop> {
        match (self.emit)(event) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stop::Enough),
        }
    }

    fn take(&mut self, item: Item, at: u64) -> Result<(), Stop> {
        match item {
            Item::Pod(pod) => self.take_pod(pod),
            Item::Namespace(namespace) => self.take_namespace(namespace),
            Item::Node(node) => self.take_node(node),
            Item::Other(kind) => {
                self.other_kinds.insert(kind);
                Ok(())
            }
            Item::Shapeless(shapeless) => {
                self.note_go_names(&shapeless.peek);
                if self.list.waiting.len() >= WAITING_MAX {
                    return Err(Stop::Error(DecodeError::NotKubernetes(shapeless.peek.described())));
                }
                self.list.waiting.push((at, shapeless));
                Ok(())
            }
            Item::Broken(broken) if broken.splice && broken.kind != Kind::Node => Err(Problem::Splice.into()),
            Item::Broken(broken) => {
                self.note_go_names(&broken.peek);
                match broken.kind {
                    Kind::Pod | Kind::Namespace => self.recognised = true,
                    Kind::Node => return self.skip_node(&broken, at),
                    Kind::Other | Kind::Shapeless => {
                        let stranger = || format!("an object that could not be read ({})", excerpt(&broken.problem));
                        self.stranger.get_or_insert_with(stranger);
                    }
                }
                if !self.recognised && at > UNREADABLE_MAX {
                    return Err(Stop::Error(self.nothing_read()));
                }
                self.skip(&broken, at)
            }
        }
    }

    fn take_pod(&mut self, pod: PodRecord) -> Result<(), Stop> {
        self.recognised = true;
        self.read += 1;
        self.send(Event::Pod(pod))
    }

    fn take_namespace(&mut self, namespace: NamespaceRecord) -> Result<(), Stop> {
        self.recognised = true;
        self.had_namespaces = true;
        self.read += 1;
        self.send(Event::Namespace(namespace))
    }

    /// A node is no reason to take the input for a dump: it is read only besides what runs.
    fn take_node(&mut self, node: NodeRecord) -> Result<(), Stop> {
        self.note_node();
        self.send(Event::Node(node))
    }

    fn skip_node(&mut self, broken: &BrokenItem, item: u64) -> Result<(), Stop> {
        self.note_node();
        if self.records.detail.nodes.is_none() {
            return Ok(());
        }
        let place = Place { document: self.document, item };
        let skipped = skipped(ListScope::Nodes, broken, place, self.records);
        self.send(Event::Skipped(skipped))
    }

    fn note_node(&mut self) {
        if !self.other_kinds.contains("Node") {
            self.other_kinds.insert("Node".to_owned());
        }
    }

    fn skip(&mut self, broken: &BrokenItem, item: u64) -> Result<(), Stop> {
        let place = Place { document: self.document, item };
        let skipped = skipped(ListScope::AllPods, broken, place, self.records);
        self.send(Event::Skipped(skipped))
    }

    /// Now that the kind of the list is known, so are its items that do not say theirs.
    fn settle(&mut self, kind: ListKind) -> Result<(), Stop> {
        for (at, shapeless) in std::mem::take(&mut self.list.waiting) {
            let Shapeless { peek, pod, namespace, node } = *shapeless;
            match (kind, pod, namespace, node) {
                (ListKind::Pods, Some(pod), ..) => self.take_pod(pod)?,
                (ListKind::Namespaces, _, Some(namespace), _) => self.take_namespace(namespace)?,
                (ListKind::Nodes, .., Some(node)) => self.take_node(node)?,
                (ListKind::Nodes | ListKind::Other, ..) => {}
                (ListKind::Pods | ListKind::Namespaces, ..) => {
                    let missing =
                        if peek.name.is_empty() { "metadata.name: missing" } else { "metadata.namespace: missing" };
                    self.recognised = true;
                    let kind = if kind == ListKind::Pods { Kind::Pod } else { Kind::Namespace };
                    self.skip_shapeless(peek, kind, missing, at)?;
                }
                (ListKind::Unnamed | ListKind::Mixed, ..) => {
                    self.stranger.get_or_insert_with(|| peek.described());
                    self.skip_shapeless(
                        peek,
                        Kind::Shapeless,
                        "neither `kind` nor `spec.containers` says what it is",
                        at,
                    )?;
                }
            }
        }
        Ok(())
    }

    fn skip_shapeless(&mut self, peek: Peek, kind: Kind, problem: &str, at: u64) -> Result<(), Stop> {
        self.skip(&BrokenItem { peek, kind, problem: problem.to_owned(), splice: false }, at)
    }

    /// Takes note of the keys that Go gives the fields of an object.
    pub(super) fn note_go_names(&mut self, peek: &Peek) {
        const GO: [&str; 7] = ["TypeMeta", "ObjectMeta", "ListMeta", "Metadata", "Items", "Spec", "Status"];
        let found: Vec<String> =
            peek.keys.iter().filter(|key| GO.contains(&key.as_str())).map(|key| format!("`{key}`")).collect();
        if !found.is_empty() && self.go_names.is_none() {
            self.go_names = Some(found.join(", "));
        }
    }

    fn end_list(&mut self, shell: &[u8]) -> Result<bool, Stop> {
        let shell = read_shell(shell, self.format).map_err(Stop::Error)?;
        let kind = ListKind::of_word(&shell.kind);
        let read_before = self.read;
        self.settle(kind)?;
        if matches!(kind, ListKind::Nodes | ListKind::Other) {
            self.other_kinds.insert(shell.kind);
            return Ok(self.read > read_before);
        }
        if self.list.items == 0 {
            self.recognised = true;
        }
        Ok(true)
    }

    /// A document without `items` that were cut: an object, or a list with `null` for them or in YAML's flow style.
    fn end_object(&mut self, shell: &[u8]) -> Result<bool, Stop> {
        let peek = self.format.peek(shell);
        self.note_go_names(&peek);
        let kind = ListKind::of_word(&peek.kind);
        let has_items = peek.keys.iter().any(|key| key == "items");
        if matches!(kind, ListKind::Nodes | ListKind::Other) || (kind == ListKind::Unnamed && !has_items) {
            let before = (self.read, self.recognised);
            let item = read_item(shell, self.format, Expected::KindOrShape, self.records);
            self.take(item, 1)?;
            self.settle(ListKind::Unnamed)?;
            return Ok((self.read, self.recognised) != before);
        }
        match (read_shell(shell, self.format).map_err(Stop::Error)?.items, self.format) {
            (ItemsForm::Null, _) => {
                self.recognised = true;
                Ok(true)
            }
            (ItemsForm::Array, Format::Yaml) => {
                self.list.kind = kind;
                self.flow_items(&yaml::text_of(shell))?;
                self.end_list(shell)
            }
            _ => Err(Stop::Error(DecodeError::NotKubernetes(format!("a `{}` without `items`", excerpt(&peek.kind))))),
        }
    }

    /// The items of a list in flow style, all at once; one by one when any is broken.
    fn flow_items(&mut self, text: &str) -> Result<(), Stop> {
        if let Ok(items) = yaml::parse_items::<Map<Object<'_>>>(text) {
            for object in items {
                self.list.items += 1;
                let item = read_object(&object, Peek::default, self.list.expected(), self.records);
                self.take(item, self.list.items)?;
            }
            return Ok(());
        }
        let broken = |reason: String| Stop::Error(DecodeError::BrokenList(excerpt(&reason).to_string()));
        self.format = Format::Json;
        for item in yaml::parse_items::<serde_json::Value>(text).map_err(broken)? {
            self.item(item.to_string().as_bytes())?;
        }
        self.format = Format::Yaml;
        Ok(())
    }
}

impl Sink for Objects<'_> {
    fn items_begin(&mut self, shell: &[u8]) -> Result<(), Stop> {
        self.list = List { kind: ListKind::of_word(&self.format.peek(shell).kind), ..List::default() };
        Ok(())
    }

    fn item_at_start(&mut self, bytes: &[u8]) -> Result<AtStart<()>, Stop> {
        let expected = self.list.expected();
        Ok(match read_item_at_start(bytes, expected, self.records, &mut self.sifted) {
            AtStart::Read(item, length) => {
                self.list.items += 1;
                self.take(item, self.list.items)?;
                AtStart::Read((), length)
            }
            AtStart::Unfinished => AtStart::Unfinished,
            AtStart::Irregular => AtStart::Irregular,
        })
    }

    fn item(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.list.items += 1;
        let item = read_item(bytes, self.format, self.list.expected(), self.records);
        self.take(item, self.list.items)
    }

    fn item_too_large(&mut self, head: &[u8]) -> Result<(), Stop> {
        self.list.items += 1;
        let peek = self.format.peek(head);
        self.take(Item::Broken(BrokenItem::too_large(peek, self.list.expected())), self.list.items)
    }

    fn document_end(&mut self, shell: &[u8], has_items: bool) -> Result<bool, Stop> {
        let known = if has_items { self.end_list(shell) } else { self.end_object(shell) };
        self.document += 1;
        self.list = List::default();
        known
    }
}
