//! The type of a watch event.

use crate::inventory::excerpt;

/// What happened to the object of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) enum EventType {
    /// It is there, new or changed. Which of both depends on where the watch began, and nothing on it.
    Applied,
    /// It is gone; the event has its last state.
    Deleted,
    /// Nothing: it says how far the watch has come.
    Bookmark,
    /// It is a `Status`: the watch failed.
    Error,
}

impl EventType {
    /// The type of that word, or what is wrong with it.
    pub(in crate::decode) fn of_word(word: &str) -> Result<Self, String> {
        match word {
            "ADDED" | "MODIFIED" => Ok(Self::Applied),
            "DELETED" => Ok(Self::Deleted),
            "BOOKMARK" => Ok(Self::Bookmark),
            "ERROR" => Ok(Self::Error),
            "" => Err("type: missing".to_owned()),
            word => Err(format!("type: `{}` is no type of a watch event", excerpt(word))),
        }
    }
}
