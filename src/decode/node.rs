//! A node of the wire becomes a record.

use super::forms::{LooseText, text};
use super::pod::Broken;
use super::records::{Records, kept};
use super::wire::{NodeInfo, Object};
use crate::inventory::{Metadata, NodeRecord};

/// The node of that object; `None` when nodes are not kept.
pub(super) fn read_node(object: &Object<'_>, records: &mut Records) -> Option<Result<NodeRecord, Broken>> {
    let Records { interner, detail } = records;
    let rule = detail.nodes.as_ref()?;
    let metadata = object.metadata.as_deref();
    let name = metadata.map_or("", |metadata| text(metadata.name.as_ref()));
    let Some(metadata) = metadata.filter(|_| !name.is_empty()) else {
        return Some(Err(Broken::missing("metadata.name")));
    };
    let nothing = NodeInfo::default();
    let NodeInfo {
        architecture,
        operating_system,
        kernel_version,
        kubelet_version,
        kube_proxy_version,
        container_runtime_version,
    } = object.status.as_deref().and_then(|status| status.node_info.as_deref()).unwrap_or(&nothing);
    let metadata_kept = Metadata {
        labels: kept(&metadata.labels, |key| rule.labels.keeps(key), interner),
        annotations: kept(&metadata.annotations, |key| rule.annotations.keeps(key), interner),
    };
    let mut shared = |text: &LooseText<'_>| interner.string(text.as_str());
    Some(Ok(NodeRecord {
        name: name.into(),
        uid: metadata.uid.0.as_ref().map(|uid| uid.as_str().into()),
        architecture: shared(architecture),
        operating_system: shared(operating_system),
        kernel_version: shared(kernel_version),
        kubelet_version: shared(kubelet_version),
        kube_proxy_version: shared(kube_proxy_version),
        container_runtime_version: shared(container_runtime_version),
        metadata: metadata_kept,
    }))
}
