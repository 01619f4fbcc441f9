//! Since when images are there: what a history tells the index, and what the index tells it.

use jiff::Timestamp;

use super::PodIndex;
use crate::snapshot::seen::{Past, Sighting, SightingKey};

impl PodIndex {
    /// Shows since when images are there, from the next snapshot on: what a history has kept counts, and what it is told now.
    pub fn learn(&mut self, past: Past) {
        self.seeing.learn(past);
    }

    /// A history holds these no more.
    pub fn forget(&mut self, keys: &[SightingKey]) {
        self.seeing.forget(keys);
    }

    /// What changes is seen at this time by the clock, until the next snapshot. Otherwise it is seen when the cluster is observed.
    pub fn set_now(&mut self, now: Timestamp) {
        self.seeing.set_now(now);
    }

    /// Tells once more what the last snapshot shows: a history has lost it.
    pub fn tell_again(&mut self) {
        if let Some(snapshot) = &self.published {
            self.seeing.tell_again(snapshot.namespaces().iter());
        }
    }

    /// What came and went, in the order in which it did, since this was asked last. Nothing when no history is kept.
    pub fn take_sightings(&mut self) -> Vec<Sighting> {
        self.seeing.take()
    }

    /// Which workloads have come to have what was there already, since this was asked last: images that are there, each with who
    /// has them now. They are no news, and only add names.
    pub fn take_workloads(&mut self) -> Vec<Sighting> {
        self.seeing.take_workloads()
    }
}
