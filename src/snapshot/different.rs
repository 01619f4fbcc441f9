//! The different images of a namespace: it runs the same few many times, and whoever lists images should not read all of
//! its pods.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::hash::ContentHasher;
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

/// Each image that runs or is asked for, once, sorted. Side by side, so that they are read without a look at the pods.
#[derive(Debug)]
pub(super) struct Different {
    /// Of pods in phase Running.
    running: Box<[DifferentImage]>,
    /// Of other pods, what no running one has.
    others: Box<[DifferentImage]>,
}

/// What tells one image from another.
type Key<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

impl Different {
    pub(super) fn of(pods: &[Arc<PodRecord>]) -> Self {
        let mut seen: BTreeMap<Key<'_>, (&ContainerRecord, bool)> = BTreeMap::new();
        for pod in pods {
            for container in &pod.containers {
                let is_running = pod.phase == Phase::Running;
                seen.entry(key(container)).or_insert((container, false)).1 |= is_running;
            }
        }
        let of_phase = |wanted: bool| {
            let found = seen.values().filter(|(_, is_running)| *is_running == wanted);
            found.map(|(container, _)| DifferentImage::of(container)).collect()
        };
        Self { running: of_phase(true), others: of_phase(false) }
    }

    pub(super) fn images(&self, running_only: bool) -> impl Iterator<Item = &DifferentImage> + Clone {
        let others = if running_only { &[][..] } else { &self.others };
        self.running.iter().chain(others)
    }

    pub(super) fn hash_into(&self, hasher: &mut ContentHasher) {
        for images in [&self.running, &self.others] {
            hasher.number(images.len() as u64);
            for DifferentImage { image, running, updating_from } in images {
                hasher.text(image.written()).optional(running.as_ref().map(Digest::as_str));
                hasher.optional(updating_from.as_ref().map(|image| image.written()));
            }
        }
    }
}

impl DifferentImage {
    fn of(container: &ContainerRecord) -> Self {
        let ContainerRecord { image, running, updating_from, .. } = container;
        Self { image: Arc::clone(image), running: running.clone(), updating_from: updating_from.clone() }
    }
}

fn key(container: &ContainerRecord) -> Key<'_> {
    let ContainerRecord { image, running, updating_from, .. } = container;
    let updating_from = updating_from.as_ref().map(|image| image.written());
    (image.written(), running.as_ref().map(Digest::as_str), updating_from)
}
