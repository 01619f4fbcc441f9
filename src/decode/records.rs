//! What every record is made with: the texts that records share, and how much of an object is kept.

use super::forms::{Text, Texts};
use super::item::Expected;
use super::sieve::Schema;
use crate::inventory::{Detail, Interner, KeyValues};

/// What the decoders of one source are handed, one after the other. The default keeps what the report of images needs.
#[derive(Debug, Default)]
pub struct Records {
    pub(super) interner: Interner,
    pub(super) detail: Detail,
}

impl Records {
    /// Shares no text yet; keeps what `detail` says.
    #[must_use]
    pub fn new(detail: Detail) -> Self {
        Self { interner: Interner::default(), detail }
    }

    /// How much is kept.
    #[must_use]
    pub fn detail(&self) -> &Detail {
        &self.detail
    }

    /// Forgets texts that nothing else holds any more. See [`Interner::sweep`].
    pub fn sweep(&mut self) {
        self.interner.sweep();
    }

    /// Which fields of an item may be wanted.
    pub(super) fn schema(&self, expected: Expected) -> Schema {
        let of_pods = self.detail.container_ids || !self.detail.pods.is_none();
        let of_namespaces = self.detail.namespace_label.is_some() || !self.detail.namespaces.is_none();
        let is_wide = match expected {
            Expected::Pod => of_pods,
            Expected::Namespace => of_namespaces,
            Expected::Node => true,
            Expected::KindOrPod
            | Expected::KindOrNamespace
            | Expected::KindOrNode
            | Expected::KindOrOther
            | Expected::KindOrShape => of_pods || of_namespaces || self.detail.nodes.is_some(),
        };
        if is_wide { Schema::Wide } else { Schema::Lean }
    }
}

/// The entries whose key is kept, sorted by key. Of several of one key the last counts, as in the API server; one whose
/// value is no text is left out.
pub(super) fn kept(texts: &Texts<'_>, keeps: impl Fn(&str) -> bool, interner: &mut Interner) -> KeyValues {
    let mut entries: Vec<(&str, Option<&Text<'_>>)> = texts.entries().filter(|(key, _)| keeps(key)).collect();
    entries.sort_by_key(|(key, _)| *key);
    let is_last = |at: usize| entries.get(at + 1).is_none_or(|(next, _)| *next != entries[at].0);
    let last = entries.iter().enumerate().filter(|(at, _)| is_last(*at));
    last.filter_map(|(_, (key, value))| Some((interner.string(key), interner.string((*value)?.as_str())))).collect()
}
