//! The length of a value's compact JSON, as serde_json writes it, for what payloads are made of: structs, lists, maps and
//! texts. Counting takes a fraction of the time of writing into nothing: a text with nothing to escape is looked at once,
//! many bytes at a time.

use std::fmt;

use serde::Serialize;
use serde::ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

/// Bytes of a value's compact JSON.
pub(super) fn json_length(value: &impl Serialize) -> u64 {
    let mut length = Length(0);
    if let Err(error) = value.serialize(&mut length) {
        unreachable!("payloads are made of structs, lists, maps and texts: {error}");
    }
    length.0
}

/// Bytes until now.
struct Length(u64);

/// A list or an object under way.
struct Elements<'l> {
    length: &'l mut Length,
    is_first: bool,
}

/// A value that no payload has.
#[derive(Debug)]
struct Unsupported;

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that is not counted")
    }
}

impl std::error::Error for Unsupported {}

impl ser::Error for Unsupported {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl Length {
    fn text(&mut self, text: &str) {
        let is_special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
        let is_plain = !text.bytes().fold(false, |special, byte| special | is_special(byte));
        let escapes = if is_plain { 0 } else { text.bytes().map(escape_length).sum() };
        self.0 += text.len() as u64 + 2 + escapes;
    }
}

/// What a byte takes beyond itself.
fn escape_length(byte: u8) -> u64 {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..b' ' => 5,
        _ => 0,
    }
}

impl Elements<'_> {
    fn begin(&mut self) {
        self.length.0 += u64::from(!std::mem::take(&mut self.is_first));
    }
}

/// What payloads do not have.
macro_rules! unsupported {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(fn $method(self, _: $type) -> Result<(), Unsupported> {
            Err(Unsupported)
        })*
    };
}

impl<'l> Serializer for &'l mut Length {
    type Ok = ();
    type Error = Unsupported;
    type SerializeSeq = Elements<'l>;
    type SerializeMap = Elements<'l>;
    type SerializeStruct = Elements<'l>;
    type SerializeTuple = Impossible<(), Unsupported>;
    type SerializeTupleStruct = Impossible<(), Unsupported>;
    type SerializeTupleVariant = Impossible<(), Unsupported>;
    type SerializeStructVariant = Impossible<(), Unsupported>;

    unsupported! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32,
        serialize_f64: f64, serialize_char: char, serialize_bytes: &[u8], serialize_unit_struct: &'static str,
    }

    fn serialize_str(self, text: &str) -> Result<(), Unsupported> {
        self.text(text);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Unsupported> {
        Err(Unsupported)
    }

    fn serialize_unit(self) -> Result<(), Unsupported> {
        Err(Unsupported)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unsupported> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Unsupported> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'l>, Unsupported> {
        self.0 += 2;
        Ok(Elements { length: self, is_first: true })
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Elements<'l>, Unsupported> {
        self.serialize_seq(length)
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Elements<'l>, Unsupported> {
        self.serialize_seq(Some(length))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Unsupported> {
        Err(Unsupported)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unsupported> {
        Err(Unsupported)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Unsupported> {
        Err(Unsupported)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Unsupported> {
        Err(Unsupported)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unsupported> {
        Err(Unsupported)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unsupported> {
        Err(Unsupported)
    }
}

impl SerializeSeq for Elements<'_> {
    type Ok = ();
    type Error = Unsupported;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsupported> {
        self.begin();
        value.serialize(&mut *self.length)
    }

    fn end(self) -> Result<(), Unsupported> {
        Ok(())
    }
}

impl SerializeMap for Elements<'_> {
    type Ok = ();
    type Error = Unsupported;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unsupported> {
        self.begin();
        key.serialize(&mut *self.length)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unsupported> {
        self.length.0 += 1;
        value.serialize(&mut *self.length)
    }

    fn end(self) -> Result<(), Unsupported> {
        Ok(())
    }
}

impl SerializeStruct for Elements<'_> {
    type Ok = ();
    type Error = Unsupported;

    /// A field's name has nothing to escape.
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Unsupported> {
        self.begin();
        self.length.0 += key.len() as u64 + 3;
        value.serialize(&mut *self.length)
    }

    fn end(self) -> Result<(), Unsupported> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, Serialize)]
    struct Values {
        text: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        optional: Option<String>,
        list: Vec<String>,
        map: BTreeMap<String, String>,
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

        #[test]
        fn a_length_is_that_of_what_serde_json_writes(
            text in any::<String>(),
            optional in proptest::option::of("[\u{0}-\u{80}\"\\\\]{0,6}"),
            list in proptest::collection::vec("[\u{0}-\u{30}]{0,4}", 0..4),
            map in proptest::collection::btree_map("[a-c\n]{0,3}", any::<String>(), 0..3),
        ) {
            let values = Values { text, optional, list, map };
            prop_assert_eq!(json_length(&values), serde_json::to_string(&values).expect("JSON").len() as u64);
        }
    }
}
