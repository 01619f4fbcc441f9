//! One JSON value becomes the fields kept of it, or a reason why not.

use std::fmt::Debug;

use memchr::{memchr, memchr_iter};
use serde::de::{DeserializeOwned, DeserializeSeed};

use super::repair::repaired;
use crate::decode::fields::Fields;
use crate::decode::identity::{Identity, IdentitySeed};
use crate::decode::sink::AtStart;

/// Why an item could not be read.
#[derive(Debug)]
pub(in crate::decode) struct Unreadable {
    /// The field and what is wrong with it.
    pub(in crate::decode) problem: String,
    /// Another document begins where the grammar failed, so many lines below the first.
    pub(in crate::decode) splice: Option<u64>,
}

/// Reads a value that is known to be whole. Text that is not Unicode breaks it only in a field that is kept.
pub(in crate::decode) fn read<T: DeserializeOwned + Debug>(bytes: &[u8]) -> Result<T, Unreadable> {
    let error = match serde_json::from_slice::<Fields<T>>(bytes) {
        Ok(Fields(object)) => return Ok(object),
        Err(error) => error,
    };
    if let Some(repaired) = repaired(bytes)
        && let Ok(Fields(object)) = serde_json::from_slice::<Fields<T>>(&repaired)
        && !has_mark(&object)
    {
        return Ok(object);
    }
    Err(Unreadable { problem: located::<T>(bytes, &error), splice: splice(bytes, &error) })
}

/// Reads the object at the start of `bytes`.
pub(in crate::decode) fn read_at_start<T: DeserializeOwned>(bytes: &[u8]) -> AtStart<T> {
    // How far another value goes is found by counting alone.
    if bytes.first() != Some(&b'{') {
        return AtStart::Irregular;
    }
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Fields<T>>();
    match values.next() {
        Some(Ok(Fields(object))) => AtStart::Read(object, values.byte_offset()),
        Some(Err(error)) if error.is_eof() => AtStart::Unfinished,
        Some(Err(_)) | None => AtStart::Irregular,
    }
}

/// What an object calls itself.
pub(in crate::decode) fn identity(bytes: &[u8]) -> Identity {
    let mut identity = Identity::default();
    // A failure leaves what was found before it, which is all that is wanted.
    let _ = IdentitySeed(&mut identity).deserialize(&mut serde_json::Deserializer::from_slice(bytes));
    identity
}

/// Whether a text that is kept has the mark of bytes that could not be read.
pub(in crate::decode) fn has_mark(object: &impl Debug) -> bool {
    format!("{object:?}").contains(char::REPLACEMENT_CHARACTER)
}

fn located<T: DeserializeOwned>(bytes: &[u8], error: &serde_json::Error) -> String {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let Err(located) = serde_path_to_error::deserialize::<_, Fields<T>>(&mut deserializer) else {
        return without_place(&error.to_string()).to_owned();
    };
    let path = located.path().to_string();
    let reason = located.inner().to_string();
    let reason = without_place(&reason);
    if path == "." { reason.to_owned() } else { format!("{path}: {reason}") }
}

/// The place is counted within the item and would mislead.
pub(in crate::decode) fn without_place(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |end| &message[..end])
}

/// Where the grammar failed because another document begins: lines below the first.
fn splice(bytes: &[u8], error: &serde_json::Error) -> Option<u64> {
    let below = error.line().saturating_sub(1);
    let line_start = match below {
        0 => 0,
        below => memchr_iter(b'\n', bytes).nth(below - 1).map_or(0, |at| at + 1),
    };
    let at = (line_start + error.column()).saturating_sub(4);
    let near = bytes.get(at..bytes.len().min(at + 5)).unwrap_or_default();
    let mut opens = memchr_iter(b'{', near).map(|open| &bytes[at + open..]);
    (error.is_syntax() && opens.any(begins_object)).then_some(below as u64)
}

/// Whether the bytes begin as an object of the API does.
fn begins_object(bytes: &[u8]) -> bool {
    let key = Text::after(bytes, b'{').map(|text| text.value);
    matches!(key, Some(b"apiVersion" | b"kind" | b"items" | b"metadata"))
}

/// Where a document begins inside the bytes, which are the beginning of an item: an object that says what only a document
/// says, as a list does.
pub(super) fn document_in(item: &[u8]) -> Option<usize> {
    memchr_iter(b'{', item).filter(|at| *at > 0).find(|at| begins_document(&item[*at..]).unwrap_or(false))
}

fn begins_document(bytes: &[u8]) -> Option<bool> {
    let first = Text::after(bytes, b'{')?;
    let value = Text::after(first.rest, b':')?;
    let second = Text::after(value.rest, b',')?;
    Some(match (first.value, second.value) {
        (b"kind", b"apiVersion" | b"metadata" | b"items") => is_document(value.value),
        (b"apiVersion", b"items") => true,
        (b"apiVersion", b"kind") => {
            let kind = Text::after(second.rest, b':')?;
            let third = Text::after(kind.rest, b',')?;
            is_document(kind.value) && matches!(third.value, b"metadata" | b"items")
        }
        _ => false,
    })
}

fn is_document(kind: &[u8]) -> bool {
    kind.ends_with(b"List") || matches!(kind, b"Pod" | b"Namespace")
}

/// A text in double quotes.
struct Text<'a> {
    value: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Text<'a> {
    /// The text behind a mark, blanks aside.
    fn after(bytes: &'a [u8], mark: u8) -> Option<Self> {
        let bytes = bytes.trim_ascii_start().strip_prefix(&[mark])?;
        let bytes = bytes.trim_ascii_start().strip_prefix(b"\"")?;
        let end = memchr(b'"', &bytes[..bytes.len().min(64)])?;
        Some(Self { value: &bytes[..end], rest: &bytes[end + 1..] })
    }
}
