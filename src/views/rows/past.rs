//! Images of a window of time: those that are there, and those that a history has seen.

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};
use jiff::Timestamp;

use super::filter::{DigestKind, Entry, Filter};
use super::flag::Flags;
use super::images::{ImageKey, ImageRow, ImageSort, keyed_rows};
use super::page::{Page, PageRequest, page};
use crate::snapshot::{FirstSeen, Gap, NamespaceState, Sighting, SightingKey, Snapshot};

/// A window of time, both ends included. Without an end it is open there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Window {
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// What a history knows of a window.
#[derive(Debug, Clone)]
pub struct PastImages {
    pub window: Window,
    /// Those that were there at some time of the window, in no order.
    pub sightings: Vec<Sighting>,
    /// When kai was not looking.
    pub gaps: Vec<Gap>,
}

/// From when to when an image was seen, in the namespaces that are asked for.
struct Seen {
    first: FirstSeen,
    /// `None`: it is there.
    last: Option<Timestamp>,
}

impl Filter {
    /// Whether an image of a history is wanted, as far as a history knows it.
    #[must_use]
    pub fn wants_key(&self, SightingKey { namespace, image, digest }: &SightingKey) -> bool {
        self.wants_name(namespace) && self.wants_image(image, digest.as_ref())
    }
}

/// One page of the images that were there at some time of a window.
#[must_use]
pub fn images_between<'a>(
    snapshot: &'a Snapshot,
    past: &'a PastImages,
    filter: &Filter,
    request: &PageRequest<ImageSort>,
) -> Page<ImageRow<'a>> {
    page(rows_between(snapshot, past, filter).into_iter(), request)
}

/// All of them, in no order. What is there is counted as it is now; of what is gone there is nothing to count.
pub(in crate::views) fn rows_between<'a>(
    snapshot: &'a Snapshot,
    past: &'a PastImages,
    filter: &Filter,
) -> Vec<ImageRow<'a>> {
    let seen = seen(snapshot, past, filter);
    let (mut rows, mut are_there) = (Vec::new(), HashSet::new());
    for (key, mut row) in keyed_rows(snapshot, filter) {
        are_there.insert(key);
        let here = row.first_seen.map(|at| FirstSeen { at, is_exact: row.first_seen_exact });
        let before = seen.get(&key).map(|seen| seen.first);
        let first = before.map(|before| here.map_or(before, |here| here.earlier(before))).or(here);
        row = row.seen(first, None);
        let is_later = |until| row.first_seen.is_some_and(|first| first > until);
        if !past.window.until.is_some_and(is_later) {
            rows.push(row);
        }
    }
    let gone = seen.into_iter().filter(|(key, _)| !are_there.contains(key));
    // Without an end it came after the snapshot.
    rows.extend(gone.filter(|(_, seen)| seen.last.is_some()).filter_map(|((image, digest), seen)| {
        let digest_kind = digest.map(|digest| match image.digest() {
            Some(pinned) if pinned == digest => DigestKind::Pinned,
            _ => DigestKind::Running,
        });
        let flags = Flags::of_image(snapshot, image, digest.is_some());
        filter
            .wants_flags(flags)
            .then(|| ImageRow::new(Entry { image, digest, digest_kind }, flags).seen(Some(seen.first), seen.last))
    }));
    rows
}

fn seen<'a>(snapshot: &Snapshot, past: &'a PastImages, filter: &Filter) -> HashMap<ImageKey<'a>, Seen> {
    let mut all: HashMap<ImageKey<'a>, Seen> = HashMap::new();
    for Sighting { key, first, last, .. } in &past.sightings {
        if !filter.wants_key(key) || is_excluded(snapshot, &key.namespace) {
            continue;
        }
        let seen = all.entry((&key.image, key.digest.as_ref())).or_insert(Seen { first: *first, last: *last });
        seen.first = seen.first.earlier(*first);
        seen.last = seen.last.and_then(|known| last.map(|last| known.max(last)));
    }
    all
}

/// Of an excluded namespace nothing is shown, whatever was seen before it was.
pub(in crate::views) fn is_excluded(snapshot: &Snapshot, namespace: &str) -> bool {
    snapshot.namespace(namespace).is_some_and(|part| part.state() == NamespaceState::Excluded)
}
