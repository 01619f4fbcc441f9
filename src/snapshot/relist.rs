//! A relist that is under way: what its lists gave so far, list by list, so that one can begin again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::event::{ListScope, SkippedItem};
use super::snapshot::{Completeness, Missing, SKIPPED_SAMPLES};
use crate::inventory::{NamespaceRecord, NodeRecord, PodRecord};

/// Pods of one namespace by name.
pub(super) type Pods = BTreeMap<Box<str>, Arc<PodRecord>>;

#[derive(Debug, Default)]
pub(super) struct Relist {
    /// Namespaces that the cluster lists.
    pub(super) listed: BTreeMap<Arc<str>, Arc<NamespaceRecord>>,
    pub(super) nodes: BTreeMap<Arc<str>, Arc<NodeRecord>>,
    pub(super) pods: BTreeMap<Arc<str>, Pods>,
    /// Included by name and not there.
    pub(super) unknown: BTreeSet<Arc<str>>,
    begun: BTreeSet<ScopeKey>,
    refused: BTreeMap<ScopeKey, Arc<str>>,
    skipped: HashMap<ScopeKey, Skipped>,
}

/// A scope in an order: what concerns the whole cluster first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum ScopeKey {
    Namespaces,
    AllPods,
    PodsOf(Arc<str>),
    Nodes,
}

#[derive(Debug, Default)]
struct Skipped {
    count: u64,
    samples: Vec<SkippedItem>,
    namespaces: BTreeSet<Arc<str>>,
    /// Items whose namespace could not be told.
    unplaced: u64,
}

impl From<ListScope> for ScopeKey {
    fn from(scope: ListScope) -> Self {
        match scope {
            ListScope::Namespaces => Self::Namespaces,
            ListScope::AllPods => Self::AllPods,
            ListScope::PodsOf(namespace) => Self::PodsOf(namespace),
            ListScope::Nodes => Self::Nodes,
        }
    }
}

impl Relist {
    /// A list begins; when it is not for the first time, what it gave is dropped.
    pub(super) fn begin(&mut self, scope: ListScope) {
        let key = self.drop_list(scope);
        self.refused.remove(&key);
        self.begun.insert(key);
    }

    fn drop_list(&mut self, scope: ListScope) -> ScopeKey {
        match &scope {
            ListScope::Namespaces => self.listed.clear(),
            ListScope::AllPods => self.pods.clear(),
            ListScope::PodsOf(namespace) => {
                self.pods.remove(namespace);
            }
            ListScope::Nodes => self.nodes.clear(),
        }
        let key = ScopeKey::from(scope);
        self.skipped.remove(&key);
        key
    }

    pub(super) fn insert(&mut self, pod: Arc<PodRecord>) {
        self.pods.entry(Arc::clone(&pod.namespace)).or_default().insert(pod.name.clone(), pod);
    }

    /// A list is refused. Rights may end between two pages: what the first ones gave is then no whole list.
    pub(super) fn refuse(&mut self, scope: ListScope, reason: Arc<str>) {
        let key = self.drop_list(scope);
        self.refused.insert(key, reason);
    }

    pub(super) fn skip(&mut self, item: SkippedItem) {
        let skipped = self.skipped.entry(item.scope.clone().into()).or_default();
        skipped.count += 1;
        match &item.namespace {
            Some(namespace) => drop(skipped.namespaces.insert(Arc::clone(namespace))),
            None if item.scope != ListScope::Nodes => skipped.unplaced += 1,
            None => {}
        }
        if skipped.samples.len() < SKIPPED_SAMPLES {
            skipped.samples.push(item);
        }
    }

    /// Whether the pods were asked for cluster-wide: then a namespace that nothing names does not exist.
    pub(super) fn is_cluster_wide(&self) -> bool {
        self.begun.contains(&ScopeKey::AllPods)
    }

    /// Why the pods of a namespace could not be listed.
    pub(super) fn refusal(&self, namespace: &Arc<str>) -> Option<&Arc<str>> {
        self.refused.get(&ScopeKey::AllPods).or_else(|| self.refused.get(&ScopeKey::PodsOf(Arc::clone(namespace))))
    }

    /// The namespaces whose lists were refused.
    pub(super) fn refused_namespaces(&self) -> impl Iterator<Item = &Arc<str>> {
        self.refused.keys().filter_map(|key| match key {
            ScopeKey::PodsOf(namespace) => Some(namespace),
            ScopeKey::Namespaces | ScopeKey::AllPods | ScopeKey::Nodes => None,
        })
    }

    /// What the relist lacks; `cut_short` is what its source knows to be missing besides.
    pub(super) fn completeness(&self, cut_short: Option<Arc<str>>) -> Completeness {
        let whole = cut_short.map(|reason| Missing { namespace: None, reason });
        // Nodes are an addition to what is sent: nothing that is said of images follows from them.
        let refused = self.refused.iter().filter(|(key, _)| **key != ScopeKey::Nodes).map(|(key, reason)| {
            let namespace = match key {
                ScopeKey::PodsOf(namespace) => Some(Arc::clone(namespace)),
                ScopeKey::Namespaces | ScopeKey::AllPods | ScopeKey::Nodes => None,
            };
            Missing { namespace, reason: Arc::clone(reason) }
        });
        let mut missing: Vec<Missing> = whole.into_iter().chain(refused).collect();
        missing.sort();
        let mut keys: Vec<&ScopeKey> = self.skipped.keys().collect();
        keys.sort();
        let skipped_samples =
            keys.iter().flat_map(|key| self.skipped[*key].samples.iter().cloned()).take(SKIPPED_SAMPLES).collect();
        let skipped = self.skipped.values().map(|skipped| skipped.count).sum();
        let skipped_namespaces = self.skipped.values().flat_map(|skipped| skipped.namespaces.iter().cloned()).collect();
        let skipped_unplaced = self.skipped.values().map(|skipped| skipped.unplaced).sum();
        Completeness { missing, skipped, skipped_samples, skipped_namespaces, skipped_unplaced }
    }
}
