//! What every store does.

use std::sync::Arc;

use jiff::Timestamp;

use super::error::StoreError;
use crate::inventory::{Digest, ImageRef};
use crate::snapshot::{FirstSeen, Period, Sighting, SightingKey};

/// Where a history is kept. One thread uses it.
pub trait Store: Send {
    /// Gives every row's key with its first time, and when kai was looking. Rows of a process that ended without a word are closed with the end
    /// of its last period.
    fn load(&mut self, row: &mut dyn FnMut(SightingKey, FirstSeen)) -> Result<Vec<Period>, StoreError>;

    /// Adds all of it, or nothing.
    fn write(&mut self, batch: &Batch<'_>) -> Result<(), StoreError>;

    /// Drops what is too old, and the rows that were not seen for longest beyond the limit. Gives them.
    fn prune(&mut self, limits: Limits, now: Timestamp) -> Result<Vec<SightingKey>, StoreError>;

    /// Gives the rows that are asked for, in no order.
    fn read(&mut self, query: &Query, row: &mut dyn FnMut(Sighting)) -> Result<(), StoreError>;

    /// When kai was looking, sorted.
    fn periods(&mut self) -> Result<Vec<Period>, StoreError>;

    /// How many rows there are.
    fn rows(&mut self) -> Result<u64, StoreError>;

    /// Bytes of the file; 0 where there is none.
    fn bytes(&self) -> u64;

    /// Notes rows that were lost before they could be written: as if they had been dropped.
    fn lose(&mut self, lost: Dropped) -> Result<(), StoreError>;

    /// What had to go for want of room.
    fn dropped(&mut self) -> Result<Dropped, StoreError>;

    /// Whether it can still be reached. One that was away is tried again.
    fn check(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Whether what was written before is perhaps gone, since this was asked last: all that is there must be told again.
    fn take_loss(&mut self) -> bool {
        false
    }

    /// Every cluster that has a history there, sorted by name, with the numbers of its rows where they are to be counted.
    fn clusters(&mut self, _are_counted: bool) -> Result<Vec<ClusterSeen>, StoreError> {
        Err(StoreError::Alone)
    }

    /// When the kai of the cluster with that uid was looking, sorted.
    fn periods_of(&mut self, _cluster: &str) -> Result<Vec<Period>, StoreError> {
        Err(StoreError::Alone)
    }

    /// Gives the rows that are asked for of these clusters, by their uids (none: of all), in no order, each with the uid.
    fn read_fleet(
        &mut self,
        _clusters: &[String],
        _query: &Query,
        _row: &mut dyn FnMut(&Arc<str>, Sighting),
    ) -> Result<(), StoreError> {
        Err(StoreError::Alone)
    }
}

/// A cluster of a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSeen {
    /// That of its namespace kube-system, or `history.postgres.cluster-id`.
    pub uid: Arc<str>,
    /// What it was called when it was last written; names are not unique.
    pub name: Box<str>,
    /// When its kai last wrote.
    pub last_seen: Timestamp,
    /// `None`: they were not counted.
    pub rows: Option<RowCounts>,
}

/// How many rows a cluster has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Images in namespaces, each with a digest of its own.
    pub all: u64,
    /// Of these, the ones that were there when its kai last wrote.
    pub running: u64,
}

/// What is written at once.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Merged with the rows that are there.
    pub sightings: &'a [Sighting],
    /// Each takes the place of the one with the same start.
    pub periods: &'a [Period],
}

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Nothing that was last seen before.
    pub retention_days: u32,
    /// At least 1.
    pub max_rows: u64,
}

/// Rows that went because there were too many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    pub rows: u64,
    /// When the newest of them was last seen.
    pub until: Option<Timestamp>,
}

/// Which rows are asked for: all that were there at some time of a window, and of those the ones that are named.
#[derive(Default)]
pub struct Query {
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Beginnings of digests, `sha256:` and hex digits; empty: any.
    pub digests: Vec<String>,
    /// `None`: any.
    pub image: Option<ImageTest>,
}

/// Whether rows of a reference are asked for.
pub type ImageTest = Box<dyn Fn(&ImageRef) -> bool + Send>;

impl Dropped {
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, until: self.until.max(other.until) }
    }
}

impl Query {
    pub(super) fn wants_key(&self, key: &SightingKey) -> bool {
        let is_of_digest = |digest: &Digest| self.digests.iter().any(|wanted| digest.as_str().starts_with(&**wanted));
        (self.digests.is_empty() || key.digest.as_ref().is_some_and(is_of_digest))
            && self.image.as_ref().is_none_or(|wants| wants(&key.image))
    }

    pub(super) fn wants_time(&self, first: FirstSeen, last: Option<Timestamp>) -> bool {
        self.until.is_none_or(|until| first.at <= until)
            && self.since.is_none_or(|since| last.is_none_or(|last| last >= since))
    }
}
