//! Requests over HTTP. A request out of the cache passes here: it costs a look-up and three additions.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use http::{Method, StatusCode};

use super::durations::Durations;
use super::families::Families;

/// Seconds: out of the cache in microseconds, rendered in up to a second.
const BOUNDS: &[f64] = &[0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

const METHODS: [&str; 8] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "other"];
/// Every status that kai answers with, ascending; behind them what stands for any other.
const STATUSES: [(u16, &str); 18] = [
    (200, "200"),
    (204, "204"),
    (304, "304"),
    (307, "307"),
    (308, "308"),
    (400, "400"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (406, "406"),
    (413, "413"),
    (414, "414"),
    (421, "421"),
    (431, "431"),
    (500, "500"),
    (503, "503"),
    (504, "504"),
    (u16::MAX, "other"),
];

/// What an event of `/v1/changes` may be.
const CHANGES: [&str; 5] = ["image-appeared", "image-left", "digest-changed", "namespace-refused", "complete-changed"];

#[derive(Debug, Default)]
pub struct HttpMetrics {
    /// By the template of the route: as many as there are routes, and one for all other paths.
    routes: RwLock<BTreeMap<Box<str>, RouteMetrics>>,
    refused_connections: AtomicU64,
    changes: [AtomicU64; CHANGES.len()],
    cut_off: AtomicU64,
}

#[derive(Debug)]
struct RouteMetrics {
    answers: [[AtomicU64; STATUSES.len()]; METHODS.len()],
    durations: Durations,
}

/// What the server is at one moment, read when it is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Serving {
    /// Answers that hold a permit of `server.max-concurrent-requests`.
    pub in_flight: usize,
    /// Clients that follow changes.
    pub change_clients: usize,
    /// Answers whose body was there.
    pub cache_hits: u64,
    /// Answers that were not in the cache.
    pub cache_misses: u64,
    /// What the bodies in the cache count against `server.cache-max-bytes`.
    pub cache_bytes: u64,
    /// Bodies that were rendered, for a reader or ahead of one.
    pub renders: u64,
    /// What connections hold beyond the cache, because clients have not read it.
    pub unread_bytes: u64,
}

impl Default for RouteMetrics {
    fn default() -> Self {
        Self {
            answers: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))),
            durations: Durations::new(BOUNDS),
        }
    }
}

impl RouteMetrics {
    fn answered(&self, method: &Method, status: StatusCode, elapsed: Duration) {
        self.answers[method_place(method)][status_place(status)].fetch_add(1, Ordering::Relaxed);
        self.durations.observe(elapsed);
    }
}

impl HttpMetrics {
    /// A request was answered so long after it came; sending the answer is not part of that. `route` is a template, never
    /// a path that a client made up.
    pub fn answered(&self, route: &str, method: &Method, status: StatusCode, elapsed: Duration) {
        if let Some(metrics) = self.routes().get(route) {
            return metrics.answered(method, status, elapsed);
        }
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.entry(route.into()).or_default().answered(method, status, elapsed);
    }

    /// A connection could not be accepted; gives how many could not since the start.
    pub fn connection_refused(&self) -> u64 {
        self.refused_connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// An event of that type was made.
    pub fn changed(&self, event: &str) {
        if let Some(at) = CHANGES.iter().position(|known| *known == event) {
            self.changes[at].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A client that follows changes was too far behind.
    pub fn cut_off(&self) {
        self.cut_off.fetch_add(1, Ordering::Relaxed);
    }

    fn routes(&self) -> RwLockReadGuard<'_, BTreeMap<Box<str>, RouteMetrics>> {
        self.routes.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self, families: &mut Families<'_>, serving: &Serving) -> fmt::Result {
        let Serving { in_flight, change_clients, cache_hits, cache_misses, cache_bytes, renders, unread_bytes } =
            *serving;
        let routes = self.routes();
        let answers = routes.iter().flat_map(|(route, RouteMetrics { answers, .. })| {
            METHODS.iter().zip(answers).flat_map(move |(method, statuses)| {
                let counts = STATUSES.iter().zip(statuses).map(|((_, status), count)| (*status, count));
                counts.map(move |(status, count)| {
                    let labels = [("route", &**route), ("method", *method), ("status", status)];
                    (labels, count.load(Ordering::Relaxed))
                })
            })
        });
        families.counters("kai_http_requests", "Answered HTTP requests.", answers.filter(|(_, count)| *count > 0))?;
        let durations = routes.iter().map(|(route, metrics)| (route, metrics.durations.observed()));
        let asked = durations.filter(|(_, observed)| observed.count > 0);
        families.histograms(
            "kai_http_request_duration_seconds",
            "Time from the request header to the answer header.",
            asked.map(|(route, observed)| ([("route", &**route)], observed)),
        )?;
        families.gauge(
            "kai_http_requests_in_flight",
            "Answers that are made or sent and count against server.max-concurrent-requests.",
            Some(in_flight),
        )?;
        families.counter("kai_http_cache_hits", "Answers from the cache.", cache_hits)?;
        families.counter("kai_http_cache_misses", "Answers that were not in the cache.", cache_misses)?;
        families.gauge("kai_http_cache_bytes", "Size of the cache of rendered bodies.", Some(cache_bytes))?;
        families.counter("kai_http_renders", "Bodies that were rendered.", renders)?;
        families.gauge(
            "kai_http_unread_bytes",
            "Bytes of answers outside the cache that clients have not read.",
            Some(unread_bytes),
        )?;
        let changes = CHANGES.iter().zip(&self.changes);
        families.counters(
            "kai_changes",
            "Events of /v1/changes, by type, whether anybody followed them or not.",
            changes.map(|(event, count)| ([("type", *event)], count.load(Ordering::Relaxed))),
        )?;
        families.gauge("kai_http_change_clients", "Clients that follow /v1/changes.", Some(change_clients))?;
        families.counter(
            "kai_http_change_clients_cut_off",
            "Clients that followed /v1/changes and were cut off because they read too slowly.",
            self.cut_off.load(Ordering::Relaxed),
        )?;
        let refused = self.refused_connections.load(Ordering::Relaxed);
        families.counter("kai_http_refused_connections", "Connections that could not be accepted.", refused)
    }
}

fn method_place(method: &Method) -> usize {
    let known = METHODS.iter().position(|known| *known == method.as_str());
    known.unwrap_or(METHODS.len() - 1)
}

fn status_place(status: StatusCode) -> usize {
    let status = status.as_u16();
    let place = STATUSES.partition_point(|(known, _)| *known < status);
    if STATUSES.get(place).is_some_and(|(known, _)| *known == status) { place } else { STATUSES.len() - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("GET", 200, "GET", "200")]
    #[case("HEAD", 503, "HEAD", "503")]
    #[case("BREW", 418, "other", "other")]
    #[case("other", 999, "other", "other")]
    #[case("DELETE", 100, "DELETE", "other")]
    fn methods_and_statuses_are_of_fixed_sets(
        #[case] method: &str,
        #[case] status: u16,
        #[case] expected: &str,
        #[case] word: &str,
    ) {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let status = StatusCode::from_u16(status).expect("a status");
        assert_eq!((METHODS[method_place(&method)], STATUSES[status_place(status)].1), (expected, word));
    }
}
