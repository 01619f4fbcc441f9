//! How far a client is behind what comes.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

/// Bytes of events that may come while a client does not take the next one.
const BEHIND_MAX: u64 = 1024 * 1024;

/// How a client stands to what comes: looked at by those who make events, for a client that takes nothing does not look.
#[derive(Debug)]
pub(super) struct Standing {
    /// How much had come when it was given an event; [`WAITING`] since it waits for the next.
    given: AtomicU64,
    given_up: CancellationToken,
}

const WAITING: u64 = u64::MAX;

impl Standing {
    pub(super) fn new(come: u64, given_up: CancellationToken) -> Self {
        Self { given: AtomicU64::new(come), given_up }
    }

    /// It has got an event when so much had come in all.
    pub(super) fn was_given(&self, come: u64) {
        self.given.store(come, Ordering::Relaxed);
    }

    /// It waits for the next event.
    pub(super) fn waits(&self) {
        self.given.store(WAITING, Ordering::Relaxed);
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.is_cancelled()
    }

    /// Whether more has come than a client may leave, when so much has come in all.
    pub(super) fn is_behind(&self, come: u64) -> bool {
        // One that waits is behind nothing.
        come.saturating_sub(self.given.load(Ordering::Relaxed)) > BEHIND_MAX
    }

    /// Whether this was the first time.
    pub(super) fn give_up(&self) -> bool {
        let is_first = !self.given_up.is_cancelled();
        self.given_up.cancel();
        is_first
    }
}
