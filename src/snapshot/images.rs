//! The different images of a namespace: it runs the same few many times, and whoever lists images should not read all of
//! its pods.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

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

/// Each image that runs or is asked for, once, sorted. Side by side, so that they are read without a look at the pods.
#[derive(Debug, Default, Hash)]
pub(super) struct Images {
    /// Of pods in phase Running.
    running: Box<[DifferentImage]>,
    /// Of other pods, what no running one has.
    others: Box<[DifferentImage]>,
}

/// How many containers have each image.
#[derive(Debug, Default)]
pub(super) struct ImageCounts(BTreeMap<DifferentImage, Count>);

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    /// Of pods in phase Running.
    running: u32,
    others: u32,
}

impl ImageCounts {
    /// Counts the containers of a pod; whether the list of images is another one with them.
    pub(super) fn add(&mut self, pod: &PodRecord) -> bool {
        pod.containers.iter().fold(false, |is_changed, container| {
            let count = self.0.entry(DifferentImage::of(container)).or_default();
            count.change(pod.phase, |number| *number += 1) | is_changed
        })
    }

    pub(super) fn remove(&mut self, pod: &PodRecord) -> bool {
        pod.containers.iter().fold(false, |is_changed, container| {
            let Entry::Occupied(mut entry) = self.0.entry(DifferentImage::of(container)) else { return is_changed };
            let changes = entry.get_mut().change(pod.phase, |number| *number -= 1);
            if entry.get().list().is_none() {
                entry.remove();
            }
            changes | is_changed
        })
    }

    pub(super) fn images(&self) -> Images {
        let of =
            |list| self.0.iter().filter(move |(_, count)| count.list() == Some(list)).map(|(image, _)| image.clone());
        Images { running: of(List::Running).collect(), others: of(List::Others).collect() }
    }
}

/// Which list of [`Images`] an image stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Running,
    Others,
}

impl Count {
    /// Whether the image stands in another list after it.
    fn change(&mut self, phase: Phase, change: impl FnOnce(&mut u32)) -> bool {
        let before = self.list();
        change(if phase == Phase::Running { &mut self.running } else { &mut self.others });
        self.list() != before
    }

    fn list(self) -> Option<List> {
        match self {
            Self { running: 1.., .. } => Some(List::Running),
            Self { running: 0, others: 1.. } => Some(List::Others),
            Self { running: 0, others: 0 } => None,
        }
    }
}

impl Images {
    pub(super) fn iter(&self, running_only: bool) -> impl Iterator<Item = &DifferentImage> + Clone {
        let others = if running_only { &[][..] } else { &self.others };
        self.running.iter().chain(others)
    }
}

impl DifferentImage {
    fn of(container: &ContainerRecord) -> Self {
        let ContainerRecord { image, running, updating_from, .. } = container;
        Self { image: Arc::clone(image), running: running.clone(), updating_from: updating_from.clone() }
    }
}
