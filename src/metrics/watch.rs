//! How the cluster is watched.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::durations::Durations;
use super::families::Families;

/// What a frame may be.
const EVENTS: [&str; 5] = ["applied", "deleted", "bookmark", "skipped", "error"];

/// Seconds from a change to its snapshot.
const LAGS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Streams, what they brought, and why they were opened again.
#[derive(Debug)]
pub struct WatchMetrics {
    streams: AtomicU64,
    restarts: Mutex<BTreeMap<&'static str, u64>>,
    events: [AtomicU64; EVENTS.len()],
    audits: AtomicU64,
    differences: AtomicU64,
    /// Seconds since 1970; 0: none has come.
    last_bookmark: AtomicI64,
    lags: Durations,
}

impl Default for WatchMetrics {
    fn default() -> Self {
        Self {
            streams: AtomicU64::default(),
            restarts: Mutex::default(),
            events: Default::default(),
            audits: AtomicU64::default(),
            differences: AtomicU64::default(),
            last_bookmark: AtomicI64::default(),
            lags: Durations::new(LAGS),
        }
    }
}

impl WatchMetrics {
    pub fn opened(&self) {
        self.streams.fetch_add(1, Ordering::Relaxed);
    }

    pub fn closed(&self) {
        self.streams.fetch_sub(1, Ordering::Relaxed);
    }

    /// A stream ended or could not be opened. `reason` is one of few words.
    pub fn restarted(&self, reason: &'static str) {
        *self.restarts.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
    }

    /// A frame of that kind has come.
    pub fn came(&self, event: &str) {
        if let Some(at) = EVENTS.iter().position(|known| *known == event) {
            self.events[at].fetch_add(1, Ordering::Relaxed);
        }
        if event == "bookmark" {
            self.last_bookmark.store(Timestamp::now().as_second(), Ordering::Relaxed);
        }
    }

    /// A second list was compared, and so many objects were others in it.
    pub fn audited(&self, differences: usize) {
        self.audits.fetch_add(1, Ordering::Relaxed);
        self.differences.fetch_add(differences as u64, Ordering::Relaxed);
    }

    /// A snapshot was published so long after the first change in it came.
    pub fn published(&self, lag: Duration) {
        self.lags.observe(lag);
    }

    pub(super) fn write(&self, families: &mut Families<'_>) -> fmt::Result {
        families.gauge(
            "kai_watch_streams",
            "Open watches of the Kubernetes API server; 0 when the cluster is polled.",
            Some(self.streams.load(Ordering::Relaxed)),
        )?;
        let restarts = self.restarts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        families.counters(
            "kai_watch_restarts",
            "Watches that ended or could not be opened, by reason; reason ended: as the server was asked to.",
            restarts.iter().map(|(reason, count)| ([("reason", *reason)], *count)),
        )?;
        let events = EVENTS.iter().zip(&self.events);
        families.counters(
            "kai_watch_events",
            "Events of watches, by type.",
            events.map(|(event, count)| ([("type", *event)], count.load(Ordering::Relaxed))),
        )?;
        families.histogram(
            "kai_watch_publish_lag_seconds",
            "Time from the arrival of a change to the snapshot that has it, for the first change in each snapshot.",
            &self.lags,
        )?;
        families.counter(
            "kai_audits",
            "Lists that were compared with what the watches told.",
            self.audits.load(Ordering::Relaxed),
        )?;
        families.counter(
            "kai_audit_differences",
            "Objects of which a watch had missed a change, found by a list.",
            self.differences.load(Ordering::Relaxed),
        )?;
        let last = self.last_bookmark.load(Ordering::Relaxed);
        families.gauge(
            "kai_watch_last_bookmark_timestamp_seconds",
            "When the last bookmark of a watch came; absent until then.",
            (last > 0).then_some(last),
        )
    }
}
