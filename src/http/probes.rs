//! The handlers that an orchestrator asks, and the verbose answers for a person.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::App;
use super::failures::{OfAny, OfProbe};
use super::params::{Params, ProbeParams};
use super::problem::{Problem, ProblemKind};
use crate::health::{AccountPush, HealthCheck, HealthReport};
use crate::views::utc_seconds;

/// State of the process.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct ProbeAnswer {
    /// Always `ok`. A failing probe answers 503 with a problem that has the other members.
    #[schema(value_type = String, example = "ok")]
    status: &'static str,
    #[serde(flatten)]
    #[schema(inline)]
    state: ProbeState,
}

/// The checks, and the snapshot that is served.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct ProbeState {
    /// The checks. The last poll is one of them, but does not affect readiness.
    checks: Vec<ProbeCheck>,
    /// The newest snapshot; null when there is none yet.
    snapshot: Option<SnapshotState>,
    /// The last push to each account of Anchore Enterprise; empty when kai sends nothing. It does not affect readiness.
    push: Vec<PushState>,
}

/// One check.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct ProbeCheck {
    /// Name of the check.
    #[schema(value_type = String, example = "relist")]
    name: &'static str,
    /// Whether the check passed.
    ok: bool,
    /// Result, in words.
    #[schema(example = "generation 42, observed 12 s ago")]
    detail: String,
}

/// The newest snapshot.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct SnapshotState {
    /// Number of the snapshot in this process, from 1.
    #[schema(example = 42)]
    generation: u64,
    /// When the cluster was observed, UTC in whole seconds.
    #[serde(serialize_with = "utc_seconds")]
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T09:30:00Z")]
    observed_at: Timestamp,
    /// Age.
    #[schema(example = 12)]
    age_seconds: u64,
    /// True when nothing was refused or skipped.
    complete: bool,
    /// Namespaces that could not be listed, with the reason.
    missing: Vec<MissingState>,
    /// Number of items that could not be read.
    #[schema(example = 0)]
    skipped: u64,
}

/// The last push to one account.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct PushState {
    /// The account; null for namespaces for which no account could be chosen.
    #[schema(value_type = Option<String>, example = "admin")]
    account: Option<Arc<str>>,
    /// Outcome of the newest report: accepted, rerouted (to the default account), waiting (for the next try), failed, or
    /// withheld (it is incomplete).
    #[schema(value_type = String, example = "accepted")]
    outcome: &'static str,
    /// The same in words.
    #[schema(example = "3 namespaces in 1 payload")]
    detail: String,
    /// Time of the outcome, UTC in whole seconds.
    #[serde(serialize_with = "utc_seconds")]
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T09:30:01Z")]
    at: Timestamp,
    /// Generation of the report.
    #[schema(example = 42)]
    generation: u64,
    /// Containers that the receiver accepted.
    #[schema(example = 23)]
    containers: u64,
    /// Bytes that the receiver accepted, before compression.
    #[schema(example = 8123)]
    bytes: u64,
    /// Time of the next try, while waiting for it.
    #[serde(serialize_with = "utc_seconds_if_any")]
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    next_try_at: Option<Timestamp>,
    /// When a report was last accepted; null when none was.
    #[serde(serialize_with = "utc_seconds_if_any")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-24T09:30:01Z")]
    last_accepted_at: Option<Timestamp>,
}

impl From<&AccountPush> for PushState {
    fn from(push: &AccountPush) -> Self {
        let AccountPush { account, last, last_accepted_at, next_try_at } = push;
        Self {
            account: account.clone(),
            outcome: last.outcome.as_str(),
            detail: last.detail.clone(),
            at: last.at,
            generation: last.generation,
            containers: last.containers,
            bytes: last.bytes,
            next_try_at: *next_try_at,
            last_accepted_at: *last_accepted_at,
        }
    }
}

#[expect(clippy::ref_option, reason = "the form that serde asks for")]
fn utc_seconds_if_any<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => utc_seconds(time, serializer),
        None => serializer.serialize_none(),
    }
}

/// Something that could not be listed.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct MissingState {
    /// The namespace; null for the whole cluster.
    #[schema(value_type = Option<String>, example = "billing")]
    namespace: Option<Arc<str>>,
    /// Why.
    #[schema(value_type = String, example = "pods is forbidden: User \"kai\" cannot list resource \"pods\" in API group \"\" in the namespace \"billing\"")]
    reason: Arc<str>,
}

impl ProbeState {
    fn of(report: &HealthReport, checks: &[HealthCheck]) -> Self {
        let checks =
            checks.iter().map(|HealthCheck { name, ok, detail }| ProbeCheck { name, ok: *ok, detail: detail.clone() });
        let snapshot = report.snapshot.as_ref().map(|snapshot| SnapshotState {
            generation: snapshot.generation(),
            observed_at: report.observed_at.unwrap_or_else(|| snapshot.observed_at()),
            age_seconds: report.age.as_secs(),
            complete: snapshot.is_complete(),
            missing: snapshot
                .completeness()
                .missing
                .iter()
                .map(|missing| MissingState {
                    namespace: missing.namespace.clone(),
                    reason: Arc::clone(&missing.reason),
                })
                .collect(),
            skipped: snapshot.completeness().skipped,
        });
        let push = report.push.iter().map(PushState::from).collect();
        Self { checks: checks.collect(), snapshot, push }
    }
}

/// The process answers
///
/// Always `ok`.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "get_health",
    tag = "probes",
    params(ProbeParams),
    responses((status = 200, description = "Up.", content((String = "text/plain", example = "ok"), (ProbeAnswer = "application/json", example = json!({
        "status": "ok",
        "checks": [{"name": "process", "ok": true, "detail": "answering requests"}],
        "snapshot": {"generation": 42, "observed_at": "2026-11-24T09:30:00Z", "age_seconds": 12, "complete": true, "missing": [], "skipped": 0},
        "push": [],
    })))), OfAny),
)]
pub(super) async fn get_health(
    State(app): State<Arc<App>>,
    Params(ProbeParams { verbose }): Params<ProbeParams>,
) -> Result<Response, Problem> {
    let report = app.health.report(Timestamp::now());
    let checks = [HealthCheck { name: "process", ok: true, detail: "answering requests".to_owned() }];
    probe(&app, verbose, true, &report, &checks)
}

/// kai's loops are running
///
/// Fails when the collector has stopped, so that a restart helps.
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "get_liveness",
    tag = "probes",
    params(ProbeParams),
    responses((status = 200, description = "Alive.", content((String = "text/plain", example = "ok"), (ProbeAnswer = "application/json", example = json!({
        "status": "ok",
        "checks": [{"name": "collector", "ok": true, "detail": "last active 0 s ago, at most 60 s are allowed"}],
        "snapshot": {"generation": 42, "observed_at": "2026-11-24T09:30:00Z", "age_seconds": 12, "complete": true, "missing": [], "skipped": 0},
        "push": [],
    })))), OfProbe),
)]
pub(super) async fn get_liveness(
    State(app): State<Arc<App>>,
    Params(ProbeParams { verbose }): Params<ProbeParams>,
) -> Result<Response, Problem> {
    let report = app.health.report(Timestamp::now());
    probe(&app, verbose, report.is_live, &report, &report.liveness)
}

/// kai can serve data
///
/// Fails before the first finished list, during a stop, and when the inventory is older than
/// `collection.stale-after-seconds`. A failed poll does not make it fail: kai serves the old snapshot with its age.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "get_readiness",
    tag = "probes",
    params(ProbeParams),
    responses((status = 200, description = "Ready.", content((String = "text/plain", example = "ok"), (ProbeAnswer = "application/json", example = json!({
        "status": "ok",
        "checks": [{"name": "relist", "ok": true, "detail": "generation 42, observed 12 s ago"}],
        "snapshot": {"generation": 42, "observed_at": "2026-11-24T09:30:00Z", "age_seconds": 12, "complete": true, "missing": [], "skipped": 0},
        "push": [],
    })))), OfProbe),
)]
pub(super) async fn get_readiness(
    State(app): State<Arc<App>>,
    Params(ProbeParams { verbose }): Params<ProbeParams>,
) -> Result<Response, Problem> {
    let report = app.health.report(Timestamp::now());
    probe(&app, verbose, report.is_ready, &report, &report.readiness)
}

fn probe(
    app: &App,
    verbose: bool,
    ok: bool,
    report: &HealthReport,
    checks: &[HealthCheck],
) -> Result<Response, Problem> {
    if !ok {
        let failed: Vec<_> =
            checks.iter().filter(|check| !check.ok).map(|check| format!("{}: {}", check.name, check.detail)).collect();
        let problem = Problem::new(ProblemKind::ProbeFailed, failed.join("; ")).retry_after(&app.retry_after);
        return Err(if verbose { problem.with_members_of(&ProbeState::of(report, checks)) } else { problem });
    }
    let mut response = if verbose {
        Json(ProbeAnswer { status: "ok", state: ProbeState::of(report, checks) }).into_response()
    } else {
        (StatusCode::OK, [(CONTENT_TYPE, "text/plain; charset=utf-8")], "ok").into_response()
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
