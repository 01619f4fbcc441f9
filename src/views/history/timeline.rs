//! From when to when an image was in each namespace, and when nobody looked.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::inventory::Digest;
use crate::snapshot::{Period, Sighting, Snapshot, gaps};
use crate::views::rows::{GapRow, Missing, is_excluded};
use crate::views::utc_seconds;

/// When the images that are asked for were where.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ImageHistory<'a> {
    /// Number of the snapshot in this process, from 1.
    #[schema(example = 42)]
    pub generation: u64,
    /// When the cluster was observed, UTC in whole seconds.
    #[serde(serialize_with = "utc_seconds")]
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T09:30:00Z")]
    pub observed_at: Timestamp,
    /// True when nothing was refused or skipped in what is there now.
    pub complete: bool,
    /// What could not be listed.
    pub missing: Vec<Missing<'a>>,
    /// Images that were last seen until then were forgotten, because `history.max-rows` was too low; null when none was.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    pub dropped_until: Option<Timestamp>,
    /// Sorted by name; those that never had one of the images are left out.
    pub namespaces: Vec<NamespaceHistory<'a>>,
}

/// When the images were in one namespace.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NamespaceHistory<'a> {
    /// The namespace.
    #[schema(example = "shop")]
    pub namespace: Cow<'a, str>,
    /// When nobody looked at it, from before the first image on.
    pub gaps: Vec<GapRow<'a>>,
    /// Sorted by `first_seen`, then by image and digest.
    pub images: Vec<SightingRow<'a>>,
}

/// An image in a namespace.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SightingRow<'a> {
    /// The reference as the manifest writes it.
    #[schema(example = "quay.io/acme/cart:1.25")]
    pub image: Cow<'a, str>,
    /// The manifest digest that a node reported, or else the one that the manifest pins.
    #[schema(required = true, value_type = Option<String>)]
    pub digest: Option<Cow<'a, Digest>>,
    /// When kai first saw it.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T09:30:00.125Z")]
    pub first_seen: Timestamp,
    /// True: kai was watching when it came. False: it was there at `first_seen` at the latest.
    pub first_seen_exact: bool,
    /// When kai last saw it; null while `running` is true. It may have been away in between.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    pub last_seen: Option<Timestamp>,
    /// A pod has it now, in whatever state.
    pub running: bool,
    /// When the first of its containers that kai has seen was started, by the node's clock.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    /// Who had it, as `Kind/name`, the newest last; 20 at most.
    #[schema(example = json!(["Deployment/cart"]))]
    pub workloads: Vec<Cow<'a, str>>,
    /// How many workloads are left out, older ones.
    pub more_workloads: u64,
}

impl<'a> SightingRow<'a> {
    #[must_use]
    pub fn of(sighting: &'a Sighting) -> Self {
        let Sighting { key, first, last, started_at, workloads } = sighting;
        Self {
            image: key.image.written().into(),
            digest: key.digest.as_ref().map(Cow::Borrowed),
            first_seen: first.at,
            first_seen_exact: first.is_exact,
            last_seen: *last,
            running: last.is_none(),
            started_at: started_at.and_then(|second| Timestamp::from_second(second).ok()),
            workloads: workloads.names.iter().map(|name| Cow::from(&**name)).collect(),
            more_workloads: workloads.dropped,
        }
    }

    fn order(&self) -> (Timestamp, &str, Option<&str>) {
        (self.first_seen, &self.image, self.digest.as_deref().map(Digest::as_str))
    }
}

impl<'a> ImageHistory<'a> {
    /// Of these sightings, in any order. `periods` are sorted.
    #[must_use]
    pub fn of(
        snapshot: &'a Snapshot,
        sightings: &'a [Sighting],
        periods: &[Period],
        dropped_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        Self {
            generation: snapshot.generation(),
            observed_at: snapshot.observed_at(),
            complete: snapshot.is_complete(),
            missing: Missing::of(snapshot),
            dropped_until,
            namespaces: namespaces(sightings, periods, now, |namespace| !is_excluded(snapshot, namespace)),
        }
    }
}

/// The timelines of the namespaces that are shown, sorted by name.
pub(super) fn namespaces<'a>(
    sightings: &'a [Sighting],
    periods: &[Period],
    now: Timestamp,
    is_shown: impl Fn(&str) -> bool,
) -> Vec<NamespaceHistory<'a>> {
    let mut rows: BTreeMap<&str, Vec<SightingRow<'a>>> = BTreeMap::new();
    for sighting in sightings.iter().filter(|sighting| is_shown(&sighting.key.namespace)) {
        rows.entry(&sighting.key.namespace).or_default().push(SightingRow::of(sighting));
    }
    let namespaces = rows.into_iter().map(|(namespace, mut images)| {
        images.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
        let first = images.first().map_or(now, |image| image.first_seen);
        // The gap before the first image is why it is not known since when it was there.
        let gaps = gaps(periods, Timestamp::MIN, now, Some(namespace));
        let gaps = gaps.into_iter().filter(|gap| gap.to >= first).map(GapRow::from).collect();
        NamespaceHistory { namespace: namespace.into(), gaps, images }
    });
    namespaces.collect()
}
