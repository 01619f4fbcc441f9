//! YAML text into a tree whose every node knows its line. The only file of this module that knows the YAML library.
//!
//! Scalars stay text as written: a password `0123` must not become the number 123, nor a user `no` the word false. What
//! a text means is decided where its key is known.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use serde_saphyr::budget::Budget;
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};

/// A configuration is three levels deep; anything much deeper is an attack on the stack.
const MAX_DEPTH: usize = 24;

/// A value of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Where the value stands, counted from 1.
    pub(super) line: u64,
    pub(super) shape: Shape,
}

/// What kind of value it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar: as written when plain, its content when quoted.
    Text(String),
    List(Vec<Node>),
    /// In the order of the document; a repeated key appears repeatedly.
    Map(Vec<(Key, Node)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) line: u64,
}

/// Why a text is no YAML document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotYaml {
    /// Counted from 1; 1 when unknown.
    pub(super) line: u64,
    pub(super) reason: String,
    /// It is YAML, but of several documents.
    pub(super) has_more_documents: bool,
}

/// Reads one document; an empty text is `Null`.
pub(super) fn parse(text: &str) -> Result<Node, NotYaml> {
    let options = serde_saphyr::options! {
        // A repeated key is found with all other problems, not as the first and only one.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        // A token may look like one; the text is taken from the source anyway.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        // A snippet of the file could show a password.
        with_snippet: false,
        budget: Some(limits()),
    };
    let raw: Option<Spanned<Raw>> = serde_saphyr::from_str_with_options(text, options).map_err(|error| NotYaml {
        line: error.location().map_or(1, |location| location.line().max(1)),
        reason: reason(&error),
        has_more_documents: matches!(error.without_snippet(), serde_saphyr::Error::MultipleDocuments { .. }),
    })?;
    Ok(raw.map_or(Node { line: 1, shape: Shape::Null }, |raw| raw_node(raw, text)))
}

fn limits() -> Budget {
    let mut budget = Budget::default();
    budget.max_depth = MAX_DEPTH;
    budget.flow_nesting_limit = MAX_DEPTH;
    budget
}

/// The library's message without its own position, which is written in kai's form.
fn reason(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let first = text.lines().next().unwrap_or_default();
    let end = [" at line ", " (line "].iter().filter_map(|mark| first.find(mark)).min().unwrap_or(first.len());
    first[..end].to_owned()
}

/// A node as the library hands it out, before plain scalars are taken back from the source text.
enum Raw {
    Null,
    /// Read as a number or a boolean: the source text has what was written.
    Typed,
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

fn raw_node(raw: Spanned<Raw>, source: &str) -> Node {
    let shape = match raw.value {
        Raw::Null => Shape::Null,
        Raw::Typed => Shape::Text(written(raw.defined, source).to_owned()),
        Raw::Text(text) => Shape::Text(text),
        Raw::List(items) => Shape::List(items.into_iter().map(|item| raw_node(item, source)).collect()),
        Raw::Map(entries) => Shape::Map(
            entries
                .into_iter()
                .map(|(key, value)| (Key { line: key.referenced.line(), text: key.value }, raw_node(value, source)))
                .collect(),
        ),
    };
    Node { line: raw.referenced.line(), shape }
}

fn written(location: serde_saphyr::Location, source: &str) -> &str {
    let span = location.span();
    let range = span.byte_offset().zip(span.byte_len()).and_then(|(start, length)| {
        let start = usize::try_from(start).ok()?;
        Some(start..start.checked_add(usize::try_from(length).ok()?)?)
    });
    range.and_then(|range| source.get(range)).unwrap_or_default().trim()
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

/// A text as a YAML scalar that reads back as the same text: plain when nothing in it could mean something else.
pub(super) fn scalar(text: &str) -> String {
    let plain = text.chars().all(|character| character.is_ascii_alphanumeric() || "-_./".contains(character))
        && text.starts_with(|character: char| character.is_ascii_alphanumeric() || character == '/')
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            character if needs_escape(character) => quoted.extend(escape(character)),
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

fn escape(character: char) -> impl Iterator<Item = char> {
    let code = u32::from(character);
    let hex = (0..8).rev().map(move |digit| char::from_digit(code >> (digit * 4) & 0xf, 16).unwrap_or('0'));
    "\\U".chars().chain(hex)
}

/// Control characters, and those that end a line or reorder a terminal's text.
fn needs_escape(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn text_at(document: &str, key: &str) -> (u64, Shape) {
        let Shape::Map(entries) = parse(document).expect("YAML").shape else { panic!("no map") };
        let (_, node) = entries.into_iter().find(|(found, _)| found.text == key).expect("key");
        (node.line, node.shape)
    }

    #[rstest]
    #[case::leading_zero("k: 0123", "0123")]
    #[case::boolean_word("k: no", "no")]
    #[case::boolean("k: True", "True")]
    #[case::float("k: 1.50", "1.50")]
    #[case::hexadecimal("k: 0x1F", "0x1F")]
    #[case::grouped("k: 1_000", "1_000")]
    #[case::huge("k: 123456789012345678901234567890", "123456789012345678901234567890")]
    #[case::not_a_number("k: .nan", ".nan")]
    #[case::quoted("k: \"a\\tb\"", "a\tb")]
    #[case::quoted_null("k: 'null'", "null")]
    #[case::quoted_empty("k: ''", "")]
    #[case::trailing_comment("k: 60 # seconds", "60")]
    #[case::non_ascii_before("é: ü\nk: 60", "60")]
    #[case::alias("a: &x 007\nk: *x", "007")]
    #[case::merged("base: &b {k: 010}\nk: 08\n<<: *b", "08")]
    #[case::block("k: |\n  a\n  b\n", "a\nb\n")]
    fn scalars_stay_as_written(#[case] document: &str, #[case] expected: &str) {
        assert_eq!(text_at(document, "k").1, Shape::Text(expected.to_owned()));
    }

    #[rstest]
    #[case("k:")]
    #[case("k: ~")]
    #[case("k: null")]
    #[case("k: # nothing\nl: 1")]
    fn nothing_is_null(#[case] document: &str) {
        assert_eq!(text_at(document, "k").1, Shape::Null);
    }

    #[rstest]
    #[case("")]
    #[case("# only a comment\n")]
    #[case("---\n")]
    #[case("null")]
    #[case("\u{feff}")]
    fn an_empty_document_is_null(#[case] document: &str) {
        assert_eq!(parse(document).expect("YAML").shape, Shape::Null);
    }

    #[test]
    fn lines_are_those_of_the_document() {
        let Shape::Map(entries) = parse("# c\na:\n\n  - x\n  - y\nb: {c: 1}\na: 2\n").expect("YAML").shape else {
            panic!("no map")
        };
        let keys: Vec<_> = entries.iter().map(|(key, node)| (key.text.as_str(), key.line, node.line)).collect();
        assert_eq!(keys, [("a", 2, 4), ("b", 6, 6), ("a", 7, 7)]);
        let Shape::List(items) = &entries[0].1.shape else { panic!("no list") };
        assert_eq!(items.iter().map(|item| item.line).collect::<Vec<_>>(), [4, 5]);
    }

    #[test]
    fn deep_nesting_is_refused_before_the_stack_ends() {
        let error = parse(&"[".repeat(100_000)).expect_err("too deep");
        assert_eq!(error.line, 1);
        parse(&format!("{}\"x\"", "a: {".repeat(1000))).expect_err("too deep");
        let nested: Vec<String> = (0..1000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        parse(&nested.concat()).expect_err("too deep");
    }

    /// The last line on which a part of the node stands.
    fn last_line(node: &Node) -> u64 {
        let inner = match &node.shape {
            Shape::Null | Shape::Text(_) => None,
            Shape::List(items) => items.iter().map(last_line).max(),
            Shape::Map(entries) => entries.iter().map(|(key, value)| key.line.max(last_line(value))).max(),
        };
        node.line.max(inner.unwrap_or(0))
    }

    proptest! {
        #[test]
        fn a_scalar_reads_back_as_the_same_text(text in "\\PC{0,20}|[\\x00-\\x7f]{0,12}|[0-9.eE+-]{0,6}|[a-z]{0,5}") {
            prop_assert_eq!(text_at(&format!("k: {} # c\n", scalar(&text)), "k").1, Shape::Text(text.clone()));
            let Shape::List(items) = text_at(&format!("k: [{}, x]\n", scalar(&text)), "k").1 else { panic!("no list") };
            prop_assert_eq!(&items[0].shape, &Shape::Text(text));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[ \\na-z:\\-\\[\\]{}&*!|>'\"%@`#,?0-9~<]{0,60}") {
            let lines = text.split('\n').count() as u64;
            match parse(&text) {
                Ok(node) => prop_assert!((1..=lines).contains(&last_line(&node)), "{node:?}"),
                Err(NotYaml { line, reason, .. }) => {
                    prop_assert!((1..=lines).contains(&line), "line {line} of {lines}");
                    prop_assert!(!reason.is_empty());
                }
            }
        }
    }
}
