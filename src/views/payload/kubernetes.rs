//! k8s-inventory's payload: namespaces, nodes, pods and containers, each a list of its own, joined by ids.
//!
//! Every payload stands alone: whatever a pod points at is in it, and is written again where a pod that points at it is.

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::containers::containers;
use super::element::{ContainerElement, ContainerId, KeptValues, NamespaceElement, PodElement};
use super::identity::{GivenIds, Identities, Uid};
use super::nodes::{NodeNumber, Nodes};
use super::plan::{Item, Pieces, Slice, Tally};
use super::{Lazy, PayloadRequest, json_length};
use crate::inventory::{KeyFilter, MetadataRule, PodRecord, ReportPolicy};
use crate::snapshot::{NamespacePart, NamespaceState, ServerVersion, Snapshot};
use crate::views::images::{counts, has_images};
use crate::views::report::{ServerVersionMetadata, utc_seconds};

/// What stands around the nodes where there are any.
const NODES: &str = r#","nodes":[]"#;

/// What `kubernetes-inventory` takes.
pub(super) struct KubernetesInventory {
    snapshot: Arc<Snapshot>,
    timestamp: Timestamp,
    policy: ReportPolicy,
    namespace_rule: MetadataRule,
    parts: Vec<Arc<NamespacePart>>,
    /// The pods of all parts, one part after the other.
    items: Vec<Item>,
    /// How many items stand before those of each part.
    begins: Vec<usize>,
    identities: Identities,
    nodes: Nodes,
    idle_nodes: Vec<NodeNumber>,
    /// Bytes of a body with nothing in it.
    frame: u64,
}

#[derive(Serialize)]
struct Body<'a, Namespaces, Elements, Pods, Containers> {
    cluster_name: &'a str,
    #[serde(rename = "serverVersionMetadata", with = "ServerVersionMetadata")]
    server_version_metadata: &'a ServerVersion,
    #[serde(serialize_with = "utc_seconds")]
    timestamp: Timestamp,
    namespaces: Namespaces,
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Option<Elements>,
    pods: Pods,
    containers: Containers,
}

impl KubernetesInventory {
    pub(super) fn new(request: PayloadRequest) -> Self {
        let PayloadRequest {
            snapshot, timestamp, namespaces: mut parts, policy, namespace_rule, with_idle_nodes, ..
        } = request;
        parts.retain(|part| is_listed(part, &policy));
        let mut content = Self {
            identities: Identities::new(snapshot.cluster_name()),
            nodes: Nodes::new(Arc::clone(&snapshot)),
            items: Vec::with_capacity(parts.iter().map(|part| part.pod_count()).sum()),
            begins: Vec::with_capacity(parts.len()),
            idle_nodes: Vec::new(),
            frame: 0,
            snapshot,
            timestamp,
            policy,
            namespace_rule,
            parts,
        };
        let given = content.count();
        if content.identities.withdraw_shared(given) {
            // Made ids are of another length.
            content.count();
        }
        content.nodes.identify(&content.identities);
        if with_idle_nodes {
            content.idle_nodes = content.find_idle_nodes();
        }
        let frame = json_length(&content.body(&Slice::default()));
        content.frame = frame;
        content
    }

    /// Counts what each pod takes. Gives the ids that the cluster gave to what is sent.
    fn count(&mut self) -> GivenIds {
        let pods = self.parts.iter().flat_map(|part| counted(part, &self.policy));
        let most =
            pods.map(|pod| 1 + pod.containers.len()).sum::<usize>() + self.parts.len() + self.snapshot.nodes().len();
        let mut given = GivenIds::with_capacity(most);
        self.snapshot.nodes().iter().for_each(|node| given.add_node(node));
        let (mut items, mut begins) = (std::mem::take(&mut self.items), std::mem::take(&mut self.begins));
        items.clear();
        begins.clear();
        for part in &self.parts {
            given.add_namespace(part);
            begins.push(items.len());
            items.extend(counted(part, &self.policy).map(|pod| self.item(pod, &mut given)));
        }
        (self.items, self.begins) = (items, begins);
        given
    }

    fn item(&self, pod: &PodRecord, given: &mut GivenIds) -> Item {
        let any = Uid::ANY;
        let node = self.nodes.of(pod);
        let mut item = Item { bytes: json_length(&pod_element(pod, any, any, node.map(|_| any))), containers: 0, node };
        given.add_pod(pod);
        for container in containers(pod, any, &self.policy, &self.identities, |_| any) {
            item.bytes += json_length(&container);
            item.containers += 1;
            if let ContainerId::Own(id) = container.id {
                given.add_container(id);
            }
        }
        item
    }

    /// Those that run none of the cluster's pods: a node whose pods are sent elsewhere is not idle.
    fn find_idle_nodes(&self) -> Vec<NodeNumber> {
        let is_sent = |part: &NamespacePart| self.parts.binary_search_by(|sent| sent.name().cmp(part.name())).is_ok();
        let elsewhere =
            self.snapshot.namespaces().iter().filter(|part| is_listed(part, &self.policy) && !is_sent(part));
        let elsewhere = elsewhere.flat_map(|part| counted(part, &self.policy)).filter_map(|pod| self.nodes.of(pod));
        self.nodes.idle(self.items.iter().filter_map(|item| item.node).chain(elsewhere))
    }

    pub(super) fn body<'a>(&'a self, slice: &'a Slice) -> impl Serialize + 'a {
        Body {
            cluster_name: self.snapshot.cluster_name(),
            server_version_metadata: self.snapshot.server_version(),
            timestamp: self.timestamp,
            namespaces: Lazy(|| slice.parts().map(|(part, _)| self.namespace(part))),
            nodes: (!slice.nodes.is_empty())
                .then_some(Lazy(|| slice.nodes.iter().map(|node| self.nodes.element(*node)))),
            pods: Lazy(|| slice.parts().flat_map(|(part, items)| self.pod_elements(part, items))),
            containers: Lazy(|| slice.parts().flat_map(|(part, items)| self.container_elements(part, items))),
        }
    }

    fn pod_elements(&self, part: usize, items: Range<usize>) -> impl Iterator<Item = PodElement<'_>> {
        let namespace_uid = self.identities.namespace(&self.parts[part]);
        self.pods(part, items).map(move |(pod, item)| {
            let node_uid = item.node.map(|node| self.nodes.uid(node));
            pod_element(pod, self.identities.pod(pod), namespace_uid, node_uid)
        })
    }

    fn container_elements(&self, part: usize, items: Range<usize>) -> impl Iterator<Item = ContainerElement<'_>> {
        self.pods(part, items).flat_map(|(pod, _)| {
            let make = |fields: &[&str]| self.identities.made_entry(pod, fields);
            containers(pod, self.identities.pod(pod), &self.policy, &self.identities, make)
        })
    }

    /// Some pods of a part.
    fn pods(&self, part: usize, items: Range<usize>) -> impl Iterator<Item = (&PodRecord, &Item)> {
        let pods = counted(&self.parts[part], &self.policy).zip(self.items_of(part));
        pods.skip(items.start).take(items.len())
    }

    fn items_of(&self, part: usize) -> &[Item] {
        let end = self.begins.get(part + 1).copied().unwrap_or(self.items.len());
        &self.items[self.begins[part]..end]
    }

    fn namespace(&self, part: usize) -> NamespaceElement<'_> {
        let part = &self.parts[part];
        let metadata = part.record().map(|record| &record.metadata);
        let MetadataRule { labels, annotations } = &self.namespace_rule;
        NamespaceElement {
            name: part.name(),
            uid: self.identities.namespace(part),
            labels: metadata.and_then(|metadata| KeptValues::of(&metadata.labels, labels)),
            annotations: metadata.and_then(|metadata| KeptValues::of(&metadata.annotations, annotations)),
        }
    }
}

impl Pieces for KubernetesInventory {
    fn idle_nodes(&self) -> &[NodeNumber] {
        &self.idle_nodes
    }

    fn node_length(&self, node: NodeNumber) -> u64 {
        self.nodes.length(node)
    }

    fn parts(&self) -> usize {
        self.parts.len()
    }

    fn part_length(&self, part: usize) -> u64 {
        json_length(&self.namespace(part))
    }

    fn items(&self, part: usize, from: usize) -> impl Iterator<Item = Item> {
        self.items_of(part).iter().skip(from).copied()
    }

    fn body_length(&self, tally: &Tally) -> u64 {
        let lists = [tally.namespaces, tally.nodes, tally.items, tally.containers];
        let commas: usize = lists.iter().map(|elements| elements.saturating_sub(1)).sum();
        let nodes = if tally.nodes > 0 { NODES.len() } else { 0 };
        self.frame + tally.bytes + (commas + nodes) as u64
    }
}

fn pod_element(pod: &PodRecord, uid: Uid, namespace_uid: Uid, node_uid: Option<Uid>) -> PodElement<'_> {
    let metadata = pod.metadata.as_deref();
    PodElement {
        name: &pod.name,
        uid,
        namespace_uid,
        node_uid,
        labels: metadata.and_then(|metadata| KeptValues::of(&metadata.labels, &KeyFilter::All)),
        annotations: metadata.and_then(|metadata| KeptValues::of(&metadata.annotations, &KeyFilter::All)),
    }
}

/// A namespace that does not exist, or of which nothing is known, is not listed as one.
fn is_listed(part: &NamespacePart, policy: &ReportPolicy) -> bool {
    part.state() == NamespaceState::Read && (!policy.ignore_empty || has_images(part, policy))
}

fn counted<'a>(part: &'a NamespacePart, policy: &'a ReportPolicy) -> impl Iterator<Item = &'a PodRecord> {
    part.pods().map(AsRef::as_ref).filter(|pod| counts(pod, policy))
}
