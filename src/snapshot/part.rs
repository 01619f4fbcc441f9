//! One namespace of a snapshot, and all of them.

use std::sync::{Arc, OnceLock};

use super::digests::PodsByDigest;
use super::hash::{ContentHash, HashSum};
use super::images::{DifferentImage, Images};
use super::pods::Pods;
use super::seen::{FirstSeen, Seen};
use super::tree::Tree;
use crate::inventory::{Digest, ImageRef, NamespaceRecord, PodRecord};

/// A namespace with its pods as they were when it last changed. Shared by every snapshot in which it is the same.
#[derive(Debug)]
pub struct NamespacePart {
    name: Arc<str>,
    state: NamespaceState,
    reason: Option<Arc<str>>,
    record: Option<Arc<NamespaceRecord>>,
    pods: Pods,
    images: Images,
    /// Since when; empty when no history is kept. It is no content.
    seen: Seen,
    content_hash: ContentHash,
    images_hash: ContentHash,
    by_digest: OnceLock<PodsByDigest>,
}

/// How a namespace stands in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NamespaceState {
    /// Its pods were listed.
    Read,
    /// The user excluded it, or did not include it.
    Excluded,
    /// Its pods could not be listed.
    Refused,
    /// Included by name, and the cluster does not have it as far as kai may know.
    Unknown,
}

impl NamespacePart {
    pub(super) fn new(
        name: Arc<str>,
        state: NamespaceState,
        reason: Option<Arc<str>>,
        record: Option<Arc<NamespaceRecord>>,
        pods: Pods,
        images: Images,
    ) -> Self {
        let images_hash = ContentHash::of(&(&name, state, images.sums()));
        let content_hash = ContentHash::of(&(&name, state, &reason, &record, pods.len(), pods.sum()));
        let (seen, by_digest) = (Seen::default(), OnceLock::new());
        Self { name, state, reason, record, pods, images, seen, content_hash, images_hash, by_digest }
    }

    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// How it stands in the snapshot.
    #[must_use]
    pub fn state(&self) -> NamespaceState {
        self.state
    }

    /// Whether kai knows what runs in it. Of one that it left out or could not read, an empty list would be false.
    #[must_use]
    pub fn is_known(&self) -> bool {
        matches!(self.state, NamespaceState::Read | NamespaceState::Unknown)
    }

    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The namespace as an object, where the cluster was asked for it and let kai see it.
    #[must_use]
    pub fn record(&self) -> Option<&NamespaceRecord> {
        self.record.as_deref()
    }

    /// Its pods, sorted by name.
    pub fn pods(&self) -> impl Iterator<Item = &Arc<PodRecord>> + Clone {
        self.pods.records()
    }

    /// The same from the pod on that does not stand before that name, and that uid where it is part of what a pod is.
    pub fn pods_from<'s>(
        &'s self,
        name: &str,
        uid: Option<&str>,
    ) -> impl Iterator<Item = &'s Arc<PodRecord>> + Clone + use<'s> {
        self.pods.records_from(name, uid)
    }

    /// The pods in which a container runs with, or pins, a digest that begins with one of these texts, in their order.
    pub fn pods_with_digest<'t>(&self, beginnings: impl Iterator<Item = &'t str>) -> Vec<&Arc<PodRecord>> {
        self.by_digest().beginning_with(beginnings)
    }

    /// Whether there is such a pod.
    #[must_use]
    pub fn has_digest(&self, beginning: &str) -> bool {
        self.by_digest().has(beginning)
    }

    fn by_digest(&self) -> &PodsByDigest {
        self.by_digest.get_or_init(|| PodsByDigest::of(self.pods()))
    }

    /// How many pods it has.
    #[must_use]
    pub fn pod_count(&self) -> usize {
        self.pods.len()
    }

    /// Whether it has no pod.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pods.is_empty()
    }

    /// The different images, reference and running digest together, that the namespace's pods have, or those in phase
    /// Running alone.
    pub fn images(&self, running_only: bool) -> impl Iterator<Item = &DifferentImage> + Clone {
        self.images.iter(running_only)
    }

    /// Since when it has an image: the reference as written, with the digest that a node reports, else the one that it pins.
    /// `None` when it does not have it, or when no history is kept.
    #[must_use]
    pub fn first_seen(&self, image: &ImageRef, digest: Option<&Digest>) -> Option<FirstSeen> {
        self.seen.get(image, digest)
    }

    /// Every image that it has, with [`Self::first_seen`] of it, sorted; nothing when no history is kept.
    pub fn seen_images(&self) -> impl Iterator<Item = (&ImageRef, Option<&Digest>, FirstSeen)> {
        self.seen.iter()
    }

    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    pub(super) fn with_seen(self, seen: Seen) -> Self {
        Self { seen, ..self }
    }

    /// Equal content has an equal hash, in every process.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        self.content_hash
    }

    /// Changes only with what a report of images can contain of the namespace: its state and [`Self::images`], those of
    /// running pods apart from the others.
    #[must_use]
    pub fn images_hash(&self) -> ContentHash {
        self.images_hash
    }

    /// Those of [`Self::images`] in which the reference is requested, or runs while another one is.
    pub(crate) fn images_of<'s>(&'s self, image: &'s ImageRef) -> impl Iterator<Item = &'s DifferentImage> {
        self.images.of(image)
    }

    /// The images that one of both has alone.
    pub(crate) fn changed_images(before: Option<&Self>, after: Option<&Self>) -> Vec<DifferentImage> {
        let [before, after] = [before, after].map(|part| part.map(|part| part.images.clone()).unwrap_or_default());
        Images::differences(&before, &after).cloned().collect()
    }

    /// The pods that only the later one has.
    pub(crate) fn new_pods(before: Option<&Self>, after: Option<&Self>) -> Vec<Arc<PodRecord>> {
        let (before, after) = (Self::pods_of(before), Self::pods_of(after));
        let changed = Pods::differences(&before, &after);
        changed.filter(|(before, _)| before.is_none()).filter_map(|(_, after)| after.cloned()).collect()
    }

    /// The pods that are others in both, as they were and as they are.
    pub(crate) fn changed_pods(before: Option<&Self>, after: Option<&Self>) -> [Vec<Arc<PodRecord>>; 2] {
        let (mut were, mut are) = (Vec::new(), Vec::new());
        for (before, after) in Pods::differences(&Self::pods_of(before), &Self::pods_of(after)) {
            were.extend(before.cloned());
            are.extend(after.cloned());
        }
        [were, are]
    }

    pub(super) fn pods_of(part: Option<&Self>) -> Pods {
        part.map_or_else(Pods::default, |part| part.pods.clone())
    }
}

/// Every namespace of a snapshot, sorted by name.
#[derive(Debug, Clone, Default)]
pub struct NamespaceParts {
    parts: Tree<Arc<NamespacePart>>,
    content: HashSum,
    images: HashSum,
}

impl NamespaceParts {
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<NamespacePart>> + Clone {
        self.parts.iter()
    }

    /// From the first on whose name does not stand before that.
    pub fn iter_from<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s Arc<NamespacePart>> + Clone + use<'s> {
        self.parts.iter_from(|part| (**part.name()).cmp(name))
    }

    /// The one of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<NamespacePart>> {
        self.parts.get(|part| (**part.name()).cmp(name))
    }

    pub(super) fn insert(&mut self, part: Arc<NamespacePart>) {
        self.content.add(part.content_hash);
        self.images.add(part.images_hash);
        let name = Arc::clone(part.name());
        let replaced = self.parts.insert(|known| known.name().cmp(&name), part);
        self.take_off(replaced.as_deref());
    }

    pub(super) fn remove(&mut self, name: &str) {
        let removed = self.parts.remove(|part| (**part.name()).cmp(name));
        self.take_off(removed.as_deref());
    }

    fn take_off(&mut self, part: Option<&NamespacePart>) {
        if let Some(part) = part {
            self.content.remove(part.content_hash);
            self.images.remove(part.images_hash);
        }
    }

    /// The hashes of the content of all, and of their images.
    pub(super) fn sums(&self) -> (HashSum, HashSum) {
        (self.content, self.images)
    }

    /// Both of a name, or the one of it, but for those that are passed over because they are the same.
    pub(super) fn differences<'a>(
        before: &'a Self,
        after: &'a Self,
    ) -> impl Iterator<Item = (Option<&'a Arc<NamespacePart>>, Option<&'a Arc<NamespacePart>>)> {
        Tree::differences(&before.parts, &after.parts, |a, b| a.name().cmp(b.name()))
    }
}
