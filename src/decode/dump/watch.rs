//! Watch events, one document each: `{"type":"ADDED","object":{…}}`.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::decode::identity::Identity;
use crate::decode::json::without_place;

/// What a watch event says.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// The newest state of an object, or an error of the server.
    Object(&'a [u8]),
    /// The last state of an object that is no more.
    Deleted(&'a [u8]),
    /// How far the watch has come.
    Bookmark,
}

/// Whether the keys of an object without kind are those of a watch event.
pub(super) fn is_event(identity: &Identity) -> bool {
    identity.has_key("type") && identity.has_key("object")
}

/// Reads a watch event, in JSON.
pub(super) fn read(json: &[u8]) -> Result<Event<'_>, String> {
    #[derive(Deserialize)]
    struct Written<'a> {
        #[serde(rename = "type")]
        kind: String,
        #[serde(borrow)]
        object: &'a RawValue,
    }
    let event: Written<'_> =
        serde_json::from_slice(json).map_err(|error| without_place(&error.to_string()).to_owned())?;
    let object = event.object.get().as_bytes();
    match event.kind.as_str() {
        "ADDED" | "MODIFIED" | "ERROR" => Ok(Event::Object(object)),
        "DELETED" => Ok(Event::Deleted(object)),
        "BOOKMARK" => Ok(Event::Bookmark),
        kind => Err(format!("type: `{kind}` is no type of a watch event")),
    }
}
