//! The fields of a pod, a namespace and a node that are read, as they stand on the wire.
//!
//! serde skips everything that is not named here without building it. `null` means absent, as in the API's own language;
//! texts are borrowed from the item where it needs no unescaping.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::forms::{LooseText, Map, Text, Texts};

/// An object of any kind, as far as pods, namespaces and nodes go.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Object<'a> {
    pub(super) api_version: Option<Text<'a>>,
    pub(super) kind: Option<Text<'a>>,
    pub(super) metadata: Option<Map<Metadata<'a>>>,
    pub(super) spec: Option<Map<Spec<'a>>>,
    pub(super) status: Option<Map<Status<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Metadata<'a> {
    pub(super) name: Option<Text<'a>>,
    pub(super) namespace: Option<Text<'a>>,
    #[serde(default)]
    pub(super) uid: LooseText<'a>,
    pub(super) generation: Option<i64>,
    #[serde(default)]
    pub(super) labels: Texts<'a>,
    #[serde(default)]
    pub(super) annotations: Texts<'a>,
    pub(super) owner_references: Option<Vec<Option<Map<OwnerReference<'a>>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct OwnerReference<'a> {
    pub(super) kind: Option<Text<'a>>,
    pub(super) name: Option<Text<'a>>,
    pub(super) controller: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Spec<'a> {
    pub(super) node_name: Option<Text<'a>>,
    pub(super) containers: Option<Vec<Option<Map<Container<'a>>>>>,
    pub(super) init_containers: Option<Vec<Option<Map<Container<'a>>>>>,
    pub(super) ephemeral_containers: Option<Vec<Option<Map<Container<'a>>>>>,
    pub(super) volumes: Option<Vec<Option<Map<Volume<'a>>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Container<'a> {
    pub(super) name: Option<Text<'a>>,
    pub(super) image: Option<Text<'a>>,
    pub(super) restart_policy: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Volume<'a> {
    pub(super) name: Option<Text<'a>>,
    pub(super) image: Option<Map<ImageVolume<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct ImageVolume<'a> {
    pub(super) reference: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Status<'a> {
    pub(super) phase: Option<Text<'a>>,
    pub(super) reason: Option<Text<'a>>,
    pub(super) observed_generation: Option<i64>,
    pub(super) container_statuses: Option<Vec<Option<Map<ContainerStatus<'a>>>>>,
    pub(super) init_container_statuses: Option<Vec<Option<Map<ContainerStatus<'a>>>>>,
    pub(super) ephemeral_container_statuses: Option<Vec<Option<Map<ContainerStatus<'a>>>>>,
    pub(super) node_info: Option<Map<NodeInfo<'a>>>,
}

/// `status.nodeInfo` of a node. Nothing depends on it: an odd value counts as absent.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
pub(super) struct NodeInfo<'a> {
    pub(super) architecture: LooseText<'a>,
    pub(super) operating_system: LooseText<'a>,
    pub(super) kernel_version: LooseText<'a>,
    pub(super) kubelet_version: LooseText<'a>,
    pub(super) kube_proxy_version: LooseText<'a>,
    pub(super) container_runtime_version: LooseText<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct ContainerStatus<'a> {
    pub(super) name: Option<Text<'a>>,
    pub(super) image: Option<Text<'a>>,
    #[serde(rename = "imageID")]
    pub(super) image_id: Option<Text<'a>>,
    #[serde(default, rename = "containerID")]
    pub(super) container_id: LooseText<'a>,
    pub(super) state: Option<Map<State<'a>>>,
    pub(super) volume_mounts: Option<Vec<Option<Map<MountStatus<'a>>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct State<'a> {
    pub(super) waiting: Option<Map<Cause<'a>>>,
    pub(super) running: Option<IgnoredAny>,
    pub(super) terminated: Option<Map<Cause<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Cause<'a> {
    pub(super) reason: Option<Text<'a>>,
}

/// A mount of a container's status. The image reference stands in one of two places, by source.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct MountStatus<'a> {
    pub(super) name: Option<Text<'a>>,
    pub(super) image_ref: Option<Text<'a>>,
    pub(super) volume_status: Option<Map<VolumeStatus<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct VolumeStatus<'a> {
    pub(super) image: Option<Map<ImageVolumeStatus<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct ImageVolumeStatus<'a> {
    pub(super) image_ref: Option<Text<'a>>,
}
