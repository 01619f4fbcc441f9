//! What the store does not have yet. Bounded: while a store is away, the newest of each image stays, and of too many that are gone the
//! oldest go. What is there is as bounded as the cluster.

use std::collections::BTreeMap;
use std::ops::Bound;

use jiff::Timestamp;

use super::store::Dropped;
use crate::snapshot::{Sighting, SightingKey};

/// As many images are kept that are gone and that the store does not have.
const GONE_MAX: usize = 100_000;
/// As many of them go at once: to find the oldest, all are looked at.
const GOING: usize = GONE_MAX / 10;

#[derive(Debug, Default)]
pub(super) struct Pending {
    rows: BTreeMap<SightingKey, Row>,
    /// How many of them are gone, at most: one that came back may be counted.
    gone: usize,
    /// How many had to go.
    lost: u64,
    /// Of these, the ones that no store has counted.
    uncounted: Dropped,
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

    /// What had to go and no store has counted.
    pub(super) fn uncounted(&mut self) -> &mut Dropped {
        &mut self.uncounted
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
        let is_gone = sighting.last.is_some();
        if let Some(row) = self.rows.get_mut(&sighting.key) {
            row.sighting.merge(&sighting);
        } else {
            self.rows.insert(sighting.key.clone(), Row { sighting, is_new });
        }
        self.bound(is_gone);
    }

    /// Gives all of it, for the store. A reference without a digest that got one meanwhile is left out: it was the same image,
    /// before its node had reported it.
    pub(super) fn take(&mut self) -> Vec<Sighting> {
        let rows = std::mem::take(&mut self.rows);
        self.gone = 0;
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
            let is_gone = older.last.is_some();
            self.rows.insert(older.key.clone(), Row { sighting: older, is_new: false });
            self.bound(is_gone);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Sighting> {
        self.rows.values().map(|row| &row.sighting)
    }

    /// Lets those go that are gone longest, which are missed least, when one more is gone than may be.
    fn bound(&mut self, is_gone: bool) {
        self.gone += usize::from(is_gone);
        if self.gone <= GONE_MAX {
            return;
        }
        let gone = |row: &Row| row.sighting.last.map(|last| (last, row.sighting.key.clone()));
        let mut gone: Vec<(Timestamp, SightingKey)> = self.rows.values().filter_map(gone).collect();
        self.gone = gone.len();
        if self.gone <= GONE_MAX {
            return;
        }
        gone.select_nth_unstable(GOING);
        for (last, key) in &gone[..GOING] {
            self.rows.remove(key);
            self.uncounted = self.uncounted.and(Dropped { rows: 1, until: Some(*last) });
        }
        self.gone -= GOING;
        self.lost += GOING as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::{key, row};

    #[test]
    fn a_first_list_of_more_images_than_may_be_gone_loses_none() {
        let mut pending = Pending::default();
        (0..150_000).for_each(|number| pending.add(row(key("shop", &format!("x:{number}"), None), 100, None)));
        assert_eq!((pending.len(), pending.lost()), (150_000, 0));
    }

    #[test]
    fn of_too_many_that_are_gone_the_oldest_go() {
        let mut pending = Pending::default();
        let gone = |number: i64| row(key("shop", &format!("x:{number}"), None), 100, Some(1_000 + number));
        pending.add(row(key("shop", "there:1", None), 1, None));
        (0..130_000).for_each(|number| pending.add(gone(number)));
        pending.restore(vec![gone(5), gone(6)]);
        assert!((90_001..=100_001).contains(&pending.len()), "{}", pending.len());
        assert_eq!(pending.len() as u64 + pending.lost(), 130_003);
        let oldest = pending.iter().filter_map(|row| row.last).min().expect("rows");
        assert!(oldest >= Timestamp::from_second(1_000 + 5).expect("a time"), "{oldest}");
        assert!(pending.take().iter().any(|row| row.last.is_none()), "what is there stays");
        (0..100_000).for_each(|number| pending.add(gone(number)));
        assert_eq!(pending.len(), 100_000, "what was taken counts no more");
    }
}
