//! The nodes of a snapshot as they are sent, by name and by number.

use std::num::NonZeroU32;
use std::sync::Arc;

use foldhash::HashMap;

use super::element::{KeptValues, NodeElement};
use super::identity::{Identities, Uid};
use super::json_length;
use crate::inventory::{KeyFilter, PodRecord};
use crate::snapshot::Snapshot;

pub(super) struct Nodes {
    snapshot: Arc<Snapshot>,
    by_name: HashMap<Arc<str>, NodeNumber>,
    uids: Vec<Uid>,
    /// Bytes of each as it is sent: every payload of many may have it.
    lengths: Vec<u64>,
}

/// Which node of the snapshot, counted from one: a hundred thousand pods each keep theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NodeNumber(NonZeroU32);

impl NodeNumber {
    /// No snapshot has four billion nodes.
    fn at(position: usize) -> Option<Self> {
        Some(Self(NonZeroU32::MIN.checked_add(u32::try_from(position).ok()?)?))
    }

    fn position(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl Nodes {
    /// The nodes have no uids until [`Self::identify`].
    pub(super) fn new(snapshot: Arc<Snapshot>) -> Self {
        let uids = vec![Uid::ANY; snapshot.nodes().len()];
        let mut nodes = Self { snapshot, by_name: HashMap::default(), uids, lengths: Vec::new() };
        let names = nodes.snapshot.nodes().iter().map(|node| Arc::clone(&node.name));
        nodes.by_name = names.zip(nodes.numbers()).collect();
        nodes.lengths = nodes.numbers().map(|node| json_length(&nodes.element(node))).collect();
        nodes
    }

    pub(super) fn identify(&mut self, identities: &Identities) {
        self.uids = self.snapshot.nodes().iter().map(|node| identities.node(node)).collect();
    }

    /// Those that are none of these.
    pub(super) fn idle(&self, busy: impl Iterator<Item = NodeNumber>) -> Vec<NodeNumber> {
        let mut is_busy = vec![false; self.uids.len()];
        busy.for_each(|node| is_busy[node.position()] = true);
        self.numbers().filter(|node| !is_busy[node.position()]).collect()
    }

    /// The node that a pod runs on, if the snapshot has it.
    pub(super) fn of(&self, pod: &PodRecord) -> Option<NodeNumber> {
        self.by_name.get(pod.node.as_deref()?).copied()
    }

    pub(super) fn uid(&self, node: NodeNumber) -> Uid {
        self.uids[node.position()]
    }

    fn numbers(&self) -> impl Iterator<Item = NodeNumber> + use<> {
        (0..self.uids.len()).filter_map(NodeNumber::at)
    }

    /// Bytes of [`Self::element`].
    pub(super) fn length(&self, node: NodeNumber) -> u64 {
        self.lengths[node.position()]
    }

    pub(super) fn element(&self, number: NodeNumber) -> NodeElement<'_> {
        let node = &self.snapshot.nodes()[number.position()];
        NodeElement {
            name: &node.name,
            uid: self.uid(number),
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
