//! Which clusters of a fleet have an image, or had it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::timeline::{NamespaceHistory, namespaces};
use crate::snapshot::{Period, Sighting};

/// The clusters that share a history.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClusterList<'a> {
    /// Sorted by name.
    pub clusters: Vec<ClusterRow<'a>>,
}

/// A cluster.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClusterRow<'a> {
    #[serde(flatten)]
    pub cluster: ClusterName<'a>,
    /// Images in namespaces that it has or had, of those that are asked for.
    #[schema(example = 2)]
    pub images: u64,
    /// Of these, the ones that were there when its kai last wrote.
    #[schema(example = 1)]
    pub running: u64,
    /// When the first of them was first seen; null when nothing is asked for.
    #[schema(required = true, value_type = Option<String>, format = DateTime, example = "2026-11-24T09:30:00.125Z")]
    pub first_seen: Option<Timestamp>,
    /// When the last of them was last seen; null while one is there, or when nothing is asked for.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    pub last_seen: Option<Timestamp>,
}

/// What tells a cluster from others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClusterName<'a> {
    /// The uid of its namespace kube-system, or `history.postgres.cluster-id`.
    #[schema(example = "5f1c0a51-6a0e-4d5c-9f0e-0d6a2f9a3c11")]
    pub cluster: Cow<'a, str>,
    /// What it is called; names are not unique.
    #[schema(example = "eu1")]
    pub name: Cow<'a, str>,
    /// When its kai last wrote: what happened later is not known here.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T09:30:00.125Z")]
    pub written_at: Timestamp,
}

/// When images were where, in other clusters.
#[derive(Debug, Serialize, ToSchema)]
pub struct FleetHistory<'a> {
    /// Sorted by name; those that never had one of the images are left out.
    pub clusters: Vec<ClusterHistory<'a>>,
}

/// When images were where in one cluster.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClusterHistory<'a> {
    #[serde(flatten)]
    pub cluster: ClusterName<'a>,
    /// Sorted by name; those that never had one of the images are left out.
    pub namespaces: Vec<NamespaceHistory<'a>>,
}

impl<'a> ClusterRow<'a> {
    /// Of the sightings that are asked for; `None` when there are none.
    pub fn of<'s>(cluster: ClusterName<'a>, sightings: impl IntoIterator<Item = &'s Sighting>) -> Option<Self> {
        let mut sightings = sightings.into_iter();
        let first = sightings.next()?;
        let mut row = Self {
            cluster,
            images: 1,
            running: u64::from(first.last.is_none()),
            first_seen: Some(first.first.at),
            last_seen: first.last,
        };
        for sighting in sightings {
            row.images += 1;
            row.running += u64::from(sighting.last.is_none());
            row.first_seen = row.first_seen.min(Some(sighting.first.at));
            row.last_seen = row.last_seen.and_then(|last| Some(last.max(sighting.last?)));
        }
        Some(row)
    }
}

impl<'a> ClusterHistory<'a> {
    /// Of these sightings, in any order. `periods` are sorted.
    #[must_use]
    pub fn of(cluster: ClusterName<'a>, sightings: &'a [Sighting], periods: &[Period]) -> Self {
        // Its kai goes on, and has not written more yet.
        let goes_on = periods.last().filter(|last| last.ended.is_none()).map(|last| last.end);
        let until = goes_on.unwrap_or(cluster.written_at);
        Self { cluster, namespaces: namespaces(sightings, periods, until, |_| true) }
    }
}
