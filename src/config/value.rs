//! What a text means as the value of a key: the same rules for the file, variables and flags.

use std::fmt;

use super::keys::{Fallback, Kind, Row};
use super::problem::Origin;
use crate::inventory::excerpt;

/// A value of the kind that its key asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Switch(bool),
    Number(i64),
    /// The place of one of the words that its key takes, and the word itself.
    Word(usize, &'static str),
    List(Vec<Item>),
}

/// An entry of a list, with its own place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// A value and where it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// `$NAME` that the value was taken from.
    pub(super) expanded_from: Option<String>,
}

impl Setting {
    /// A value as it was given.
    pub(super) fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin, expanded_from: None }
    }

    /// Where to point when it has no value: its own place if it was written at all, else `asking`.
    pub(super) fn origin_or<'a>(&'a self, asking: &'a Origin) -> &'a Origin {
        if self.origin == Origin::Default { asking } else { &self.origin }
    }

    /// A text or word; `None` when it is empty or another kind.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) if !text.is_empty() => Some(text),
            Value::Word(_, word) => Some(word),
            _ => None,
        }
    }

    /// The entries of a list; none of another kind.
    pub(super) fn items(&self) -> &[Item] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The value when nobody gave one.
    pub(super) fn default_of(row: &Row) -> Self {
        let value = match row.default {
            Fallback::Text(text) => Value::Text(text.to_owned()),
            Fallback::Switch(switch) => Value::Switch(switch),
            Fallback::Number(number) => Value::Number(number),
            Fallback::Word(position, word) => Value::Word(position, word),
            Fallback::EmptyList => Value::List(Vec::new()),
        };
        Self::new(value, Origin::Default)
    }
}

/// Reads a scalar. `None`: an empty text where that can only mean that nothing is set.
pub(super) fn read_scalar(kind: Kind, text: &str, origin: &Origin) -> Result<Option<Value>, Refused> {
    if kind != Kind::Text && text.trim().is_empty() {
        return Ok(None);
    }
    let value = match kind {
        Kind::Text => Some(Value::Text(text.to_owned())),
        Kind::Switch => read_switch(text.trim()).map(Value::Switch),
        Kind::Number { least, most, .. } => {
            read_decimal(text.trim()).filter(|number| (least..=most).contains(number)).map(Value::Number)
        }
        Kind::Word(words) => {
            let lower = text.trim().to_lowercase();
            words.iter().position(|word| *word == lower).map(|position| Value::Word(position, words[position]))
        }
        Kind::List => Some(Value::List(split(text, origin))),
    };
    value.map(Some).ok_or_else(|| Refused::new(kind, text))
}

/// Splits at commas, as KAI does with a list that is written as one text.
pub(super) fn split(text: &str, origin: &Origin) -> Vec<Item> {
    text.split(',').map(|entry| Item { text: entry.trim().to_owned(), origin: origin.clone() }).collect()
}

/// The words of YAML 1.1 and of Go's parser, which read KAI's files and variables.
fn read_switch(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// A decimal number. One with leading zeros is refused: YAML 1.1 takes it for octal, YAML 1.2 for decimal.
fn read_decimal(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let decimal = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits.len() == 1 || !digits.starts_with('0'));
    if decimal { text.parse().ok() } else { None }
}

/// A text that is no value of its key, with what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    kind: Kind,
    text: String,
}

impl Refused {
    pub(super) fn new(kind: Kind, text: &str) -> Self {
        Self { kind, text: text.to_owned() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is not valid; write {}", excerpt(&self.text), Allowed(self.kind))
    }
}

/// What a kind allows, as a message says it.
pub(super) struct Allowed(pub(super) Kind);

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Text => f.write_str("a text"),
            Kind::Switch => f.write_str("true or false"),
            Kind::Word(words) => write!(f, "one of {}", words.join(", ")),
            Kind::List => f.write_str("a list of texts"),
            Kind::Number { least, most: i64::MAX, .. } => write!(f, "a whole number, {least} or more"),
            Kind::Number { least, most, seconds: false } => write!(f, "a whole number from {least} to {most}"),
            Kind::Number { least, most, seconds: true } => {
                write!(f, "a whole number of seconds from {least} to {most}, without a unit")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const SECONDS: Kind = Kind::Number { least: 1, most: 600, seconds: true };

    #[rstest]
    #[case(Kind::Switch, "true", Value::Switch(true))]
    #[case(Kind::Switch, "False", Value::Switch(false))]
    #[case(Kind::Switch, " yes ", Value::Switch(true))]
    #[case(Kind::Switch, "0", Value::Switch(false))]
    #[case(SECONDS, "60", Value::Number(60))]
    #[case(SECONDS, " 600 ", Value::Number(600))]
    #[case(Kind::Word(&["a", "b"]), "B", Value::Word(1, "b"))]
    #[case(Kind::Text, " 0123 ", Value::Text(" 0123 ".to_owned()))]
    #[case(Kind::Text, "", Value::Text(String::new()))]
    fn a_text_is_read_by_the_kind_of_its_key(#[case] kind: Kind, #[case] text: &str, #[case] expected: Value) {
        assert_eq!(read_scalar(kind, text, &Origin::Default), Ok(Some(expected)));
    }

    #[rstest]
    #[case(Kind::Switch, "maybe", "\"maybe\" is not valid; write true or false")]
    #[case(SECONDS, "30s", "\"30s\" is not valid; write a whole number of seconds from 1 to 600, without a unit")]
    #[case(SECONDS, "1.5", "\"1.5\" is not valid; write a whole number of seconds from 1 to 600, without a unit")]
    #[case(SECONDS, "010", "\"010\" is not valid; write a whole number of seconds from 1 to 600, without a unit")]
    #[case(SECONDS, "0", "\"0\" is not valid; write a whole number of seconds from 1 to 600, without a unit")]
    #[case(
        SECONDS,
        "99999999999999999999",
        "\"99999999999999999999\" is not valid; write a whole number of seconds from 1 to 600, without a unit"
    )]
    #[case(Kind::Number { least: 0, most: i64::MAX, seconds: false }, "-1", "\"-1\" is not valid; write a whole number, 0 or more")]
    #[case(Kind::Word(&["a", "b"]), "c\u{1b}", "\"c\\u{1b}\" is not valid; write one of a, b")]
    fn a_refused_text_is_shown_with_what_is_allowed(#[case] kind: Kind, #[case] text: &str, #[case] message: &str) {
        assert_eq!(read_scalar(kind, text, &Origin::Default).expect_err("refused").to_string(), message);
    }

    #[rstest]
    #[case(Kind::Switch)]
    #[case(SECONDS)]
    #[case(Kind::Word(&["a"]))]
    #[case(Kind::List)]
    fn an_empty_text_says_nothing_where_no_text_is_asked_for(#[case] kind: Kind) {
        assert_eq!(read_scalar(kind, "", &Origin::Default), Ok(None));
    }
}
