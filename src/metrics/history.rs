//! How the history is written, and how large it is.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::durations::Durations;
use super::families::Families;
use crate::health::HistoryState;

/// Seconds: a commit waits for the disk.
const BOUNDS: &[f64] = &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

#[derive(Debug)]
pub struct HistoryMetrics {
    writes: Durations,
    failures: AtomicU64,
}

impl Default for HistoryMetrics {
    fn default() -> Self {
        Self { writes: Durations::new(BOUNDS), failures: AtomicU64::default() }
    }
}

impl HistoryMetrics {
    pub fn wrote(&self, elapsed: Duration) {
        self.writes.observe(elapsed);
    }

    pub fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// `state`: how it stands; `None` when no history is kept.
    pub(super) fn write(&self, families: &mut Families<'_>, state: Option<&HistoryState>) -> fmt::Result {
        let Some(state) = state else { return Ok(()) };
        let HistoryState { store, rows, bytes, queue, lost, dropped, gaps, problem, put_aside: _ } = state;
        families.gauges("kai_history_rows", "Rows of the history, by store.", [([("store", *store)], *rows)])?;
        families.gauge("kai_history_bytes", "Size of the history's file; 0 where there is none.", Some(*bytes))?;
        families.gauge("kai_history_queue", "Rows that are not written yet.", Some(*queue))?;
        families.gauge(
            "kai_history_ok",
            "1 when the history is kept as configured.",
            Some(u32::from(problem.is_none())),
        )?;
        families.counter("kai_history_lost", "Rows that could not be written and were given up.", *lost)?;
        families.counter("kai_history_dropped", "Rows dropped because of history.max-rows.", *dropped)?;
        families.counter("kai_history_gaps", "Times at which kai lost sight of the cluster.", *gaps)?;
        families.counter(
            "kai_history_write_failures",
            "Writes that failed; they are tried again.",
            self.failures.load(Ordering::Relaxed),
        )?;
        families.histogram("kai_history_write_duration_seconds", "Duration of a write.", &self.writes)
    }
}
