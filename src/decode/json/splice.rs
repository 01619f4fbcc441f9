//! One document inside another: two outputs in one file, or a copy that was cut off before the whole one.

use memchr::{memchr, memchr_iter};
use serde::de::IgnoredAny;

/// Where the grammar failed because another document begins: lines below the first.
pub(super) fn splice(bytes: &[u8], error: &serde_json::Error) -> Option<u64> {
    let (below, at) = shortly_before(bytes, error);
    let near = bytes.get(at..bytes.len().min(at + 5)).unwrap_or_default();
    let mut opens = memchr_iter(b'{', near).map(|open| &bytes[at + open..]);
    (error.is_syntax() && opens.any(begins_object)).then_some(below as u64)
}

/// Whether the bytes begin as an object of the API does.
fn begins_object(bytes: &[u8]) -> bool {
    let key = Text::after(bytes, b'{').map(|text| text.value);
    matches!(key, Some(b"apiVersion" | b"kind" | b"items" | b"metadata"))
}

/// Where a document begins inside the bytes, which are the beginning of an item: an object with a field that only a document
/// has, as a list does.
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

/// Lines below the first at which the grammar fails before the bytes end, and an object follows. Without one the bytes are
/// cut off, perhaps inside a text behind whose last line a line break stands.
pub(super) fn syntax_error(bytes: &[u8]) -> Option<u64> {
    let error = serde_json::from_slice::<IgnoredAny>(bytes).err().filter(serde_json::Error::is_syntax)?;
    let (below, at) = shortly_before(bytes, &error);
    memchr(b'{', bytes.get(at..)?).map(|_| below as u64)
}

/// Where the grammar failed: lines below the first, and a place a few bytes before.
fn shortly_before(bytes: &[u8], error: &serde_json::Error) -> (usize, usize) {
    let below = error.line().saturating_sub(1);
    let line = below.checked_sub(1).and_then(|above| memchr_iter(b'\n', bytes).nth(above)).map_or(0, |at| at + 1);
    (below, (line + error.column()).saturating_sub(4))
}
