//! The snapshot that HTTP serves, with what readers asked of it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::HeaderValue;

use super::cache::{BodyKey, Rendered};
use super::negotiate::Encoding;
use super::question::Question;
use crate::snapshot::Snapshot;

/// How many chosen sets of namespaces are remembered from one generation to the next. Others are rendered on demand.
const CHOICES: usize = 64;
/// How many bodies above the cache's bound are kept. The questions that are no choice have six bodies.
pub(super) const OVERSIZE: usize = 8;

/// A snapshot while it is the one served.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) snapshot: Arc<Snapshot>,
    /// `Inventory-Generation`
    pub(super) number: HeaderValue,
    /// `Inventory-Observed-At`
    pub(super) observed_at: HeaderValue,
    /// `Inventory-Complete`
    pub(super) complete: HeaderValue,
    asked: Mutex<Asked>,
    has_oversize: AtomicBool,
    oversize: Mutex<Vec<(BodyKey, Arc<Rendered>)>>,
}

/// What readers asked for, and whether the next generation has taken over, after which nothing is written here any more.
#[derive(Debug, Default)]
struct Asked {
    bodies: HashSet<(Question, Encoding)>,
    choices: usize,
    sealed: bool,
}

impl Generation {
    pub(super) fn new(snapshot: Arc<Snapshot>) -> Self {
        let observed_at = snapshot.observed_at().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Self {
            number: snapshot.generation().into(),
            observed_at: HeaderValue::from_maybe_shared(Bytes::from(observed_at))
                .unwrap_or_else(|_| HeaderValue::from_static("")),
            complete: HeaderValue::from_static(if snapshot.is_complete() { "true" } else { "false" }),
            snapshot,
            asked: Mutex::default(),
            has_oversize: AtomicBool::new(false),
            oversize: Mutex::default(),
        }
    }

    /// Remembers that a reader asked for a body; false when the next generation has taken over, and is to be asked.
    pub(super) fn remember(&self, question: &Question, encoding: Encoding) -> bool {
        let mut asked = self.asked();
        if asked.sealed {
            return false;
        }
        let is_choice = question.is_a_choice();
        if is_choice && asked.choices >= CHOICES {
            return true;
        }
        if asked.bodies.insert((question.clone(), encoding)) && is_choice {
            asked.choices += 1;
        }
        true
    }

    /// Calls `take_over` when everything that was asked for is in `done`; else gives what is not, what is no choice
    /// first. Nothing can be asked for in between.
    pub(super) fn seal(
        &self,
        done: &HashSet<(Question, Encoding)>,
        take_over: impl FnOnce(),
    ) -> Result<(), Vec<(Question, Encoding)>> {
        let mut asked = self.asked();
        let mut missing: Vec<_> = asked.bodies.difference(done).cloned().collect();
        if missing.is_empty() {
            asked.sealed = true;
            take_over();
            return Ok(());
        }
        missing.sort_by_key(|(question, _)| question.is_a_choice());
        Err(missing)
    }

    /// Keeps a body that the cache cannot hold, for as long as this generation is served.
    pub(super) fn keep_oversize(&self, key: &BodyKey, body: &Arc<Rendered>) {
        let mut kept = self.oversize.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.iter().any(|(known, _)| known == key) {
            return;
        }
        if kept.len() >= OVERSIZE {
            let choice = kept.iter().position(|(key, _)| key.question.is_a_choice()).unwrap_or(0);
            kept.remove(choice);
        }
        kept.push((key.clone(), Arc::clone(body)));
        self.has_oversize.store(true, Ordering::Release);
    }

    /// The body that the cache could not hold.
    pub(super) fn oversize(&self, key: &BodyKey) -> Option<Arc<Rendered>> {
        if !self.has_oversize.load(Ordering::Acquire) {
            return None;
        }
        let kept = self.oversize.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| known == key).map(|(_, body)| Arc::clone(body))
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
