//! Namespaces, and how each of them stands.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::images::NamespaceImages;
use super::report::utc_seconds;
use crate::inventory::ReportPolicy;
use crate::snapshot::{ContentHash, NamespacePart, NamespaceState, Snapshot};

/// Every namespace that kai knows.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NamespaceList {
    /// Number of the snapshot in this process, from 1.
    #[schema(example = 42)]
    pub generation: u64,
    /// When the cluster was observed, UTC in whole seconds.
    #[serde(serialize_with = "utc_seconds")]
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T09:30:00Z")]
    pub observed_at: Timestamp,
    /// True when nothing was refused or skipped.
    pub complete: bool,
    /// Sorted by name.
    pub namespaces: Vec<NamespaceSummary>,
}

/// One namespace.
#[derive(Debug, Clone, Hash, Serialize, ToSchema)]
pub struct NamespaceSummary {
    /// Its name.
    #[schema(value_type = String, example = "shop")]
    pub name: Arc<str>,
    /// State.
    pub state: NamespaceStateWord,
    /// The reason of a refusal; otherwise null.
    #[schema(value_type = Option<String>)]
    pub reason: Option<Arc<str>>,
    /// Pods in any phase.
    #[schema(example = 12)]
    pub pods: usize,
    /// Containers of every kind, and image volumes, of these pods.
    #[schema(example = 31)]
    pub containers: usize,
    /// Number of the namespace's entries in the report.
    #[schema(example = 9)]
    pub images: usize,
}

/// State of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NamespaceStateWord {
    /// Its pods were listed.
    Read,
    /// The configuration leaves it out.
    Excluded,
    /// Its pods could not be listed.
    Refused,
    /// Included by name, and the cluster does not have it.
    Unknown,
}

impl NamespaceList {
    /// The list of a snapshot, with counts by the policy.
    #[must_use]
    pub fn of(snapshot: &Snapshot, policy: &ReportPolicy) -> Self {
        Self {
            generation: snapshot.generation(),
            observed_at: snapshot.observed_at(),
            complete: snapshot.is_complete(),
            namespaces: snapshot.namespaces().iter().map(|part| NamespaceSummary::of(part, policy)).collect(),
        }
    }

    /// The hash of its content; generation and time are not content.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        let Self { generation: _, observed_at: _, complete, namespaces } = self;
        ContentHash::of(&(complete, namespaces))
    }
}

impl NamespaceSummary {
    fn of(part: &NamespacePart, policy: &ReportPolicy) -> Self {
        Self {
            name: Arc::clone(part.name()),
            state: part.state().into(),
            reason: part.reason().map(Into::into),
            pods: part.pod_count(),
            containers: part.pods().map(|pod| pod.containers.len()).sum(),
            images: NamespaceImages::of(part, policy).images.len(),
        }
    }
}

impl From<NamespaceState> for NamespaceStateWord {
    fn from(state: NamespaceState) -> Self {
        match state {
            NamespaceState::Read => Self::Read,
            NamespaceState::Excluded => Self::Excluded,
            NamespaceState::Refused => Self::Refused,
            NamespaceState::Unknown => Self::Unknown,
        }
    }
}
