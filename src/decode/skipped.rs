//! What could not be read, and how it is named to people.

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

impl std::fmt::Display for Lack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)
    }
}

/// What an item was to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Pod,
    Namespace,
    Node,
    /// Nothing tells.
    Unknown,
}

/// An item, or a part of one, that could not be read.
#[derive(Debug)]
pub(super) struct BrokenItem {
    /// What it calls itself.
    pub(super) identity: Identity,
    pub(super) kind: Kind,
    /// The field and what is wrong with it, as the input has it.
    pub(super) problem: String,
}

impl BrokenItem {
    /// An entry that a pod was read without.
    pub(super) fn left_out(pod: &PodRecord, lack: &Lack) -> Self {
        let identity =
            Identity { namespace: pod.namespace.to_string(), name: pod.name.to_string(), ..Identity::default() };
        Self { identity, kind: Kind::Pod, problem: lack.to_string() }
    }
}

/// Where an item stands, both counted from 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) document: u64,
    pub(super) item: u64,
}

/// Names a broken item by what it calls itself, else by its position.
pub(super) fn skipped(scope: ListScope, broken: &BrokenItem, at: Position, records: &mut Records) -> SkippedItem {
    let Identity { namespace, name, .. } = &broken.identity;
    let is_pod = broken.kind == Kind::Pod;
    let item = match (broken.kind, name.as_str(), namespace.as_str()) {
        (_, "", _) if at.document > 1 => format!("document {}, item {}", at.document, at.item),
        (_, "", _) => format!("item {}", at.item),
        (Kind::Pod, name, "") => format!("pod {}", excerpt(name)),
        (Kind::Pod, name, namespace) => format!("pod {}/{}", excerpt(namespace), excerpt(name)),
        (Kind::Node, name, _) => format!("node {}", excerpt(name)),
        (Kind::Namespace, name, _) => format!("namespace {}", excerpt(name)),
        (Kind::Unknown, name, "") => format!("item {} ({})", at.item, excerpt(name)),
        (Kind::Unknown, name, namespace) => format!("item {} ({}/{})", at.item, excerpt(namespace), excerpt(name)),
    };
    let namespace = match (&scope, namespace.as_str()) {
        (ListScope::PodsOf(namespace), _) => Some(namespace.clone()),
        (_, "") => None,
        (_, namespace) if is_pod => Some(records.interner.string(namespace)),
        _ => None,
    };
    SkippedItem { scope, namespace, item: item.into(), problem: excerpt(&broken.problem).to_string().into() }
}
