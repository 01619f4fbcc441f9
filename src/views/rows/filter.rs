//! Which rows are wanted. Values of one parameter are alternatives; every parameter that is given must hold.
//!
//! Names compare as the reference grammar compares them: `nginx:1.27` and `docker.io/library/nginx:1.27` are one image.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::flag::{Flag, Flags};
use crate::inventory::{ContainerKind, ContainerRecord, ContainerState, Digest, ImageRef, PodRecord};
use crate::snapshot::{DifferentImage, NamespacePart, Snapshot};

/// The fewest hex digits that tell a digest from others.
const DIGEST_MIN: usize = 12;

/// What a client asks for, parameter by parameter. Equal filters have equal hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    pub namespaces: BTreeSet<String>,
    pub registries: BTreeSet<String>,
    pub repositories: BTreeSet<RepositoryName>,
    pub tags: BTreeSet<String>,
    pub digests: BTreeSet<DigestPrefix>,
    pub images: BTreeSet<ImageRef>,
    pub kinds: BTreeSet<ContainerKind>,
    pub states: BTreeSet<ContainerState>,
    pub owners: BTreeSet<String>,
    pub nodes: BTreeSet<String>,
    pub flags: BTreeSet<Flag>,
}

/// A repository, of one registry or of any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName {
    registry: Option<String>,
    repository: String,
}

/// A digest, or its beginning: `sha256:` and at least 12 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DigestPrefix(String);

/// A reference and the digest that belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Entry<'a> {
    pub(super) image: &'a ImageRef,
    pub(super) digest: Option<&'a Digest>,
    pub(super) digest_kind: Option<DigestKind>,
}

/// Who says what the digest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DigestKind {
    /// The node: it runs.
    Running,
    /// The manifest: it is requested, and no node has reported what runs.
    Pinned,
}

impl DigestKind {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Pinned => "pinned",
        }
    }
}

impl<'a> Entry<'a> {
    /// What runs in the container and, while an update is pending, what is requested.
    pub(super) fn of(container: &'a ContainerRecord) -> impl Iterator<Item = Self> + use<'a> {
        let ContainerRecord { image, running, updating_from, .. } = container;
        Self::of_both(image, running.as_ref(), updating_from.as_deref())
    }

    /// The same of an image that some containers of a namespace have.
    fn of_different(image: &'a DifferentImage) -> impl Iterator<Item = Self> + use<'a> {
        let DifferentImage { image, running, updating_from } = image;
        Self::of_both(image, running.as_ref(), updating_from.as_deref())
    }

    fn of_both(
        image: &'a ImageRef,
        running: Option<&'a Digest>,
        updating_from: Option<&'a ImageRef>,
    ) -> impl Iterator<Item = Self> + use<'a> {
        let asked = Self::new(image, running.filter(|_| updating_from.is_none()));
        updating_from.map(|old| Self::new(old, running)).into_iter().chain([asked])
    }

    pub(super) fn new(image: &'a ImageRef, running: Option<&'a Digest>) -> Self {
        let kind = if running.is_some() { DigestKind::Running } else { DigestKind::Pinned };
        let digest = running.or_else(|| image.digest());
        Self { image, digest, digest_kind: digest.map(|_| kind) }
    }
}

impl RepositoryName {
    /// Reads `acme/cart`, of any registry, or `quay.io/acme/cart`; `None` when it is no repository.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = ImageRef::parse(text);
        if !name.has_parts() || !name.is_tag_implied() {
            return None;
        }
        let registry = name.registry().filter(|_| name.is_registry_written()).map(str::to_owned);
        // `nginx` is a repository of a registry of one's own, and of Docker Hub, where it is `library/nginx`.
        let repository = if registry.is_some() { name.repository()? } else { text };
        Some(Self { registry, repository: repository.to_owned() })
    }

    fn matches(&self, image: &ImageRef) -> bool {
        let Some(repository) = image.repository() else { return false };
        let official = || repository.strip_prefix("library/").filter(|_| image.registry() == Some("docker.io"));
        match &self.registry {
            Some(registry) => image.registry() == Some(registry) && repository == self.repository,
            None => repository == self.repository || official() == Some(&self.repository),
        }
    }
}

impl DigestPrefix {
    /// Reads `sha256:` and hex digits, or the digits alone; any case. `None` when it is no such thing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let encoded = text.strip_prefix("sha256:").unwrap_or(&text);
        let is_prefix =
            (DIGEST_MIN..=64).contains(&encoded.len()) && encoded.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_prefix {
            return Some(Self(format!("sha256:{encoded}")));
        }
        // Of other algorithms the whole.
        Digest::parse(&text).map(|digest| Self(digest.as_str().to_owned()))
    }

    #[must_use]
    pub fn matches(&self, digest: &Digest) -> bool {
        digest.as_str().starts_with(&self.0)
    }

    /// Whether a container of the snapshot runs with it, or pins it.
    #[must_use]
    pub fn is_reported(&self, snapshot: &Snapshot) -> bool {
        let filter = Filter { digests: BTreeSet::from([self.clone()]), ..Filter::default() };
        snapshot.namespaces().iter().any(|part| filter.wants_namespace(part))
    }
}

impl fmt::Display for DigestPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether one of the alternatives holds, or none is given.
fn any<T>(alternatives: &BTreeSet<T>, holds: impl Fn(&T) -> bool) -> bool {
    alternatives.is_empty() || alternatives.iter().any(holds)
}

/// Whether an owner is the wanted one: a name, or `KIND/NAME`.
fn is_owner(wanted: &str, kind: &str, name: &str) -> bool {
    wanted == name || wanted.split_once('/').is_some_and(|(k, n)| k.eq_ignore_ascii_case(kind) && n == name)
}

/// Whether a reference names the wanted one, digests apart.
fn is_named(wanted: &ImageRef, image: &ImageRef) -> bool {
    let is_name = wanted.is_same_repository(image) || wanted.written() == image.written();
    is_name && (wanted.is_tag_implied() || wanted.tag().is_none_or(|tag| image.tag() == Some(tag)))
}

impl Filter {
    /// Whether rows of the namespace are wanted at all.
    pub(super) fn wants_namespace(&self, part: &NamespacePart) -> bool {
        let has_wanted = || {
            if self.digests.is_empty() {
                part.images(false).flat_map(Entry::of_different).any(|entry| self.wants_entry(entry))
            } else {
                self.digests.iter().any(|digest| part.has_digest(&digest.0))
            }
        };
        part.is_known() && self.wants_name(part.name()) && (!self.is_about_images() || has_wanted())
    }

    /// The same of a namespace that is known by name alone.
    pub(in crate::views) fn wants_name(&self, name: &str) -> bool {
        any(&self.namespaces, |wanted| wanted == name)
    }

    /// The same of an image, whoever has it.
    pub(in crate::views) fn wants_image(&self, image: &ImageRef, digest: Option<&Digest>) -> bool {
        self.wants_entry(Entry { image, digest, digest_kind: None })
    }

    /// The same of pods of an owner.
    pub(in crate::views) fn wants_owner(&self, kind: &str, name: &str) -> bool {
        any(&self.owners, |wanted| is_owner(wanted, kind, name))
    }

    /// The pods of a namespace that may be wanted, in their order, from the one on that does not stand before that name and
    /// uid: those of a digest are found without a look at the others.
    pub(super) fn pods_of<'a>(
        &self,
        part: &'a NamespacePart,
        name: &str,
        uid: Option<&str>,
    ) -> impl Iterator<Item = &'a Arc<PodRecord>> + use<'a> {
        let every = self.digests.is_empty().then(|| part.pods_from(name, uid));
        let found = every.is_none().then(|| {
            let mut pods = part.pods_with_digest(self.digests.iter().map(|digest| &*digest.0));
            pods.retain(|pod| *pod.name >= *name);
            pods
        });
        every.into_iter().flatten().chain(found.into_iter().flatten())
    }

    fn is_about_images(&self) -> bool {
        !(self.registries.is_empty()
            && self.repositories.is_empty()
            && self.tags.is_empty()
            && self.digests.is_empty()
            && self.images.is_empty())
    }

    pub(super) fn wants_entry(&self, Entry { image, digest, .. }: Entry<'_>) -> bool {
        self.may_want(image)
            && any(&self.digests, |prefix| {
                [digest, image.digest()].into_iter().flatten().any(|digest| prefix.matches(digest))
            })
            && any(&self.images, |wanted| {
                is_named(wanted, image)
                    && wanted.digest().is_none_or(|wanted| [digest, image.digest()].contains(&Some(wanted)))
            })
    }

    /// Whether an image of that reference is wanted with some digest.
    #[must_use]
    pub fn may_want(&self, image: &ImageRef) -> bool {
        any(&self.registries, |registry| image.registry() == Some(registry))
            && any(&self.repositories, |repository| repository.matches(image))
            && any(&self.tags, |tag| image.tag() == Some(tag))
            && any(&self.images, |wanted| is_named(wanted, image))
    }

    /// The first of the parameters that are about pods, and not about images of namespaces, which is all that a history keeps.
    #[must_use]
    pub fn about_pods(&self) -> Option<&'static str> {
        let Self { kinds, states, owners, nodes, flags, .. } = self;
        let given = [
            ("kind", kinds.is_empty()),
            ("state", states.is_empty()),
            ("owner", owners.is_empty()),
            ("node", nodes.is_empty()),
            ("flag", flags.is_empty()),
        ];
        given.into_iter().find(|(_, is_empty)| !is_empty).map(|(name, _)| name)
    }

    pub(super) fn wants_pod(&self, pod: &PodRecord) -> bool {
        any(&self.nodes, |node| pod.node.as_deref() == Some(node))
            && any(&self.owners, |wanted| {
                pod.owner.as_ref().is_some_and(|owner| {
                    let workload = owner.workload();
                    is_owner(wanted, workload.kind, workload.name) || is_owner(wanted, &owner.kind, &owner.name)
                })
            })
    }

    pub(super) fn wants_container(&self, container: &ContainerRecord) -> bool {
        any(&self.kinds, |kind| container.kind == *kind) && any(&self.states, |state| container.state == *state)
    }

    /// One of the flags is enough.
    pub(in crate::views) fn wants_flags(&self, flags: Flags) -> bool {
        any(&self.flags, |flag| flags.has(*flag))
    }
}
