//! What the index holds of one namespace.

use std::sync::Arc;

use super::images::{ImageCounts, Images};
use super::pods::{Pod, Pods};
use crate::inventory::NamespaceRecord;

#[derive(Debug)]
pub(super) struct Namespace {
    /// The namespace as an object; its name alone stands here too.
    pub(super) record: Option<Arc<NamespaceRecord>>,
    /// Included by name, and not there.
    pub(super) is_unknown: bool,
    pods: Pods,
    counts: ImageCounts,
    /// What `counts` come to; made anew only when an image came or went.
    images: Arc<Images>,
}

impl Namespace {
    /// A namespace of which nothing is known, with no pods: these.
    pub(super) fn new(pods: Pods) -> Self {
        Self { record: None, is_unknown: false, pods, counts: ImageCounts::default(), images: Arc::default() }
    }

    pub(super) fn pods(&self) -> &Pods {
        &self.pods
    }

    pub(super) fn images(&self) -> &Arc<Images> {
        &self.images
    }

    pub(super) fn insert(&mut self, pod: Pod) {
        let mut is_changed = self.counts.add(&pod.record);
        if let Some(replaced) = self.pods.insert(pod) {
            is_changed |= self.counts.remove(&replaced.record);
        }
        self.count_again(is_changed);
    }

    /// Whether there was such a pod.
    pub(super) fn remove(&mut self, name: &str, uid: Option<&str>) -> bool {
        let removed = self.pods.remove(name, uid);
        let is_changed = removed.as_ref().is_some_and(|pod| self.counts.remove(&pod.record));
        self.count_again(is_changed);
        removed.is_some()
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
        self.count_again(true);
        true
    }

    fn count_again(&mut self, is_changed: bool) {
        if is_changed {
            self.images = Arc::new(self.counts.images());
        }
    }
}
