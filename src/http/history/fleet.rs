//! The handlers of a fleet: which clusters have an image or had it, out of the database that their kais share.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::Timelines;
use super::params::{ClusterParams, TimelineParams};
use super::window::query_of;
use crate::history::{ClusterSeen, Kept, StoreError};
use crate::http::App;
use crate::http::failures::OfTimelines;
use crate::http::params::Params;
use crate::http::problem::{Problem, ProblemKind};
use crate::http::reply::{Asked, Fresh};
use crate::inventory::excerpt;
use crate::snapshot::{Sighting, leave_out_unreported};
use crate::views::{ClusterHistory, ClusterList, ClusterName, ClusterRow, Filter, FleetHistory, Format};

/// Clusters
///
/// The clusters whose kais share a history in PostgreSQL. With `digest`, `image` or `namespace`: those that have such an image, or
/// ever had it.
#[utoipa::path(
    get,
    path = "/v1/clusters",
    operation_id = "list_clusters",
    tag = "history",
    params(ClusterParams),
    responses((status = 200, description = "Every cluster that is asked for.", body = ClusterList, content_type = "application/json", example = json!({
        "clusters": [{
            "cluster": "5f1c0a51-6a0e-4d5c-9f0e-0d6a2f9a3c11", "name": "eu1", "written_at": "2026-11-24T09:30:00.125Z", "images": 2, "running": 1,
            "first_seen": "2026-11-20T09:14:01.312Z", "last_seen": null,
        }],
    })), OfTimelines),
)]
pub(in crate::http) async fn list_clusters(
    State(app): State<Arc<App>>,
    Params(ClusterParams(TimelineParams { filter, clusters })): Params<ClusterParams>,
    asked: Asked,
) -> Result<Response, Problem> {
    asked.format(&[Format::Json])?;
    let is_about_images = filter != Filter::default();
    let question = move |kept: &mut Kept<'_>| {
        let asked = asked_for(kept, &clusters, !is_about_images)?;
        let found = if is_about_images { sightings(kept, &asked, &clusters, &filter)? } else { HashMap::new() };
        Ok((asked, clusters, found))
    };
    let (seen, wanted, mut found) = app.ask_history(question).await?;
    check_known(&seen, &wanted)?;
    let make = move || {
        let rows = seen.iter().filter_map(|cluster| match cluster.rows {
            Some(rows) => Some(ClusterRow {
                cluster: name_of(cluster),
                images: rows.all,
                running: rows.running,
                first_seen: None,
                last_seen: None,
            }),
            None => ClusterRow::of(name_of(cluster), &found.remove(&cluster.uid)?),
        });
        Ok((serde_json::to_vec(&ClusterList { clusters: rows.collect() })?, None))
    };
    asked.fresh(&app, Fresh { generation: None, is_lacking: false, make: Box::new(make) }).await
}

/// Timelines of other clusters.
pub(super) async fn timelines(
    app: &Arc<App>,
    asked: Asked,
    filter: Filter,
    clusters: Vec<String>,
) -> Result<Response, Problem> {
    let question = move |kept: &mut Kept<'_>| {
        let asked = asked_for(kept, &clusters, false)?;
        let mut found = sightings(kept, &asked, &clusters, &filter)?;
        let mut whole = Vec::with_capacity(found.len());
        for cluster in &asked {
            if let Some(sightings) = found.remove(&cluster.uid) {
                whole.push((cluster.clone(), sightings, kept.periods_of(&cluster.uid)?));
            }
        }
        Ok((asked, clusters, whole))
    };
    let (seen, wanted, found) = app.ask_history(question).await?;
    check_known(&seen, &wanted)?;
    let make = move || {
        let clusters = found.iter();
        let clusters = clusters.map(|(cluster, rows, periods)| ClusterHistory::of(name_of(cluster), rows, periods));
        let history = FleetHistory { clusters: clusters.collect() };
        Ok((serde_json::to_vec(&Timelines::Fleet(history))?, None))
    };
    asked.fresh(app, Fresh { generation: None, is_lacking: false, make: Box::new(make) }).await
}

fn name_of(cluster: &ClusterSeen) -> ClusterName<'_> {
    let ClusterSeen { uid, name, last_seen, .. } = cluster;
    ClusterName { cluster: (**uid).into(), name: (**name).into(), written_at: *last_seen }
}

/// Those of these uids or names, or all.
fn asked_for(kept: &mut Kept<'_>, wanted: &[String], are_counted: bool) -> Result<Vec<ClusterSeen>, StoreError> {
    let mut clusters = kept.clusters(are_counted)?;
    clusters.retain(|cluster| wanted.is_empty() || wanted.iter().any(|wanted| is_named(cluster, wanted)));
    Ok(clusters)
}

fn is_named(cluster: &ClusterSeen, wanted: &str) -> bool {
    *cluster.uid == *wanted || *cluster.name == *wanted
}

fn check_known(seen: &[ClusterSeen], wanted: &[String]) -> Result<(), Problem> {
    let unknown = wanted.iter().find(|wanted| !seen.iter().any(|cluster| is_named(cluster, wanted)));
    unknown.map_or(Ok(()), |unknown| {
        let detail = format!("No cluster of the history is called \"{}\"; /v1/clusters lists them.", excerpt(unknown));
        Err(Problem::new(ProblemKind::UnknownCluster, detail))
    })
}

/// What these clusters have or had of what the filter wants, by their uids.
fn sightings(
    kept: &mut Kept<'_>,
    clusters: &[ClusterSeen],
    wanted: &[String],
    filter: &Filter,
) -> Result<HashMap<Arc<str>, Vec<Sighting>>, StoreError> {
    let mut found: HashMap<Arc<str>, Vec<Sighting>> = HashMap::new();
    // None means all of them.
    let uids: Vec<String> =
        clusters.iter().filter(|_| !wanted.is_empty()).map(|cluster| cluster.uid.to_string()).collect();
    if !wanted.is_empty() && uids.is_empty() {
        return Ok(found);
    }
    kept.read_fleet(&uids, &query_of(filter), |uid, sighting| {
        if filter.wants_key(&sighting.key) {
            found.entry(Arc::clone(uid)).or_default().push(sighting);
        }
    })?;
    found.values_mut().for_each(leave_out_unreported);
    Ok(found)
}
