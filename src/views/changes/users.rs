//! Who has an image in a namespace: counted over pods.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::inventory::{ContainerRecord, Digest, ImageRef, PodRecord};
use crate::views::{Filter, Flags};

/// As many workloads are named; the others are only counted.
const WORKLOADS_MAX: usize = 100;
/// Bytes of a workload's name. Names of Kubernetes are shorter; this is for those that are none.
const NAME_MAX: usize = 320;

/// A reference and the digest that it counts with.
pub(super) type Image = (Arc<ImageRef>, Option<Digest>);

/// Those who have an image, or had it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Users {
    pub(super) containers: usize,
    pub(super) pods: usize,
    pub(super) owners: usize,
    /// `Kind/name`, sorted, at most [`WORKLOADS_MAX`].
    pub(super) workloads: Box<[Box<str>]>,
    pub(super) flags: Flags,
}

/// Counts of what is to be counted.
#[derive(Debug)]
pub(super) struct Counts<K>(BTreeMap<K, Count>);

#[derive(Debug, Default)]
struct Count {
    containers: usize,
    pods: usize,
    last_pod: Option<usize>,
    workloads: BTreeSet<String>,
    flags: Option<Flags>,
}

impl Users {
    pub(super) fn are_wanted(&self, filter: &Filter) -> bool {
        let is_wanted =
            |workload: &str| workload.split_once('/').is_some_and(|(kind, name)| filter.wants_owner(kind, name));
        // One that is not named may be the wanted one.
        filter.owners.is_empty()
            || self.owners > self.workloads.len()
            || self.workloads.iter().any(|name| is_wanted(name))
    }
}

impl Counts<Image> {
    /// Of each image of those references.
    pub(super) fn of_images<'a>(
        pods: impl IntoIterator<Item = &'a Arc<PodRecord>>,
        references: &BTreeSet<Arc<ImageRef>>,
    ) -> Self {
        Self::of(pods, |container| {
            let ContainerRecord { image, running, updating_from, .. } = container;
            let wanted = references_of(image, running.as_ref(), updating_from.as_ref())
                .filter(|(image, _)| references.contains(*image));
            let counted = |(image, running): (&Arc<ImageRef>, Option<&Digest>)| {
                let flags = Flags::of_reference(image, running.or(image.digest()).is_some());
                ((Arc::clone(image), running.cloned()), flags)
            };
            wanted.map(counted).collect()
        })
    }

    /// Those whose nodes report the digest; when no node does, those that pin it, or have none.
    pub(super) fn take(&mut self, image: &Image) -> Users {
        let (reference, digest) = image;
        let count = match self.0.remove(image) {
            None if digest.as_ref() == reference.digest() => self.0.remove(&(Arc::clone(reference), None)),
            count => count,
        };
        count.map(Count::into_users).unwrap_or_default()
    }
}

impl Counts<()> {
    /// Of all together.
    pub(super) fn of_all<'a>(pods: impl IntoIterator<Item = &'a Arc<PodRecord>>) -> Users {
        let mut counts = Self::of(pods, |_| vec![((), Flags::default())]);
        let users = counts.0.remove(&()).map(Count::into_users).unwrap_or_default();
        Users { flags: Flags::default(), ..users }
    }
}

impl<K: Ord> Counts<K> {
    fn of<'a>(
        pods: impl IntoIterator<Item = &'a Arc<PodRecord>>,
        keys: impl Fn(&ContainerRecord) -> Vec<(K, Flags)>,
    ) -> Self {
        let mut counts = BTreeMap::<K, Count>::new();
        for (number, pod) in pods.into_iter().enumerate() {
            for container in &pod.containers {
                for (key, flags) in keys(container) {
                    counts.entry(key).or_default().add(number, pod, Flags::of_container(flags, container));
                }
            }
        }
        Self(counts)
    }
}

impl Count {
    fn add(&mut self, number: usize, pod: &PodRecord, of_container: Flags) {
        let Self { containers, pods, last_pod, workloads, flags } = self;
        *containers += 1;
        let is_first = last_pod.replace(number) != Some(number);
        if is_first {
            *pods += 1;
            let workload = pod.owner.as_ref().map(|owner| owner.workload());
            let name = workload.map(|workload| format!("{}/{}", workload.kind, workload.name));
            workloads.extend(name);
        }
        *flags = Some(flags.map_or(of_container, |flags| flags.together(of_container)));
    }

    fn into_users(self) -> Users {
        let Self { containers, pods, last_pod: _, workloads, flags } = self;
        let named = workloads.iter().take(WORKLOADS_MAX).map(|name| cut(name, NAME_MAX).into());
        Users {
            containers,
            pods,
            owners: workloads.len(),
            workloads: named.collect(),
            flags: flags.unwrap_or_default(),
        }
    }
}

/// What is requested and, while an update is pending, what runs; each with the digest that a node reports of it.
pub(super) fn references_of<'a>(
    image: &'a Arc<ImageRef>,
    running: Option<&'a Digest>,
    updating_from: Option<&'a Arc<ImageRef>>,
) -> impl Iterator<Item = (&'a Arc<ImageRef>, Option<&'a Digest>)> + use<'a> {
    let requested = (image, running.filter(|_| updating_from.is_none()));
    updating_from.map(|old| (old, running)).into_iter().chain([requested])
}

/// The beginning of a text, so many bytes at most.
pub(super) fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}
