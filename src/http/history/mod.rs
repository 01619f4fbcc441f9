//! The handlers of what was: images of a window of time, timelines, and what is in use.

mod fleet;
#[cfg(test)]
mod fleet_tests;
mod params;
pub(super) mod window;

use std::io::Write;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) use self::fleet::{__path_list_clusters, list_clusters};
use self::params::{InUseParams, TimelineParams};
use self::window::{query_of, read};
use super::App;
use super::failures::{OfInUse, OfTimelines};
use super::params::Params;
use super::problem::{Problem, ProblemKind};
use super::question::Lane;
use super::reply::{Asked, Fresh};
use super::row_params::Wanted;
use super::rows::Cursor;
use super::whole::Whole;
use crate::inventory::excerpt;
use crate::views::{
    DigestPrefix, Filter, FleetHistory, Format, ImageHistory, ImagePage, ImageSort, InUse, PageHead, Window,
    images_between as between, write_images,
};

/// A reason in a problem's detail; more of them are counted.
const REASONS: usize = 3;

/// What a timeline is of: this cluster, or others.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Timelines<'a> {
    Own(ImageHistory<'a>),
    Fleet(FleetHistory<'a>),
}

/// A page, or the whole list, of the images of a window.
pub(super) async fn images_between(
    app: &Arc<App>,
    wanted: Wanted<ImageSort>,
    window: Window,
    asked: Asked,
) -> Result<Response, Problem> {
    let Wanted { filter, request, pin, format, options, window: given } = wanted;
    if format == Format::CycloneDx {
        let detail = "CycloneDX is of what is there now; with since, until or at ask for another format.";
        return Err(Problem::new(ProblemKind::BadParameter, detail));
    }
    // First, so that the history knows all that the snapshot does.
    let generation = app.pinned(pin)?;
    let past = app.past(window, &filter).await?.past;
    app.pins.hold(&generation);
    let (snapshot, is_lacking) = (Arc::clone(&generation.snapshot), !past.gaps.is_empty());
    if format != Format::Json {
        let write = move |writer: &mut dyn Write| {
            let rows = between(&snapshot, &past, &filter, &request).rows;
            write_images(&rows, &snapshot, format, options.reference, writer)
        };
        let whole = Whole { generation, format, name: "images", is_lacking, write: Box::new(write) };
        return asked.whole(app, whole).await;
    }
    let pin = app.answers.pin(&snapshot);
    let make = move || {
        let page = between(&snapshot, &past, &filter, &request);
        let next = page.next.map(|place| Cursor::new(&filter, &request, &given.text, place, &pin).to_text());
        let mut head = PageHead::new(&snapshot, Some(pin), page.total, next.clone());
        head.complete &= !is_lacking;
        let gaps = Some(past.gaps.iter().cloned().map(Into::into).collect());
        Ok((serde_json::to_vec(&ImagePage { head, gaps, images: page.rows })?, next))
    };
    asked.fresh(app, Fresh { generation: Some(generation), is_lacking, make: Box::new(make) }).await
}

/// Since when an image is there, by name
///
/// When the images of that name were in which namespaces, as far as kai's history goes. A name without a tag means every tag.
#[utoipa::path(
    get,
    path = "/v1/history",
    operation_id = "list_history",
    tag = "history",
    params(TimelineParams),
    responses((status = 200, description = "A timeline for each namespace.", body = Timelines, content_type = "application/json", example = json!({
        "generation": 42, "observed_at": "2026-11-24T09:30:00Z", "complete": true, "missing": [], "dropped_until": null,
        "namespaces": [{
            "namespace": "shop",
            "gaps": [{"from": null, "to": "2026-11-24T08:00:00.004Z", "reason": "kai was not there yet"}],
            "images": [{
                "image": "quay.io/acme/cart:1.25", "digest": "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628",
                "first_seen": "2026-11-24T09:14:01.312Z", "first_seen_exact": true, "last_seen": null, "running": true,
                "started_at": "2026-11-24T09:14:02Z", "workloads": ["Deployment/cart"], "more_workloads": 0,
            }],
        }],
    })), OfTimelines),
)]
pub(super) async fn list_history(
    State(app): State<Arc<App>>,
    Params(TimelineParams { filter, clusters }): Params<TimelineParams>,
    asked: Asked,
) -> Result<Response, Problem> {
    if filter.images.is_empty() {
        let detail = "The parameter \"image\" is missing; write image=nginx, or ask /v1/history/{digest}.";
        return Err(Problem::new(ProblemKind::BadParameter, detail));
    }
    timeline(&app, asked, filter, clusters).await
}

/// Since when an image is there, by digest
///
/// When the images of one manifest digest were in which namespaces, as far as kai's history goes: those that nodes reported
/// with it, and those that pin it and of which no node reported another.
#[utoipa::path(
    get,
    path = "/v1/history/{digest}",
    operation_id = "get_history",
    tag = "history",
    params(
        ("digest" = String, Path, description = "A manifest digest: `sha256:` and 64 hex digits, or the first 12 or more.", example = "sha256:b9b4fa9b3e13"),
        TimelineParams,
    ),
    responses((status = 200, description = "A timeline for each namespace.", body = Timelines, content_type = "application/json", example = json!({
        "generation": 42, "observed_at": "2026-11-24T09:30:00Z", "complete": true, "missing": [], "dropped_until": null,
        "namespaces": [{
            "namespace": "shop",
            "gaps": [{"from": null, "to": "2026-11-24T08:00:00.004Z", "reason": "kai was not there yet"}],
            "images": [{
                "image": "quay.io/acme/cart:1.25", "digest": "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628",
                "first_seen": "2026-11-24T09:14:01.312Z", "first_seen_exact": true, "last_seen": null, "running": true,
                "started_at": "2026-11-24T09:14:02Z", "workloads": ["Deployment/cart"], "more_workloads": 0,
            }],
        }],
    })), OfTimelines),
)]
pub(super) async fn get_history(
    State(app): State<Arc<App>>,
    digest: Result<Path<String>, PathRejection>,
    Params(TimelineParams { mut filter, clusters }): Params<TimelineParams>,
    asked: Asked,
) -> Result<Response, Problem> {
    let bad = |detail: String| Problem::new(ProblemKind::BadParameter, detail);
    let Ok(Path(text)) = digest else { return Err(bad("The digest in the path is not UTF-8 once decoded.".into())) };
    let digest = DigestPrefix::parse(&text).ok_or_else(|| {
        let allowed = "a manifest digest, or sha256: with its first 12 or more hex digits";
        bad(format!("The digest in the path is \"{}\"; it must be {allowed}.", excerpt(&text)))
    })?;
    filter.digests.insert(digest);
    timeline(&app, asked, filter, clusters).await
}

async fn timeline(app: &Arc<App>, asked: Asked, filter: Filter, clusters: Vec<String>) -> Result<Response, Problem> {
    asked.format(&[Format::Json])?;
    if !clusters.is_empty() {
        return fleet::timelines(app, asked, filter, clusters).await;
    }
    let generation = app.answers.current(Lane::Short).ok_or_else(|| app.not_yet())?;
    let wanted = filter.clone();
    let answer = app.ask_history(move |kept| {
        let found = read(kept, &query_of(&wanted), &wanted)?;
        Ok((found, kept.periods()?, kept.dropped()?.until, kept.now()))
    });
    let (found, periods, dropped_until, now) = answer.await?;
    if let (true, Some(digest)) = (found.is_empty(), filter.digests.first()) {
        let detail = format!(
            "No pod had the digest \"{digest}\" while kai was looking. Of a multi-platform image nodes report the digest \
             of the index, or that of their platform."
        );
        return Err(Problem::new(ProblemKind::UnknownDigest, detail));
    }
    let snapshot = Arc::clone(&generation.snapshot);
    let make = move || {
        let history = ImageHistory::of(&snapshot, &found, &periods, dropped_until, now);
        Ok((serde_json::to_vec(&Timelines::Own(history))?, None))
    };
    asked.fresh(app, Fresh { generation: Some(generation), is_lacking: false, make: Box::new(make) }).await
}

/// What is in use
///
/// Every image that was there at some time of the window, for whoever cleans up a registry: never a page, always the whole.
/// When an image may be left out, `complete` and `Inventory-Complete` are false, and text is refused (409) unless
/// `incomplete=allow`.
#[utoipa::path(
    get,
    path = "/v1/in-use",
    operation_id = "list_in_use",
    tag = "history",
    params(InUseParams),
    responses((status = 200, description = "Every image of the window.", body = InUse, content_type = "application/json", example = json!({
        "generation": 42, "observed_at": "2026-11-24T09:30:00Z", "since": "2026-10-25T09:30:00.101Z", "complete": true, "incomplete": [],
        "missing": [], "gaps": [],
        "images": [{
            "image": "quay.io/acme/cart:1.25", "registry": "quay.io", "repository": "acme/cart", "tag": "1.25",
            "digest": "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628", "digest_kind": "running",
            "containers": 3, "pods": 3, "namespaces": 1, "owners": 1, "flags": [],
            "first_seen": "2026-11-24T09:14:01.312Z", "last_seen": null, "first_seen_exact": true, "running": true,
        }],
    })), OfInUse),
)]
pub(super) async fn list_in_use(
    State(app): State<Arc<App>>,
    Params(params): Params<InUseParams>,
    asked: Asked,
) -> Result<Response, Problem> {
    let format = params.format.map_or_else(|| asked.format(&InUseParams::FORMATS), Ok)?;
    if let (Format::Json, Some(_)) = (format, params.reference) {
        let detail = "The parameter \"reference\" is for the format text, and this is json.";
        return Err(Problem::new(ProblemKind::BadParameter, detail));
    }
    let now = Timestamp::now();
    let since = params.since.resolve(now).filter(|since| *since <= now).ok_or_else(|| {
        let detail = "The parameter \"since\" is later than now, or before all times; write since=30d.";
        Problem::new(ProblemKind::BadParameter, detail)
    })?;
    let generation = app.answers.current(Lane::Short).ok_or_else(|| app.not_yet())?;
    let window = app.past(Window { since: Some(since), until: None }, &Filter::default()).await?;
    let (snapshot, lacking) = (Arc::clone(&generation.snapshot), window.lacking(&generation.snapshot));
    if format == Format::Text && !lacking.is_empty() && !params.allows_incomplete {
        let more = lacking.len().saturating_sub(REASONS);
        let more = if more == 0 { String::new() } else { format!("; and {more} reasons more") };
        let shown: Vec<_> = lacking.iter().take(REASONS).map(|reason| excerpt(reason).to_string()).collect();
        let detail = format!(
            "An image that was in use since {since} may be left out: {}{more}. Delete nothing by such a list; \
             incomplete=allow gives it all the same, and format=json tells every reason.",
            shown.join("; ")
        );
        return Err(Problem::new(ProblemKind::IncompleteHistory, detail));
    }
    let write = move |writer: &mut dyn Write| match format {
        Format::Text => window.write_text(&snapshot, params.reference, writer),
        _ => Ok(serde_json::to_writer(writer, &InUse::of(&snapshot, &window))?),
    };
    let is_lacking = !lacking.is_empty();
    asked.whole(&app, Whole { generation, format, name: "in-use", is_lacking, write: Box::new(write) }).await
}
