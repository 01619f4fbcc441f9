//! What the index holds of one namespace.

use std::sync::Arc;

use super::images::{self, ImageCounts, Images};
use super::pods::{Pod, Pods};
use crate::inventory::{NamespaceRecord, PodRecord};

#[derive(Debug)]
pub(super) struct Namespace {
    /// The namespace as an object; its name alone stands here too.
    pub(super) record: Option<Arc<NamespaceRecord>>,
    /// Included by name, and not there.
    pub(super) is_unknown: bool,
    pods: Pods,
    counts: ImageCounts,
}

impl Namespace {
    /// A namespace of which nothing is known, with no pods: these.
    pub(super) fn new(pods: Pods) -> Self {
        Self { record: None, is_unknown: false, pods, counts: ImageCounts::default() }
    }

    pub(super) fn pods(&self) -> &Pods {
        &self.pods
    }

    pub(super) fn images(&self) -> &Images {
        self.counts.images()
    }

    /// Gives the pod that was there, if it had other images.
    pub(super) fn insert(&mut self, pod: Pod) -> Option<Arc<PodRecord>> {
        let record = Arc::clone(&pod.record);
        let replaced = self.pods.insert(pod);
        if replaced.as_ref().is_some_and(|replaced| images::are_same(&replaced.record, &record)) {
            return None;
        }
        self.counts.add(&record);
        let replaced = replaced?.record;
        self.counts.remove(&replaced);
        Some(replaced)
    }

    /// Gives the pod, if there was one.
    pub(super) fn remove(&mut self, name: &str, uid: Option<&str>) -> Option<Arc<PodRecord>> {
        let removed = self.pods.remove(name, uid)?.record;
        self.counts.remove(&removed);
        Some(removed)
    }

    /// Whether they are other pods than those that were there.
    pub(super) fn replace(&mut self, pods: Pods) -> bool {
        if self.pods.are_the_very(&pods) {
            return false;
        }
        self.counts = ImageCounts::default();
        for pod in pods.records() {
            self.counts.add(pod);
        }
        self.pods = pods;
        true
    }
}
