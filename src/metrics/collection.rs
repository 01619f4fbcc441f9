//! Polls of the source, and the requests that they make.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::durations::Durations;
use super::families::Families;

/// Seconds: a saved dump takes milliseconds, a large cluster behind a slow network minutes.
const BOUNDS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0];

/// How often the source was read, and how that went.
#[derive(Debug)]
pub struct PollMetrics {
    succeeded: AtomicU64,
    failed: AtomicU64,
    errors: Mutex<BTreeMap<&'static str, u64>>,
    durations: Durations,
    /// In seconds; 0 while nothing is polled at intervals.
    interval: AtomicU64,
}

impl Default for PollMetrics {
    fn default() -> Self {
        Self {
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            errors: Mutex::default(),
            durations: Durations::new(BOUNDS),
            interval: AtomicU64::new(0),
        }
    }
}

impl PollMetrics {
    /// From the start of one poll to the start of the next. Never recorded for a dump, which is read when it changes.
    pub fn every(&self, interval: Duration) {
        self.interval.store(interval.as_secs(), Ordering::Relaxed);
    }

    /// A poll gave a snapshot.
    pub fn succeeded(&self, elapsed: Duration) {
        self.succeeded.fetch_add(1, Ordering::Relaxed);
        self.durations.observe(elapsed);
    }

    /// A poll gave none. `kind` is one of few words for the error.
    pub fn failed(&self, kind: &'static str, elapsed: Duration) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        *self.errors.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += 1;
        self.durations.observe(elapsed);
    }

    pub(super) fn write(&self, families: &mut Families<'_>) -> fmt::Result {
        let outcomes = [("success", &self.succeeded), ("failure", &self.failed)];
        families.counters(
            "kai_polls",
            "Finished polls of the cluster, or reads of the file.",
            outcomes.map(|(outcome, count)| ([("outcome", outcome)], count.load(Ordering::Relaxed))),
        )?;
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner).clone();
        families.counters(
            "kai_poll_errors",
            "Polls without a snapshot, by kind of error.",
            errors.iter().map(|(kind, count)| ([("kind", *kind)], *count)),
        )?;
        families.histogram("kai_poll_duration_seconds", "Duration of polls.", &self.durations)?;
        let interval = self.interval.load(Ordering::Relaxed);
        families.gauge(
            "kai_poll_interval_seconds",
            "Seconds from the start of one poll to the start of the next; absent for a file.",
            (interval > 0).then_some(interval),
        )
    }
}

/// What is asked of the API server.
const RESOURCES: [&str; 5] = ["pods", "namespaces", "nodes", "version", "other"];
/// How it answers. A status with a remedy of its own stands alone; a pattern as `5..` finds the others too.
const CODES: [&str; 9] = ["200", "401", "403", "404", "410", "429", "5xx", "other", "none"];

/// Requests to the API server, each try counted.
#[derive(Debug, Default)]
pub struct ApiMetrics {
    requests: [[AtomicU64; CODES.len()]; RESOURCES.len()],
    received_bytes: AtomicU64,
}

impl ApiMetrics {
    /// A request for `path` (with or without a query) has ended, with an answer of that status or without a whole one.
    pub fn requested(&self, path: &str, status: Option<u16>) {
        self.requests[resource(path)][code(status)].fetch_add(1, Ordering::Relaxed);
    }

    /// A part of a list came, of so many bytes once decompressed.
    pub fn received(&self, bytes: usize) {
        self.received_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn write(&self, families: &mut Families<'_>) -> fmt::Result {
        let series = RESOURCES.iter().zip(&self.requests).flat_map(|(resource, codes)| {
            let codes = CODES.iter().zip(codes).map(|(code, count)| (code, count.load(Ordering::Relaxed)));
            let made = codes.filter(|(_, count)| *count > 0);
            made.map(move |(code, count)| ([("resource", *resource), ("code", *code)], count))
        });
        families.counters(
            "kai_api_requests",
            "Requests to the Kubernetes API server, including retries; code none: without a complete answer.",
            series,
        )?;
        families.counter(
            "kai_api_received_bytes",
            "Bytes of lists received from the Kubernetes API server, after decompression.",
            self.received_bytes.load(Ordering::Relaxed),
        )
    }
}

/// By the form of the path: a namespace may be called as a resource is.
fn resource(path: &str) -> usize {
    let path = path.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.trim_start_matches("/api/v1/").split('/').collect();
    let name = match segments[..] {
        ["namespaces", _] => "namespaces",
        ["namespaces", _, name] | ["", name] | [name] => name,
        _ => "other",
    };
    RESOURCES.iter().position(|known| *known == name).unwrap_or(RESOURCES.len() - 1)
}

fn code(status: Option<u16>) -> usize {
    let word = match status {
        Some(200) => "200",
        Some(401) => "401",
        Some(403) => "403",
        Some(404) => "404",
        Some(410) => "410",
        Some(429) => "429",
        Some(500..=599) => "5xx",
        Some(_) => "other",
        None => "none",
    };
    CODES.iter().position(|known| *known == word).unwrap_or(CODES.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/api/v1/pods?limit=500&continue=abc/def", "pods")]
    #[case("/api/v1/namespaces/shop/pods", "pods")]
    #[case("/api/v1/namespaces", "namespaces")]
    #[case("/api/v1/namespaces/pods", "namespaces")]
    #[case("/api/v1/namespaces/nodes/pods", "pods")]
    #[case("/api/v1/nodes", "nodes")]
    #[case("/version", "version")]
    #[case("/apis/apps/v1/deployments", "other")]
    #[case("", "other")]
    fn a_path_has_one_resource_of_few(#[case] path: &str, #[case] expected: &str) {
        assert_eq!(RESOURCES[resource(path)], expected);
    }

    #[rstest]
    #[case(Some(200), "200")]
    #[case(Some(429), "429")]
    #[case(Some(503), "5xx")]
    #[case(Some(302), "other")]
    #[case(Some(999), "other")]
    #[case(None, "none")]
    fn a_status_has_one_word_of_few(#[case] status: Option<u16>, #[case] expected: &str) {
        assert_eq!(CODES[code(status)], expected);
    }
}
