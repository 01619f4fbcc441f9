//! What every record is made with: the texts that records share, and how much of an object is kept.

use super::texts::KeyValue;
use crate::inventory::{Detail, Interner, KeyValues};

/// What the decoders of one source are handed, one after the other. The default keeps what the report of images needs.
#[derive(Debug, Default)]
pub struct Records {
    pub(super) interner: Interner,
    pub(super) detail: Detail,
}

impl Records {
    /// Shares no text yet; keeps what `detail` asks for.
    #[must_use]
    pub fn new(detail: Detail) -> Self {
        Self { interner: Interner::default(), detail }
    }

    /// Forgets texts that nothing else holds any more. See [`Interner::sweep`].
    pub fn sweep(&mut self) {
        self.interner.sweep();
    }
}

/// The entries whose key is kept, sorted by key. Of several of one key the last counts, as in the API server. A mark stands
/// in place of bytes that are not UTF-8, as the API server writes it in JSON.
pub(super) fn kept(texts: &[KeyValue], keeps: impl Fn(&str) -> bool, interner: &mut Interner) -> KeyValues {
    let key_of = |entry: &'_ KeyValue| String::from_utf8_lossy(&entry.key).into_owned();
    let mut entries: Vec<(String, &KeyValue)> = texts.iter().map(|entry| (key_of(entry), entry)).collect();
    entries.retain(|(key, _)| keeps(key));
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    let is_last = |at: usize| entries.get(at + 1).is_none_or(|(next, _)| *next != entries[at].0);
    let last = entries.iter().enumerate().filter(|(at, _)| is_last(*at));
    let shared =
        last.map(|(_, (key, entry))| (interner.string(key), interner.string(&String::from_utf8_lossy(&entry.value))));
    shared.collect()
}
