//! Which pods of a namespace have which manifest digest. Made when somebody asks for a digest, and kept for as long as the
//! namespace stays the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::inventory::{Digest, PodRecord};

/// A pod with its place among those of the namespace.
type Placed = (u32, Arc<PodRecord>);

/// Sorted by digest.
#[derive(Debug)]
pub(super) struct PodsByDigest(Box<[(Digest, Box<[Placed]>)]>);

impl PodsByDigest {
    /// Of pods in their order: by what runs in them, and by what their manifests pin.
    pub(super) fn of<'a>(pods: impl Iterator<Item = &'a Arc<PodRecord>>) -> Self {
        let mut found: BTreeMap<&Digest, Vec<Placed>> = BTreeMap::new();
        for (place, pod) in (0..).zip(pods) {
            for container in &pod.containers {
                let before = container.updating_from.as_ref().and_then(|image| image.digest());
                for digest in [container.running.as_ref(), container.image.digest(), before].into_iter().flatten() {
                    let pods = found.entry(digest).or_default();
                    if pods.last().is_none_or(|(last, _)| *last != place) {
                        pods.push((place, Arc::clone(pod)));
                    }
                }
            }
        }
        Self(found.into_iter().map(|(digest, pods)| (digest.clone(), pods.into())).collect())
    }

    /// The pods that have a digest which begins with one of these texts, each once, in their order.
    pub(super) fn beginning_with<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Vec<&Arc<PodRecord>> {
        let mut found: Vec<&Placed> = texts.flat_map(|text| self.range(text)).flat_map(|(_, pods)| pods).collect();
        found.sort_unstable_by_key(|(place, _)| *place);
        found.dedup_by_key(|(place, _)| *place);
        found.into_iter().map(|(_, pod)| pod).collect()
    }

    /// Whether there is such a pod.
    pub(super) fn has(&self, text: &str) -> bool {
        !self.range(text).is_empty()
    }

    fn range(&self, text: &str) -> &[(Digest, Box<[Placed]>)] {
        let from = self.0.partition_point(|(digest, _)| digest.as_str() < text);
        let rest = &self.0[from..];
        &rest[..rest.partition_point(|(digest, _)| digest.as_str().starts_with(text))]
    }
}
