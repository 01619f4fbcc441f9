//! Snapshots that are kept for a moment, so that several answers can be of the same one.

use std::sync::Arc;
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::generation::Generation;
use super::problem::{Problem, ProblemKind};
use super::process::pin as pin_of;
use crate::inventory::excerpt;
use crate::snapshot::Snapshot;

/// How long a snapshot is kept after it was last answered from.
const KEPT: Duration = Duration::from_mins(1);
/// As many are kept; they share what is the same in them.
const PINS_MAX: u64 = 8;

#[derive(Debug)]
pub(super) struct Pins {
    /// Tells this process from others.
    boot: Arc<str>,
    /// By number.
    held: Cache<u64, Arc<Generation>>,
}

impl Pins {
    pub(super) fn new() -> Self {
        let held = Cache::builder().max_capacity(PINS_MAX).time_to_idle(KEPT).eviction_policy(EvictionPolicy::lru());
        Self { boot: format!("{:08x}", fastrand::u32(..)).into(), held: held.build() }
    }

    pub(super) fn boot(&self) -> &Arc<str> {
        &self.boot
    }

    /// Keeps the snapshot from now on.
    pub(super) fn hold(&self, generation: &Arc<Generation>) {
        let number = generation.snapshot.generation();
        if self.held.get(&number).is_none() {
            self.held.insert(number, Arc::clone(generation));
        }
    }

    /// The same of one that perhaps no answer was made of.
    pub(super) fn hold_snapshot(&self, snapshot: &Arc<Snapshot>) {
        if self.held.get(&snapshot.generation()).is_none() {
            self.hold(&Arc::new(Generation::new(Arc::clone(snapshot))));
        }
    }

    /// The snapshot that a client names.
    pub(super) fn find(&self, pin: &str, current: &Arc<Generation>) -> Result<Arc<Generation>, Problem> {
        let is_meant = |generation: &Arc<Generation>| pin_of(&self.boot, &generation.snapshot) == pin;
        let number = pin.rsplit_once('-').and_then(|(_, number)| number.parse().ok());
        let kept = || number.and_then(|number: u64| self.held.get(&number));
        [Some(current).cloned(), kept()].into_iter().flatten().find(is_meant).ok_or_else(|| {
            let detail =
                format!("The snapshot \"{}\" is not kept any more; begin again without pin and cursor.", excerpt(pin));
            Problem::new(ProblemKind::SnapshotGone, detail)
        })
    }
}
