//! What was warned of and is not well yet: said once, and not at every poll.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shared by the connections to one cluster that follow one another: a new connection is no reason to say it all again.
#[derive(Debug, Clone, Default)]
pub struct Warned(Arc<Mutex<BTreeSet<String>>>);

impl Warned {
    /// Takes down that something is not well; whether that is news.
    pub(super) fn is_news(&self, what: &str) -> bool {
        self.lock().insert(what.to_owned())
    }

    /// It is well again: the next time is news.
    pub(super) fn is_well(&self, what: &str) {
        self.lock().remove(what);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // A panic while it was held leaves at worst a warning that is said twice.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
