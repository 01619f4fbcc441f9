//! A node of the API becomes a record.

use super::objects::{Node, NodeInfo};
use super::records::{Records, kept};
use super::skipped::Lack;
use crate::inventory::{Metadata, MetadataRule, NodeRecord};

/// The node of that object; `rule` has what is kept of its metadata.
pub(super) fn read_node(node: &Node, rule: &MetadataRule, records: &mut Records) -> Result<NodeRecord, Lack> {
    let interner = &mut records.interner;
    let metadata = node.metadata.as_ref();
    let name = metadata.and_then(|metadata| metadata.name.as_deref()).unwrap_or_default();
    let Some(metadata) = metadata.filter(|_| !name.is_empty()) else { return Err(Lack::missing("metadata.name")) };
    let nothing = NodeInfo::default();
    let info = node.status.as_ref().and_then(|status| status.node_info.as_ref()).unwrap_or(&nothing);
    let metadata_kept = Metadata {
        labels: kept(&metadata.labels, |key| rule.labels.keeps(key), interner),
        annotations: kept(&metadata.annotations, |key| rule.annotations.keeps(key), interner),
    };
    let mut shared = |text: &Option<String>| interner.string(text.as_deref().unwrap_or_default());
    Ok(NodeRecord {
        name: name.into(),
        uid: metadata.uid.as_deref().filter(|uid| !uid.is_empty()).map(Into::into),
        architecture: shared(&info.architecture),
        operating_system: shared(&info.operating_system),
        kernel_version: shared(&info.kernel_version),
        kubelet_version: shared(&info.kubelet_version),
        kube_proxy_version: shared(&info.kube_proxy_version),
        container_runtime_version: shared(&info.container_runtime_version),
        metadata: metadata_kept,
    })
}
