//! Since when each image is there: what a history keeps, and what snapshots show of it. Pure: the clock is passed in, and the
//! store is elsewhere.

mod advance;
mod past;
mod period;
mod sighting;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::sync::Arc;

use jiff::Timestamp;

use super::images::DifferentImage;
use super::tree::Tree;
use crate::inventory::{Digest, ImageRef};

pub(super) use advance::Seeing;
pub use past::Past;
pub use period::{Gap, Period, gaps};
pub use sighting::{Sighting, SightingKey, WORKLOADS_MAX, Workloads, leave_out_unreported};

/// When an image was first seen in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FirstSeen {
    /// In whole milliseconds.
    pub at: Timestamp,
    /// kai was watching when it came. Otherwise it was there at the latest then.
    pub is_exact: bool,
}

/// An image that a namespace has, and since when.
#[derive(Debug, Clone)]
pub(super) struct SeenImage {
    image: Arc<ImageRef>,
    digest: Option<Digest>,
    first: FirstSeen,
}

/// Every image that a namespace has, sorted. Snapshots share what did not change.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(Tree<SeenImage>);

impl FirstSeen {
    /// The earlier of both. Of the same moment, the exact one.
    #[must_use]
    pub fn earlier(self, other: Self) -> Self {
        let key = |first: &Self| (first.at, !first.is_exact);
        if key(&other) < key(&self) { other } else { self }
    }
}

impl SeenImage {
    fn order(&self, image: &ImageRef, digest: Option<&Digest>) -> Ordering {
        (*self.image).cmp(image).then_with(|| self.digest.as_ref().cmp(&digest))
    }
}

impl Seen {
    pub(super) fn get(&self, image: &ImageRef, digest: Option<&Digest>) -> Option<FirstSeen> {
        self.0.get(|known| known.order(image, digest)).map(|known| known.first)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ImageRef, Option<&Digest>, FirstSeen)> {
        self.0.iter().map(|known| (&*known.image, known.digest.as_ref(), known.first))
    }

    fn items(&self) -> impl Iterator<Item = &SeenImage> {
        self.0.iter()
    }

    fn insert(&mut self, item: SeenImage) {
        let (image, digest) = (Arc::clone(&item.image), item.digest.clone());
        self.0.insert(|known| known.order(&image, digest.as_ref()), item);
    }

    fn remove(&mut self, image: &ImageRef, digest: Option<&Digest>) -> Option<SeenImage> {
        self.0.remove(|known| known.order(image, digest))
    }
}

impl DifferentImage {
    /// What is requested and, while an update is pending, what runs; each with the digest that a node reports of it, else
    /// the one that it pins.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&Arc<ImageRef>, Option<&Digest>)> {
        let Self { image, running, updating_from } = self;
        let old = updating_from.as_ref().map(|old| (old, running.as_ref().or_else(|| old.digest())));
        let running = running.as_ref().filter(|_| updating_from.is_none());
        old.into_iter().chain([(image, running.or_else(|| image.digest()))])
    }
}
