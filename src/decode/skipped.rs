//! What could not be read, and how it is named to people.

use std::fmt;

use super::identity::Identity;
use super::records::Records;
use crate::inventory::{PodRecord, excerpt};
use crate::snapshot::{ListScope, SkippedItem};

/// What an object lacks: the path of the field, and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lack {
    pub(super) field: String,
    pub(super) problem: &'static str,
}

impl Lack {
    pub(super) fn missing(field: impl Into<String>) -> Self {
        Self { field: field.into(), problem: "missing" }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)
    }
}

/// What an item was to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Pod,
    Namespace,
    Node,
    Unknown,
}

impl Kind {
    /// What the items of a list are.
    pub(super) fn of_scope(scope: &ListScope) -> Self {
        match scope {
            ListScope::Namespaces => Self::Namespace,
            ListScope::AllPods | ListScope::PodsOf(_) => Self::Pod,
            ListScope::Nodes => Self::Node,
        }
    }

    /// The `kind` that such an object has.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Pod => "Pod",
            Self::Namespace => "Namespace",
            Self::Node => "Node",
            Self::Unknown => "",
        }
    }
}

/// What is wrong with an item of more bytes than are held.
pub(super) const TOO_LARGE: &str = "more than 16 MiB";

/// An item, or a part of one, that could not be read.
#[derive(Debug)]
pub(super) struct BrokenItem {
    pub(super) identity: Identity,
    pub(super) kind: Kind,
    /// The field and what is wrong with it, as the input has it.
    pub(super) problem: String,
}

impl BrokenItem {
    /// An item of more than [`ITEM_MAX`](super::sink::ITEM_MAX) bytes.
    pub(super) fn too_large(identity: Identity, kind: Kind) -> Self {
        Self { identity, kind, problem: TOO_LARGE.to_owned() }
    }

    /// An entry that a pod was read without.
    pub(super) fn left_out(pod: &PodRecord, lack: &Lack) -> Self {
        let identity =
            Identity { namespace: pod.namespace.to_string(), name: pod.name.to_string(), ..Identity::default() };
        Self { identity, kind: Kind::Pod, problem: lack.to_string() }
    }
}

/// Where an item stands, counted from 1.
#[derive(Debug, Clone, Copy)]
pub(super) enum Position {
    /// In a list.
    Item { document: u64, item: u64 },
    /// In a watch.
    Frame(u64),
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item { document: 0 | 1, item } => write!(f, "item {item}"),
            Self::Item { document, item } => write!(f, "document {document}, item {item}"),
            Self::Frame(frame) => write!(f, "frame {frame}"),
        }
    }
}

/// Names a broken item by what it calls itself, else by its position.
pub(super) fn skipped(scope: ListScope, broken: &BrokenItem, at: Position, records: &mut Records) -> SkippedItem {
    let Identity { namespace, name, .. } = &broken.identity;
    let is_pod = broken.kind == Kind::Pod;
    let item = match (broken.kind, name.as_str(), namespace.as_str()) {
        (_, "", _) => at.to_string(),
        (Kind::Pod, name, "") => format!("pod {}", excerpt(name)),
        (Kind::Pod, name, namespace) => format!("pod {}/{}", excerpt(namespace), excerpt(name)),
        (Kind::Node, name, _) => format!("node {}", excerpt(name)),
        (Kind::Namespace, name, _) => format!("namespace {}", excerpt(name)),
        (Kind::Unknown, name, "") => format!("{at} ({})", excerpt(name)),
        (Kind::Unknown, name, namespace) => format!("{at} ({}/{})", excerpt(namespace), excerpt(name)),
    };
    let namespace = match (&scope, namespace.as_str()) {
        (ListScope::PodsOf(namespace), _) => Some(namespace.clone()),
        (_, "") => None,
        (_, namespace) if is_pod => Some(records.interner.string(namespace)),
        _ => None,
    };
    SkippedItem { scope, namespace, item: item.into(), problem: excerpt(&broken.problem).to_string().into() }
}
