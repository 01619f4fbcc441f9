//! What a source says while it reads a cluster.

use std::sync::Arc;

use jiff::Timestamp;

use crate::inventory::{NamespaceRecord, NodeRecord, PodRecord};

/// One thing that a source found. A relist is `RelistBegun`, for each of its lists `ListBegun` and what is in it, then
/// `RelistEnded`. A source that fails half-way says nothing more; the next `RelistBegun` drops what came.
#[derive(Debug)]
pub enum Event {
    /// A relist begins: what follows replaces everything, once it has ended.
    RelistBegun,
    /// One list of the relist begins, or begins again: what it gave before is dropped.
    ListBegun(ListScope),
    /// A namespace of the cluster.
    Namespace(NamespaceRecord),
    /// A pod of the cluster. Pods of namespaces that are not selected are dropped by the index.
    Pod(PodRecord),
    /// A node of the cluster.
    Node(NodeRecord),
    /// A list was refused for want of a right; the reason names it.
    Refused {
        /// Which list.
        scope: ListScope,
        /// Verb, resource and scope that are missing, in the server's words.
        reason: Arc<str>,
    },
    /// A namespace that is included by name does not exist, as far as the source may know.
    NamespaceUnknown(Arc<str>),
    /// An item of a list could not be read; the rest of the list goes on.
    Skipped(SkippedItem),
    /// Every list of the relist ended or was refused.
    RelistEnded(RelistEnd),
}

/// Which objects a list holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ListScope {
    /// All namespaces of the cluster.
    Namespaces,
    /// All pods of the cluster.
    AllPods,
    /// The pods of one namespace.
    PodsOf(Arc<str>),
    /// All nodes of the cluster. Listed when they are sent; not being allowed to makes nothing incomplete.
    Nodes,
}

/// An item that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedItem {
    /// The list it stood in.
    pub scope: ListScope,
    /// The namespace, where that much could be read: its pods are then known to be incomplete.
    pub namespace: Option<Arc<str>>,
    /// What it is called, as far as it can be told: `pod apps/web-1`, `item 17`. Escaped and cut for messages.
    pub item: Arc<str>,
    /// The field and what is wrong with it. Escaped and cut for messages.
    pub problem: Arc<str>,
}

/// How a relist ended.
#[derive(Debug, Clone)]
pub struct RelistEnd {
    /// When the last list was read.
    pub observed_at: Timestamp,
    /// What the API server says it is; empty strings from a dump or when refused.
    pub server_version: ServerVersion,
    /// What the source knows to be missing beyond refused lists and skipped items: a dump that ended too early.
    pub cut_short: Option<Arc<str>>,
}

/// `GET /version` of the API server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerVersion {
    /// `1`
    pub major: String,
    /// `37`, with a vendor's suffix on some (`37+`).
    pub minor: String,
    /// `v1.37.2`
    pub git_version: String,
    /// Commit that the server was built from.
    pub git_commit: String,
    /// `clean` or `dirty`.
    pub git_tree_state: String,
    /// RFC 3339.
    pub build_date: String,
    /// `go1.26.8`
    pub go_version: String,
    /// `gc`
    pub compiler: String,
    /// `linux/amd64`
    pub platform: String,
}
