//! A first look at an object that may be broken: what it calls itself, as far as that can be told.

use std::fmt;

use serde::de::{self, DeserializeSeed};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::forms::{LooseText, text};
use crate::inventory::excerpt;

/// What was found before the look failed, if it did. Odd values count as absent.
#[derive(Debug, Default)]
pub(super) struct Peek {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    /// Whether `spec.containers` is there, whatever it is.
    pub(super) has_containers: bool,
    /// The keys of the object, the first few.
    pub(super) keys: Vec<String>,
}

impl Peek {
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
}

/// As many keys as a message names.
const KEYS_SHOWN: usize = 8;

/// Fills in a [`Peek`] while it reads, so that an error half-way leaves what came before.
pub(super) struct PeekSeed<'p>(pub(super) &'p mut Peek);

impl<'de> DeserializeSeed<'de> for PeekSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(ObjectVisitor(self.0))
    }
}

struct ObjectVisitor<'p>(&'p mut Peek);

impl<'de> Visitor<'de> for ObjectVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let peek = self.0;
        while let Some(key) = map.next_key::<String>()? {
            let shown = peek.keys.len() < KEYS_SHOWN;
            peek.keys.extend(shown.then(|| key.clone()));
            match key.as_str() {
                "apiVersion" => peek.api_version = next_text(&mut map)?,
                "kind" => peek.kind = next_text(&mut map)?,
                "metadata" => map.next_value_seed(PartSeed(peek, Part::Metadata))?,
                "spec" => map.next_value_seed(PartSeed(peek, Part::Spec))?,
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
struct PartSeed<'p>(&'p mut Peek, Part);

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
        let Self(peek, part) = self;
        while let Some(key) = map.next_key::<String>()? {
            match (part, key.as_str()) {
                (Part::Metadata, "name") => peek.name = next_text(&mut map)?,
                (Part::Metadata, "namespace") => peek.namespace = next_text(&mut map)?,
                (_, key) => {
                    peek.has_containers |= part == Part::Spec && key == "containers";
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
    map.next_value::<LooseText<'de>>().map(|value| text(value.0.as_ref()).to_owned())
}
