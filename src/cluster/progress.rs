//! How far a relist is.

use std::sync::atomic::{AtomicU64, Ordering};

/// How far a relist is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub pods: u64,
    /// Pods that there will be, as far as the server reports.
    pub total: Option<u64>,
}

/// Pods read so far, over all lists of a relist.
pub(super) struct Tally<'a> {
    pub(super) read: AtomicU64,
    pub(super) report: &'a (dyn Fn(Progress) + Sync),
    /// Whether one list has all the pods, so that its remaining items are the whole rest.
    pub(super) is_single: bool,
}

impl Tally<'_> {
    pub(super) fn add(&self, items: u64, remaining: Option<u64>) {
        let pods = self.read.fetch_add(items, Ordering::Relaxed) + items;
        let total = remaining.filter(|_| self.is_single).map(|remaining| pods + remaining);
        (self.report)(Progress { pods, total });
    }

    pub(super) fn take_back(&self, items: u64) {
        self.read.fetch_sub(items, Ordering::Relaxed);
    }
}
