//! What a list says of itself, outside its items.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::error::DecodeError;
use super::forms::{LooseText, Map, Text};
use super::item::{Format, without_place};
use super::yaml;
use crate::inventory::excerpt;

/// A list without its items.
#[derive(Debug, Default)]
pub(super) struct Shell {
    pub(super) kind: String,
    pub(super) items: ItemsForm,
    pub(super) continue_token: Option<String>,
    pub(super) remaining: Option<u64>,
    pub(super) resource_version: Option<String>,
}

/// What stands under `items`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemsForm {
    #[default]
    Absent,
    Null,
    Array,
    Other,
}

/// Which list a `kind` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListKind {
    /// No kind: items are told by their own, or by their shape.
    Unnamed,
    /// `List`: items of any kind.
    Mixed,
    /// `PodList`.
    Pods,
    /// `NamespaceList`.
    Namespaces,
    /// `NodeList`.
    Nodes,
    /// Any other word.
    Other,
}

impl ListKind {
    pub(super) fn of_word(word: &str) -> Self {
        match word {
            "" => Self::Unnamed,
            "List" => Self::Mixed,
            "PodList" => Self::Pods,
            "NamespaceList" => Self::Namespaces,
            "NodeList" => Self::Nodes,
            _ => Self::Other,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct WireShell<'a> {
    kind: Option<Text<'a>>,
    metadata: Option<Map<ListMetadata<'a>>>,
    #[serde(default)]
    items: ItemsForm,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct ListMetadata<'a> {
    #[serde(rename = "continue")]
    continue_token: Option<Text<'a>>,
    remaining_item_count: Option<i64>,
    #[serde(default)]
    resource_version: LooseText<'a>,
}

/// Reads the shell of a list.
///
/// # Errors
/// A field of the list's own has a wrong type or stands twice.
pub(super) fn read_shell(bytes: &[u8], format: Format) -> Result<Shell, DecodeError> {
    let text;
    let wire: Result<Map<WireShell<'_>>, String> = match format {
        Format::Json => serde_json::from_slice(bytes).map_err(|error| without_place(&error.to_string()).to_owned()),
        Format::Yaml => {
            text = yaml::text_of(bytes);
            yaml::parse(&text)
        }
    };
    let Map(WireShell { kind, metadata, items }) =
        wire.map_err(|reason| DecodeError::BrokenList(excerpt(&reason).to_string()))?;
    let metadata = metadata.as_deref();
    let owned = |value: &str| (!value.is_empty()).then(|| value.to_owned());
    Ok(Shell {
        kind: super::forms::text(kind.as_ref()).to_owned(),
        items,
        continue_token: metadata.and_then(|metadata| owned(metadata.continue_token.as_ref().map_or("", Text::as_str))),
        remaining: metadata.and_then(|metadata| u64::try_from(metadata.remaining_item_count?).ok()),
        resource_version: metadata
            .and_then(|metadata| owned(metadata.resource_version.0.as_ref().map_or("", Text::as_str))),
    })
}

impl<'de> Deserialize<'de> for ItemsForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FormVisitor;
        impl<'de> Visitor<'de> for FormVisitor {
            type Value = ItemsForm;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<ItemsForm, A::Error> {
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                Ok(ItemsForm::Array)
            }

            fn visit_str<E: de::Error>(self, _: &str) -> Result<ItemsForm, E> {
                Ok(ItemsForm::Other)
            }

            null_is!(ItemsForm::Null);
            odd_scalars_are!(ItemsForm::Other);

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ItemsForm, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(ItemsForm::Other)
            }
        }
        deserializer.deserialize_any(FormVisitor)
    }
}
