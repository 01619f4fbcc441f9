//! Why a dump is not whole.

use std::sync::Arc;

/// As many reasons as a message has.
const SHOWN: usize = 3;

/// The first reasons, and how many more there are. Texts of the input in them are cut and escaped.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    first: Vec<String>,
    more: u64,
}

impl Gaps {
    pub(super) fn push(&mut self, reason: String) {
        if self.first.len() < SHOWN { self.first.push(reason) } else { self.more += 1 }
    }

    /// All of it in one text; `None` when nothing is missing.
    pub(super) fn joined(&self) -> Option<Arc<str>> {
        let mut reasons = self.first.clone();
        if self.more > 0 {
            reasons.push(format!("and {} more reasons like these", self.more));
        }
        (!reasons.is_empty()).then(|| reasons.join("; ").into())
    }
}
