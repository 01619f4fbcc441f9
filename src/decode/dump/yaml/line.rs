//! One line of YAML, as far as block structure goes.

use std::borrow::Cow;

/// A line without its line break.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) bytes: &'a [u8],
    /// Blanks before the content.
    pub(super) indent: usize,
}

impl<'a> Line<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let indent = bytes.iter().take_while(|byte| **byte == b' ').count();
        Self { bytes, indent }
    }

    pub(super) fn content(&self) -> &'a [u8] {
        &self.bytes[self.indent..]
    }

    pub(super) fn is_blank(&self) -> bool {
        self.content().iter().all(|byte| matches!(byte, b' ' | b'\t'))
    }

    pub(super) fn is_comment(&self) -> bool {
        self.content().first() == Some(&b'#')
    }

    pub(super) fn is_directive(&self) -> bool {
        self.bytes.first() == Some(&b'%')
    }

    /// A `-` that begins an entry of a sequence.
    pub(super) fn is_dash(&self) -> bool {
        matches!(self.content(), [b'-'] | [b'-', b' ' | b'\t', ..])
    }

    pub(super) fn opens_flow(&self) -> bool {
        matches!(self.content().first(), Some(b'{' | b'['))
    }

    pub(super) fn closes_flow(&self) -> bool {
        matches!(self.content().first(), Some(b'}' | b']'))
    }

    /// What follows `---` on its line, moved to where it stands; `None` when the line is no such mark.
    pub(super) fn after_document_start(&self) -> Option<Cow<'a, [u8]>> {
        match self.bytes {
            b"---" => Some(Cow::Borrowed(b"")),
            [b'-', b'-', b'-', b' ' | b'\t', rest @ ..] => Some(Cow::Owned([b"    ", rest].concat())),
            _ => None,
        }
    }

    pub(super) fn is_document_end(&self) -> bool {
        matches!(self.bytes, b"..." | [b'.', b'.', b'.', b' ' | b'\t', ..])
    }

    /// Whether the value behind its key is a text of several words that is not quoted, as in `error: no such host`.
    pub(super) fn is_of_words(&self) -> bool {
        let value =
            self.content().iter().position(|byte| *byte == b':').map(|at| self.content()[at + 1..].trim_ascii());
        value.is_some_and(|value| value.contains(&b' ') && value.first().is_some_and(u8::is_ascii_alphanumeric))
    }

    /// The start of the line for a message.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(1024)]).into_owned()
    }
}

/// The key that a line of a block mapping begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key<'a> {
    pub(super) name: &'a str,
    /// Nothing but blanks and a comment follows.
    pub(super) value_is_empty: bool,
}

/// Reads `key:` or `"key":`; `None` when the line begins with no key.
pub(super) fn key_of(content: &[u8]) -> Option<Key<'_>> {
    let (name, rest) = match content.first()? {
        quote @ (b'"' | b'\'') => {
            let end = 1 + content[1..].iter().position(|byte| byte == quote)?;
            (&content[1..end], content[end + 1..].trim_ascii_start().strip_prefix(b":")?)
        }
        b'[' | b'{' | b'}' | b']' | b'|' | b'>' | b'*' | b'%' | b'@' | b'`' | b',' | b'#' => return None,
        b'-' if matches!(content.get(1), None | Some(b' ' | b'\t')) => return None,
        _ => {
            let colons = content.iter().enumerate().filter(|(_, byte)| **byte == b':').map(|(at, _)| at);
            let ends = |at: &usize| matches!(content.get(at + 1), None | Some(b' ' | b'\t'));
            let end = colons.into_iter().find(ends)?;
            (&content[..end], &content[end + 1..])
        }
    };
    if !matches!(rest.first(), None | Some(b' ' | b'\t')) {
        return None;
    }
    let value = rest.trim_ascii();
    let name = std::str::from_utf8(name).ok()?.trim();
    (!name.is_empty()).then_some(Key { name, value_is_empty: value.is_empty() || value.starts_with(b"#") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("items:", Some(("items", true)))]
    #[case::with_a_comment("items:  # all", Some(("items", true)))]
    #[case::with_a_value("kind: List", Some(("kind", false)))]
    #[case::flow("items: []", Some(("items", false)))]
    #[case::quoted(r#""items" : "#, Some(("items", true)))]
    #[case::colons_inside("a:b: c", Some(("a:b", false)))]
    #[case::no_blank_behind("http://x", None)]
    #[case::json("{\"a\": 1}", None)]
    #[case::dash("- a: 1", None)]
    #[case::text("unable to connect", None)]
    fn keys_are_told_from_other_text(#[case] content: &str, #[case] expected: Option<(&str, bool)>) {
        assert_eq!(key_of(content.as_bytes()).map(|key| (key.name, key.value_is_empty)), expected);
    }
}
