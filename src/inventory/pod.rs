//! What is kept of a pod and of a namespace.

use std::sync::Arc;

use super::{ContainerRecord, Metadata, OwnerRef};

/// The fields of a pod that kai keeps. Identity is namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PodRecord {
    /// `metadata.namespace`.
    pub namespace: Arc<str>,
    /// `metadata.name`.
    pub name: Box<str>,
    /// `metadata.uid` as written; a missing or odd one breaks nothing.
    pub uid: Option<Box<str>>,
    /// `status.phase`.
    pub phase: Phase,
    /// `spec.nodeName`.
    pub node: Option<Arc<str>>,
    /// The controlling owner; for a static pod its node.
    pub owner: Option<OwnerRef>,
    /// Containers in the order of the spec: init, containers, ephemeral, image volumes.
    pub containers: Box<[ContainerRecord]>,
    /// Names of statuses that no spec entry has: counted and logged, never an image.
    pub stray_statuses: Box<[Arc<str>]>,
    /// Labels and annotations; `None` when none is kept.
    pub metadata: Option<Box<Metadata>>,
}

/// `status.phase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Accepted, not all containers started.
    Pending,
    /// Bound to a node, at least one container runs or restarts.
    Running,
    /// All containers ended well.
    Succeeded,
    /// All containers ended, one badly; also evicted.
    Failed,
    /// Absent, `Unknown`, or a word that Kubernetes does not have.
    Unknown,
}

impl Phase {
    /// Reads the word of the API.
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        match word {
            "Pending" => Self::Pending,
            "Running" => Self::Running,
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

/// A namespace that the cluster, or a dump of it, lists.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NamespaceRecord {
    /// `metadata.name`.
    pub name: Arc<str>,
    /// `metadata.uid` as written; a missing or odd one breaks nothing.
    pub uid: Option<Box<str>>,
    /// Labels and annotations that are kept.
    pub metadata: Metadata,
}

impl NamespaceRecord {
    /// A namespace of which nothing is known but its name.
    #[must_use]
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), uid: None, metadata: Metadata::default() }
    }
}
