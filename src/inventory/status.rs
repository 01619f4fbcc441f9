//! What a pod's three image fields mean together, read once by fixed rules.
//!
//! `spec…image` is what was asked for, `status…image` a name that the node happens to know for the content, and
//! `status…imageID` what runs. Both status fields describe the content on the node, not what this pod asked for: so
//! repository and tag come from the spec, the digest from `imageID`, and a name of the node is never joined to the spec's
//! tag. The rules and their cases are the table in `tests/inventory/status_rules.rs`.

use std::sync::Arc;

use super::digest::{is_bare_hex, is_image_id};
use super::{ContainerFlags, ContainerKind, ContainerRecord, ContainerState, Digest, ImageRef, Interner, StartTime};

/// Prefixes of `imageID` that Docker's runtimes write.
const KNOWN_PREFIXES: [&str; 2] = ["docker-pullable", "docker"];
/// Reasons of a container that could not get the image it waits for, so that what `imageID` says is of an older one.
const WITHOUT_IMAGE: [&str; 3] = ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"];

/// One container or image volume in the spec.
#[derive(Debug, Clone, Copy)]
pub struct SpecEntry<'a> {
    /// Name of the container or volume.
    pub name: &'a str,
    /// Which list it stands in.
    pub kind: ContainerKind,
    /// `image`, or `image.reference` of a volume.
    pub image: &'a str,
}

/// The status of the entry of that name, or of the pod when there is none.
#[derive(Debug, Clone, Copy, Default)]
pub struct StatusEntry<'a> {
    /// `image`; empty when absent.
    pub image: &'a str,
    /// `imageID`, or `imageRef` of a volume mount; empty when absent.
    pub image_id: &'a str,
    pub state: ContainerState,
    /// Why it waits or ended; empty when absent.
    pub reason: &'a str,
    /// `state.running.startedAt`.
    pub started_at: Option<StartTime>,
    /// `containerID`; empty when absent or not kept.
    pub container_id: &'a str,
}

/// `metadata.generation` and `status.observedGeneration`: absence of either means nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct PodGenerations {
    /// `metadata.generation`.
    pub generation: Option<i64>,
    /// `status.observedGeneration`.
    pub observed: Option<i64>,
}

impl PodGenerations {
    /// Whether the node has yet to act on a change of the spec.
    fn is_behind(self) -> bool {
        matches!((self.generation, self.observed), (Some(generation), Some(observed)) if generation > observed)
    }
}

/// Joins spec and status of one entry.
pub fn read_container(
    spec: SpecEntry<'_>,
    status: StatusEntry<'_>,
    generations: PodGenerations,
    interner: &mut Interner,
) -> ContainerRecord {
    let image = interner.image(spec.image);
    let node_name = tagged_name(status.image, interner);
    let name_differs = node_name.as_deref().is_some_and(|node| is_other_name(&image, node));
    let runs_nothing =
        name_differs && status.state == ContainerState::Waiting && WITHOUT_IMAGE.contains(&status.reason);
    let found = if runs_nothing { Found::default() } else { read_image_id(status.image_id, interner) };

    let declared_differs =
        matches!((image.digest(), &found.digest), (Some(declared), Some(running)) if declared != running);
    // The runtime ignores the tag of a name pinned by digest alone: there the node's tag is a hint, not another name. A
    // text that is no reference cannot be what runs.
    let name_differs = name_differs && (image.tag().is_some() || !image.has_parts());
    let updating_from = match &found.digest {
        Some(running) if generations.is_behind() && (declared_differs || name_differs) => {
            Some(what_runs(&image, node_name.as_deref(), found.repository, running, interner))
        }
        _ => None,
    };
    let flags = ContainerFlags {
        digest_mismatch: declared_differs && updating_from.is_none(),
        unknown_prefix: found.unknown_prefix,
        ambiguous_tag: name_differs && image.has_parts() && found.digest.is_some() && updating_from.is_none(),
    };
    ContainerRecord {
        name: interner.string(spec.name),
        kind: spec.kind,
        resolved_repository: found.repository.and_then(|repository| resolved(&image, repository, interner)),
        image,
        running: found.digest,
        image_id: found.image_id,
        updating_from,
        state: status.state,
        reason: (!status.reason.is_empty()).then(|| interner.string(status.reason)),
        flags,
        started_at: status.started_at,
        container_id: (!status.container_id.is_empty()).then(|| status.container_id.into()),
    }
}

/// What an `imageID` holds.
#[derive(Default)]
struct Found<'a> {
    digest: Option<Digest>,
    image_id: Option<Arc<str>>,
    /// The text before the `@`, which may end in a tag.
    repository: Option<&'a str>,
    unknown_prefix: bool,
}

/// The running digest stands behind the only `@`; a bare hash is an image ID and means nothing about origin.
fn read_image_id<'a>(text: &'a str, interner: &mut Interner) -> Found<'a> {
    let (prefix, rest) = text.split_once("://").map_or((None, text), |(prefix, rest)| (Some(prefix), rest));
    let unknown_prefix = prefix.is_some_and(|prefix| !KNOWN_PREFIXES.contains(&prefix));
    let found = Found { unknown_prefix, ..Found::default() };
    match rest.split_once('@') {
        Some((_, after)) if after.contains('@') => found,
        Some((repository, after)) => match interner.digest(after) {
            Some(digest) => {
                Found { digest: Some(digest), repository: Some(repository).filter(|text| !text.is_empty()), ..found }
            }
            None => found,
        },
        None if is_bare_hex(rest) => Found { image_id: Some(interner.string(&format!("sha256:{rest}"))), ..found },
        None => Found { image_id: is_image_id(rest).then(|| interner.string(rest)), ..found },
    }
}

/// The name that the node gives, when it is a name with a tag: a bare `sha256:…` reads like one and is none.
fn tagged_name(text: &str, interner: &mut Interner) -> Option<Arc<ImageRef>> {
    if text.is_empty() || is_image_id(text) {
        return None;
    }
    let name = interner.image(text);
    let has_tag = name.has_parts() && !name.is_tag_implied() && name.tag().is_some();
    has_tag.then_some(name)
}

/// Whether two references differ in canonical name or tag.
fn is_other_name(spec: &ImageRef, node: &ImageRef) -> bool {
    !spec.is_same_repository(node) || spec.tag() != node.tag()
}

/// The reference of what still runs while `spec` waits to be done.
fn what_runs(
    spec: &ImageRef,
    node_name: Option<&ImageRef>,
    repository: Option<&str>,
    running: &Digest,
    interner: &mut Interner,
) -> Arc<ImageRef> {
    let name_of = |node: &ImageRef| {
        if node.is_same_repository(spec) { spec.name().to_owned() } else { node.name().to_owned() }
    };
    let text = match node_name {
        Some(node) => format!("{}:{}", name_of(node), node.tag().unwrap_or_default()),
        None => match repository {
            Some(repository) => format!("{}@{running}", name_of(&interner.image(repository))),
            None => format!("{}@{running}", spec.name()),
        },
    };
    interner.image(&text)
}

/// The repository behind an `imageID` when it is another than the spec's, as the node writes it, without tag.
fn resolved(spec: &ImageRef, repository: &str, interner: &mut Interner) -> Option<Arc<str>> {
    let node = interner.image(repository);
    (!node.is_same_repository(spec)).then(|| interner.string(node.name()))
}
