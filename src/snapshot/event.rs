//! What a source finds in a cluster, one event at a time.

use std::sync::Arc;

use jiff::Timestamp;

use crate::inventory::{NamespaceRecord, NodeRecord, PodRecord};

/// One thing that a source found.
///
/// A relist is, for each of its lists, `RelistBegun`, `Applied` for each object, and `RelistEnded` or `Refused`; then
/// `Observed`, with which all of it takes the place of what was. A source that fails half-way sends nothing more: what was
/// stays. A watch sends `Applied` and `Deleted` outside of any list, and they count at once.
#[derive(Debug)]
pub enum Event {
    /// A list begins, or begins again: what it gave since it began is dropped.
    RelistBegun(ListScope),
    /// An object is there, new or changed.
    Applied(Object),
    Deleted(ObjectKey),
    /// A list was refused for want of a right; the reason names it.
    Refused {
        scope: ListScope,
        /// Verb, resource and scope that are missing, in the server's words.
        reason: Arc<str>,
    },
    /// A list is read no more: others stand for it.
    Unlisted(ListScope),
    /// A namespace that is included by name does not exist, as far as the source may know.
    NamespaceUnknown(Arc<str>),
    /// An item of a list could not be read; the rest of the list goes on.
    Skipped(SkippedItem),
    /// A list was read to its end: what it did not bring is gone.
    RelistEnded(ListScope),
    /// A list that has ended counts from now on, apart from all others.
    Settled(ListScope),
    /// What is known was still true then: a watch was heard of.
    Seen(Timestamp),
    /// Everything up to here was true at once. Lists that ended count from now on; one that did not is dropped.
    Observed(Observation),
}

#[derive(Debug)]
pub enum Object {
    /// A pod. Pods of namespaces that are not selected are dropped by the index.
    Pod(PodRecord),
    Namespace(NamespaceRecord),
    Node(NodeRecord),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectKey {
    Pod(PodKey),
    /// The namespace of that name.
    Namespace(Arc<str>),
    /// The node of that name.
    Node(Arc<str>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodKey {
    pub namespace: Arc<str>,
    pub name: Box<str>,
    /// Its uid: a pod of that name with another one is meant no more. `None` where there is but one of a name.
    pub uid: Option<Box<str>>,
}

/// What makes two records the same pod.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PodIdentity {
    /// Namespace and name: a cluster has one pod of a name, and one with another uid takes its place.
    #[default]
    Name,
    /// Namespace, name and uid: what was saved may hold a pod and its successor.
    NameAndUid,
}

/// Which objects a list holds. Ordered: what concerns the whole cluster first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListScope {
    /// All namespaces of the cluster, or those of the included ones that the source may ask for.
    Namespaces,
    /// All pods of the cluster.
    AllPods,
    /// The pods of one namespace.
    PodsOf(Arc<str>),
    /// All nodes of the cluster. Listed when they are sent; not being allowed to makes nothing incomplete.
    Nodes,
}

/// An item that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SkippedItem {
    /// The list it stood in.
    pub scope: ListScope,
    /// The namespace, where that much could be read: its pods are then known to be incomplete.
    pub namespace: Option<Arc<str>>,
    /// What it is called, as far as that is known: `pod apps/web-1`, `item 17`. Escaped and cut for messages.
    pub item: Arc<str>,
    /// The field and what is wrong with it. Escaped and cut for messages.
    pub problem: Arc<str>,
}

/// What is known of the whole, beyond its objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// When the cluster was as the events have it: when the last list was read, or when a file was written.
    pub observed_at: Timestamp,
    /// What the source calls the cluster; `None` when it does not know. A configured name goes before it.
    pub cluster_name: Option<Arc<str>>,
    /// Of the API server; empty strings from a dump or when refused.
    pub server_version: ServerVersion,
    /// What the source knows to be missing beyond refused lists and skipped items: a dump that ended too early.
    pub cut_short: Option<Arc<str>>,
}

/// `GET /version` of the API server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
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

impl Observation {
    /// Of a source that knows no more than the time.
    #[must_use]
    pub fn at(observed_at: Timestamp) -> Self {
        Self { observed_at, cluster_name: None, server_version: ServerVersion::default(), cut_short: None }
    }
}

impl From<PodRecord> for Event {
    fn from(pod: PodRecord) -> Self {
        Self::Applied(Object::Pod(pod))
    }
}

impl From<NamespaceRecord> for Event {
    fn from(namespace: NamespaceRecord) -> Self {
        Self::Applied(Object::Namespace(namespace))
    }
}

impl From<NodeRecord> for Event {
    fn from(node: NodeRecord) -> Self {
        Self::Applied(Object::Node(node))
    }
}
