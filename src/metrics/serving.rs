//! Requests over HTTP. A request out of the cache passes here: it costs three additions.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};

use super::durations::Durations;
use super::families::Families;

/// Seconds: out of the cache in microseconds, rendered in up to a second.
const BOUNDS: &[f64] = &[0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The template of a path: however many paths are asked for, there are no more than these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `/inventory`
    Inventory,
    /// `/namespaces`
    Namespaces,
    /// `/namespaces/{namespace}/images`
    NamespaceImages,
    /// `/healthz`
    Healthz,
    /// `/livez`
    Livez,
    /// `/readyz`
    Readyz,
    /// `/metrics`
    Metrics,
    /// `/openapi.json`
    Openapi,
    /// `/docs`, also with a slash behind it.
    Docs,
    /// `/docs/{file}`
    DocsFile,
    /// `/`
    Root,
    /// Any other path: there is nothing.
    Other,
}

impl Route {
    const ALL: [Self; 12] = [
        Self::Inventory,
        Self::Namespaces,
        Self::NamespaceImages,
        Self::Healthz,
        Self::Livez,
        Self::Readyz,
        Self::Metrics,
        Self::Openapi,
        Self::Docs,
        Self::DocsFile,
        Self::Root,
        Self::Other,
    ];

    /// The template, as in the OpenAPI document; `other` for paths where nothing is.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inventory => "/inventory",
            Self::Namespaces => "/namespaces",
            Self::NamespaceImages => "/namespaces/{namespace}/images",
            Self::Healthz => "/healthz",
            Self::Livez => "/livez",
            Self::Readyz => "/readyz",
            Self::Metrics => "/metrics",
            Self::Openapi => "/openapi.json",
            Self::Docs => "/docs",
            Self::DocsFile => "/docs/{file}",
            Self::Root => "/",
            Self::Other => "other",
        }
    }
}

const METHODS: [&str; 8] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "other"];
/// Every status that kai answers with, ascending; behind them what stands for any other.
const STATUSES: [(u16, &str); 15] = [
    (200, "200"),
    (204, "204"),
    (304, "304"),
    (307, "307"),
    (400, "400"),
    (404, "404"),
    (405, "405"),
    (406, "406"),
    (408, "408"),
    (413, "413"),
    (414, "414"),
    (431, "431"),
    (500, "500"),
    (503, "503"),
    (u16::MAX, "other"),
];

/// Requests that were answered.
#[derive(Debug)]
pub struct HttpMetrics(Box<[RouteMetrics]>);

#[derive(Debug)]
struct RouteMetrics {
    route: Route,
    answers: [[AtomicU64; STATUSES.len()]; METHODS.len()],
    durations: Durations,
}

/// What the server is at one moment, read when it is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Serving {
    /// Requests that hold a place of `server.max-concurrent-requests`.
    pub in_flight: usize,
    /// Answers whose body was there.
    pub cache_hits: u64,
    /// Answers that had to wait for a render.
    pub cache_misses: u64,
    /// What the bodies in the cache count against `server.cache-max-bytes`.
    pub cache_bytes: u64,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        let routes = Route::ALL.map(|route| RouteMetrics {
            route,
            answers: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))),
            durations: Durations::new(BOUNDS),
        });
        Self(routes.into())
    }
}

impl HttpMetrics {
    /// A request was answered so long after it came; sending the answer is not part of that.
    pub fn answered(&self, route: Route, method: &Method, status: StatusCode, elapsed: Duration) {
        let metrics = &self.0[route as usize];
        metrics.answers[method_place(method)][status_place(status)].fetch_add(1, Ordering::Relaxed);
        metrics.durations.observe(elapsed);
    }

    pub(super) fn write(&self, families: &mut Families<'_>, serving: &Serving) -> fmt::Result {
        let Serving { in_flight, cache_hits, cache_misses, cache_bytes } = *serving;
        let answers = self.0.iter().flat_map(|RouteMetrics { route, answers, .. }| {
            METHODS.iter().zip(answers).flat_map(move |(method, statuses)| {
                let counts = STATUSES.iter().zip(statuses).map(|((_, status), count)| (*status, count));
                counts.map(move |(status, count)| {
                    let labels = [("route", route.as_str()), ("method", *method), ("status", status)];
                    (labels, count.load(Ordering::Relaxed))
                })
            })
        });
        families.counters(
            "kai_http_requests",
            "Requests that were answered.",
            answers.filter(|(_, count)| *count > 0),
        )?;
        let durations = self.0.iter().map(|metrics| (metrics.route, metrics.durations.observed()));
        let asked = durations.filter(|(_, observed)| observed.count > 0);
        families.histograms(
            "kai_http_request_duration_seconds",
            "From a request's head to the head of its answer.",
            asked.map(|(route, observed)| ([("route", route.as_str())], observed)),
        )?;
        families.gauge(
            "kai_http_requests_in_flight",
            "Requests under way that count against server.max-concurrent-requests.",
            Some(in_flight),
        )?;
        families.counter("kai_http_cache_hits", "Answers whose body was in the cache.", cache_hits)?;
        families.counter("kai_http_cache_misses", "Answers that had to wait for a render.", cache_misses)?;
        families.gauge("kai_http_cache_bytes", "Bytes that the cache of rendered bodies holds.", Some(cache_bytes))
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

    #[test]
    fn each_route_stands_at_its_place() {
        for (place, route) in Route::ALL.into_iter().enumerate() {
            assert_eq!(route as usize, place, "{route:?}");
        }
    }

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
