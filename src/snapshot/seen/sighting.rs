//! One row of a history: an image in a namespace, from when to when, and of whom.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use jiff::Timestamp;

use super::FirstSeen;
use crate::inventory::{ContainerRecord, Digest, ImageRef, PodRecord, StartTime};

/// As many workloads of an image are kept by name.
pub const WORKLOADS_MAX: usize = 20;
/// Bytes of a workload's name. Names of Kubernetes are shorter; this is for those that are none.
const NAME_MAX: usize = 320;

/// What tells one row from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SightingKey {
    pub namespace: Arc<str>,
    /// The reference as written.
    pub image: Arc<ImageRef>,
    /// The digest that a node reports, else the one that the reference pins.
    pub digest: Option<Digest>,
}

/// An image in a namespace, as far as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    pub key: SightingKey,
    pub first: FirstSeen,
    /// When it was last seen; `None`: it is there.
    pub last: Option<Timestamp>,
    /// When its first container was started, by the node's clock, in seconds since 1970.
    pub started_at: Option<i64>,
    pub workloads: Workloads,
}

/// Who had an image: `Kind/name`, the newest last, at most [`WORKLOADS_MAX`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workloads {
    pub names: Vec<Box<str>>,
    /// How many names had to go for newer ones.
    pub dropped: u64,
}

impl Workloads {
    /// Adds a name, which is then the newest.
    pub fn add(&mut self, name: &str) {
        let name = &name[..name.floor_char_boundary(NAME_MAX)];
        if self.names.last().is_some_and(|last| **last == *name) {
            return;
        }
        self.names.retain(|known| **known != *name);
        self.names.push(name.into());
        if self.names.len() > WORKLOADS_MAX {
            self.names.remove(0);
            self.dropped += 1;
        }
    }

    /// Adds all of newer ones.
    pub fn extend(&mut self, newer: &Self) {
        newer.names.iter().for_each(|name| self.add(name));
        self.dropped += newer.dropped;
    }
}

/// Leaves out references without a digest that were the same image as one with a digest, before its node had reported it: when
/// they went, that one was there.
pub fn leave_out_unreported(sightings: &mut Vec<Sighting>) {
    let name = |key: &SightingKey| (Arc::clone(&key.namespace), Arc::clone(&key.image));
    let mut reported: HashMap<_, Vec<(Timestamp, Timestamp)>> = HashMap::new();
    for Sighting { key, first, last, .. } in sightings.iter().filter(|sighting| sighting.key.digest.is_some()) {
        reported.entry(name(key)).or_default().push((first.at, last.unwrap_or(Timestamp::MAX)));
    }
    sightings.retain(|Sighting { key, last, .. }| {
        let (None, Some(went)) = (&key.digest, last) else { return true };
        let reported = reported.get(&name(key)).into_iter().flatten();
        !reported.into_iter().any(|(first, last)| (first..=last).contains(&went))
    });
}

impl Sighting {
    /// Of what is there, nobody's yet.
    pub(super) fn new(key: SightingKey, first: FirstSeen, last: Option<Timestamp>) -> Self {
        Self { key, first, last, started_at: None, workloads: Workloads::default() }
    }

    /// Adds what later events tell of the same image.
    pub fn merge(&mut self, later: &Self) {
        self.first = self.first.earlier(later.first);
        // A clock may have been set back: what was seen was seen.
        self.last = later.last.map(|last| self.last.map_or(last, |known| known.max(last)));
        self.add_start(later.started_at);
        self.workloads.extend(&later.workloads);
    }

    /// Adds a container that has the image, of that pod.
    pub(super) fn add(&mut self, pod: &PodRecord, container: &ContainerRecord) {
        self.add_start(container.started_at.map(StartTime::second));
        if let Some(owner) = &pod.owner {
            let workload = owner.workload();
            self.workloads.add(&format!("{}/{}", workload.kind, workload.name));
        }
    }

    fn add_start(&mut self, started_at: Option<i64>) {
        self.started_at = match (self.started_at, started_at) {
            (Some(known), Some(other)) => Some(known.min(other)),
            (known, other) => known.or(other),
        };
    }
}
