//! k8s-inventory's payload: namespaces, nodes, pods and containers, each a list of its own, joined by ids.
//!
//! Every payload stands alone: whatever a pod points at is in it, and is written again where a pod that points at it is.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::containers::containers;
use super::element::{KeptValues, NamespaceElement, PodElement};
use super::identity::{Identities, Uid};
use super::nodes::Nodes;
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
    identities: Identities,
    nodes: Nodes,
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
        let identities = Identities::new(&snapshot, &parts, &policy);
        let mut nodes = Nodes::new(Arc::clone(&snapshot), &identities);
        if with_idle_nodes {
            // A node whose pods are sent elsewhere is not idle.
            let everywhere = snapshot.namespaces().iter().filter(|part| is_listed(part, &policy));
            nodes.find_idle(everywhere.flat_map(|part| counted(part, &policy)));
        }
        let mut content = Self { snapshot, timestamp, policy, namespace_rule, parts, identities, nodes, frame: 0 };
        let frame = json_length(&content.body(&Slice::default()));
        content.frame = frame;
        content
    }

    pub(super) fn body<'a>(&'a self, slice: &'a Slice) -> impl Serialize + 'a {
        Body {
            cluster_name: self.snapshot.cluster_name(),
            server_version_metadata: self.snapshot.server_version(),
            timestamp: self.timestamp,
            namespaces: Lazy(|| slice.parts().map(|(part, _)| self.namespace(part))),
            nodes: (!slice.nodes.is_empty())
                .then_some(Lazy(|| slice.nodes.iter().map(|node| self.nodes.element(*node)))),
            pods: Lazy(|| {
                self.pods(slice).map(|(pod, namespace_uid)| {
                    let node_uid = self.nodes.position_of(pod).map(|node| self.nodes.uid(node));
                    pod_element(pod, self.identities.pod(pod), namespace_uid, node_uid)
                })
            }),
            containers: Lazy(|| {
                self.pods(slice).flat_map(|(pod, _)| {
                    let make = |fields: &[&str]| self.identities.made_entry(pod, fields);
                    containers(pod, self.identities.pod(pod), &self.policy, &self.identities, make)
                })
            }),
        }
    }

    /// The pods of a payload, each with the uid of its namespace.
    fn pods<'a>(&'a self, slice: &'a Slice) -> impl Iterator<Item = (&'a PodRecord, Uid)> {
        slice.parts().flat_map(|(part, items)| {
            let part = &self.parts[part];
            let uid = self.identities.namespace(part);
            counted(part, &self.policy).skip(items.start).take(items.len()).map(move |pod| (pod, uid))
        })
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
    fn idle_nodes(&self) -> &[usize] {
        &self.nodes.idle
    }

    fn node_length(&self, node: usize) -> u64 {
        self.nodes.length(node)
    }

    fn parts(&self) -> usize {
        self.parts.len()
    }

    fn part_length(&self, part: usize) -> u64 {
        json_length(&self.namespace(part))
    }

    fn items(&self, part: usize, from: usize) -> impl Iterator<Item = Item> {
        let any = Uid::ANY;
        counted(&self.parts[part], &self.policy).skip(from).map(move |pod| {
            let node = self.nodes.position_of(pod);
            let element = pod_element(pod, any, any, node.map(|_| any));
            let mut item = Item { bytes: json_length(&element), containers: 0, node };
            for container in containers(pod, any, &self.policy, &self.identities, |_| any) {
                item.bytes += json_length(&container);
                item.containers += 1;
            }
            item
        })
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
