//! A first look at an object that may be broken: its kind and name, as far as they can be read.

use std::fmt;

use serde::de::{self, DeserializeSeed};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::fields::Loose;
use crate::inventory::excerpt;

/// What was found before the look failed, if it did. Odd values count as absent.
#[derive(Debug, Default)]
pub(super) struct Identity {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) resource_version: String,
    /// Whether `spec.containers` is there, whatever it is.
    pub(super) has_containers: bool,
    /// The keys of the object, the first few.
    pub(super) keys: Vec<String>,
}

/// As many keys as a message names.
const KEYS_SHOWN: usize = 8;

impl Identity {
    /// What the object is, for people: its kind, or its keys when it has none.
    pub(super) fn described(&self) -> String {
        match (self.kind.as_str(), self.keys.as_slice()) {
            ("", []) => "an object without kind".to_owned(),
            ("", keys) => {
                let keys: Vec<String> = keys.iter().map(|key| format!("`{}`", excerpt(key))).collect();
                format!("an object without kind, with the keys {}", keys.join(", "))
            }
            (kind, _) => format!("`{}`", excerpt(kind)),
        }
    }

    pub(super) fn has_key(&self, key: &str) -> bool {
        self.keys.iter().any(|known| known == key)
    }
}

/// Fills in an [`Identity`] while it reads, so that an error half-way leaves what came before.
pub(super) struct IdentitySeed<'i>(pub(super) &'i mut Identity);

impl<'de> DeserializeSeed<'de> for IdentitySeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(ObjectVisitor(self.0))
    }
}

struct ObjectVisitor<'i>(&'i mut Identity);

impl<'de> Visitor<'de> for ObjectVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let identity = self.0;
        while let Some(key) = map.next_key::<String>()? {
            let shown = identity.keys.len() < KEYS_SHOWN;
            identity.keys.extend(shown.then(|| key.clone()));
            match key.as_str() {
                "apiVersion" => identity.api_version = next_text(&mut map)?,
                "kind" => identity.kind = next_text(&mut map)?,
                "metadata" => map.next_value_seed(PartSeed(identity, Part::Metadata))?,
                "spec" => map.next_value_seed(PartSeed(identity, Part::Spec))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Metadata,
    Spec,
}

/// Looks into one part of an object; an odd value in its place counts as absent.
struct PartSeed<'i>(&'i mut Identity, Part);

impl<'de> DeserializeSeed<'de> for PartSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PartSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(identity, part) = self;
        while let Some(key) = map.next_key::<String>()? {
            match (part, key.as_str()) {
                (Part::Metadata, "name") => identity.name = next_text(&mut map)?,
                (Part::Metadata, "namespace") => identity.namespace = next_text(&mut map)?,
                (Part::Metadata, "uid") => identity.uid = next_text(&mut map)?,
                (Part::Metadata, "resourceVersion") => identity.resource_version = next_text(&mut map)?,
                (_, key) => {
                    identity.has_containers |= part == Part::Spec && key == "containers";
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    null_is!(());
    odd_scalars_are!(());
    odd_sequences_are!(());
}

fn next_text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<String, A::Error> {
    map.next_value::<Loose>().map(|Loose(text)| text.unwrap_or_default())
}
