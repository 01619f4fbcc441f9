//! The KAI report in payloads: namespaces with their images, a large namespace continued from one to the next.

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::nodes::NodeNumber;
use super::plan::{Item, Pieces, Slice, Tally};
use super::{Lazy, PayloadRequest, json_length};
use crate::inventory::ReportPolicy;
use crate::snapshot::{NamespacePart, Snapshot};
use crate::views::images::{ImageEntry, NamespaceImages, has_images};
use crate::views::report::{INVENTORY_TYPE, ReportBody};

/// What `inventories` takes.
pub(super) struct Inventories {
    snapshot: Arc<Snapshot>,
    timestamp: Timestamp,
    policy: ReportPolicy,
    parts: Vec<Arc<NamespacePart>>,
    /// Bytes of a body without namespaces.
    frame: u64,
}

impl Inventories {
    pub(super) fn new(request: PayloadRequest) -> Self {
        let PayloadRequest { snapshot, timestamp, mut namespaces, policy, .. } = request;
        namespaces.retain(|part| part.is_known() && (!policy.ignore_empty || has_images(part, &policy)));
        let mut content = Self { snapshot, timestamp, policy, parts: namespaces, frame: 0 };
        let frame = json_length(&content.body(&Slice::default()));
        content.frame = frame;
        content
    }

    pub(super) fn body<'a>(&'a self, slice: &'a Slice) -> impl Serialize + 'a {
        ReportBody {
            timestamp: self.timestamp,
            results: Lazy(|| slice.parts().map(|(part, items)| self.images(part, items))),
            server_version_metadata: self.snapshot.server_version(),
            cluster_name: self.snapshot.cluster_name(),
            inventory_type: INVENTORY_TYPE,
        }
    }

    /// Some of the entries of a namespace.
    fn images(&self, part: usize, items: Range<usize>) -> NamespaceImages<'_> {
        let mut all = NamespaceImages::of(&self.parts[part], &self.policy);
        all.images.truncate(items.end);
        all.images.drain(..items.start);
        all
    }
}

impl Pieces for Inventories {
    fn idle_nodes(&self) -> &[NodeNumber] {
        &[]
    }

    fn node_length(&self, _: NodeNumber) -> u64 {
        0
    }

    fn parts(&self) -> usize {
        self.parts.len()
    }

    fn part_length(&self, part: usize) -> u64 {
        json_length(&NamespaceImages { namespace: self.parts[part].name(), images: Vec::new() })
    }

    fn items(&self, part: usize, from: usize) -> impl Iterator<Item = Item> {
        let item = |entry: ImageEntry<'_>| Item { bytes: json_length(&entry), containers: 1, node: None };
        self.images(part, from..usize::MAX).images.into_iter().map(item)
    }

    fn body_length(&self, tally: &Tally) -> u64 {
        // A comma between two namespaces, and between two entries of one.
        let commas = tally.namespaces.saturating_sub(1) + tally.items - tally.filled;
        self.frame + tally.bytes + commas as u64
    }
}
