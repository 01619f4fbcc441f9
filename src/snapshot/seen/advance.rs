//! Follows the images of each namespace from snapshot to snapshot: what came, what went, and what did both in between.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;
use std::sync::Arc;

use jiff::Timestamp;

use super::{FirstSeen, Past, Seen, SeenImage, Sighting, SightingKey};
use crate::inventory::{Digest, ImageRef, PodRecord};
use crate::snapshot::images::DifferentImage;
use crate::snapshot::part::NamespacePart;

/// As many pods are remembered that went, or came, between two snapshots. There are a few each time; this bounds a flood.
const PASSING_MAX: usize = 20_000;

type Entry = (Arc<ImageRef>, Option<Digest>);

/// What is remembered from one snapshot to the next; nothing when no history is kept.
#[derive(Debug, Default)]
pub(in crate::snapshot) struct Seeing {
    past: Option<Past>,
    /// Namespaces of which a list has replaced the pods since the last snapshot: what differs came or went at some time before.
    listed: BTreeSet<Arc<str>>,
    /// When what these lists replaced was last known to be true.
    known_until: Option<Timestamp>,
    /// Pods that went since the last snapshot while they were watched, as they were.
    passing: Vec<Arc<PodRecord>>,
    /// The time by the clock, where what is known may have been observed before.
    now: Option<Timestamp>,
    /// What nobody has taken yet.
    sightings: Vec<Sighting>,
    /// The same of who has come to have what was there already.
    workloads: Vec<Sighting>,
    /// The past is another than the last snapshot shows.
    is_renewed: bool,
}

impl Seeing {
    /// Keeps a history from now on, or adds what one has had.
    pub(in crate::snapshot) fn learn(&mut self, past: Past) {
        match &mut self.past {
            None => self.past = Some(past),
            Some(known) => known.join(past),
        }
        self.is_renewed = true;
    }

    /// A history holds these no more.
    pub(in crate::snapshot) fn forget(&mut self, keys: &[SightingKey]) {
        if let Some(past) = &mut self.past {
            keys.iter().for_each(|key| past.remove(key));
        }
    }

    pub(in crate::snapshot) fn is_on(&self) -> bool {
        self.past.is_some()
    }

    /// Whether every namespace has to be looked at again.
    pub(in crate::snapshot) fn is_renewed(&self) -> bool {
        self.is_renewed
    }

    pub(in crate::snapshot) fn set_now(&mut self, now: Timestamp) {
        self.now = Some(now);
    }

    pub(in crate::snapshot) fn take(&mut self) -> Vec<Sighting> {
        take(&mut self.sightings)
    }

    pub(in crate::snapshot) fn take_workloads(&mut self) -> Vec<Sighting> {
        take(&mut self.workloads)
    }

    /// A list has replaced the pods of the namespace. `known_until`: when they were last known to be true.
    pub(in crate::snapshot) fn listed(&mut self, namespace: &Arc<str>, known_until: Option<Timestamp>) {
        // Also before a history is there: it comes before the next snapshot.
        self.listed.insert(Arc::clone(namespace));
        self.known_until = self.known_until.or(known_until);
    }

    /// A pod went, or is another one, outside of any list.
    pub(in crate::snapshot) fn passed(&mut self, pod: &Arc<PodRecord>) {
        if self.is_on() && self.passing.len() < PASSING_MAX {
            self.passing.push(Arc::clone(pod));
        }
    }

    /// Goes from a namespace as it was to as it is: gives since when each of its images is there.
    pub(in crate::snapshot) fn advance(
        &mut self,
        old: Option<&NamespacePart>,
        new: Option<&NamespacePart>,
        observed_at: Timestamp,
    ) -> Seen {
        let mut seen = old.map(|old| old.seen().clone()).unwrap_or_default();
        let Some(name) = new.or(old).map(NamespacePart::name) else { return seen };
        let Some(past) = &mut self.past else { return seen };
        if self.is_renewed {
            for item in seen.items().cloned().collect::<Vec<_>>() {
                let first = past.insert_of(name, &item.image, item.digest.as_ref(), item.first);
                seen.insert(SeenImage { first, ..item });
            }
        }
        if old.map(NamespacePart::images_hash) == new.map(NamespacePart::images_hash) {
            self.note_workloads(old, new, &seen);
            return seen;
        }
        let is_listed = self.listed.contains(name);
        let now = in_milliseconds(self.now.filter(|_| !is_listed).unwrap_or(observed_at));
        let gone_at = if is_listed { self.known_until.map_or(now, in_milliseconds) } else { now };
        let changed = NamespacePart::changed_images(old, new);
        let changed: BTreeSet<Entry> = changed.iter().flat_map(DifferentImage::entries).map(owned).collect();
        let mut appeared: BTreeMap<Entry, Sighting> = BTreeMap::new();
        for (image, digest) in changed {
            let is_there = new.is_some_and(|part| has(part, &image, digest.as_ref()));
            let known = seen.get(&image, digest.as_ref());
            let key = || SightingKey { namespace: Arc::clone(name), image: Arc::clone(&image), digest: digest.clone() };
            match (known, is_there) {
                (None, true) => {
                    let first = FirstSeen { at: now, is_exact: !is_listed };
                    let first = past.insert_of(name, &image, digest.as_ref(), first);
                    seen.insert(SeenImage { image: Arc::clone(&image), digest: digest.clone(), first });
                    let sighting = Sighting::new(key(), first, None);
                    appeared.insert((image, digest), sighting);
                }
                (Some(first), false) => {
                    seen.remove(&image, digest.as_ref());
                    // A clock may have been set back.
                    self.sightings.push(Sighting::new(key(), first, Some(gone_at.max(first.at))));
                }
                _ => {}
            }
        }
        if !appeared.is_empty() {
            let [_, pods] = NamespacePart::changed_pods(old, new);
            add_pods(&mut appeared, pods.iter());
            self.sightings.extend(appeared.into_values());
        }
        self.note_workloads(old, new, &seen);
        seen
    }

    /// Others may have come to have what was there already.
    fn note_workloads(&mut self, old: Option<&NamespacePart>, new: Option<&NamespacePart>, seen: &Seen) {
        // Of a namespace that is new everything has just appeared.
        let (Some(_), Some(namespace)) = (old, new.map(NamespacePart::name)) else { return };
        let new_pods = NamespacePart::new_pods(old, new);
        let room = PASSING_MAX.saturating_sub(self.workloads.len());
        for pod in new_pods.iter().filter(|pod| pod.owner.is_some()).take(room) {
            for container in &pod.containers {
                for (image, digest) in DifferentImage::of(container).entries() {
                    let Some(first) = seen.get(image, digest) else { continue };
                    let key = SightingKey {
                        namespace: Arc::clone(namespace),
                        image: Arc::clone(image),
                        digest: digest.cloned(),
                    };
                    let mut sighting = Sighting::new(key, first, None);
                    sighting.add(pod, container);
                    self.workloads.push(sighting);
                }
            }
        }
    }

    /// Tells what these namespaces show as if it had come now, with the times at which it was first seen.
    pub(in crate::snapshot) fn tell_again<'p>(&mut self, parts: impl Iterator<Item = &'p Arc<NamespacePart>>) {
        if !self.is_on() {
            return;
        }
        for part in parts {
            let there = part.seen().items().map(|SeenImage { image, digest, first }| {
                let namespace = Arc::clone(part.name());
                let key = SightingKey { namespace, image: Arc::clone(image), digest: digest.clone() };
                ((Arc::clone(image), digest.clone()), Sighting::new(key, *first, None))
            });
            let mut there: BTreeMap<Entry, Sighting> = there.collect();
            add_pods(&mut there, part.pods());
            self.sightings.extend(there.into_values());
        }
    }

    /// Ends a step. `seen_in` gives what a namespace shows in the last snapshot and in the next one: what stands in neither
    /// came and went in between.
    pub(in crate::snapshot) fn finish<'p>(
        &mut self,
        observed_at: Timestamp,
        seen_in: impl Fn(&str) -> [Option<&'p NamespacePart>; 2],
    ) {
        let now = in_milliseconds(self.now.unwrap_or(observed_at));
        let mut passed: BTreeMap<Entry, Sighting> = BTreeMap::new();
        let passing = take(&mut self.passing);
        let mut by_namespace: BTreeMap<&Arc<str>, Vec<&Arc<PodRecord>>> = BTreeMap::new();
        passing.iter().for_each(|pod| by_namespace.entry(&pod.namespace).or_default().push(pod));
        for (namespace, pods) in by_namespace {
            let parts = seen_in(namespace);
            let Some(past) = &mut self.past else { break };
            for pod in pods {
                for container in &pod.containers {
                    let different = DifferentImage::of(container);
                    for (image, digest) in different.entries() {
                        let is_shown = parts.iter().flatten().any(|part| part.seen().get(image, digest).is_some());
                        if is_shown {
                            continue;
                        }
                        let sighting = passed.entry(owned((image, digest))).or_insert_with(|| {
                            let first = FirstSeen { at: now, is_exact: true };
                            let first = past.insert_of(namespace, image, digest, first);
                            let key = SightingKey {
                                namespace: Arc::clone(namespace),
                                image: Arc::clone(image),
                                digest: digest.cloned(),
                            };
                            Sighting::new(key, first, Some(now.max(first.at)))
                        });
                        sighting.add(pod, container);
                    }
                }
            }
            self.sightings.extend(take(&mut passed).into_values());
        }
        self.listed.clear();
        (self.known_until, self.now, self.is_renewed) = (None, None, false);
    }
}

fn has(part: &NamespacePart, image: &ImageRef, digest: Option<&Digest>) -> bool {
    part.images_of(image).flat_map(DifferentImage::entries).any(|(known, of)| **known == *image && of == digest)
}

fn owned((image, digest): (&Arc<ImageRef>, Option<&Digest>)) -> Entry {
    (Arc::clone(image), digest.cloned())
}

/// Adds who has what appeared.
fn add_pods<'p>(appeared: &mut BTreeMap<Entry, Sighting>, pods: impl Iterator<Item = &'p Arc<PodRecord>>) {
    for pod in pods {
        for container in &pod.containers {
            for entry in DifferentImage::of(container).entries() {
                if let Some(sighting) = appeared.get_mut(&owned(entry)) {
                    sighting.add(pod, container);
                }
            }
        }
    }
}

fn in_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}
