//! The elements of k8s-inventory's lists, as they are sent. What a cluster does not have is left out: null is not allowed.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::identity::Uid;
use crate::inventory::{Digest, KeyFilter};

#[derive(Serialize)]
pub(super) struct NamespaceElement<'a> {
    pub(super) name: &'a str,
    pub(super) uid: Uid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<KeptValues<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotations: Option<KeptValues<'a>>,
}

#[derive(Serialize)]
pub(super) struct NodeElement<'a> {
    pub(super) name: &'a str,
    pub(super) uid: Uid,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) arch: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) operating_system: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) kernel_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) kubelet_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) kube_proxy_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) container_runtime_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<KeptValues<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotations: Option<KeptValues<'a>>,
}

#[derive(Serialize)]
pub(super) struct PodElement<'a> {
    pub(super) name: &'a str,
    pub(super) uid: Uid,
    pub(super) namespace_uid: Uid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) node_uid: Option<Uid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<KeptValues<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotations: Option<KeptValues<'a>>,
}

/// One entry of the report: `image_tag` and `image_digest` are its `tag` and `repoDigest`.
#[derive(Serialize)]
pub(super) struct ContainerElement<'a> {
    pub(super) id: ContainerId<'a>,
    pub(super) name: &'a str,
    pub(super) image_tag: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_digest: Option<&'a Digest>,
    pub(super) pod_uid: Uid,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ContainerId<'a> {
    Own(&'a str),
    Made(Uid),
}

/// The labels or annotations whose keys a filter keeps; there is at least one.
pub(super) struct KeptValues<'a> {
    values: &'a [(Arc<str>, Arc<str>)],
    filter: &'a KeyFilter,
}

impl<'a> KeptValues<'a> {
    pub(super) fn of(values: &'a [(Arc<str>, Arc<str>)], filter: &'a KeyFilter) -> Option<Self> {
        values.iter().any(|(key, _)| filter.keeps(key)).then_some(Self { values, filter })
    }
}

impl Serialize for KeptValues<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kept = self.values.iter().filter(|(key, _)| self.filter.keeps(key));
        serializer.collect_map(kept.map(|(key, value)| (&**key, &**value)))
    }
}

/// The tag as the receiver takes it. It wants one that is not blank and whose first line is not empty, and refuses the
/// whole payload for one that is not so: such a text, which only a saved dump can have, is sent with its white space
/// escaped.
pub(super) fn presentable(tag: Cow<'_, str>) -> Cow<'_, str> {
    let is_blank = |character: char| character.is_whitespace() || character == '\u{feff}';
    if !tag.starts_with(['\n', '\r', '\u{2028}', '\u{2029}']) && !tag.chars().all(is_blank) {
        return tag;
    }
    let escaped = |character: char| character.escape_unicode().collect::<String>();
    tag.chars().map(|character| if is_blank(character) { escaped(character) } else { character.into() }).collect()
}
