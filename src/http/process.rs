//! What answers take from this process, besides a snapshot.

use std::sync::Arc;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::inventory::ReportPolicy;
use crate::snapshot::{ContentHash, Snapshot};
use crate::views::Filter;

/// As many numbers of rows are kept.
const TOTALS_MAX: u64 = 256;

/// Which reports it makes, and what tells its snapshots from those of others.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) policy: ReportPolicy,
    /// What `pin` begins with.
    boot: Arc<str>,
    /// How many containers a filter leaves: to count them takes far longer than to read a page of them.
    totals: Cache<(ContentHash, Filter), usize>,
}

impl Process {
    pub(super) fn new(policy: ReportPolicy, boot: &Arc<str>) -> Self {
        let totals = Cache::builder().max_capacity(TOTALS_MAX).eviction_policy(EvictionPolicy::lru());
        Self { policy, boot: Arc::clone(boot), totals: totals.build() }
    }

    /// The name of a snapshot among those of all processes.
    pub(super) fn pin(&self, snapshot: &Snapshot) -> String {
        pin(&self.boot, snapshot)
    }

    /// How many containers of the snapshot the filter leaves, counted once while nothing changes.
    pub(super) fn total(&self, snapshot: &Snapshot, filter: &Filter, count: impl FnOnce() -> usize) -> usize {
        self.totals.get_with((snapshot.content_hash(), filter.clone()), count)
    }
}

pub(super) fn pin(boot: &str, snapshot: &Snapshot) -> String {
    format!("{boot}-{}", snapshot.generation())
}
