//! YAML: each item is parsed alone, so that one broken item does not lose the others.

mod cutter;
mod line;

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_saphyr::{DuplicateKeyPolicy, NonFiniteFloatPolicy, Options};

pub(super) use cutter::YamlCutter;

use super::forms::Map;
use super::item::{Expected, Item, broken, read_object, without_place};
use super::peek::{Peek, PeekSeed};
use super::records::Records;
use super::wire::Object;

/// An item's nesting: a pod has about ten levels. The parser recurses, so this guards the stack.
const DEPTH_MAX: usize = 64;
/// An item of 16 MiB has at most this many nodes that are worth reading.
const NODES_MAX: usize = 2_000_000;

fn options() -> Options {
    let budget = serde_saphyr::budget! {
        max_depth: DEPTH_MAX,
        flow_nesting_limit: DEPTH_MAX,
        max_nodes: NODES_MAX,
        max_events: 2 * NODES_MAX,
    };
    serde_saphyr::options! {
        budget: budget,
        duplicate_keys: DuplicateKeyPolicy::Error,
        with_snippet: false,
        // As in JSON, a number is no text: what writes YAML quotes a text that reads like one. `yes` and `no` are texts.
        no_schema: true,
        strict_booleans: true,
        // What is passed over for being no text must not break the item.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
    }
}

/// Reads YAML into a value that borrows from it.
pub(super) fn parse<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, String> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| reason(&error))
}

/// The `items` of a list, each read as a `T`.
pub(super) fn parse_items<'de, T: Deserialize<'de>>(text: &'de str) -> Result<Vec<T>, String> {
    #[derive(Deserialize)]
    struct WithItems<T> {
        items: Vec<T>,
    }
    parse::<WithItems<T>>(text).map(|list| list.items)
}

/// As text, with a mark in place of bytes that are no UTF-8: they may stand in fields that are not kept.
pub(super) fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Reads one item. See [`super::item::read_item`].
pub(super) fn read_item(bytes: &[u8], expected: Expected, records: &mut Records) -> Item {
    let text = text_of(bytes);
    match parse::<Map<Object<'_>>>(&text) {
        Ok(object) => {
            let item = read_object(&object, || peek(&text), expected, records);
            let is_damaged = matches!(text, Cow::Owned(_));
            if is_damaged && format!("{item:?}").contains(char::REPLACEMENT_CHARACTER) {
                return broken(peek(&text), expected, || {
                    ("bytes that are not UTF-8 in a field that kai keeps".to_owned(), false)
                });
            }
            item
        }
        Err(reason) => broken(peek(&text), expected, || (located(&text).unwrap_or(reason), false)),
    }
}

/// What a YAML object calls itself.
pub(super) fn peek(text: &str) -> Peek {
    let mut peek = Peek::default();
    // A failure leaves what was found before it, which is all that is wanted.
    let _ = serde_saphyr::with_deserializer_from_str_with_options(text, options(), |deserializer| {
        PeekSeed(&mut peek).deserialize(deserializer)
    });
    peek
}

/// The field that could not be read, with the reason.
fn located(text: &str) -> Option<String> {
    let mut path = None;
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options(), |deserializer| {
        serde_path_to_error::deserialize::<_, Map<Object<'_>>>(deserializer).map(|_| ()).map_err(|error| {
            path = Some(error.path().to_string());
            error.into_inner()
        })
    });
    let reason = reason(&read.err()?);
    path.filter(|path| path != ".").map(|path| format!("{path}: {reason}"))
}

/// One line of the parser's message, without the place, which is counted within the item and would mislead.
fn reason(error: &serde_saphyr::Error) -> String {
    let message = error.without_snippet().to_string();
    without_place(message.lines().next().unwrap_or_default()).to_owned()
}
