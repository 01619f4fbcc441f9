//! The successor's payload: namespaces, nodes, pods and containers, each a list of its own, joined by ids.
//!
//! Every payload stands alone: whatever a pod points at is in it, and is written again where a pod that points at it is.

use std::sync::Arc;
use std::vec;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use super::body::{Chunk, PayloadBody};
use super::containers::{Containers, Images};
use super::element::{NamespaceElement, PodElement};
use super::identity::{Identities, Place, Seen, Shared, Uid, own_id};
use super::json::{Json as _, Scratch};
use super::metadata::KeptValues;
use super::node::{NodeMark, Nodes, element_offset};
use super::section::Section;
use super::{Payload, PayloadRequest, Writer};
use crate::inventory::{KeyFilter, MetadataRule, PodRecord, ReportPolicy};
use crate::snapshot::{NamespacePart, NamespaceState, Snapshot};
use crate::views::images::{ReportedImage, counts, has_images};
use crate::views::report::{ServerVersionMetadata, utc_seconds};

const NODES: &str = r#"],"nodes":["#;
const PODS: &str = r#"],"pods":["#;
const CONTAINERS: &str = r#"],"containers":["#;
const END: &str = "]}";

pub(super) struct KubernetesWriter {
    policy: ReportPolicy,
    namespace_rule: MetadataRule,
    identities: Identities,
    shared_namespace_uids: Shared,
    shared_pod_uids: Shared,
    shared_ids: Shared,
    /// What stands before the namespaces in every payload.
    head: Bytes,
    idle_nodes: vec::IntoIter<usize>,
    /// All of them stay, as what is remembered of images wants it.
    parts: Vec<Arc<NamespacePart>>,
    /// Position of the next one.
    next_part: usize,
    open: Option<OpenNamespace>,
    nodes: Nodes,
    /// Where the last idle node begins.
    last_node: NodeMark,
    namespaces: Section,
    pods: Section,
    containers: Section,
    counts: Counts,
    /// Those of all payloads.
    images: Images,
}

/// The namespace that is being written.
struct OpenNamespace {
    part: Arc<NamespacePart>,
    uid: Uid,
    /// Position of the next pod.
    next: usize,
    /// Its pods in the payload.
    pods: usize,
    /// Where it begins in the payload, and where its last pod does.
    start: Mark,
    last: Mark,
    /// Nodes of its pods in the payload but the last one's, and that one's.
    needed: Vec<usize>,
    newest: Option<usize>,
}

/// A place between two pieces of the payload.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    nodes: NodeMark,
    namespaces: usize,
    pods: usize,
    containers: usize,
    counts: Counts,
}

/// What a payload has of each.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    namespaces: usize,
    pods: usize,
    containers: usize,
}

/// What is said of the cluster in every payload.
#[derive(Serialize)]
struct Head<'a> {
    cluster_name: &'a str,
    #[serde(rename = "serverVersionMetadata")]
    server_version_metadata: ServerVersionMetadata,
    #[serde(serialize_with = "utc_seconds")]
    timestamp: Timestamp,
}

impl KubernetesWriter {
    pub(super) fn new(request: PayloadRequest) -> Self {
        let PayloadRequest { snapshot, namespaces, policy, namespace_rule, with_idle_nodes, .. } = request;
        let parts: Vec<_> = namespaces.into_iter().filter(|part| is_listed(part, &policy)).collect();
        let mut identities = Identities::new(snapshot.cluster_name());
        let nodes = Nodes::new(Arc::clone(&snapshot), &mut identities);
        let mut is_idle = vec![with_idle_nodes; snapshot.nodes().len()];
        let mut runs = |pod: &PodRecord| {
            if with_idle_nodes && let Some(node) = nodes.position_of(pod) {
                is_idle[node] = false;
            }
        };
        let (mut namespace_uids, mut pod_uids, mut ids) = (Seen::default(), Seen::default(), Seen::default());
        for part in &parts {
            namespace_uids.take_uid(uid_of(part));
            for pod in part.pods().filter(|pod| counts(pod, &policy)) {
                runs(pod);
                pod_uids.take_uid(pod.uid.as_deref());
                for container in &pod.containers {
                    let entries = ReportedImage::of(container, &policy).count();
                    own_id(container).into_iter().for_each(|id| (0..entries).for_each(|_| ids.take_id(id)));
                }
            }
        }
        if with_idle_nodes {
            // A node whose pods are sent elsewhere is not idle.
            let is_here = |name: &str| parts.binary_search_by(|part| (**part.name()).cmp(name)).is_ok();
            let others = snapshot.namespaces().iter().filter(|part| !is_here(part.name()) && is_listed(part, &policy));
            others.flat_map(|part| part.pods()).filter(|pod| counts(pod, &policy)).for_each(|pod| runs(pod));
        }
        let idle_nodes: Vec<usize> = (0..is_idle.len()).filter(|position| is_idle[*position]).collect();
        Self {
            shared_namespace_uids: namespace_uids.shared(),
            shared_pod_uids: pod_uids.shared(),
            shared_ids: ids.shared(),
            head: head(&snapshot),
            idle_nodes: idle_nodes.into_iter(),
            parts,
            next_part: 0,
            policy,
            namespace_rule,
            identities,
            nodes,
            open: None,
            last_node: NodeMark::default(),
            namespaces: Section::default(),
            pods: Section::default(),
            containers: Section::default(),
            counts: Counts::default(),
            images: Images::default(),
        }
    }

    fn begin(&mut self, part: Arc<NamespacePart>) {
        let start = self.mark();
        let place = Place { kind: "namespace", namespace: "", name: part.name() };
        let uid = self.identities.uid(uid_of(&part), &self.shared_namespace_uids, place);
        self.push_namespace(&part, uid);
        let last = self.mark();
        self.open = Some(OpenNamespace { part, uid, next: 0, pods: 0, start, last, needed: Vec::new(), newest: None });
    }

    fn push_namespace(&mut self, part: &NamespacePart, uid: Uid) {
        let metadata = part.record().map(|record| &record.metadata);
        let MetadataRule { labels, annotations } = &self.namespace_rule;
        self.namespaces.begin_element();
        self.namespaces.push_value(&NamespaceElement {
            name: part.name(),
            uid,
            labels: metadata.and_then(|metadata| KeptValues::of(&metadata.labels, labels)),
            annotations: metadata.and_then(|metadata| KeptValues::of(&metadata.annotations, annotations)),
        });
        self.counts.namespaces += 1;
    }

    /// Writes a pod with its containers and its node. Gives the node's position.
    fn push_pod(&mut self, pod: &PodRecord, namespace_uid: Uid) -> Option<usize> {
        let node = self.nodes.position_of(pod);
        node.into_iter().for_each(|node| self.nodes.write(node));
        let place = Place { kind: "pod", namespace: &pod.namespace, name: &pod.name };
        let uid = self.identities.uid(pod.uid.as_deref(), &self.shared_pod_uids, place);
        let metadata = pod.metadata.as_deref();
        let element = PodElement {
            name: &pod.name,
            uid,
            namespace_uid,
            node_uid: node.map(|node| self.nodes.uid(node)),
            labels: metadata.and_then(|metadata| KeptValues::of(&metadata.labels, &KeyFilter::All)),
            annotations: metadata.and_then(|metadata| KeptValues::of(&metadata.annotations, &KeyFilter::All)),
        };
        element.push_to(&mut self.pods);
        self.counts.pods += 1;
        let mut containers = Containers {
            policy: &self.policy,
            identities: &mut self.identities,
            shared_ids: &self.shared_ids,
            images: &mut self.images,
            section: &mut self.containers,
        };
        self.counts.containers += containers.push(pod, uid, place);
        node
    }

    fn mark(&self) -> Mark {
        Mark {
            nodes: self.nodes.mark(),
            namespaces: self.namespaces.len(),
            pods: self.pods.len(),
            containers: self.containers.len(),
            counts: self.counts,
        }
    }

    /// Ends the payload at `mark`; what stands behind it begins the next one, but for nodes, which are given.
    fn payload(&mut self, mark: Mark, nodes: Section) -> Payload {
        let counts = mark.counts;
        let moved = self.namespaces.split_off_elements(mark.namespaces);
        let namespaces = std::mem::replace(&mut self.namespaces, moved);
        let moved = self.pods.split_off_elements(mark.pods);
        let pods = std::mem::replace(&mut self.pods, moved);
        let moved = self.containers.split_off_elements(mark.containers);
        let containers = std::mem::replace(&mut self.containers, moved);
        self.counts.namespaces -= counts.namespaces;
        self.counts.pods -= counts.pods;
        self.counts.containers -= counts.containers;

        let plain = |json: &'static str| Chunk::plain(Bytes::from_static(json.as_bytes()));
        let mut chunks = vec![Chunk::plain(self.head.clone())];
        chunks.extend(namespaces.into_chunks());
        if !nodes.is_empty() {
            chunks.push(plain(NODES));
            chunks.extend(nodes.into_chunks());
        }
        for (before, section) in [(PODS, pods), (CONTAINERS, containers)] {
            chunks.push(plain(before));
            chunks.extend(section.into_chunks());
        }
        chunks.push(plain(END));
        let body = PayloadBody::new(chunks, self.images.kept());
        let Counts { namespaces, pods, containers } = counts;
        Payload { body, namespaces, pods, containers }
    }

    /// Cuts before the namespace under way; all of it moves.
    fn cut_namespace(&mut self, open: &mut OpenNamespace) -> Payload {
        let OpenNamespace { start, last, .. } = *open;
        let (nodes, begun) = self.nodes.cut(start.nodes, last.nodes, &open.needed, open.newest);
        open.last = Mark {
            nodes: begun,
            namespaces: element_offset(start.namespaces, last.namespaces),
            pods: element_offset(start.pods, last.pods),
            containers: element_offset(start.containers, last.containers),
            counts: Counts {
                namespaces: last.counts.namespaces - start.counts.namespaces,
                pods: last.counts.pods - start.counts.pods,
                containers: last.counts.containers - start.counts.containers,
            },
        };
        open.start = Mark::default();
        self.payload(start, nodes)
    }

    /// Cuts before the last pod; the namespace is there again in the next payload.
    fn cut_pod(&mut self, open: &mut OpenNamespace) -> Payload {
        let (nodes, _) = self.nodes.cut(open.last.nodes, open.last.nodes, &[], open.newest);
        let payload = self.payload(open.last, nodes);
        self.push_namespace(&open.part, open.uid);
        open.needed.clear();
        open.pods = 1;
        open.last = Mark {
            namespaces: self.namespaces.len(),
            counts: Counts { namespaces: 1, ..Counts::default() },
            ..Mark::default()
        };
        payload
    }
}

impl Writer for KubernetesWriter {
    fn write_next(&mut self) -> bool {
        if let Some(node) = self.idle_nodes.next() {
            self.last_node = self.nodes.mark();
            self.nodes.write(node);
            return true;
        }
        if let Some(mut open) = self.open.take() {
            let part = Arc::clone(&open.part);
            let ahead = part.pods().enumerate().skip(open.next);
            if let Some((position, pod)) = ahead.into_iter().find(|(_, pod)| counts(pod, &self.policy)) {
                open.last = self.mark();
                open.needed.extend(open.newest.filter(|newest| open.needed.last() != Some(newest)));
                open.newest = self.push_pod(pod, open.uid);
                open.next = position + 1;
                open.pods += 1;
                self.open = Some(open);
                return true;
            }
        }
        let next = self.parts.get(self.next_part).cloned();
        let is_there = next.is_some();
        self.next_part += usize::from(is_there);
        next.into_iter().for_each(|part| self.begin(part));
        is_there
    }

    fn bytes(&self) -> u64 {
        let nodes = if self.nodes.is_empty() { 0 } else { NODES.len() + self.nodes.len() };
        let lists = [self.namespaces.len(), nodes, self.pods.len(), self.containers.len()];
        (self.head.len() + lists.iter().sum::<usize>() + PODS.len() + CONTAINERS.len() + END.len()) as u64
    }

    fn namespaces(&self) -> usize {
        self.counts.namespaces
    }

    fn is_empty(&self) -> bool {
        self.namespaces.is_empty() && self.nodes.is_empty()
    }

    fn cut(&mut self) -> Option<Payload> {
        let Some(mut open) = self.open.take() else {
            let mark = Mark { nodes: self.last_node, ..Mark::default() };
            return (mark.nodes.bytes > 0).then(|| {
                let (nodes, _) = self.nodes.cut(mark.nodes, mark.nodes, &[], None);
                self.last_node = NodeMark::default();
                self.payload(mark, nodes)
            });
        };
        let payload = if open.start.namespaces > 0 || open.start.nodes.bytes > 0 {
            Some(self.cut_namespace(&mut open))
        } else if open.pods > 1 {
            Some(self.cut_pod(&mut open))
        } else {
            None
        };
        self.open = Some(open);
        payload
    }

    fn finish(&mut self) -> Payload {
        self.open = None;
        let nodes = self.nodes.take();
        self.payload(self.mark(), nodes)
    }
}

/// A namespace that does not exist, or of which nothing is known, is not listed as one.
fn is_listed(part: &NamespacePart, policy: &ReportPolicy) -> bool {
    part.state() == NamespaceState::Read && (!policy.ignore_empty || has_images(part, policy))
}

fn uid_of(part: &NamespacePart) -> Option<&str> {
    part.record().and_then(|record| record.uid.as_deref())
}

fn head(snapshot: &Snapshot) -> Bytes {
    let mut head = Scratch::default();
    head.push_value(&Head {
        cluster_name: snapshot.cluster_name(),
        server_version_metadata: snapshot.server_version().into(),
        timestamp: snapshot.observed_at(),
    });
    let open = head.as_bytes().strip_suffix(b"}").unwrap_or_default();
    Bytes::from([open, br#","namespaces":["#].concat())
}
