//! The fields of Kubernetes objects that kai reads, one line each: names for JSON and YAML, numbers for protobuf.
//!
//! What is not named here is passed over without being built. The numbers are those of `generated.proto` in
//! `k8s.io/api/core/v1` and `k8s.io/apimachinery`: part of the API, never given to another field. An empty text and an
//! absent one are the same, as in the API.

use serde::Deserialize;

use super::fields::{loose, object, objects};
use super::texts::{KeyValue, texts};
use super::time::{Time, time};

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Pod {
    #[prost(message, optional, tag = "1")]
    #[serde(deserialize_with = "object")]
    pub(super) metadata: Option<ObjectMeta>,
    #[prost(message, optional, tag = "2")]
    #[serde(deserialize_with = "object")]
    pub(super) spec: Option<PodSpec>,
    #[prost(message, optional, tag = "3")]
    #[serde(deserialize_with = "object")]
    pub(super) status: Option<PodStatus>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Namespace {
    #[prost(message, optional, tag = "1")]
    #[serde(deserialize_with = "object")]
    pub(super) metadata: Option<ObjectMeta>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Node {
    #[prost(message, optional, tag = "1")]
    #[serde(deserialize_with = "object")]
    pub(super) metadata: Option<ObjectMeta>,
    #[prost(message, optional, tag = "3")]
    #[serde(deserialize_with = "object")]
    pub(super) status: Option<NodeStatus>,
}

/// How far a watch has come: an object of the kind that is watched, with its metadata alone.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Bookmark {
    #[prost(message, optional, tag = "1")]
    #[serde(deserialize_with = "object")]
    pub(super) metadata: Option<ObjectMeta>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ObjectMeta {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(super) namespace: Option<String>,
    #[prost(string, optional, tag = "5")]
    #[serde(deserialize_with = "loose")]
    pub(super) uid: Option<String>,
    #[prost(int64, optional, tag = "7")]
    pub(super) generation: Option<i64>,
    #[prost(message, repeated, tag = "11")]
    #[serde(deserialize_with = "texts")]
    pub(super) labels: Vec<KeyValue>,
    #[prost(message, repeated, tag = "12")]
    #[serde(deserialize_with = "texts")]
    pub(super) annotations: Vec<KeyValue>,
    #[prost(message, repeated, tag = "13")]
    #[serde(deserialize_with = "objects")]
    pub(super) owner_references: Vec<OwnerReference>,
}

#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct OwnerReference {
    #[prost(string, optional, tag = "1")]
    pub(super) kind: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(super) name: Option<String>,
    #[prost(bool, optional, tag = "6")]
    pub(super) controller: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodSpec {
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "objects")]
    pub(super) volumes: Vec<Volume>,
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "objects")]
    pub(super) containers: Vec<Container>,
    #[prost(string, optional, tag = "10")]
    pub(super) node_name: Option<String>,
    #[prost(message, repeated, tag = "20")]
    #[serde(deserialize_with = "objects")]
    pub(super) init_containers: Vec<Container>,
    #[prost(message, repeated, tag = "34")]
    #[serde(deserialize_with = "objects")]
    pub(super) ephemeral_containers: Vec<EphemeralContainer>,
}

#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Container {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(super) image: Option<String>,
    #[prost(string, optional, tag = "24")]
    pub(super) restart_policy: Option<String>,
}

/// In protobuf its fields stand one message deeper than those of other containers.
#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(transparent)]
pub(super) struct EphemeralContainer {
    #[prost(message, optional, tag = "1")]
    pub(super) common: Option<Container>,
}

/// In JSON the fields of its source stand in the volume itself.
#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(from = "JsonVolume")]
pub(super) struct Volume {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(super) source: Option<VolumeSource>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct VolumeSource {
    #[prost(message, optional, tag = "30")]
    pub(super) image: Option<ImageVolumeSource>,
}

#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ImageVolumeSource {
    #[prost(string, optional, tag = "1")]
    pub(super) reference: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JsonVolume {
    name: Option<String>,
    #[serde(deserialize_with = "object")]
    image: Option<ImageVolumeSource>,
}

impl From<JsonVolume> for Volume {
    fn from(JsonVolume { name, image }: JsonVolume) -> Self {
        Self { name, source: image.map(|image| VolumeSource { image: Some(image) }) }
    }
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodStatus {
    #[prost(string, optional, tag = "1")]
    pub(super) phase: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(super) reason: Option<String>,
    #[prost(message, repeated, tag = "8")]
    #[serde(deserialize_with = "objects")]
    pub(super) container_statuses: Vec<ContainerStatus>,
    #[prost(message, repeated, tag = "10")]
    #[serde(deserialize_with = "objects")]
    pub(super) init_container_statuses: Vec<ContainerStatus>,
    #[prost(message, repeated, tag = "13")]
    #[serde(deserialize_with = "objects")]
    pub(super) ephemeral_container_statuses: Vec<ContainerStatus>,
    #[prost(int64, optional, tag = "17")]
    pub(super) observed_generation: Option<i64>,
}

#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContainerStatus {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(message, optional, tag = "2")]
    #[serde(deserialize_with = "object")]
    pub(super) state: Option<ContainerState>,
    #[prost(string, optional, tag = "6")]
    pub(super) image: Option<String>,
    #[prost(string, optional, tag = "7")]
    #[serde(rename = "imageID")]
    pub(super) image_id: Option<String>,
    #[prost(string, optional, tag = "8")]
    #[serde(rename = "containerID", deserialize_with = "loose")]
    pub(super) container_id: Option<String>,
    #[prost(message, repeated, tag = "12")]
    #[serde(deserialize_with = "objects")]
    pub(super) volume_mounts: Vec<VolumeMountStatus>,
}

#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContainerState {
    #[prost(message, optional, tag = "1")]
    #[serde(deserialize_with = "object")]
    pub(super) waiting: Option<Waiting>,
    #[prost(message, optional, tag = "2")]
    #[serde(deserialize_with = "object")]
    pub(super) running: Option<Running>,
    #[prost(message, optional, tag = "3")]
    #[serde(deserialize_with = "object")]
    pub(super) terminated: Option<Terminated>,
}

#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Waiting {
    #[prost(string, optional, tag = "1")]
    pub(super) reason: Option<String>,
}

#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Running {
    #[prost(message, optional, tag = "1")]
    #[serde(deserialize_with = "time")]
    pub(super) started_at: Option<Time>,
}

#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Terminated {
    #[prost(string, optional, tag = "3")]
    pub(super) reason: Option<String>,
}

/// A mount in the status of a container, which has the digest of an image volume.
#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(from = "JsonVolumeMountStatus")]
pub(super) struct VolumeMountStatus {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(message, optional, tag = "5")]
    pub(super) volume_status: Option<VolumeStatus>,
}

#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct VolumeStatus {
    #[prost(message, optional, tag = "1")]
    #[serde(deserialize_with = "object")]
    pub(super) image: Option<ImageVolumeStatus>,
}

#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ImageVolumeStatus {
    #[prost(string, optional, tag = "1")]
    pub(super) image_ref: Option<String>,
}

/// The reference stands in one of two places: where the API types have it, or where the documentation has it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct JsonVolumeMountStatus {
    name: Option<String>,
    image_ref: Option<String>,
    #[serde(deserialize_with = "object")]
    volume_status: Option<VolumeStatus>,
}

impl From<JsonVolumeMountStatus> for VolumeMountStatus {
    fn from(JsonVolumeMountStatus { name, image_ref, volume_status }: JsonVolumeMountStatus) -> Self {
        let nested = volume_status.and_then(|status| status.image).and_then(|image| image.image_ref);
        let image_ref = nested.filter(|image_ref| !image_ref.is_empty()).or(image_ref);
        let image = image_ref.map(|image_ref| ImageVolumeStatus { image_ref: Some(image_ref) });
        Self { name, volume_status: image.map(|image| VolumeStatus { image: Some(image) }) }
    }
}

#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct NodeStatus {
    #[prost(message, optional, tag = "7")]
    #[serde(deserialize_with = "object")]
    pub(super) node_info: Option<NodeInfo>,
}

/// Nothing depends on it: a value that is no text counts as absent.
#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct NodeInfo {
    #[prost(string, optional, tag = "4")]
    #[serde(deserialize_with = "loose")]
    pub(super) kernel_version: Option<String>,
    #[prost(string, optional, tag = "6")]
    #[serde(deserialize_with = "loose")]
    pub(super) container_runtime_version: Option<String>,
    #[prost(string, optional, tag = "7")]
    #[serde(deserialize_with = "loose")]
    pub(super) kubelet_version: Option<String>,
    #[prost(string, optional, tag = "8")]
    #[serde(deserialize_with = "loose")]
    pub(super) kube_proxy_version: Option<String>,
    #[prost(string, optional, tag = "9")]
    #[serde(deserialize_with = "loose")]
    pub(super) operating_system: Option<String>,
    #[prost(string, optional, tag = "10")]
    #[serde(deserialize_with = "loose")]
    pub(super) architecture: Option<String>,
}

/// The metadata of a list.
#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ListMeta {
    #[prost(string, optional, tag = "2")]
    #[serde(deserialize_with = "loose")]
    pub(super) resource_version: Option<String>,
    #[prost(string, optional, tag = "3")]
    #[serde(rename = "continue")]
    pub(super) continue_token: Option<String>,
    #[prost(int64, optional, tag = "4")]
    pub(super) remaining_item_count: Option<i64>,
}

/// What the API server answers when it does not do what it was asked for.
#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Status {
    /// `Success` or `Failure`.
    #[prost(string, optional, tag = "2")]
    #[serde(rename = "status", deserialize_with = "loose")]
    pub(super) outcome: Option<String>,
    #[prost(string, optional, tag = "3")]
    #[serde(deserialize_with = "loose")]
    pub(super) message: Option<String>,
    #[prost(string, optional, tag = "4")]
    #[serde(deserialize_with = "loose")]
    pub(super) reason: Option<String>,
    #[prost(message, optional, tag = "5")]
    #[serde(deserialize_with = "object")]
    pub(super) details: Option<StatusDetails>,
    #[prost(int32, optional, tag = "6")]
    pub(super) code: Option<i32>,
}

#[derive(Clone, PartialEq, Eq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct StatusDetails {
    #[prost(int64, optional, tag = "5")]
    pub(super) retry_after_seconds: Option<i64>,
}

/// The kind of what a body of protobuf wraps.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct TypeMeta {
    #[prost(string, optional, tag = "1")]
    pub(super) api_version: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(super) kind: Option<String>,
}
