//! The nodes of a payload: each that a pod of it runs on, once.

use std::sync::Arc;

use serde::Serialize;

use super::identity::{Identities, Place, Seen, Uid};
use super::json::Json as _;
use super::metadata::KeptValues;
use super::section::Section;
use crate::inventory::{KeyFilter, NodeRecord, PodRecord};
use crate::snapshot::Snapshot;
use crate::views::quick_hash::QuickMap;

/// The nodes of a snapshot by position, and those of them that the payload under way has.
pub(super) struct Nodes {
    snapshot: Arc<Snapshot>,
    uids: Box<[Uid]>,
    by_name: QuickMap<Arc<str>, usize>,
    is_written: Box<[bool]>,
    /// In the order of the section.
    written: Vec<usize>,
    section: Section,
}

/// A place between two nodes of the payload.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NodeMark {
    pub(super) bytes: usize,
    count: usize,
}

/// A node as it is sent.
#[derive(Serialize)]
struct NodeElement<'a> {
    name: &'a str,
    uid: Uid,
    #[serde(skip_serializing_if = "str::is_empty")]
    arch: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    operating_system: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    kernel_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    kubelet_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    kube_proxy_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    container_runtime_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<KeptValues<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<KeptValues<'a>>,
}

impl Nodes {
    pub(super) fn new(snapshot: Arc<Snapshot>, identities: &mut Identities) -> Self {
        let nodes = snapshot.nodes();
        let mut seen = Seen::default();
        nodes.iter().for_each(|node| seen.take_uid(node.uid.as_deref()));
        let shared = seen.shared();
        let uid = |node: &Arc<NodeRecord>| {
            identities.uid(node.uid.as_deref(), &shared, Place { kind: "node", namespace: "", name: &node.name })
        };
        let uids = nodes.iter().map(uid).collect();
        let by_name = nodes.iter().enumerate().map(|(position, node)| (Arc::clone(&node.name), position)).collect();
        let is_written = vec![false; nodes.len()].into();
        Self { snapshot, uids, by_name, is_written, written: Vec::new(), section: Section::default() }
    }

    /// The node that a pod runs on, if the snapshot has it.
    pub(super) fn position_of(&self, pod: &PodRecord) -> Option<usize> {
        self.by_name.get(pod.node.as_deref()?).copied()
    }

    pub(super) fn uid(&self, position: usize) -> Uid {
        self.uids[position]
    }

    pub(super) fn len(&self) -> usize {
        self.section.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.section.is_empty()
    }

    /// Where the next node will stand.
    pub(super) fn mark(&self) -> NodeMark {
        NodeMark { bytes: self.section.len(), count: self.written.len() }
    }

    /// Writes a node unless the payload has it.
    pub(super) fn write(&mut self, position: usize) {
        if std::mem::replace(&mut self.is_written[position], true) {
            return;
        }
        let NodeRecord {
            name,
            uid: _,
            architecture,
            operating_system,
            kernel_version,
            kubelet_version,
            kube_proxy_version,
            container_runtime_version,
            metadata,
        } = &*self.snapshot.nodes()[position];
        let element = NodeElement {
            name,
            uid: self.uids[position],
            arch: architecture,
            operating_system,
            kernel_version,
            kubelet_version,
            kube_proxy_version,
            container_runtime_version,
            labels: KeptValues::of(&metadata.labels, &KeyFilter::All),
            annotations: KeptValues::of(&metadata.annotations, &KeyFilter::All),
        };
        self.section.begin_element();
        self.section.push_value(&element);
        self.written.push(position);
    }

    /// Cuts at `start`. The next payload begins with what was written behind it, and has besides what moved pods need:
    /// `needed` for all but the last of them, `newest` for that one, which was begun at `last`.
    ///
    /// Gives the section of the payload that ends, and where the last pod begins in the next.
    pub(super) fn cut(
        &mut self,
        start: NodeMark,
        last: NodeMark,
        needed: &[usize],
        newest: Option<usize>,
    ) -> (Section, NodeMark) {
        let moved = self.section.split_off_elements(start.bytes);
        let moved_nodes = self.written.split_off(start.count);
        let ended = self.take();
        needed.iter().for_each(|position| self.write(*position));
        let base = self.mark();
        if !moved.is_empty() {
            self.section.begin_element();
        }
        // A boundary is before the comma of the element that begins there.
        let bytes = match element_offset(start.bytes, last.bytes) {
            0 => base.bytes,
            offset => self.section.len() + offset,
        };
        self.section.append(moved);
        self.written.extend(moved_nodes);
        let begun = NodeMark { bytes, count: base.count + last.count - start.count };
        newest.into_iter().for_each(|position| self.write(position));
        (ended, begun)
    }

    /// What was written; the next payload begins with none.
    pub(super) fn take(&mut self) -> Section {
        self.written.drain(..).for_each(|position| self.is_written[position] = false);
        std::mem::take(&mut self.section)
    }
}

/// Where the element boundary at `position` stands after a cut at `start`: the comma before what moves is dropped.
pub(super) fn element_offset(start: usize, position: usize) -> usize {
    if start == 0 { position } else { position.saturating_sub(start + 1) }
}
