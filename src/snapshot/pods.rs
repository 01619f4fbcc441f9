//! The pods of one namespace, each with the hash of what is known of it.

use std::cmp::Ordering;
use std::sync::Arc;

use super::event::PodIdentity;
use super::hash::{ContentHash, HashSum};
use super::tree::Tree;
use crate::inventory::PodRecord;

/// A pod, hashed once when it comes.
#[derive(Debug, Clone)]
pub(super) struct Pod {
    pub(super) record: Arc<PodRecord>,
    hash: ContentHash,
}

/// Sorted by name, then by uid where that is part of what a pod is.
#[derive(Debug, Clone, Default)]
pub(super) struct Pods {
    tree: Tree<Pod>,
    identity: PodIdentity,
    sum: HashSum,
}

impl Pod {
    pub(super) fn new(record: PodRecord) -> Self {
        Self { hash: ContentHash::of(&record), record: Arc::new(record) }
    }
}

impl Pods {
    pub(super) fn new(identity: PodIdentity) -> Self {
        Self { tree: Tree::default(), identity, sum: HashSum::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.tree.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Arc<PodRecord>> + Clone {
        self.tree.iter().map(|pod| &pod.record)
    }

    /// From the pod on that does not stand before that name and uid.
    pub(super) fn records_from<'s>(
        &'s self,
        name: &str,
        uid: Option<&str>,
    ) -> impl Iterator<Item = &'s Arc<PodRecord>> + Clone + use<'s> {
        let identity = self.identity;
        self.tree.iter_from(|known| identity.order(&known.record, name, uid)).map(|pod| &pod.record)
    }

    /// The hashes of all of them.
    pub(super) fn sum(&self) -> HashSum {
        self.sum
    }

    /// The pod that is the same as this one, in whatever state.
    pub(super) fn same_as(&self, pod: &PodRecord) -> Option<&Pod> {
        self.tree.get(|known| self.identity.order(&known.record, &pod.name, pod.uid.as_deref()))
    }

    /// Gives the state of the pod that this one replaces.
    pub(super) fn insert(&mut self, pod: Pod) -> Option<Pod> {
        self.sum.add(pod.hash);
        let (identity, record) = (self.identity, Arc::clone(&pod.record));
        let replaced =
            self.tree.insert(|known| identity.order(&known.record, &record.name, record.uid.as_deref()), pod);
        if let Some(replaced) = &replaced {
            self.sum.remove(replaced.hash);
        }
        replaced
    }

    /// Takes the pod of that name away; one with another uid than the one that is meant stays.
    pub(super) fn remove(&mut self, name: &str, uid: Option<&str>) -> Option<Pod> {
        let identity = self.identity;
        let order = |known: &Pod| identity.order(&known.record, name, uid);
        let known = self.tree.get(order)?;
        if uid.is_some() && known.record.uid.as_deref() != uid {
            return None;
        }
        let gone = self.tree.remove(order)?;
        self.sum.remove(gone.hash);
        Some(gone)
    }

    /// Whether each pod is the very record that the other has in its place.
    pub(super) fn are_the_very(&self, others: &Self) -> bool {
        let same = |(a, b): (&Arc<PodRecord>, &Arc<PodRecord>)| Arc::ptr_eq(a, b);
        self.len() == others.len() && self.records().zip(others.records()).all(same)
    }

    /// Each pod of one side, and each that is another in both.
    pub(super) fn differences<'a>(
        before: &'a Self,
        after: &'a Self,
    ) -> impl Iterator<Item = (Option<&'a Arc<PodRecord>>, Option<&'a Arc<PodRecord>>)> {
        let identity = after.identity;
        let order = move |a: &Pod, b: &Pod| identity.order(&a.record, &b.record.name, b.record.uid.as_deref());
        let pairs = Tree::differences(&before.tree, &after.tree, order);
        let changed = pairs.filter(|(before, after)| before.map(|pod| pod.hash) != after.map(|pod| pod.hash));
        changed.map(|(before, after)| (before.map(|pod| &pod.record), after.map(|pod| &pod.record)))
    }
}

impl PodIdentity {
    fn order(self, known: &PodRecord, name: &str, uid: Option<&str>) -> Ordering {
        let by_name = (*known.name).cmp(name);
        match self {
            Self::Name => by_name,
            Self::NameAndUid => by_name.then_with(|| known.uid.as_deref().cmp(&uid)),
        }
    }
}
