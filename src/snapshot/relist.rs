//! A list under way: what it gave since it began, beside what counts until it has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::completeness::ListOutcome;
use super::event::{ListScope, PodIdentity};
use super::pods::{Pod, Pods};
use crate::inventory::{NamespaceRecord, NodeRecord};

#[derive(Debug)]
pub(super) struct Relist {
    pub(super) found: Found,
    pub(super) outcome: ListOutcome,
    pub(super) has_ended: bool,
}

#[derive(Debug)]
pub(super) enum Found {
    Namespaces {
        listed: BTreeMap<Arc<str>, Arc<NamespaceRecord>>,
        /// Included by name and not there.
        unknown: BTreeSet<Arc<str>>,
    },
    Pods(FoundPods),
    Nodes(Nodes),
}

/// Pods by namespace.
#[derive(Debug)]
pub(super) struct FoundPods {
    identity: PodIdentity,
    by_namespace: BTreeMap<Arc<str>, Pods>,
}

/// Nodes by name.
pub(super) type Nodes = BTreeMap<Arc<str>, Arc<NodeRecord>>;

impl Relist {
    pub(super) fn new(scope: &ListScope, identity: PodIdentity) -> Self {
        let found = match scope {
            ListScope::Namespaces => Found::Namespaces { listed: BTreeMap::new(), unknown: BTreeSet::new() },
            ListScope::AllPods | ListScope::PodsOf(_) => {
                Found::Pods(FoundPods { identity, by_namespace: BTreeMap::new() })
            }
            ListScope::Nodes => Found::Nodes(Nodes::new()),
        };
        Self { found, outcome: ListOutcome::default(), has_ended: false }
    }
}

impl FoundPods {
    pub(super) fn insert(&mut self, pod: Pod) {
        let namespace = &pod.record.namespace;
        if let Some(pods) = self.by_namespace.get_mut(namespace) {
            pods.insert(pod);
        } else {
            let mut pods = Pods::new(self.identity);
            let namespace = Arc::clone(namespace);
            pods.insert(pod);
            self.by_namespace.insert(namespace, pods);
        }
    }

    pub(super) fn get_mut(&mut self, namespace: &str) -> Option<&mut Pods> {
        self.by_namespace.get_mut(namespace)
    }

    pub(super) fn namespaces(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_namespace.keys()
    }

    /// The pods of a namespace: none when it gave none.
    pub(super) fn take(&mut self, namespace: &str) -> Pods {
        self.by_namespace.remove(namespace).unwrap_or_else(|| Pods::new(self.identity))
    }
}
