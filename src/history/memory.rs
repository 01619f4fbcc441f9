//! A history that ends with the process.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::error::StoreError;
use super::looking::PERIODS_MAX;
use super::store::{Batch, Dropped, Limits, Query, Store};
use crate::snapshot::{FirstSeen, Period, Sighting, SightingKey};

#[derive(Debug, Default)]
pub(super) struct MemoryStore {
    rows: BTreeMap<SightingKey, Sighting>,
    periods: BTreeMap<Timestamp, Period>,
    dropped: Dropped,
}

impl MemoryStore {
    /// Everything in it, for another store.
    pub(super) fn all(&self) -> (Vec<Sighting>, Vec<Period>) {
        (self.rows.values().cloned().collect(), self.periods.values().cloned().collect())
    }
}

impl Store for MemoryStore {
    fn load(&mut self, row: &mut dyn FnMut(SightingKey, FirstSeen)) -> Result<Vec<Period>, StoreError> {
        self.rows.values().for_each(|sighting| row(sighting.key.clone(), sighting.first));
        self.periods()
    }

    fn write(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        for sighting in batch.sightings {
            match self.rows.get_mut(&sighting.key) {
                Some(known) => known.merge(sighting),
                None => drop(self.rows.insert(sighting.key.clone(), sighting.clone())),
            }
        }
        self.periods.extend(batch.periods.iter().map(|period| (period.start, period.clone())));
        Ok(())
    }

    fn prune(&mut self, limits: Limits, now: Timestamp) -> Result<Vec<SightingKey>, StoreError> {
        let oldest = oldest_kept(limits, now);
        let old = self.rows.extract_if(.., |_, row| row.last.is_some_and(|last| last < oldest));
        let mut gone: Vec<SightingKey> = old.map(|(key, _)| key).collect();
        let too_many = self.rows.len().saturating_sub(usize::try_from(limits.max_rows).unwrap_or(usize::MAX));
        if too_many > 0 {
            let mut by_age: Vec<_> =
                self.rows.values().map(|row| (row.last.unwrap_or(Timestamp::MAX), &row.key)).collect();
            by_age.sort_unstable();
            let dropped: Vec<_> = by_age.into_iter().take(too_many).map(|(last, key)| (last, key.clone())).collect();
            for (last, key) in dropped {
                self.rows.remove(&key);
                self.dropped.rows += 1;
                self.dropped.until = self.dropped.until.max(Some(last.min(now)));
                gone.push(key);
            }
        }
        self.periods.retain(|_, period| period.end >= oldest);
        while self.periods.len() > PERIODS_MAX {
            self.periods.pop_first();
        }
        Ok(gone)
    }

    fn read(&mut self, query: &Query, row: &mut dyn FnMut(Sighting)) -> Result<(), StoreError> {
        for sighting in self.rows.values() {
            if query.wants_time(sighting.first, sighting.last) && query.wants_key(&sighting.key) {
                row(sighting.clone());
            }
        }
        Ok(())
    }

    fn periods(&mut self) -> Result<Vec<Period>, StoreError> {
        Ok(self.periods.values().cloned().collect())
    }

    fn rows(&mut self) -> Result<u64, StoreError> {
        Ok(self.rows.len() as u64)
    }

    fn bytes(&self) -> u64 {
        0
    }

    fn lose(&mut self, lost: Dropped) -> Result<(), StoreError> {
        self.dropped = self.dropped.and(lost);
        Ok(())
    }

    fn dropped(&mut self) -> Result<Dropped, StoreError> {
        Ok(self.dropped)
    }
}

/// What was last seen before that is not kept.
pub(super) fn oldest_kept(limits: Limits, now: Timestamp) -> Timestamp {
    let days = SignedDuration::from_hours(24 * i64::from(limits.retention_days));
    now.checked_sub(days).unwrap_or(Timestamp::MIN)
}
