//! One object of a dump: told what it is, and read.

use std::fmt::Debug;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::yaml;
use crate::decode::envelope::{Items, ListKind};
use crate::decode::fields::object;
use crate::decode::identity::Identity;
use crate::decode::json::{self, Unreadable};
use crate::decode::namespace::read_namespace;
use crate::decode::node::read_node;
use crate::decode::objects::{Namespace, Node, ObjectMeta, Pod, PodSpec, PodStatus};
use crate::decode::pod::{PodRead, read_pod};
use crate::decode::records::Records;
use crate::decode::sink::AtStart;
use crate::decode::skipped::{BrokenItem, Kind};
use crate::inventory::{NamespaceRecord, NodeRecord};

/// How the bytes of a document are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Yaml,
}

impl Format {
    pub(super) fn read<T: DeserializeOwned + Debug>(self, bytes: &[u8]) -> Result<T, Unreadable> {
        match self {
            Self::Json => json::read(bytes),
            Self::Yaml => yaml::read(bytes),
        }
    }

    /// What an object calls itself.
    pub(super) fn identity(self, bytes: &[u8]) -> Identity {
        match self {
            Self::Json => json::identity(bytes),
            Self::Yaml => yaml::identity(bytes),
        }
    }
}

/// An object of any kind, as far as pods, namespaces and lists go.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Object {
    api_version: Option<String>,
    kind: Option<String>,
    #[serde(deserialize_with = "object")]
    metadata: Option<ObjectMeta>,
    #[serde(deserialize_with = "object")]
    spec: Option<PodSpec>,
    #[serde(deserialize_with = "object")]
    status: Option<PodStatus>,
    items: Items,
}

/// What became of an item.
#[derive(Debug)]
pub(super) enum Item {
    Pod(PodRead),
    Namespace(NamespaceRecord),
    Node(NodeRecord),
    /// A list inside the list.
    List,
    /// A `Status` of the API server.
    Status,
    Other(String),
    /// Neither a kind nor containers: what it is must be told by its list.
    Untold(Box<Untold>),
    Broken(BrokenItem),
    /// Another document begins inside it, so many lines below its first.
    Spliced {
        below: u64,
    },
}

/// An item whose kind its list alone tells.
#[derive(Debug)]
pub(super) struct Untold {
    pub(super) identity: Identity,
    /// What it is if it is a pod.
    pub(super) pod: Option<PodRead>,
    /// What it is if it is a namespace.
    pub(super) namespace: Option<NamespaceRecord>,
    /// What it is if it is a node, and nodes are kept.
    pub(super) node: Option<NodeRecord>,
}

/// What an object is, by its kind or by its list's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Pod,
    Namespace,
    Node,
    List,
    Status,
    Other,
    Untold,
}

/// Reads one item that is known to be whole.
pub(super) fn read_item(bytes: &[u8], format: Format, list: ListKind, records: &mut Records) -> Item {
    match format.read::<Object>(bytes) {
        Ok(object) => record(object, bytes, format, list, records),
        Err(unreadable) => broken(bytes, format, list, unreadable),
    }
}

/// Reads the JSON item at the start of `bytes`.
pub(super) fn read_at_start(bytes: &[u8], list: ListKind, records: &mut Records) -> AtStart<Item> {
    match json::read_at_start(bytes) {
        AtStart::Read(object, length) => {
            AtStart::Read(record(object, &bytes[..length], Format::Json, list, records), length)
        }
        AtStart::Unfinished => AtStart::Unfinished,
        AtStart::Irregular => AtStart::Irregular,
    }
}

/// The item that an object is whose fields have the right types.
pub(super) fn record(object: Object, bytes: &[u8], format: Format, list: ListKind, records: &mut Records) -> Item {
    let Object { api_version, kind, metadata, spec, status, items } = object;
    let has_containers = spec.as_ref().is_some_and(|spec| !spec.containers.is_empty());
    let has_items = matches!(items, Items::Array | Items::Null);
    let kind = kind.unwrap_or_default();
    let lacks = |problem: String, kind| Item::Broken(BrokenItem { identity: format.identity(bytes), kind, problem });
    match what(api_version.as_deref().unwrap_or_default(), &kind, has_containers, has_items, list) {
        What::Pod => match read_pod(&Pod { metadata, spec, status }, records) {
            Ok(pod) => Item::Pod(pod),
            Err(lack) => lacks(lack.to_string(), Kind::Pod),
        },
        What::Namespace => match read_namespace(&Namespace { metadata }, records) {
            Ok(namespace) => Item::Namespace(namespace),
            Err(lack) => lacks(lack.to_string(), Kind::Namespace),
        },
        What::Node => match node(bytes, format, records) {
            Some(Ok(node)) => Item::Node(node),
            Some(Err(problem)) => lacks(problem, Kind::Node),
            None => Item::Other("Node".to_owned()),
        },
        What::List => Item::List,
        What::Status => Item::Status,
        What::Other => Item::Other(kind),
        What::Untold => {
            let node = node(bytes, format, records).and_then(Result::ok);
            let pod = Pod { metadata, spec, status };
            let read = read_pod(&pod, records).ok();
            let namespace = read_namespace(&Namespace { metadata: pod.metadata }, records).ok();
            Item::Untold(Box::new(Untold { identity: format.identity(bytes), pod: read, namespace, node }))
        }
    }
}

/// The node that the bytes are, where nodes are kept: its status is another one than a pod's.
fn node(bytes: &[u8], format: Format, records: &mut Records) -> Option<Result<NodeRecord, String>> {
    let rule = records.detail.nodes.clone()?;
    let node = format.read::<Node>(bytes).map_err(|unreadable| unreadable.problem);
    Some(node.and_then(|node| read_node(&node, &rule, records).map_err(|lack| lack.to_string())))
}

/// What to make of an item whose bytes could not be read into the fields kept.
fn broken(bytes: &[u8], format: Format, list: ListKind, unreadable: Unreadable) -> Item {
    let identity = format.identity(bytes);
    let Unreadable { problem, splice } = unreadable;
    let Identity { api_version, kind, has_containers, .. } = &identity;
    let kind = match what(api_version, kind, *has_containers, identity.has_key("items"), list) {
        What::Pod => Kind::Pod,
        What::Namespace => Kind::Namespace,
        What::Node => Kind::Node,
        What::Other if !kind.is_empty() => return Item::Other(identity.kind),
        // Its own `status` is a word, which no object of another kind has there.
        What::Status => return Item::Status,
        What::List | What::Other | What::Untold => Kind::Unknown,
    };
    match splice {
        Some(below) if kind != Kind::Node => Item::Spliced { below },
        _ => Item::Broken(BrokenItem { identity, kind, problem }),
    }
}

/// An item of more bytes than are held, of which the first ones are given.
pub(super) fn too_large(head: &[u8], format: Format, list: ListKind) -> Item {
    let problem = "more than 16 MiB; save what is in it as a document of its own".to_owned();
    broken(head, format, list, Unreadable { problem, splice: None })
}

fn what(api_version: &str, kind: &str, has_containers: bool, has_items: bool, list: ListKind) -> What {
    let is_core = matches!(api_version, "" | "v1");
    match kind.to_ascii_lowercase().as_str() {
        // Other groups have pods, namespaces and nodes of their own.
        "pod" if is_core => What::Pod,
        "namespace" if is_core => What::Namespace,
        "node" if is_core => What::Node,
        "status" if is_core => What::Status,
        kind if has_items && (kind.is_empty() || kind.ends_with("list")) => What::List,
        "" => match list {
            ListKind::Pods => What::Pod,
            ListKind::Namespaces => What::Namespace,
            ListKind::Nodes => What::Node,
            ListKind::Other => What::Other,
            ListKind::Mixed | ListKind::Unnamed if has_containers => What::Pod,
            ListKind::Mixed | ListKind::Unnamed => What::Untold,
        },
        _ => What::Other,
    }
}
