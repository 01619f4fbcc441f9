//! How fields are written in JSON and YAML: objects of named fields, lists of them, texts.
//!
//! `null` means absent, as in the API's own language. A key of another client (`container_statuses`, `containerstatuses`)
//! stands for the field that it spells; one with a capital letter is a name of Go and is left to be complained of.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// An object, or `null`.
pub(super) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<Fields<T>>::deserialize(deserializer)?.map(|Fields(object)| object))
}

/// A list of objects, or `null`; an element that is `null` is an object without fields.
pub(super) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let elements = Option::<Vec<Option<Fields<T>>>>::deserialize(deserializer)?;
    Ok(elements
        .unwrap_or_default()
        .into_iter()
        .map(|element| element.map_or_else(T::default, |Fields(it)| it))
        .collect())
}

/// An object of named fields. A derived struct alone would also take a sequence of its fields' values in their order.
#[derive(Debug)]
pub(super) struct Fields<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Fields<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for FieldsVisitor<T> {
            type Value = Fields<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(Map(map)).map(Fields)
            }
        }
        deserializer.deserialize_map(FieldsVisitor(PhantomData))
    }
}

/// A map that is about to become a struct.
struct Map<A>(A);

impl<'de, A: MapAccess<'de>> Deserializer<'de> for Map<A> {
    type Error = A::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        MapAccessDeserializer::new(self.0).deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        visitor.visit_map(Keys { map: self.0, fields })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Gives each key the spelling of the field that it means.
struct Keys<A> {
    map: A,
    fields: &'static [&'static str],
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Keys<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Some(Key(key)) = self.map.next_key()? else { return Ok(None) };
        let meant = self.fields.iter().find(|field| **field == key).or_else(|| {
            let is_respelled = |field: &&&str| is_respelled(&key, field);
            self.fields.iter().find(is_respelled)
        });
        // A key that is no field is passed over by its value's type: its own text is wanted by nobody.
        seed.deserialize(meant.copied().unwrap_or("").into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// Whether two names differ in underscores and the case of letters alone.
fn is_respelled(key: &str, field: &str) -> bool {
    if key.starts_with(|first: char| first.is_ascii_uppercase()) {
        return false;
    }
    if !key.contains('_') {
        return key.eq_ignore_ascii_case(field);
    }
    let letters = key.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase());
    letters.eq(field.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// The text of a key; empty when it is none.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(|text| Self(text.unwrap_or_default()))
    }
}

/// A text; any other value counts as absent. For what nothing depends on.
pub(super) fn loose<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    deserializer.deserialize_any(TextVisitor).map(|text| text.map(Cow::into_owned))
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(value.to_owned())))
    }

    null_is!(None);
    odd_scalars_are!(None);
    odd_sequences_are!(None);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// A text of a value that may be anything.
pub(super) struct Loose(pub(super) Option<String>);

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        loose(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::python("container_statuses", true)]
    #[case::another_of_python("image_id", false)]
    #[case::lower_case("containerstatuses", true)]
    #[case::go("ContainerStatuses", false)]
    #[case::another_field("containerStatus", false)]
    fn a_key_of_another_client_stands_for_the_field_that_it_spells(#[case] key: &str, #[case] expected: bool) {
        assert_eq!(is_respelled(key, "containerStatuses"), expected);
    }
}
