//! One JSON value becomes the fields kept of it, or a reason why not.

use std::fmt::Debug;

use serde::de::{DeserializeOwned, DeserializeSeed};

use super::repair::repaired;
use super::splice::splice;
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
