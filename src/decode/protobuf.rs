//! What bodies and messages in protobuf have in common: the wrapper of an object, and the fields of a message.

use prost::Message as _;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::objects::TypeMeta;

/// What every body of this encoding begins with.
pub(super) const MAGIC: [u8; 4] = *b"k8s\0";

/// A message that prost need not read: its bytes, of which the last may be missing.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Wire<'a> {
    pub(super) bytes: &'a [u8],
    /// Bytes are missing: what is there is read as far as it goes.
    pub(super) is_cut: bool,
}

impl Wire<'_> {
    /// The field of that number, if it is a text, bytes or a message. Of several the last one counts.
    pub(super) fn field(self, number: u32) -> Result<Option<Self>, String> {
        let mut rest = self;
        let mut found = None;
        while !rest.bytes.is_empty() {
            match rest.next_field() {
                Ok((at, value)) if at == number => found = value.or(found),
                Ok(_) => {}
                Err(_) if self.is_cut => break,
                Err(problem) => return Err(problem),
            }
        }
        Ok(found)
    }

    /// Reads past one field: its number, and its bytes if it has a length.
    fn next_field(&mut self) -> Result<(u32, Option<Self>), String> {
        let (number, wire_type) = decode_key(&mut self.bytes).map_err(|error| problem(&error))?;
        if wire_type != WireType::LengthDelimited {
            let context = DecodeContext::default();
            skip_field(wire_type, number, &mut self.bytes, context).map_err(|error| problem(&error))?;
            return Ok((number, None));
        }
        let length = decode_varint(&mut self.bytes).map_err(|error| problem(&error))?;
        let value = match usize::try_from(length).ok().and_then(|length| self.bytes.split_at_checked(length)) {
            Some((value, rest)) => {
                self.bytes = rest;
                Self { bytes: value, is_cut: false }
            }
            None if self.is_cut => Self { bytes: std::mem::take(&mut self.bytes), is_cut: true },
            None => return Err("a field goes on behind the end of its message".to_owned()),
        };
        Ok((number, Some(value)))
    }
}

/// What a body wraps: `runtime.Unknown`, behind four bytes of magic.
#[derive(Debug)]
pub(super) struct Wrapped<'a> {
    pub(super) type_meta: TypeMeta,
    pub(super) object: Wire<'a>,
}

impl<'a> Wrapped<'a> {
    pub(super) fn read(body: Wire<'a>) -> Result<Self, String> {
        let Some(bytes) = body.bytes.strip_prefix(&MAGIC) else {
            return Err("it does not begin with the four bytes of Kubernetes".to_owned());
        };
        let wrapper = Wire { bytes, ..body };
        let type_meta = match wrapper.field(1)? {
            Some(meta) => TypeMeta::decode(meta.bytes).map_err(|error| format!("typeMeta: {}", problem(&error)))?,
            None => TypeMeta::default(),
        };
        // An empty text and an absent one are the same.
        for content_form in [3, 4] {
            if wrapper.field(content_form)?.is_some_and(|form| !form.bytes.is_empty()) {
                return Err("it is wrapped in another form than protobuf".to_owned());
            }
        }
        Ok(Self { type_meta, object: wrapper.field(2)?.unwrap_or_default() })
    }
}

/// What prost says of a broken message, with the fields that lead there from the outside in.
pub(super) fn problem(error: &prost::DecodeError) -> String {
    let text = error.to_string();
    let mut rest = text.strip_prefix("failed to decode Protobuf message: ").unwrap_or(&text);
    let mut path = Vec::new();
    while let Some((message_and_field, after)) = rest.split_once(": ")
        && let Some((_, field)) = message_and_field.split_once('.')
    {
        path.push(field);
        rest = after;
    }
    path.reverse();
    if path.is_empty() { rest.to_owned() } else { format!("{}: {rest}", path.join(".")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const NUMBERS_AND_TEXTS: &[u8] = &[0x08, 0x96, 0x01, 0x12, 2, b'a', b'b', 0x12, 1, b'c', 0x1d, 1, 2, 3, 4];

    #[rstest]
    #[case::the_last_of_its_number(NUMBERS_AND_TEXTS, false, 2, Ok(Some("c")))]
    #[case::of_another_type(NUMBERS_AND_TEXTS, false, 1, Ok(None))]
    #[case::absent(NUMBERS_AND_TEXTS, false, 9, Ok(None))]
    #[case::of_an_empty_message(b"", false, 1, Ok(None))]
    #[case::cut(&NUMBERS_AND_TEXTS[..6], true, 2, Ok(Some("a")))]
    #[case::cut_inside_a_number(&NUMBERS_AND_TEXTS[..2], true, 2, Ok(None))]
    #[case::too_short(&NUMBERS_AND_TEXTS[..6], false, 2, Err("a field goes on behind the end of its message"))]
    #[case::of_a_length_of_64_bits(
        &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        false,
        2,
        Err("a field goes on behind the end of its message")
    )]
    fn a_field_is_found_by_its_number(
        #[case] bytes: &[u8],
        #[case] is_cut: bool,
        #[case] number: u32,
        #[case] expected: Result<Option<&str>, &str>,
    ) {
        let found = Wire { bytes, is_cut }.field(number);
        let text = found.map(|field| field.map(|field| String::from_utf8_lossy(field.bytes).into_owned()));
        assert_eq!(text, expected.map(|text| text.map(str::to_owned)).map_err(str::to_owned));
    }
}
