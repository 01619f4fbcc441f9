//! The images of one namespace, as the KAI report has them.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use crate::inventory::{ContainerRecord, Digest, ImageRef, MissingTagPolicy, Phase, PodRecord, ReportPolicy};
use crate::snapshot::{ContentHash, DifferentImage, NamespacePart};

/// The images of one namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, ToSchema)]
pub struct NamespaceImages<'a> {
    /// The namespace.
    #[schema(value_type = String, example = "shop")]
    pub namespace: &'a str,
    /// One entry for each distinct tag and digest, sorted by tag, then digest, entries without a digest first. Empty
    /// when nothing in the namespace counts.
    pub images: Vec<ImageEntry<'a>>,
}

/// An image that runs, or that a pod requests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageEntry<'a> {
    /// The repository as the manifest writes it, a colon, and the tag. A text that is no image reference is unchanged.
    #[schema(value_type = String, example = "quay.io/acme/cart:1.25")]
    pub tag: Cow<'a, str>,
    /// The manifest digest that the node runs, or else the one that the manifest pins. Absent when neither is known.
    #[schema(value_type = Option<String>, nullable = false, example = "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repo_digest: Option<&'a Digest>,
}

impl<'a> NamespaceImages<'a> {
    /// What runs in a namespace, by the policy.
    #[must_use]
    pub fn of(part: &'a NamespacePart, policy: &ReportPolicy) -> Self {
        let mut images: Vec<ImageEntry<'_>> =
            ReportedImage::of_part(part, policy).map(|image| image.to_entry(policy)).collect();
        // What lies in two places may be equal all the same.
        images.sort_unstable();
        images.dedup();
        Self { namespace: part.name(), images }
    }

    /// The hash of its content.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        ContentHash::of(self)
    }
}

/// Whether the pod's images count: with `ignore-not-running` only those of pods in phase Running.
pub(super) fn counts(pod: &PodRecord, policy: &ReportPolicy) -> bool {
    !policy.ignore_not_running || pod.phase == Phase::Running
}

/// Whether anything of the namespace is reported.
pub(super) fn has_images(part: &NamespacePart, policy: &ReportPolicy) -> bool {
    ReportedImage::of_part(part, policy).next().is_some()
}

/// A reference and the digest that belongs to it: an entry of the report before its tag is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReportedImage<'a> {
    image: &'a ImageRef,
    pub(super) digest: Option<&'a Digest>,
}

impl<'a> ReportedImage<'a> {
    /// What a container adds to the report: what runs and, while an update is pending, what is asked for, when that
    /// is another entry. Less what the policy drops.
    #[inline]
    pub(super) fn of(container: &'a ContainerRecord, policy: &ReportPolicy) -> impl Iterator<Item = Self> + use<'a> {
        let ContainerRecord { image, running, updating_from, .. } = container;
        Self::entries(image, running.as_ref(), updating_from.as_deref(), policy)
    }

    /// What the containers of a namespace add that count. One entry may come several times.
    #[inline]
    pub(super) fn of_part(part: &'a NamespacePart, policy: &ReportPolicy) -> impl Iterator<Item = Self> {
        part.images(policy.ignore_not_running).flat_map(|DifferentImage { image, running, updating_from }| {
            Self::entries(image, running.as_ref(), updating_from.as_deref(), policy)
        })
    }

    #[inline]
    fn entries(
        image: &'a ImageRef,
        running: Option<&'a Digest>,
        updating_from: Option<&'a ImageRef>,
        policy: &ReportPolicy,
    ) -> impl Iterator<Item = Self> + use<'a> {
        let kept = |image: Self| (policy.missing_tag != MissingTagPolicy::Drop || !image.lacks_tag()).then_some(image);
        let entries = match updating_from {
            None => [kept(Self { image, digest: running.or_else(|| image.digest()) }), None],
            Some(old) => {
                let runs = Self { image: old, digest: running };
                let asked = Self { image, digest: image.digest() };
                let is_other = asked.digest != runs.digest || asked.tag(policy) != runs.tag(policy);
                [kept(runs), if is_other { kept(asked) } else { None }]
            }
        };
        entries.into_iter().flatten()
    }

    /// Pinned by digest alone.
    fn lacks_tag(&self) -> bool {
        self.image.has_parts() && self.image.tag().is_none()
    }

    /// The entry's tag: as the manifest writes it, where that is what is wanted.
    pub(super) fn tag(&self, policy: &ReportPolicy) -> Cow<'a, str> {
        let Self { image, digest } = *self;
        if !image.has_parts() {
            return Cow::Borrowed(image.written());
        }
        let registry = policy.missing_registry_override.as_ref().filter(|_| !image.is_registry_written());
        let tag = match (image.tag(), &policy.missing_tag) {
            (Some(tag), _) => tag,
            (None, MissingTagPolicy::Insert(tag)) => tag,
            (None, MissingTagPolicy::Digest | MissingTagPolicy::Drop) => digest.map_or("", Digest::encoded),
        };
        match registry {
            Some(registry) => Cow::Owned([registry, "/", image.name(), ":", tag].concat()),
            None => image.written_with_tag().map_or_else(|| [image.name(), ":", tag].concat().into(), Cow::Borrowed),
        }
    }

    fn to_entry(self, policy: &ReportPolicy) -> ImageEntry<'a> {
        ImageEntry { tag: self.tag(policy), repo_digest: self.digest }
    }
}
