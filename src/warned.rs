//! What is not well and was logged: once for as long as it lasts, and not at every turn.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shared by its clones: connections to one cluster that follow one another log nothing again.
#[derive(Debug, Clone, Default)]
pub struct Warned(Arc<Mutex<BTreeSet<String>>>);

impl Warned {
    /// Notes that something is not well; whether that is news.
    pub(crate) fn is_news(&self, what: &str) -> bool {
        self.lock().insert(what.to_owned())
    }

    /// It is well again: the next time is news.
    pub(crate) fn is_well(&self, what: &str) {
        self.lock().remove(what);
    }

    /// Notes that these and no others are not well. Gives those that are news, sorted.
    pub(crate) fn replace(&self, now: impl IntoIterator<Item = String>) -> Vec<String> {
        let now: BTreeSet<String> = now.into_iter().collect();
        let before = std::mem::replace(&mut *self.lock(), now.clone());
        now.difference(&before).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // A panic while it was held leaves at worst a warning that is logged twice.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_news_once_until_it_is_well() {
        let warned = Warned::default();
        assert!(warned.is_news("a") && !warned.clone().is_news("a") && warned.is_news("b"));
        warned.is_well("a");
        assert!(warned.is_news("a"));
        let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(warned.replace(texts(&["c", "a"])), texts(&["c"]));
        assert_eq!(warned.replace(texts(&["a", "b"])), texts(&["b"]), "it was well meanwhile");
    }
}
