//! The immutable picture of a cluster that every reader shares.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::completeness::Completeness;
use super::event::ServerVersion;
use super::hash::{ContentHash, HashSum};
use super::part::{NamespacePart, NamespaceParts, NamespaceState};
use super::several::SeveralDigests;
use crate::inventory::{ImageRef, NodeRecord};

/// The whole inventory at one moment. Never changes; the next one shares with it what is the same.
#[derive(Debug)]
pub struct Snapshot {
    generation: u64,
    observed_at: Timestamp,
    frame: Arc<Frame>,
    namespaces: NamespaceParts,
    nodes: Arc<[Arc<NodeRecord>]>,
    content_hash: ContentHash,
    images_hash: ContentHash,
    /// Worked out for whoever asks first. Snapshots with the same images share it.
    several_digests: Arc<OnceLock<SeveralDigests>>,
}

/// What concerns the whole cluster, hashed once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    cluster_name: Arc<str>,
    server_version: ServerVersion,
    completeness: Completeness,
    /// Pods may be missing, and it is unknown in which namespace. A list of namespaces that is refused hides none.
    may_lack_pods: bool,
    hash: ContentHash,
}

impl Snapshot {
    pub(super) fn new(
        generation: u64,
        observed_at: Timestamp,
        frame: Arc<Frame>,
        namespaces: NamespaceParts,
        nodes: Arc<[Arc<NodeRecord>]>,
        last: Option<&Self>,
    ) -> Self {
        let hash = |sum: HashSum| ContentHash::of(&(frame.hash, namespaces.len(), sum));
        let (content, images) = namespaces.sums();
        let (content_hash, images_hash) = (hash(content), hash(images));
        let same_images = last.filter(|last| last.images_hash == images_hash);
        let several_digests = same_images.map(|last| Arc::clone(&last.several_digests)).unwrap_or_default();
        Self { generation, observed_at, frame, namespaces, nodes, content_hash, images_hash, several_digests }
    }

    /// Number of this snapshot in this process, from 1.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// When the cluster was observed in which this content first appeared. When it was last seen to be true stands in
    /// the feed.
    #[must_use]
    pub fn observed_at(&self) -> Timestamp {
        self.observed_at
    }

    /// The name that reports give the cluster; may be empty.
    #[must_use]
    pub fn cluster_name(&self) -> &str {
        &self.frame.cluster_name
    }

    /// Version of the API server.
    #[must_use]
    pub fn server_version(&self) -> &ServerVersion {
        &self.frame.server_version
    }

    /// Every namespace that is known, in whatever state, sorted by name.
    #[must_use]
    pub fn namespaces(&self) -> &NamespaceParts {
        &self.namespaces
    }

    /// The namespace of that name.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<&Arc<NamespacePart>> {
        self.namespaces.get(name)
    }

    /// How many pods it has.
    #[must_use]
    pub fn pod_count(&self) -> usize {
        self.namespaces.iter().map(|part| part.pod_count()).sum()
    }

    /// Every node, sorted by name; none when they were not asked for.
    #[must_use]
    pub fn nodes(&self) -> &[Arc<NodeRecord>] {
        &self.nodes
    }

    /// Whether what is known of a namespace may be reported as all that is in it: it was read, none of its items was
    /// skipped, and it is not empty while something is missing that may belong to it.
    #[must_use]
    pub fn vouches_for(&self, part: &NamespacePart) -> bool {
        let completeness = self.completeness();
        let may_lack = completeness.skipped_namespaces.contains(part.name())
            || part.is_empty() && completeness.may_lack_anywhere();
        part.is_known() && !may_lack
    }

    /// Whether every pod of the namespace is here, so that what is not here is not there; also of one that is unknown.
    pub(crate) fn has_all_pods_of(&self, name: &str) -> bool {
        let is_known = self.namespace(name).is_none_or(|part| part.is_known());
        is_known && !self.frame.may_lack_pods && !self.completeness().skipped_namespaces.contains(name)
    }

    /// The namespaces that may be others in both, as they were and as they are; at least those that are.
    pub(crate) fn changed_namespaces<'a>(
        &'a self,
        after: &'a Self,
    ) -> impl Iterator<Item = (Option<&'a Arc<NamespacePart>>, Option<&'a Arc<NamespacePart>>)> {
        NamespaceParts::differences(&self.namespaces, &after.namespaces)
    }

    #[must_use]
    pub fn completeness(&self) -> &Completeness {
        &self.frame.completeness
    }

    /// Nothing was refused, nothing skipped.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.completeness().is_complete()
    }

    /// Equal content has an equal hash, in every process; generation, time and nodes are not content.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        self.content_hash
    }

    /// Changes only with what a report of images can contain: as [`Self::content_hash`], of each namespace only
    /// `NamespacePart::images_hash`.
    #[must_use]
    pub fn images_hash(&self) -> ContentHash {
        self.images_hash
    }

    /// Whether the reference's name and tag run with several digests in the cluster.
    #[must_use]
    pub fn runs_with_several_digests(&self, image: &ImageRef) -> bool {
        self.several_digests.get_or_init(|| SeveralDigests::of(&self.namespaces)).has(image)
    }

    /// Namespaces of which pods may be missing, sorted; `*` alone when it is unknown which.
    #[must_use]
    pub fn unread_namespaces(&self) -> Vec<Box<str>> {
        if self.is_complete() {
            return Vec::new();
        }
        if self.frame.may_lack_pods {
            return vec!["*".into()];
        }
        let refused = self.namespaces.iter().filter(|part| part.state() == NamespaceState::Refused);
        let skipped = &self.completeness().skipped_namespaces;
        let names: BTreeSet<&Arc<str>> = refused.map(|part| part.name()).chain(skipped).collect();
        names.into_iter().map(|name| Box::from(&**name)).collect()
    }

    pub(super) fn frame(&self) -> &Arc<Frame> {
        &self.frame
    }

    pub(super) fn shared_nodes(&self) -> &Arc<[Arc<NodeRecord>]> {
        &self.nodes
    }
}

impl Frame {
    pub(super) fn new(
        cluster_name: Arc<str>,
        server_version: ServerVersion,
        completeness: Completeness,
        is_cut_short: bool,
    ) -> Self {
        let hash = ContentHash::of(&(&cluster_name, &server_version, &completeness));
        let may_lack_pods = is_cut_short || completeness.skipped_unplaced > 0;
        Self { cluster_name, server_version, completeness, may_lack_pods, hash }
    }
}
