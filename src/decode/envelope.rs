//! The fields of a list outside its items.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::fields::object;
use super::objects::ListMeta;

/// A list without its items.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Envelope {
    pub(super) kind: Option<String>,
    #[serde(deserialize_with = "object")]
    pub(super) metadata: Option<ListMeta>,
    pub(super) items: Items,
}

impl Envelope {
    /// The kind, empty when there is none.
    pub(super) fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or_default()
    }
}

/// What stands under `items`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Items {
    #[default]
    Absent,
    Null,
    Array,
    Other,
}

/// Which list a `kind` names.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListKind {
    /// No kind: items are known by their own, or by their shape.
    #[default]
    Unnamed,
    /// `List`: items of any kind.
    Mixed,
    /// `PodList`.
    Pods,
    /// `NamespaceList`.
    Namespaces,
    /// `NodeList`.
    Nodes,
    Other,
}

impl ListKind {
    pub(super) fn of_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "" => Self::Unnamed,
            "list" => Self::Mixed,
            "podlist" => Self::Pods,
            "namespacelist" => Self::Namespaces,
            "nodelist" => Self::Nodes,
            _ => Self::Other,
        }
    }
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemsVisitor;
        impl<'de> Visitor<'de> for ItemsVisitor {
            type Value = Items;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Items, A::Error> {
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Items::Array)
            }

            fn visit_str<E: de::Error>(self, _: &str) -> Result<Items, E> {
                Ok(Items::Other)
            }

            null_is!(Items::Null);
            odd_scalars_are!(Items::Other);

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Items, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Items::Other)
            }
        }
        deserializer.deserialize_any(ItemsVisitor)
    }
}
