//! The immutable picture of a cluster that every reader shares.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::event::{ServerVersion, SkippedItem};
use super::hash::{ContentHash, ContentHasher};
use super::part::{NamespacePart, NamespaceState};
use crate::inventory::NodeRecord;

/// How many skipped items a snapshot names; the others are only counted.
pub const SKIPPED_SAMPLES: usize = 20;

/// The whole inventory at one moment. Never changes; the next relist makes another.
#[derive(Debug)]
pub struct Snapshot {
    generation: u64,
    observed_at: Timestamp,
    cluster_name: Arc<str>,
    server_version: ServerVersion,
    namespaces: Box<[Arc<NamespacePart>]>,
    nodes: Box<[Arc<NodeRecord>]>,
    completeness: Completeness,
    content_hash: ContentHash,
    images_hash: ContentHash,
}

/// What a snapshot lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completeness {
    /// What could not be listed, sorted by namespace; what concerns the cluster as a whole first.
    pub missing: Vec<Missing>,
    /// How many items could not be read.
    pub skipped: u64,
    /// The first [`SKIPPED_SAMPLES`] of them.
    pub skipped_samples: Vec<SkippedItem>,
    /// Namespaces of which an item could not be read.
    pub skipped_namespaces: BTreeSet<Arc<str>>,
    /// How many items could not be read whose namespace cannot be told.
    pub skipped_unplaced: u64,
}

/// Something that could not be listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The namespace; `None` when it concerns the cluster as a whole.
    pub namespace: Option<Arc<str>>,
    /// Why.
    pub reason: Arc<str>,
}

impl Completeness {
    /// Nothing was refused, nothing skipped, nothing cut short.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.skipped == 0
    }

    /// Whether something is missing of which nobody can tell in which namespace.
    fn may_lack_anywhere(&self) -> bool {
        self.skipped_unplaced > 0 || self.missing.iter().any(|missing| missing.namespace.is_none())
    }
}

impl Snapshot {
    pub(super) fn new(
        generation: u64,
        observed_at: Timestamp,
        cluster_name: Arc<str>,
        server_version: ServerVersion,
        namespaces: Vec<Arc<NamespacePart>>,
        nodes: Vec<Arc<NodeRecord>>,
        completeness: Completeness,
    ) -> Self {
        let hash = |of_part: fn(&NamespacePart) -> ContentHash| {
            hash_content(&cluster_name, &server_version, &completeness, namespaces.iter().map(|part| of_part(part)))
        };
        let (content_hash, images_hash) = (hash(NamespacePart::content_hash), hash(NamespacePart::images_hash));
        let (namespaces, nodes) = (namespaces.into(), nodes.into());
        Self {
            generation,
            observed_at,
            cluster_name,
            server_version,
            namespaces,
            nodes,
            completeness,
            content_hash,
            images_hash,
        }
    }

    /// Number of this snapshot in this process, from 1.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// When the relist ended in which this content first appeared. When it was last seen to be true stands in the feed.
    #[must_use]
    pub fn observed_at(&self) -> Timestamp {
        self.observed_at
    }

    /// The name that reports give the cluster; may be empty.
    #[must_use]
    pub fn cluster_name(&self) -> &str {
        &self.cluster_name
    }

    /// What the API server says it is.
    #[must_use]
    pub fn server_version(&self) -> &ServerVersion {
        &self.server_version
    }

    /// Every namespace that is known, in whatever state, sorted by name.
    #[must_use]
    pub fn namespaces(&self) -> &[Arc<NamespacePart>] {
        &self.namespaces
    }

    /// The namespace of that name.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<&Arc<NamespacePart>> {
        let position = self.namespaces.binary_search_by(|part| (**part.name()).cmp(name)).ok()?;
        self.namespaces.get(position)
    }

    /// Every node, sorted by name; none when they were not asked for.
    #[must_use]
    pub fn nodes(&self) -> &[Arc<NodeRecord>] {
        &self.nodes
    }

    /// Whether what is known of a namespace may be told as all that is in it: it was read, none of its items was
    /// skipped, and it is not empty while something is missing that may belong to it.
    #[must_use]
    pub fn vouches_for(&self, part: &NamespacePart) -> bool {
        let is_known = match part.state() {
            NamespaceState::Read | NamespaceState::Unknown => true,
            NamespaceState::Excluded | NamespaceState::Refused => false,
        };
        let may_lack = self.completeness.skipped_namespaces.contains(part.name())
            || part.is_empty() && self.completeness.may_lack_anywhere();
        is_known && !may_lack
    }

    /// What it lacks.
    #[must_use]
    pub fn completeness(&self) -> &Completeness {
        &self.completeness
    }

    /// Nothing was refused, nothing skipped.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.completeness.is_complete()
    }

    /// Equal content has an equal hash, in every process; generation, time and nodes are not content.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        self.content_hash
    }

    /// Changes only with what a report of images can contain: as [`Self::content_hash`], of each namespace only
    /// [`NamespacePart::images_hash`].
    #[must_use]
    pub fn images_hash(&self) -> ContentHash {
        self.images_hash
    }
}

fn hash_content(
    cluster_name: &str,
    version: &ServerVersion,
    completeness: &Completeness,
    parts: impl ExactSizeIterator<Item = ContentHash>,
) -> ContentHash {
    let mut hasher = ContentHasher::default();
    hasher.text(cluster_name);
    let ServerVersion {
        major,
        minor,
        git_version,
        git_commit,
        git_tree_state,
        build_date,
        go_version,
        compiler,
        platform,
    } = version;
    for text in [major, minor, git_version, git_commit, git_tree_state, build_date, go_version, compiler, platform] {
        hasher.text(text);
    }
    hasher.number(parts.len() as u64);
    parts.for_each(|part| {
        hasher.hash(part);
    });
    hasher.number(completeness.missing.len() as u64);
    for missing in &completeness.missing {
        hasher.optional(missing.namespace.as_deref()).text(&missing.reason);
    }
    hasher.number(completeness.skipped);
    for item in &completeness.skipped_samples {
        hasher.text(&item.item).text(&item.problem);
    }
    hasher.finish()
}
