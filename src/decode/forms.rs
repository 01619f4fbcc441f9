//! The forms that values on the wire have: objects of named fields, texts, maps of texts.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};

/// A map of named fields. A derived struct alone would also take a sequence of its fields' values in their order.
#[derive(Debug)]
pub(super) struct Map<T>(pub(super) T);

impl<T> Deref for Map<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Map<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for FieldsVisitor<T> {
            type Value = Map<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Map)
            }
        }
        deserializer.deserialize_map(FieldsVisitor(PhantomData))
    }
}

/// A string, borrowed where it can be. serde's own borrowing does not reach a `Cow` inside an `Option`.
#[derive(Debug, Clone)]
pub(super) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(text)
    }
}

/// The text, or the empty one when absent.
pub(super) fn text<'t>(value: Option<&'t Text<'_>>) -> &'t str {
    value.map_or("", Text::as_str)
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(value)))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(value.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// A string; any other value counts as absent. For what nothing depends on.
#[derive(Debug, Default)]
pub(super) struct LooseText<'a>(pub(super) Option<Text<'a>>);

impl LooseText<'_> {
    /// The text, or the empty one when absent.
    pub(super) fn as_str(&self) -> &str {
        text(self.0.as_ref())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for LooseText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LooseVisitor;
        impl<'de> Visitor<'de> for LooseVisitor {
            type Value = LooseText<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Self::Value, E> {
                Ok(LooseText(Some(Text(Cow::Borrowed(value)))))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
                Ok(LooseText(Some(Text(Cow::Owned(value.to_owned())))))
            }

            null_is!(LooseText(None));
            odd_scalars_are!(LooseText(None));
            odd_sequences_are!(LooseText(None));

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(LooseText(None))
            }
        }
        deserializer.deserialize_any(LooseVisitor)
    }
}

/// Labels or annotations: keys with their values, in the order in which they are written. Nothing that is odd about them
/// breaks an object: what is no map counts as an empty one, and a key or value that is no string as absent.
#[derive(Debug, Default)]
pub(super) struct Texts<'a>(pub(super) Vec<(LooseText<'a>, LooseText<'a>)>);

impl<'a> Texts<'a> {
    /// Each key that is a string, with its value.
    pub(super) fn entries<'t>(&'t self) -> impl Iterator<Item = (&'t str, Option<&'t Text<'a>>)> {
        self.0.iter().filter_map(|(key, value)| Some((key.0.as_ref()?.as_str(), value.0.as_ref())))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextsVisitor;
        impl<'de> Visitor<'de> for TextsVisitor {
            type Value = Texts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Texts(entries))
            }

            fn visit_str<E: de::Error>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Texts::default())
            }

            null_is!(Texts::default());
            odd_scalars_are!(Texts::default());
            odd_sequences_are!(Texts::default());
        }
        deserializer.deserialize_any(TextsVisitor)
    }
}
