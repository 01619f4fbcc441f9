//! Watch events, one document each: `{"type":"ADDED","object":{…}}`.

use crate::decode::identity::Identity;
use crate::decode::json;
use crate::decode::watch::EventType;

/// What a watch event is about.
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
    let (event, end) = json::Event::find(json);
    end?;
    let object = event.object.unwrap_or_default();
    Ok(match EventType::of_word(&event.kind().unwrap_or_default())? {
        EventType::Applied | EventType::Error => Event::Object(object),
        EventType::Deleted => Event::Deleted(object),
        EventType::Bookmark => Event::Bookmark,
    })
}
