//! The elements of the successor's lists, as they are sent. What a cluster does not say is left out: null is not allowed.

use std::borrow::Cow;

use serde::Serialize;

use super::identity::Uid;
use super::json::Json as _;
use super::metadata::KeptValues;
use super::section::Section;

#[derive(Serialize)]
pub(super) struct NamespaceElement<'a> {
    pub(super) name: &'a str,
    pub(super) uid: Uid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<KeptValues<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotations: Option<KeptValues<'a>>,
}

pub(super) struct PodElement<'a> {
    pub(super) name: &'a str,
    pub(super) uid: Uid,
    pub(super) namespace_uid: Uid,
    pub(super) node_uid: Option<Uid>,
    pub(super) labels: Option<KeptValues<'a>>,
    pub(super) annotations: Option<KeptValues<'a>>,
}

/// One entry of the report, but for its image: `image_tag` and `image_digest` are its `tag` and `repoDigest`.
pub(super) struct ContainerElement<'a> {
    pub(super) id: ContainerId<'a>,
    pub(super) name: &'a str,
    pub(super) pod_uid: Uid,
}

pub(super) enum ContainerId<'a> {
    Own(&'a str),
    Made(Uid),
}

/// Pods and containers are nearly all of a payload: they are written by hand, their keys as they stand.
impl PodElement<'_> {
    pub(super) fn push_to(&self, section: &mut Section) {
        let Self { name, uid, namespace_uid, node_uid, labels, annotations } = self;
        section.begin_element();
        section.push(r#"{"name":"#);
        section.push_text(name);
        section.push(r#","uid":""#);
        section.push_bytes(uid.as_bytes());
        section.push(r#"","namespace_uid":""#);
        section.push_bytes(namespace_uid.as_bytes());
        if let Some(uid) = node_uid {
            section.push(r#"","node_uid":""#);
            section.push_bytes(uid.as_bytes());
        }
        section.push("\"");
        for (key, values) in [(r#","labels":"#, labels), (r#","annotations":"#, annotations)] {
            if let Some(values) = values {
                section.push(key);
                values.push_to(section);
            }
        }
        section.push("}");
    }
}

impl ContainerElement<'_> {
    /// `push_image` writes what stands between the name and the pod's uid.
    pub(super) fn push_to(&self, section: &mut Section, push_image: impl FnOnce(&mut Section)) {
        let Self { id, name, pod_uid } = self;
        section.begin_element();
        section.push(r#"{"id":"#);
        match id {
            ContainerId::Own(id) => section.push_text(id),
            ContainerId::Made(uid) => section.push_value(uid),
        }
        section.push(r#","name":"#);
        section.push_text(name);
        push_image(section);
        section.push_bytes(pod_uid.as_bytes());
        section.push("\"}");
    }
}

/// The tag as the receiver takes it. It wants one that is not blank and whose first line is not empty, and refuses the
/// whole payload for one that is not so: such a text, which only a saved dump can have, is sent with its white space
/// escaped.
pub(super) fn presentable(tag: &str) -> Cow<'_, str> {
    let is_blank = |character: char| character.is_whitespace() || character == '\u{feff}';
    if !tag.starts_with(['\n', '\r', '\u{2028}', '\u{2029}']) && !tag.chars().all(is_blank) {
        return Cow::Borrowed(tag);
    }
    let escaped = |character: char| character.escape_unicode().collect::<String>();
    tag.chars().map(|character| if is_blank(character) { escaped(character) } else { character.into() }).collect()
}
