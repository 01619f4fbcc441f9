//! What the store does not have yet. Bounded: while a store is away, the newest of each image stays, and of too many the oldest go.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::snapshot::{Sighting, SightingKey};

/// As many images are kept that the store does not have.
const ROWS_MAX: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct Pending {
    rows: BTreeMap<SightingKey, Row>,
    /// How many had to go.
    lost: u64,
}

#[derive(Debug)]
struct Row {
    sighting: Sighting,
    /// The store knows nothing of it, as far as is known here.
    is_new: bool,
}

impl Pending {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    pub(super) fn add(&mut self, sighting: Sighting) {
        let is_new = sighting.last.is_none_or(|last| last == sighting.first.at);
        self.merge(sighting, is_new);
    }

    /// The same of what is there and is known to be.
    pub(super) fn update(&mut self, sighting: Sighting) {
        self.merge(sighting, false);
    }

    fn merge(&mut self, sighting: Sighting, is_new: bool) {
        if let Some(row) = self.rows.get_mut(&sighting.key) {
            row.sighting.merge(&sighting);
        } else {
            self.insert(Row { sighting, is_new });
        }
    }

    /// Gives all of it, for the store. A reference without a digest that got one meanwhile is left out: it was the same image,
    /// before its node had reported it.
    pub(super) fn take(&mut self) -> Vec<Sighting> {
        let rows = std::mem::take(&mut self.rows);
        let is_superseded = |row: &Row| {
            let key = &row.sighting.key;
            let next = rows.range::<SightingKey, _>((Bound::Excluded(key), Bound::Unbounded)).next();
            row.is_new
                && key.digest.is_none()
                && row.sighting.last.is_some()
                && next.is_some_and(|(next, _)| next.namespace == key.namespace && next.image == key.image)
        };
        let superseded: Vec<bool> = rows.values().map(is_superseded).collect();
        let kept = rows.into_values().zip(superseded).filter(|(_, is_superseded)| !is_superseded);
        kept.map(|(row, _)| row.sighting).collect()
    }

    /// Takes back what the store could not take.
    pub(super) fn restore(&mut self, sightings: Vec<Sighting>) {
        for mut older in sightings {
            if let Some(newer) = self.rows.remove(&older.key) {
                older.merge(&newer.sighting);
            }
            self.insert(Row { sighting: older, is_new: false });
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Sighting> {
        self.rows.values().map(|row| &row.sighting)
    }

    fn insert(&mut self, row: Row) {
        self.rows.insert(row.sighting.key.clone(), row);
        if self.rows.len() > ROWS_MAX {
            // What is there will be told again; what is gone longest is missed least.
            let oldest = self.rows.values().min_by_key(|row| row.sighting.last.unwrap_or(jiff::Timestamp::MAX));
            if let Some(key) = oldest.map(|row| row.sighting.key.clone()) {
                self.rows.remove(&key);
                self.lost += 1;
            }
        }
    }
}
