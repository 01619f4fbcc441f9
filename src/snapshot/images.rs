//! The different images of a namespace: it runs the same few many times, and whoever lists images should not read all of
//! its pods.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::hash::{ContentHash, HashSum};
use super::tree::Tree;
use crate::inventory::{ContainerRecord, Digest, ImageRef, Phase, PodRecord};

/// The image of a container, without the container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DifferentImage {
    /// See [`ContainerRecord::image`].
    pub image: Arc<ImageRef>,
    /// See [`ContainerRecord::running`].
    pub running: Option<Digest>,
    /// See [`ContainerRecord::updating_from`].
    pub updating_from: Option<Arc<ImageRef>>,
}

/// Each image that runs or is asked for, once, sorted. Side by side, so that they are read without a look at the pods, in nodes
/// that snapshots share.
#[derive(Debug, Clone, Default)]
pub(super) struct Images {
    all: Tree<(DifferentImage, List)>,
    sums: Sums,
    /// How many of them are being updated.
    updating: usize,
}

/// Of both lists, the hashes of what is in it.
#[derive(Debug, Clone, Copy, Default, Hash)]
pub(super) struct Sums {
    running: HashSum,
    others: HashSum,
}

/// How many containers have each image.
#[derive(Debug, Default)]
pub(super) struct ImageCounts {
    counts: BTreeMap<DifferentImage, Count>,
    images: Images,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    /// Of pods in phase Running.
    running: u32,
    others: u32,
    hash: ContentHash,
}

/// Which pods have an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    /// Some in phase Running, and perhaps others.
    Running,
    /// Others alone.
    Others,
}

impl ImageCounts {
    /// Counts the containers of a pod.
    pub(super) fn add(&mut self, pod: &PodRecord) {
        for container in &pod.containers {
            let image = DifferentImage::of(container);
            let hash = || ContentHash::of(&image);
            let count =
                self.counts.entry(image.clone()).or_insert_with(|| Count { running: 0, others: 0, hash: hash() });
            let before = count.list();
            *count.of(pod.phase) += 1;
            self.images.change(&image, count.hash, before, count.list());
        }
    }

    pub(super) fn remove(&mut self, pod: &PodRecord) {
        for container in &pod.containers {
            let Entry::Occupied(mut entry) = self.counts.entry(DifferentImage::of(container)) else { continue };
            let count = entry.get_mut();
            let before = count.list();
            *count.of(pod.phase) -= 1;
            let (hash, after) = (count.hash, count.list());
            let image = if after.is_none() { entry.remove_entry().0 } else { entry.key().clone() };
            self.images.change(&image, hash, before, after);
        }
    }

    pub(super) fn images(&self) -> &Images {
        &self.images
    }
}

impl Count {
    fn of(&mut self, phase: Phase) -> &mut u32 {
        if phase == Phase::Running { &mut self.running } else { &mut self.others }
    }

    fn list(self) -> Option<List> {
        match (self.running, self.others) {
            (1.., _) => Some(List::Running),
            (0, 1..) => Some(List::Others),
            (0, 0) => None,
        }
    }
}

impl Sums {
    fn of(&mut self, list: List) -> &mut HashSum {
        match list {
            List::Running => &mut self.running,
            List::Others => &mut self.others,
        }
    }
}

impl Images {
    /// Equal images have equal sums, in every process.
    pub(super) fn sums(&self) -> Sums {
        self.sums
    }

    pub(super) fn iter(&self, running_only: bool) -> impl Iterator<Item = &DifferentImage> + Clone {
        self.all.iter().filter(move |(_, list)| !running_only || *list == List::Running).map(|(image, _)| image)
    }

    /// Those in which the reference is requested, or runs while another one is.
    pub(super) fn of<'s>(&'s self, image: &'s ImageRef) -> impl Iterator<Item = &'s DifferentImage> {
        let requested = self.all.iter_from(|(known, _)| (*known.image).cmp(image)).map(|(known, _)| known);
        let requested = requested.take_while(|known| *known.image == *image);
        // Mostly there is none, and not all have to be looked at.
        let updated = self.iter(false).take(if self.updating == 0 { 0 } else { usize::MAX });
        requested.chain(updated.filter(|known| *known.image != *image && known.updating_from.as_deref() == Some(image)))
    }

    /// Those that one of both has alone.
    pub(super) fn differences<'a>(before: &'a Self, after: &'a Self) -> impl Iterator<Item = &'a DifferentImage> {
        let pairs = Tree::differences(&before.all, &after.all, |(a, _), (b, _)| a.cmp(b));
        pairs.filter_map(|pair| match pair {
            (Some((image, _)), None) | (None, Some((image, _))) => Some(image),
            _ => None,
        })
    }

    fn change(&mut self, image: &DifferentImage, hash: ContentHash, before: Option<List>, after: Option<List>) {
        if before == after {
            return;
        }
        before.into_iter().for_each(|list| self.sums.of(list).remove(hash));
        after.into_iter().for_each(|list| self.sums.of(list).add(hash));
        if image.updating_from.is_some() {
            self.updating -= usize::from(before.is_some());
            self.updating += usize::from(after.is_some());
        }
        match after {
            Some(list) => drop(self.all.insert(|(known, _)| known.cmp(image), (image.clone(), list))),
            None => drop(self.all.remove(|(known, _)| known.cmp(image))),
        }
    }
}

/// Whether both pods have the same images in the same places, and count alike.
pub(super) fn are_same(a: &PodRecord, b: &PodRecord) -> bool {
    let are_same = |(a, b): (&ContainerRecord, &ContainerRecord)| {
        (&a.image, &a.running, &a.updating_from) == (&b.image, &b.running, &b.updating_from)
    };
    let both = (a.phase == Phase::Running) == (b.phase == Phase::Running) && a.containers.len() == b.containers.len();
    both && a.containers.iter().zip(&b.containers).all(are_same)
}

impl DifferentImage {
    pub(super) fn of(container: &ContainerRecord) -> Self {
        let ContainerRecord { image, running, updating_from, .. } = container;
        Self { image: Arc::clone(image), running: running.clone(), updating_from: updating_from.clone() }
    }
}
