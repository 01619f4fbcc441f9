//! How a broken item is named to people.

use super::item::{BrokenItem, Kind};
use super::peek::Peek;
use super::records::Records;
use crate::inventory::excerpt;
use crate::snapshot::{ListScope, SkippedItem};

/// Where an item stands, both counted from 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) document: u64,
    pub(super) item: u64,
}

/// Names a broken item by what it calls itself, else by its place.
pub(super) fn skipped(scope: ListScope, broken: &BrokenItem, place: Place, records: &mut Records) -> SkippedItem {
    let Peek { namespace, name, .. } = &broken.peek;
    let is_pod = broken.kind == Kind::Pod;
    let item = match (name.as_str(), namespace.as_str()) {
        ("", _) if place.document > 1 => format!("document {}, item {}", place.document, place.item),
        ("", _) => format!("item {}", place.item),
        (name, "") if is_pod => format!("pod {}", excerpt(name)),
        (name, namespace) if is_pod => format!("pod {}/{}", excerpt(namespace), excerpt(name)),
        (name, _) if broken.kind == Kind::Node => format!("node {}", excerpt(name)),
        (name, _) if broken.kind == Kind::Namespace => format!("namespace {}", excerpt(name)),
        (name, "") => format!("item {} ({})", place.item, excerpt(name)),
        (name, namespace) => format!("item {} ({}/{})", place.item, excerpt(namespace), excerpt(name)),
    };
    let namespace = match (&scope, namespace.as_str()) {
        (ListScope::PodsOf(namespace), _) => Some(namespace.clone()),
        (_, "") => None,
        (_, namespace) if is_pod => Some(records.interner.string(namespace)),
        _ => None,
    };
    SkippedItem { scope, namespace, item: item.into(), problem: excerpt(&broken.problem).to_string().into() }
}
