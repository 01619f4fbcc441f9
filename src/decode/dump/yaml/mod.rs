//! YAML: each item is parsed alone, so that one broken item does not lose the others.

mod anchors;
mod line;
mod stream;

use std::borrow::Cow;
use std::fmt::Debug;

use serde::de::{DeserializeOwned, DeserializeSeed};
use serde::{Deserialize, Serialize as _};
use serde_saphyr::{DuplicateKeyPolicy, NonFiniteFloatPolicy, Options};

pub(super) use anchors::Anchors;
pub(super) use stream::Stream;

use crate::decode::fields::Fields;
use crate::decode::identity::{Identity, IdentitySeed};
use crate::decode::json::{Unreadable, has_mark, without_place};

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

/// Reads an object that is known to be whole. Bytes that are not UTF-8 break it only in a field that is kept.
pub(super) fn read<T: DeserializeOwned + Debug>(bytes: &[u8]) -> Result<T, Unreadable> {
    let text = text_of(bytes);
    let problem = match parse::<Fields<T>>(&text) {
        Ok(Fields(object)) if matches!(text, Cow::Borrowed(_)) || !has_mark(&object) => return Ok(object),
        Ok(_) => "bytes that are not UTF-8 in a field that kai keeps".to_owned(),
        Err(reason) => located::<T>(&text).unwrap_or(reason),
    };
    Err(Unreadable { problem, splice: None })
}

/// Reads the object of a document that [`Anchors`] put together; `None` when that is no better.
pub(super) fn read_explained<T: DeserializeOwned + Debug>(bytes: &[u8]) -> Option<T> {
    #[derive(Deserialize)]
    #[serde(bound = "T: DeserializeOwned")]
    struct Explained<T> {
        object: Fields<T>,
    }
    let text = std::str::from_utf8(bytes).ok()?;
    parse::<Explained<T>>(text).ok().map(|Explained { object: Fields(object) }| object)
}

/// The same value in JSON.
pub(super) fn to_json(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let value: serde_json::Value = parse(&text_of(bytes))?;
    let mut json = Vec::new();
    value.serialize(&mut serde_json::Serializer::new(&mut json)).map_err(|error| error.to_string())?;
    Ok(json)
}

/// What an object calls itself.
pub(super) fn identity(bytes: &[u8]) -> Identity {
    let mut identity = Identity::default();
    // A failure leaves what was found before it, which is all that is wanted.
    let _ = serde_saphyr::with_deserializer_from_str_with_options(&text_of(bytes), options(), |deserializer| {
        IdentitySeed(&mut identity).deserialize(deserializer)
    });
    identity
}

fn parse<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, String> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| reason(&error))
}

/// As text, with a mark in place of bytes that are no UTF-8: they may stand in fields that are not kept.
fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// The field that could not be read, with the reason.
fn located<T: DeserializeOwned>(text: &str) -> Option<String> {
    let mut path = None;
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options(), |deserializer| {
        serde_path_to_error::deserialize::<_, Fields<T>>(deserializer).map(|_| ()).map_err(|error| {
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
