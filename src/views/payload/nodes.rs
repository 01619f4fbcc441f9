//! The nodes of a snapshot by name, and those of them that run nothing that is sent.

use std::sync::Arc;

use foldhash::HashMap;

use super::element::{KeptValues, NodeElement};
use super::identity::{Identities, Uid};
use super::json_length;
use crate::inventory::{KeyFilter, PodRecord};
use crate::snapshot::Snapshot;

pub(super) struct Nodes {
    snapshot: Arc<Snapshot>,
    by_name: HashMap<Arc<str>, usize>,
    uids: Vec<Uid>,
    /// Bytes of each as it is sent: every payload of many may have it.
    lengths: Vec<u64>,
    /// Those that run no pod, once they are known.
    pub(super) idle: Vec<usize>,
}

impl Nodes {
    pub(super) fn new(snapshot: Arc<Snapshot>, identities: &Identities) -> Self {
        let by_name =
            snapshot.nodes().iter().enumerate().map(|(position, node)| (Arc::clone(&node.name), position)).collect();
        let uids = snapshot.nodes().iter().map(|node| identities.node(node)).collect();
        let mut nodes = Self { snapshot, by_name, uids, lengths: Vec::new(), idle: Vec::new() };
        nodes.lengths = (0..nodes.uids.len()).map(|position| json_length(&nodes.element(position))).collect();
        nodes
    }

    /// Finds the nodes that run none of these pods.
    pub(super) fn find_idle<'a>(&mut self, pods: impl Iterator<Item = &'a PodRecord>) {
        let mut is_idle = vec![true; self.snapshot.nodes().len()];
        for position in pods.filter_map(|pod| self.position_of(pod)) {
            is_idle[position] = false;
        }
        self.idle = (0..is_idle.len()).filter(|position| is_idle[*position]).collect();
    }

    /// The node that a pod runs on, if the snapshot has it.
    pub(super) fn position_of(&self, pod: &PodRecord) -> Option<usize> {
        self.by_name.get(pod.node.as_deref()?).copied()
    }

    pub(super) fn uid(&self, position: usize) -> Uid {
        self.uids[position]
    }

    /// Bytes of [`Self::element`].
    pub(super) fn length(&self, position: usize) -> u64 {
        self.lengths[position]
    }

    pub(super) fn element(&self, position: usize) -> NodeElement<'_> {
        let node = &self.snapshot.nodes()[position];
        NodeElement {
            name: &node.name,
            uid: self.uid(position),
            arch: &node.architecture,
            operating_system: &node.operating_system,
            kernel_version: &node.kernel_version,
            kubelet_version: &node.kubelet_version,
            kube_proxy_version: &node.kube_proxy_version,
            container_runtime_version: &node.container_runtime_version,
            labels: KeptValues::of(&node.metadata.labels, &KeyFilter::All),
            annotations: KeptValues::of(&node.metadata.annotations, &KeyFilter::All),
        }
    }
}
