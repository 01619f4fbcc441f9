//! How much something is used: counted while all pods are gone through in their order.

use std::hash::Hash;

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use super::filter::{Entry, Filter};
use super::flag::Flags;
use crate::inventory::Workload;
use crate::snapshot::Snapshot;

/// Who uses an image, or several of them.
pub(super) struct Count<'a> {
    pub(super) containers: usize,
    pub(super) pods: usize,
    pub(super) namespaces: usize,
    pub(super) owners: usize,
    /// What all containers tell together.
    pub(super) flags: Flags,
    last_pod: Option<usize>,
    last_namespace: Option<usize>,
    /// Of the last namespace.
    workloads: HashSet<Workload<'a>>,
}

/// The use of all images that the filter wants, those of one key together; `None` of an image that is left out.
pub(super) fn count<'a, K: Eq + Hash>(
    snapshot: &'a Snapshot,
    filter: &Filter,
    key: impl Fn(Entry<'a>) -> Option<K>,
) -> HashMap<K, Count<'a>> {
    let mut counts: HashMap<K, Count<'a>> = HashMap::new();
    let mut of_images: HashMap<Entry<'a>, Flags> = HashMap::new();
    let mut pods = 0;
    let parts = snapshot.namespaces().iter().filter(|part| filter.wants_namespace(part));
    for (namespace, part) in parts.enumerate() {
        for pod in filter.pods_of(part, "", None).filter(|pod| filter.wants_pod(pod)) {
            pods += 1;
            let workload = pod.owner.as_ref().map(|owner| owner.workload());
            for container in pod.containers.iter().filter(|container| filter.wants_container(container)) {
                for entry in Entry::of(container).filter(|entry| filter.wants_entry(*entry)) {
                    let of_image = || Flags::of_image(snapshot, entry.image, entry.digest.is_some());
                    let flags = Flags::of_container(*of_images.entry(entry).or_insert_with(of_image), container);
                    let Some(key) = key(entry).filter(|_| filter.wants_flags(flags)) else { continue };
                    counts.entry(key).or_insert_with(|| Count::new(flags)).add(flags, namespace, pods, workload);
                }
            }
        }
    }
    counts
}

impl<'a> Count<'a> {
    fn new(flags: Flags) -> Self {
        Self {
            containers: 0,
            pods: 0,
            namespaces: 0,
            owners: 0,
            flags,
            last_pod: None,
            last_namespace: None,
            workloads: HashSet::new(),
        }
    }

    fn add(&mut self, flags: Flags, namespace: usize, pod: usize, workload: Option<Workload<'a>>) {
        self.flags = self.flags.together(flags);
        self.containers += 1;
        self.pods += usize::from(self.last_pod.replace(pod) != Some(pod));
        if self.last_namespace.replace(namespace) != Some(namespace) {
            self.namespaces += 1;
            self.workloads.clear();
        }
        // A workload is of one namespace.
        self.owners += usize::from(workload.is_some_and(|workload| self.workloads.insert(workload)));
    }
}
