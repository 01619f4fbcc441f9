//! What a snapshot lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::event::{ListScope, SkippedItem};

/// How many skipped items a snapshot names; the others are only counted.
pub const SKIPPED_SAMPLES: usize = 20;

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Completeness {
    /// What could not be listed, sorted by namespace; what concerns the cluster as a whole first.
    pub missing: Vec<Missing>,
    /// Number of items that could not be read.
    pub skipped: u64,
    /// The first [`SKIPPED_SAMPLES`] of them.
    pub skipped_samples: Vec<SkippedItem>,
    /// Namespaces of which an item could not be read.
    pub skipped_namespaces: BTreeSet<Arc<str>>,
    /// How many items could not be read, and of which the namespace is unknown.
    pub skipped_unplaced: u64,
}

/// Something that could not be listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Missing {
    /// The namespace; `None` when it concerns the cluster as a whole.
    pub namespace: Option<Arc<str>>,
    pub reason: Arc<str>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ListOutcome {
    pub(super) refused: Option<Arc<str>>,
    skipped: u64,
    samples: Vec<SkippedItem>,
    namespaces: BTreeSet<Arc<str>>,
    /// Items of which the namespace is unknown.
    unplaced: u64,
}

impl ListOutcome {
    /// The same of an object that a watch may bring again and again. Whether it is another one than those that are named.
    pub(super) fn skip_once(&mut self, item: SkippedItem) -> bool {
        let is_new = !self.samples.contains(&item);
        if is_new {
            self.skip(item);
        }
        is_new
    }

    pub(super) fn skip(&mut self, item: SkippedItem) {
        self.skipped += 1;
        match &item.namespace {
            Some(namespace) => drop(self.namespaces.insert(Arc::clone(namespace))),
            None if item.scope != ListScope::Nodes => self.unplaced += 1,
            None => {}
        }
        if self.samples.len() < SKIPPED_SAMPLES {
            self.samples.push(item);
        }
    }
}

impl Completeness {
    /// Of what was listed; `cut_short` is what the source knows to be missing besides.
    pub(super) fn of(lists: &BTreeMap<ListScope, ListOutcome>, cut_short: Option<Arc<str>>) -> Self {
        let whole = cut_short.map(|reason| Missing { namespace: None, reason });
        // Nodes are an addition to what is sent: no image is found by them.
        let refused = lists.iter().filter(|(scope, _)| **scope != ListScope::Nodes).filter_map(|(scope, outcome)| {
            let namespace = match scope {
                ListScope::PodsOf(namespace) => Some(Arc::clone(namespace)),
                ListScope::Namespaces | ListScope::AllPods | ListScope::Nodes => None,
            };
            Some(Missing { namespace, reason: Arc::clone(outcome.refused.as_ref()?) })
        });
        let mut missing: Vec<Missing> = whole.into_iter().chain(refused).collect();
        missing.sort();
        let samples = lists.values().flat_map(|outcome| &outcome.samples);
        Self {
            missing,
            skipped: lists.values().map(|outcome| outcome.skipped).sum(),
            skipped_samples: samples.take(SKIPPED_SAMPLES).cloned().collect(),
            skipped_namespaces: lists.values().flat_map(|outcome| outcome.namespaces.iter().cloned()).collect(),
            skipped_unplaced: lists.values().map(|outcome| outcome.unplaced).sum(),
        }
    }

    /// Nothing was refused, nothing skipped, nothing cut short.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.skipped == 0
    }

    /// Whether something is missing, and it is unknown in which namespace.
    pub(super) fn may_lack_anywhere(&self) -> bool {
        self.skipped_unplaced > 0 || self.missing.iter().any(|missing| missing.namespace.is_none())
    }
}
