//! Labels and annotations: maps of texts.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::fields::Loose;

/// A label or an annotation. Bytes: a server may write texts that are not in UTF-8.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct KeyValue {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
}

/// Labels or annotations in the order in which they are written. Nothing that is odd about them breaks an object: what is
/// no map counts as an empty one, and an entry that is no text takes back those of its key.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<KeyValue>, D::Error> {
    struct TextsVisitor;
    impl<'de> Visitor<'de> for TextsVisitor {
        type Value = Vec<KeyValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map of texts")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            let mut last: Option<BTreeMap<String, Option<String>>> = None;
            while let Some((Loose(key), Loose(value))) = map.next_entry()? {
                let Some(key) = key else { continue };
                match (&mut last, value) {
                    (Some(last), value) => drop(last.insert(key, value)),
                    (None, Some(value)) => entries.push((key, value)),
                    (None, None) => {
                        let before = entries.drain(..).map(|(key, value)| (key, Some(value)));
                        last = Some(before.chain([(key, None)]).collect());
                    }
                }
            }
            entries.extend(last.into_iter().flatten().filter_map(|(key, value)| Some((key, value?))));
            let bytes = |(key, value): (String, String)| KeyValue { key: key.into_bytes(), value: value.into_bytes() };
            Ok(entries.into_iter().map(bytes).collect())
        }

        fn visit_str<E: de::Error>(self, _: &str) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        null_is!(Vec::new());
        odd_scalars_are!(Vec::new());
        odd_sequences_are!(Vec::new());
    }
    deserializer.deserialize_any(TextsVisitor)
}
