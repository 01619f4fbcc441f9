//! One namespace of a snapshot.

use std::sync::Arc;

use super::different::{Different, DifferentImage};
use super::hash::{ContentHash, ContentHasher};
use crate::inventory::{ContainerRecord, Digest, KeyValues, Metadata, NamespaceRecord, PodRecord};

/// A namespace with its pods as they were when it last changed. Shared by every snapshot in which it is the same.
#[derive(Debug)]
pub struct NamespacePart {
    name: Arc<str>,
    state: NamespaceState,
    reason: Option<Arc<str>>,
    record: Option<Arc<NamespaceRecord>>,
    pods: Box<[Arc<PodRecord>]>,
    different: Different,
    content_hash: ContentHash,
    images_hash: ContentHash,
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
    /// Makes a part; `pods` are sorted by name here.
    pub(super) fn new(
        name: Arc<str>,
        state: NamespaceState,
        reason: Option<Arc<str>>,
        record: Option<Arc<NamespaceRecord>>,
        mut pods: Vec<Arc<PodRecord>>,
    ) -> Self {
        pods.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let content_hash = hash_part(&name, state, reason.as_deref(), record.as_deref(), &pods);
        let different = Different::of(&pods);
        let images_hash = hash_images(&name, state, &different);
        Self { name, state, reason, record, pods: pods.into(), different, content_hash, images_hash }
    }

    /// The namespace's name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// How it stands in the snapshot.
    #[must_use]
    pub fn state(&self) -> NamespaceState {
        self.state
    }

    /// Why it was refused.
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
        self.pods.iter()
    }

    /// The pod of that name.
    pub(super) fn pod(&self, name: &str) -> Option<&Arc<PodRecord>> {
        let position = self.pods.binary_search_by(|pod| (*pod.name).cmp(name)).ok()?;
        self.pods.get(position)
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
        self.different.images(running_only)
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

    /// Whether a part made of these would be this one. Pods are compared by identity first: the index keeps equal ones.
    pub(super) fn is_made_of(
        &self,
        state: NamespaceState,
        reason: Option<&str>,
        record: Option<&Arc<NamespaceRecord>>,
        pods: &std::collections::BTreeMap<Box<str>, Arc<PodRecord>>,
    ) -> bool {
        self.state == state
            && self.reason.as_deref() == reason
            && self.record.as_ref() == record
            && self.pods.len() == pods.len()
            && self.pods.iter().zip(pods.values()).all(|(a, b)| Arc::ptr_eq(a, b))
    }
}

fn hash_part(
    name: &str,
    state: NamespaceState,
    reason: Option<&str>,
    record: Option<&NamespaceRecord>,
    pods: &[Arc<PodRecord>],
) -> ContentHash {
    let mut hasher = ContentHasher::default();
    hasher.text(name).number(state as u64).optional(reason);
    hasher.optional(record.and_then(|record| record.uid.as_deref()));
    hash_metadata(&mut hasher, record.map(|record| &record.metadata));
    hasher.number(pods.len() as u64);
    for pod in pods {
        hash_pod(&mut hasher, pod);
    }
    hasher.finish()
}

fn hash_images(name: &str, state: NamespaceState, images: &Different) -> ContentHash {
    let mut hasher = ContentHasher::default();
    hasher.text(name).number(state as u64);
    images.hash_into(&mut hasher);
    hasher.finish()
}

fn hash_pod(hasher: &mut ContentHasher, pod: &PodRecord) {
    let PodRecord { namespace: _, name, uid, phase, node, owner, containers, stray_statuses, metadata } = pod;
    hasher.text(name).optional(uid.as_deref()).number(*phase as u64).optional(node.as_deref());
    hasher.optional(owner.as_ref().map(|owner| &*owner.kind)).optional(owner.as_ref().map(|owner| &*owner.name));
    hasher.number(stray_statuses.len() as u64);
    stray_statuses.iter().for_each(|name| {
        hasher.text(name);
    });
    hash_metadata(hasher, metadata.as_deref());
    hasher.number(containers.len() as u64);
    containers.iter().for_each(|container| hash_container(hasher, container));
}

fn hash_metadata(hasher: &mut ContentHasher, metadata: Option<&Metadata>) {
    let mut hash = |values: Option<&KeyValues>| {
        let values = values.map_or(&[][..], |values| values);
        hasher.number(values.len() as u64);
        for (key, value) in values {
            hasher.text(key).text(value);
        }
    };
    hash(metadata.map(|metadata| &metadata.labels));
    hash(metadata.map(|metadata| &metadata.annotations));
}

fn hash_container(hasher: &mut ContentHasher, container: &ContainerRecord) {
    let ContainerRecord {
        name,
        kind,
        image,
        running,
        image_id,
        resolved_repository,
        updating_from,
        state,
        reason,
        flags,
        container_id,
    } = container;
    hasher.text(name).number(*kind as u64).text(image.written());
    hasher.optional(running.as_ref().map(Digest::as_str)).optional(image_id.as_deref());
    hasher.optional(resolved_repository.as_deref());
    hasher.optional(updating_from.as_ref().map(|image| image.written()));
    hasher.number(*state as u64).optional(reason.as_deref()).optional(container_id.as_deref());
    hasher
        .number(u64::from(flags.digest_mismatch))
        .number(u64::from(flags.unknown_prefix))
        .number(u64::from(flags.ambiguous_tag));
}
