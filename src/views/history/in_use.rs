//! What was used at some time of a window, for whoever cleans up a registry: whole, or not at all.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::snapshot::Snapshot;
use crate::views::rows::{Filter, GapRow, ImageRow, Missing, PastImages, Reference, reference_lines, rows_between};
use crate::views::utc_seconds;

/// Every image that was there at some time of the window.
#[derive(Debug, Serialize, ToSchema)]
pub struct InUse<'a> {
    /// Number of the snapshot in this process, from 1.
    #[schema(example = 42)]
    pub generation: u64,
    /// When the cluster was observed, UTC in whole seconds.
    #[serde(serialize_with = "utc_seconds")]
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T09:30:00Z")]
    pub observed_at: Timestamp,
    /// Where the window begins.
    #[schema(value_type = String, format = DateTime, example = "2026-10-25T09:30:00Z")]
    pub since: Timestamp,
    /// False when an image may be left out: `incomplete` says why. Delete nothing then.
    pub complete: bool,
    /// Each reason for which an image may be left out.
    pub incomplete: Vec<String>,
    /// What could not be listed.
    pub missing: Vec<Missing<'a>>,
    /// When nobody looked.
    pub gaps: Vec<GapRow<'a>>,
    /// Sorted by image and digest.
    pub images: Vec<ImageRow<'a>>,
}

/// A window that a history has answered for.
#[derive(Debug, Clone)]
pub struct PastWindow {
    /// Where it begins.
    pub since: Timestamp,
    pub past: PastImages,
    /// Images that were last seen until then were forgotten for want of room.
    pub dropped_until: Option<Timestamp>,
}

impl PastWindow {
    /// Each reason for which an image may be left out.
    #[must_use]
    pub fn lacking(&self, snapshot: &Snapshot) -> Vec<String> {
        let missing = snapshot.completeness().missing.iter().map(|missing| match &missing.namespace {
            Some(namespace) => format!("the namespace {namespace} cannot be read: {}", missing.reason),
            None => missing.reason.to_string(),
        });
        let is_skipped = !snapshot.is_complete() && snapshot.completeness().missing.is_empty();
        let skipped = is_skipped.then(|| "objects were skipped, as /readyz?verbose says".to_owned());
        let gaps = self.past.gaps.iter().map(|gap| format!("unknown from {} to {}: {}", gap.from, gap.to, gap.reason));
        let dropped = self.dropped_until.filter(|until| *until >= self.since);
        let dropped = dropped.map(|until| {
            format!("images last seen until {until} were forgotten; raise history.max-rows, and wait for that long")
        });
        missing.chain(skipped).chain(gaps).chain(dropped).collect()
    }

    /// All images, sorted.
    #[must_use]
    pub fn images<'a>(&'a self, snapshot: &'a Snapshot) -> Vec<ImageRow<'a>> {
        let mut images = rows_between(snapshot, &self.past, &Filter::default());
        images.sort_unstable_by(|a, b| a.names().cmp(&b.names()));
        images
    }

    /// Writes the references, and the digests behind their repositories, or one form of them; sorted, a line each.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_text(&self, snapshot: &Snapshot, reference: Option<Reference>, writer: impl Write) -> io::Result<()> {
        let both = [Reference::Written, Reference::Pinned];
        reference_lines(&self.images(snapshot), reference.as_ref().map_or(&both, std::slice::from_ref), writer)
    }
}

impl<'a> InUse<'a> {
    #[must_use]
    pub fn of(snapshot: &'a Snapshot, window: &'a PastWindow) -> Self {
        let incomplete = window.lacking(snapshot);
        Self {
            generation: snapshot.generation(),
            observed_at: snapshot.observed_at(),
            since: window.since,
            complete: incomplete.is_empty(),
            incomplete,
            missing: Missing::of(snapshot),
            gaps: window.past.gaps.iter().cloned().map(GapRow::from).collect(),
            images: window.images(snapshot),
        }
    }
}
