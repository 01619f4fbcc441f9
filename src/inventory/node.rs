//! What is kept of a node, when nodes are sent.

use std::sync::Arc;

use super::Metadata;

/// The fields of a node that kai keeps; an empty text is one that the node does not report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct NodeRecord {
    /// `metadata.name`.
    pub name: Arc<str>,
    /// `metadata.uid` as written.
    pub uid: Option<Box<str>>,
    /// `status.nodeInfo.architecture`.
    pub architecture: Arc<str>,
    /// `status.nodeInfo.operatingSystem`.
    pub operating_system: Arc<str>,
    /// `status.nodeInfo.kernelVersion`.
    pub kernel_version: Arc<str>,
    /// `status.nodeInfo.kubeletVersion`.
    pub kubelet_version: Arc<str>,
    /// `status.nodeInfo.kubeProxyVersion`; newer nodes report none.
    pub kube_proxy_version: Arc<str>,
    /// `status.nodeInfo.containerRuntimeVersion`.
    pub container_runtime_version: Arc<str>,
    pub metadata: Metadata,
}
