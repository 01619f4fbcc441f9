//! A page as it is sent: rows, and what is to be known of the whole.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::containers::ContainerRow;
use super::groups::{RegistryRow, RepositoryRow};
use super::images::ImageRow;
use crate::snapshot::{Gap, Snapshot};
use crate::views::utc_seconds;

/// What every page says of the whole.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PageHead<'a> {
    /// Number of the snapshot in this process, from 1.
    #[schema(example = 42)]
    pub generation: u64,
    /// When the cluster was observed, UTC in whole seconds.
    #[serde(serialize_with = "utc_seconds")]
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T09:30:00Z")]
    pub observed_at: Timestamp,
    /// Send it as `pin` to ask the same snapshot again, within a minute.
    #[schema(example = "1f6b22c9-42")]
    #[schema(value_type = String)]
    pub pin: Option<String>,
    /// True when nothing was refused or skipped.
    pub complete: bool,
    /// What could not be listed.
    pub missing: Vec<Missing<'a>>,
    /// Rows of all pages.
    #[schema(example = 1)]
    pub total: usize,
    /// Send it as `cursor` for the next page; null on the last one.
    #[schema(required = true)]
    pub next: Option<String>,
}

/// Something that could not be listed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = MissingList)]
pub struct Missing<'a> {
    /// The namespace; null for the cluster as a whole.
    #[schema(required = true)]
    pub namespace: Option<Cow<'a, str>>,
    /// Which right is missing, and the API server's words.
    pub reason: Cow<'a, str>,
}

/// A time in which nobody looked at the namespaces, or at one of them: what was there is unknown.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Gap)]
pub struct GapRow<'a> {
    /// Where it begins; null: since ever.
    #[schema(required = true, value_type = Option<String>, format = DateTime, example = "2026-11-23T18:00:00Z")]
    pub from: Option<Timestamp>,
    /// Where it ends.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T06:00:00Z")]
    pub to: Timestamp,
    /// Why.
    #[schema(example = "kai was stopped")]
    pub reason: Cow<'a, str>,
}

/// A page of images.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ImagePage<'a> {
    #[serde(flatten)]
    pub head: PageHead<'a>,
    /// Only with `since`, `until` or `at`: the gaps of that time. `complete` is false when there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gaps: Option<Vec<GapRow<'a>>>,
    /// Sorted by `sort`, then by image and digest.
    pub images: Vec<ImageRow<'a>>,
}

/// The images of one digest, and a page of their containers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ImageUse<'a> {
    /// `total` and `next` are those of the containers.
    #[serde(flatten)]
    pub head: PageHead<'a>,
    /// One row for each reference that has the digest, 1,000 at most, by reference.
    pub images: Vec<ImageRow<'a>>,
    /// Sorted by `sort`, then by namespace, pod, kind and name.
    pub containers: Vec<ContainerRow<'a>>,
}

/// A page of containers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ContainerPage<'a> {
    #[serde(flatten)]
    pub head: PageHead<'a>,
    /// Sorted by `sort`, then by namespace, pod, kind and name.
    pub containers: Vec<ContainerRow<'a>>,
}

/// A page of registries.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegistryPage<'a> {
    #[serde(flatten)]
    pub head: PageHead<'a>,
    /// Sorted by `sort`, then by name. Texts that are no image reference have no registry.
    pub registries: Vec<RegistryRow<'a>>,
}

/// A page of repositories.
#[derive(Debug, Serialize, ToSchema)]
pub struct RepositoryPage<'a> {
    #[serde(flatten)]
    pub head: PageHead<'a>,
    /// Sorted by `sort`, then by name.
    pub repositories: Vec<RepositoryRow<'a>>,
}

impl From<Gap> for GapRow<'_> {
    fn from(Gap { from, to, reason }: Gap) -> Self {
        Self { from: Some(from).filter(|from| *from > Timestamp::MIN), to, reason: reason.into_string().into() }
    }
}

impl<'a> Missing<'a> {
    /// What of the snapshot could not be listed.
    pub(in crate::views) fn of(snapshot: &'a Snapshot) -> Vec<Self> {
        let missing = snapshot.completeness().missing.iter();
        let row = missing.map(|missing| Self {
            namespace: missing.namespace.as_deref().map(Cow::from),
            reason: Cow::from(&*missing.reason),
        });
        row.collect()
    }
}

impl<'a> PageHead<'a> {
    #[must_use]
    pub fn new(snapshot: &'a Snapshot, pin: Option<String>, total: usize, next: Option<String>) -> Self {
        Self {
            generation: snapshot.generation(),
            observed_at: snapshot.observed_at(),
            pin,
            complete: snapshot.is_complete(),
            missing: Missing::of(snapshot),
            total,
            next,
        }
    }
}
