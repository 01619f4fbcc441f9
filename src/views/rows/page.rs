//! One page of rows, and where the next one begins.
//!
//! A page begins behind the place of a row, not its number: rows that stay are neither skipped nor repeated, whatever comes or
//! goes between two pages, and another replica of kai goes on from there.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

use crate::views::Format;

/// By what rows may be sorted.
pub trait Sort: Copy + Default + Eq + std::hash::Hash + 'static {
    const ALL: &'static [Self];
    /// In which formats such rows come; the first one is the default.
    const FORMATS: &'static [Format] = &Format::ROWS;

    /// The column's name.
    fn word(self) -> &'static str;

    /// Whether a row's place changes while the row stays: then all pages are of one snapshot.
    fn is_count(self) -> bool {
        false
    }
}

/// Which rows of a sorted list are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageRequest<S> {
    pub sort: S,
    pub descending: bool,
    /// The place behind which the page begins; `None`: the first page.
    pub after: Option<Place>,
    /// At least 1.
    pub limit: usize,
}

impl<S: Sort> PageRequest<S> {
    /// The first rows, in the order that is the default.
    #[must_use]
    pub fn first(limit: usize) -> Self {
        Self { sort: S::default(), descending: false, after: None, limit }
    }
}

/// Where a row stands: the column by which it is sorted, and what tells it from others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    pub(super) column: Column,
    pub(super) names: Vec<String>,
}

/// What rows are sorted by first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Column {
    Number(u64),
    Text(String),
}

/// Some rows, in their order.
#[derive(Debug)]
pub struct Page<R> {
    pub rows: Vec<R>,
    /// All rows of all pages.
    pub total: usize,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<Place>,
}

/// A row that can be sorted.
pub(super) trait Row<S> {
    fn place(&self, sort: S) -> Place;
}

/// The page of rows that come in any order.
pub(super) fn page<S: Copy, R: Row<S>>(rows: impl Iterator<Item = R>, request: &PageRequest<S>) -> Page<R> {
    let PageRequest { sort, descending, after, limit } = request;
    // One more than fits tells whether there is another page.
    let (mut heap, mut total) = (BinaryHeap::new(), 0);
    for row in rows {
        total += 1;
        let place = row.place(*sort);
        if after.as_ref().is_none_or(|after| compare(&place, after, *descending).is_gt()) {
            heap.push(Held { row, place, descending: *descending });
            if heap.len() > limit.saturating_add(1) {
                heap.pop();
            }
        }
    }
    finish(heap.into_sorted_vec().into_iter().map(|held| (held.row, held.place)).collect(), *limit, total)
}

/// The page of rows that come in its order, from its first on.
pub(super) fn page_of_sorted<S: Copy, R: Row<S>>(
    rows: impl Iterator<Item = R>,
    request: &PageRequest<S>,
    total: usize,
) -> Page<R> {
    let held = rows.take(request.limit.saturating_add(1)).map(|row| {
        let place = row.place(request.sort);
        (row, place)
    });
    finish(held.collect(), request.limit, total)
}

/// The page of what begins with its first row, and ends with one more than fits if there is one.
fn finish<R>(mut held: Vec<(R, Place)>, limit: usize, total: usize) -> Page<R> {
    let has_more = held.len() > limit;
    held.truncate(limit);
    let next = held.last().filter(|_| has_more).map(|(_, place)| place.clone());
    Page { rows: held.into_iter().map(|(row, _)| row).collect(), total, next }
}

/// The column may be turned round; what tells rows apart never is.
fn compare(a: &Place, b: &Place, descending: bool) -> Ordering {
    let by_column = a.column.cmp(&b.column);
    if descending { by_column.reverse() } else { by_column }.then_with(|| a.names.cmp(&b.names))
}

struct Held<R> {
    row: R,
    place: Place,
    descending: bool,
}

impl<R> Ord for Held<R> {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.place, &other.place, self.descending)
    }
}

impl<R> PartialOrd for Held<R> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<R> PartialEq for Held<R> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<R> Eq for Held<R> {}
