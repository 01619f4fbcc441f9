//! The wire format of protobuf: a message is a run of numbered fields, each a number or a counted run of bytes.
//!
//! Everything is borrowed from the message. What nobody asks for is stepped over by its length.

use std::fmt;

use crate::decode::forms::Text;

/// A field that could not be read: where it stands, and what is wrong with it. Boxed: it is in the result of every step,
/// and those are too many for a result of thirty bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault(Box<Located>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Located {
    path: String,
    problem: Problem,
}

/// What is wrong with a message or a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// The message ends inside a field.
    CutShort,
    /// More than ten bytes, or more than 64 bits, in a number.
    LongNumber,
    /// A field number that none can have.
    FieldNumber,
    /// Groups, which Kubernetes never wrote, or a wire type that does not exist.
    WireType(u8),
    /// A kept field has another wire type than the API gives it.
    OtherType { expected: &'static str },
    /// A kept text is not in UTF-8.
    NotUtf8,
}

impl Fault {
    #[cold]
    fn new(problem: Problem) -> Self {
        Self(Box::new(Located { path: String::new(), problem }))
    }

    /// The same fault, seen from the message that holds `field`.
    pub(super) fn within(mut self, field: &str) -> Self {
        let path = &mut self.0.path;
        let separator = if path.is_empty() || path.starts_with('[') { "" } else { "." };
        path.insert_str(0, separator);
        path.insert_str(0, field);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Located { path, problem } = &*self.0;
        match path.as_str() {
            "" => write!(f, "{problem}"),
            path => write!(f, "{path}: {problem}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutShort => f.write_str("the message ends inside a field"),
            Self::LongNumber => f.write_str("a number of more than 64 bits"),
            Self::FieldNumber => f.write_str("a field number that protobuf does not have"),
            Self::WireType(wire_type) => write!(f, "the wire type {wire_type}, which Kubernetes does not use"),
            Self::OtherType { expected } => write!(f, "another wire type than that of {expected}"),
            Self::NotUtf8 => f.write_str("not in UTF-8"),
        }
    }
}

/// How the value of a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WireType {
    Varint,
    Fixed64,
    Bytes,
    Fixed32,
}

/// The number and the wire type that a tag stands for.
pub(super) fn split_tag(tag: u64) -> Result<(u32, WireType), Problem> {
    let number = u32::try_from(tag >> 3).ok().filter(|number| (1..=(1 << 29) - 1).contains(number));
    let number = number.ok_or(Problem::FieldNumber)?;
    let wire_type = match (tag & 7) as u8 {
        0 => WireType::Varint,
        1 => WireType::Fixed64,
        2 => WireType::Bytes,
        5 => WireType::Fixed32,
        other => return Err(Problem::WireType(other)),
    };
    Ok((number, wire_type))
}

/// A number that comes byte by byte, seven bits in each, the lowest first.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Varint {
    value: u64,
    bits: u32,
}

impl Varint {
    /// Takes the next byte; yields the number when that was its last.
    pub(super) fn push(&mut self, byte: u8) -> Result<Option<u64>, Problem> {
        let low = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit.
        if self.bits > 63 || (self.bits == 63 && low > 1) {
            return Err(Problem::LongNumber);
        }
        self.value |= low << self.bits;
        self.bits += 7;
        if byte & 0x80 != 0 {
            return Ok(None);
        }
        let value = self.value;
        *self = Self::default();
        Ok(Some(value))
    }

    /// Whether a number has begun and not ended.
    pub(super) fn is_inside(self) -> bool {
        self.bits > 0
    }
}

/// One field of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    value: Value<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed,
}

impl<'a> Field<'a> {
    /// The text of the field called `name`; an empty one counts as absent, as the API writes both alike.
    pub(super) fn text(self, name: &str) -> Result<Option<Text<'a>>, Fault> {
        let bytes = self.bytes("a text").map_err(|fault| fault.within(name))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(Text::from(text))),
            Err(_) => Err(Fault::new(Problem::NotUtf8).within(name)),
        }
    }

    /// The bytes of a nested message, text or map entry.
    pub(super) fn bytes(self, expected: &'static str) -> Result<&'a [u8], Fault> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            Value::Varint(_) | Value::Fixed => Err(Fault::new(Problem::OtherType { expected })),
        }
    }

    /// The number of the field called `name`.
    pub(super) fn integer(self, name: &str) -> Result<i64, Fault> {
        match self.value {
            Value::Varint(value) => Ok(value.cast_signed()),
            Value::Bytes(_) | Value::Fixed => Err(Fault::new(Problem::OtherType { expected: "a number" }).within(name)),
        }
    }
}

/// Reads the fields of a message one by one.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    /// A last field that is longer than what is left is given as far as it goes.
    is_head: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        Self { rest: message, is_head: false }
    }

    /// The fields of a message of which only the beginning is there.
    pub(super) fn of_head(head: &'a [u8]) -> Self {
        Self { rest: head, is_head: true }
    }

    /// The next field; none at the end of the message.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<Field<'a>>, Fault> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let (number, wire_type) = split_tag(tag).map_err(Fault::new)?;
        let value = match wire_type {
            WireType::Varint => Value::Varint(self.varint()?),
            WireType::Bytes => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            WireType::Fixed64 => self.take(8).map(|_| Value::Fixed)?,
            WireType::Fixed32 => self.take(4).map(|_| Value::Fixed)?,
        };
        Ok(Some(Field { number, value }))
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, Fault> {
        // Nearly every tag and length of a pod is below 128.
        if let [byte @ ..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        let mut varint = Varint::default();
        for (index, byte) in self.rest.iter().enumerate() {
            if let Some(value) = varint.push(*byte).map_err(Fault::new)? {
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err(Fault::new(Problem::CutShort))
    }

    #[inline]
    fn take(&mut self, length: u64) -> Result<&'a [u8], Fault> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let length = if self.is_head { length.min(self.rest.len()) } else { length };
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            return Err(Fault::new(Problem::CutShort));
        };
        self.rest = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::one_byte(&[0x7f], Some(0x7f))]
    #[case::two_bytes(&[0x96, 0x01], Some(150))]
    #[case::padded(&[0x81, 0x80, 0x00], Some(1))]
    #[case::minus_one(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Some(u64::MAX))]
    #[case::a_65th_bit(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], None)]
    #[case::eleven_bytes(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], None)]
    #[case::cut_short(&[0x96], None)]
    fn numbers_are_read_as_protobuf_writes_them(#[case] bytes: &[u8], #[case] expected: Option<u64>) {
        assert_eq!(Fields::new(bytes).varint().ok(), expected);
    }

    #[rstest]
    #[case::field_zero(&[0x02, 0x00], Problem::FieldNumber)]
    #[case::a_group(&[0x0b], Problem::WireType(3))]
    #[case::no_length(&[0x0a], Problem::CutShort)]
    #[case::too_long(&[0x0a, 0x05, b'a'], Problem::CutShort)]
    #[case::a_length_of_64_bits(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Problem::CutShort)]
    #[case::half_a_fixed(&[0x0d, 0, 0, 0], Problem::CutShort)]
    fn a_broken_field_is_told(#[case] bytes: &[u8], #[case] problem: Problem) {
        assert_eq!(Fields::new(bytes).next().unwrap_err(), Fault::new(problem));
    }

    #[test]
    fn a_fault_is_named_by_its_path() {
        let fault = Fault::new(Problem::NotUtf8).within("name").within("[2]").within("containers").within("spec");
        assert_eq!(fault.to_string(), "spec.containers[2].name: not in UTF-8");
    }
}
