//! What a snapshot holds, counted once for each and not at every scrape.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::families::Families;
use crate::inventory::{ContainerKind, ContainerRecord, Digest, ImageRef, Phase, excerpt};
use crate::snapshot::{NamespaceState, Snapshot};

const KINDS: [(ContainerKind, &str); 5] = [
    (ContainerKind::Container, "container"),
    (ContainerKind::Init, "init"),
    (ContainerKind::Sidecar, "sidecar"),
    (ContainerKind::Ephemeral, "ephemeral"),
    (ContainerKind::Volume, "volume"),
];
const STATES: [(NamespaceState, &str); 4] = [
    (NamespaceState::Read, "read"),
    (NamespaceState::Excluded, "excluded"),
    (NamespaceState::Refused, "refused"),
    (NamespaceState::Unknown, "unknown"),
];

/// Which images count, and how many have a series of their own.
#[derive(Debug, Clone, Copy)]
pub(super) struct ImageRules {
    /// `ignore-not-running`
    pub(super) only_running: bool,
    /// `metrics.image-info-limit`
    pub(super) info_limit: usize,
}

/// The counts of one snapshot.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) generation: u64,
    pods: usize,
    containers: [usize; KINDS.len()],
    namespaces: [usize; STATES.len()],
    images: usize,
    /// The first images by namespace, registry, repository, tag and digest.
    info: BTreeSet<ImageInfo>,
    /// Images that are not among them.
    omitted: usize,
}

/// The labels of an image: namespace, registry, repository, tag, digest.
type ImageInfo = [String; 5];

/// The registry, repository, tag and digest of an image; empty where there is none.
type Image<'s> = [&'s str; 4];

impl Counted {
    /// Walks the whole snapshot: off the async workers.
    pub(super) fn of(snapshot: &Snapshot, rules: ImageRules) -> Self {
        let (mut pods, mut containers, mut namespaces) = (0, [0; KINDS.len()], [0; STATES.len()]);
        let mut images: HashSet<Image<'_>> = HashSet::new();
        let (mut info, mut omitted) = (BTreeSet::new(), 0);
        for part in snapshot.namespaces().iter() {
            namespaces[place(&STATES, &part.state())] += 1;
            pods += part.pod_count();
            // Of one namespace alone: together they would be as many texts as the snapshot has containers.
            let mut here: BTreeSet<Image<'_>> = BTreeSet::new();
            for pod in part.pods() {
                let counts = !rules.only_running || pod.phase == Phase::Running;
                for container in &pod.containers {
                    containers[place(&KINDS, &container.kind)] += 1;
                    if counts {
                        here.extend(images_of(container));
                    }
                }
            }
            let rest = rules.info_limit - info.len();
            omitted += here.len().saturating_sub(rest);
            let shown = here.iter().take(rest).map(|image| row(part.name(), image));
            info.extend(shown);
            images.extend(here);
        }
        let generation = snapshot.generation();
        Self { generation, pods, containers, namespaces, images: images.len(), info, omitted }
    }
}

/// Writes what is known of the newest snapshot; before the first there is little.
pub(super) fn write(
    families: &mut Families<'_>,
    snapshot: Option<(&Snapshot, &Counted)>,
    observed_at: Option<Timestamp>,
    age_seconds: f64,
    rules: ImageRules,
) -> fmt::Result {
    let counted = snapshot.map(|(_, counted)| counted);
    let snapshot = snapshot.map(|(snapshot, _)| snapshot);
    let lacks = snapshot.map(Snapshot::completeness);
    families.gauge("kai_pods", "Pods in any phase.", counted.map(|counted| counted.pods))?;
    families.gauges(
        "kai_containers",
        "Containers of all pods, including image volumes, by kind.",
        counted.iter().flat_map(|counted| series("kind", &KINDS, &counted.containers)),
    )?;
    families.gauge(
        "kai_images",
        "Distinct images (registry, repository, tag and digest) of pods that count (see ignore-not-running).",
        counted.map(|counted| counted.images),
    )?;
    families.gauges(
        "kai_namespaces",
        "Namespaces, by state.",
        counted.iter().flat_map(|counted| series("state", &STATES, &counted.namespaces)),
    )?;
    families.gauge(
        "kai_namespaces_missing",
        "Namespaces whose pods could not be listed.",
        lacks.map(|lacks| lacks.missing.iter().filter(|missing| missing.namespace.is_some()).count()),
    )?;
    families.gauge(
        "kai_items_skipped",
        "Items of lists that could not be read and are left out.",
        lacks.map(|lacks| lacks.skipped),
    )?;
    families.gauge(
        "kai_snapshot_generation",
        "Generation of the newest snapshot in this process; 0 when there is none yet.",
        Some(snapshot.map_or(0, Snapshot::generation)),
    )?;
    families.gauge(
        "kai_snapshot_complete",
        "Whether the snapshot is complete: 1 for yes, 0 for no.",
        Some(u32::from(snapshot.is_some_and(Snapshot::is_complete))),
    )?;
    families.gauge(
        "kai_snapshot_observed_timestamp_seconds",
        "Time at which the snapshot was last seen to be true.",
        observed_at.map(|observed_at| observed_at.as_duration().as_secs_f64()),
    )?;
    families.gauge("kai_snapshot_age_seconds", "Age of the snapshot.", snapshot.map(|_| age_seconds))?;
    families.info(
        "kai_image",
        "Images that run in a namespace or are requested there; at most metrics.image-info-limit.",
        counted.iter().flat_map(|counted| &counted.info).map(|[namespace, registry, repository, tag, digest]| {
            [
                ("registry", &**registry),
                ("repository", &**repository),
                ("tag", &**tag),
                ("digest", &**digest),
                ("namespace", &**namespace),
            ]
        }),
    )?;
    families.gauge(
        "kai_image_info_omitted",
        "Images without a kai_image_info series because of metrics.image-info-limit; absent when the limit is 0.",
        counted.filter(|_| rules.info_limit > 0).map(|counted| counted.omitted),
    )
}

fn series<'a, T, const N: usize>(
    label: &'static str,
    words: &'a [(T, &'static str); N],
    counts: &'a [usize; N],
) -> impl Iterator<Item = ([(&'static str, &'a str); 1], usize)> {
    words.iter().zip(counts).map(move |((_, word), count)| ([(label, *word)], *count))
}

fn place<T: PartialEq, const N: usize>(words: &[(T, &str); N], wanted: &T) -> usize {
    words.iter().position(|(word, _)| word == wanted).expect("every word is in its table")
}

/// What a container runs and, while an update in place is pending, what is asked for. A digest never stands beside a name
/// that it did not run with.
fn images_of(container: &ContainerRecord) -> impl Iterator<Item = Image<'_>> {
    let asked = &*container.image;
    let declared = asked.digest();
    let (runs, pending) = match container.updating_from.as_deref() {
        Some(old) => (image(old, container.running.as_ref()), Some(image(asked, declared))),
        None => (image(asked, container.running.as_ref().or(declared)), None),
    };
    std::iter::once(runs).chain(pending)
}

/// A text that is no reference is shown as a repository.
fn image<'s>(reference: &'s ImageRef, digest: Option<&'s Digest>) -> Image<'s> {
    let repository = reference.repository().unwrap_or(reference.written());
    let tag = reference.tag().unwrap_or_default();
    [reference.registry().unwrap_or_default(), repository, tag, digest.map_or("", Digest::as_str)]
}

/// Names are foreign: cut and escaped they stay labels that a person can read, and two that become one are one.
fn row(namespace: &Arc<str>, [registry, repository, tag, digest]: &Image<'_>) -> ImageInfo {
    [namespace, *registry, *repository, *tag, *digest].map(|text: &str| excerpt(text).to_string())
}
