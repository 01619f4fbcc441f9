//! The different images of a namespace: it runs the same few many times, and whoever lists images should not read all of
//! its pods.

use std::collections::HashSet;
use std::sync::Arc;

use crate::inventory::{ContainerRecord, Digest, ImageRef, Phase, PodRecord};

/// What a container tells of its image, without the container.
#[derive(Debug)]
pub struct DifferentImage {
    /// See [`ContainerRecord::image`].
    pub image: Arc<ImageRef>,
    /// See [`ContainerRecord::running`].
    pub running: Option<Digest>,
    /// See [`ContainerRecord::updating_from`].
    pub updating_from: Option<Arc<ImageRef>>,
}

/// One for each image that runs or is asked for, in one way: the others say nothing that it does not. Side by side, so
/// that they are read without a look at the pods.
#[derive(Debug)]
pub(super) struct Different {
    /// Of pods in phase Running.
    running: Box<[DifferentImage]>,
    /// Of other pods, what no running one has.
    others: Box<[DifferentImage]>,
}

/// Where the texts lie that tell an image: what lies in one place is equal.
type Place = (*const ImageRef, *const u8, *const ImageRef);

impl Different {
    pub(super) fn of(pods: &[Arc<PodRecord>]) -> Self {
        let mut seen: HashSet<Place> = HashSet::new();
        let mut of_phase = |is_running: bool| -> Box<[DifferentImage]> {
            let pods = pods.iter().filter(|pod| (pod.phase == Phase::Running) == is_running);
            let containers = pods.flat_map(|pod| &pod.containers).filter(|container| seen.insert(place(container)));
            containers.map(DifferentImage::of).collect()
        };
        let running = of_phase(true);
        Self { running, others: of_phase(false) }
    }

    pub(super) fn images(&self, running_only: bool) -> impl Iterator<Item = &DifferentImage> {
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

fn place(container: &ContainerRecord) -> Place {
    let ContainerRecord { image, running, updating_from, .. } = container;
    let running = running.as_ref().map_or(std::ptr::null(), |digest| digest.as_str().as_ptr());
    (Arc::as_ptr(image), running, updating_from.as_ref().map_or(std::ptr::null(), Arc::as_ptr))
}
