//! The images of one namespace, as the KAI report says them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::inventory::{ContainerRecord, Digest, ImageRef, MissingTagPolicy, Phase, PodRecord, ReportPolicy};
use crate::snapshot::{ContentHash, ContentHasher, NamespacePart};

/// The images of one namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NamespaceImages {
    /// The namespace.
    #[schema(value_type = String, example = "shop")]
    pub namespace: Arc<str>,
    /// One entry for each distinct tag and digest, sorted by tag, then digest, a missing one first. Empty when the
    /// namespace runs nothing that counts.
    pub images: Vec<ImageEntry>,
}

/// One image that runs, or that a pod asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageEntry {
    /// The repository as the manifest writes it, a colon, and the tag. A text that is no image reference stands as it is.
    #[schema(value_type = String, example = "quay.io/acme/cart:1.25")]
    pub tag: Box<str>,
    /// The manifest digest that the node runs, else the one that the manifest pins. Absent when neither is known.
    #[schema(value_type = Option<String>, nullable = false, example = "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repo_digest: Option<Digest>,
}

impl NamespaceImages {
    /// What runs in a namespace, by the policy.
    #[must_use]
    pub fn of(part: &NamespacePart, policy: &ReportPolicy) -> Self {
        let images: BTreeSet<ImageEntry> = part
            .pods()
            .iter()
            .filter(|pod| counts(pod, policy))
            .flat_map(|pod| &pod.containers)
            .flat_map(|container| entries(container, policy))
            .collect();
        Self { namespace: Arc::clone(part.name()), images: images.into_iter().collect() }
    }

    /// The hash of what it says.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        let mut hasher = ContentHasher::default();
        self.hash_into(&mut hasher);
        hasher.finish()
    }

    pub(super) fn hash_into(&self, hasher: &mut ContentHasher) {
        hasher.text(&self.namespace).number(self.images.len() as u64);
        for image in &self.images {
            hasher.text(&image.tag).optional(image.repo_digest.as_ref().map(Digest::as_str));
        }
    }
}

/// Whether the pod's images count: with `ignore-not-running` only those of pods in phase Running.
fn counts(pod: &PodRecord, policy: &ReportPolicy) -> bool {
    !policy.ignore_not_running || pod.phase == Phase::Running
}

/// What a container adds to the report: what runs and, while an update is pending, what is asked for.
fn entries(container: &ContainerRecord, policy: &ReportPolicy) -> impl Iterator<Item = ImageEntry> {
    let declared = container.image.digest();
    let (runs, asked) = match &container.updating_from {
        Some(old) => (entry(old, container.running.as_ref(), policy), entry(&container.image, declared, policy)),
        None => (entry(&container.image, container.running.as_ref().or(declared), policy), None),
    };
    runs.into_iter().chain(asked)
}

/// The entry of a reference with the digest that belongs to it; `None` when the policy drops it.
fn entry(image: &ImageRef, digest: Option<&Digest>, policy: &ReportPolicy) -> Option<ImageEntry> {
    let repo_digest = digest.cloned();
    if !image.has_parts() {
        return Some(ImageEntry { tag: image.written().into(), repo_digest });
    }
    let tag = match (image.tag(), &policy.missing_tag) {
        (Some(tag), _) => tag,
        (None, MissingTagPolicy::Drop) => return None,
        (None, MissingTagPolicy::Insert(tag)) => tag,
        (None, MissingTagPolicy::Digest) => digest.map_or("", Digest::encoded),
    };
    let name = image.name();
    let tag = match &policy.missing_registry_override {
        Some(registry) if !image.is_registry_written() => format!("{registry}/{name}:{tag}"),
        _ => format!("{name}:{tag}"),
    };
    Some(ImageEntry { tag: tag.into(), repo_digest })
}
