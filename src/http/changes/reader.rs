//! One client that reads events: a place in the ring, and nothing else that could grow.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, watch};

use super::log::{ChangeLog, State};
use super::ring::Stored;
use crate::views::Filter;

/// Bytes of events that may come while a client does not take the next one.
const BEHIND_MAX: u64 = 1024 * 1024;

/// Reads the events that a filter wants.
pub(super) struct Reader {
    log: Arc<ChangeLog>,
    filter: Filter,
    /// Number of the last event that it has passed.
    pub(super) sequence: u64,
    head: watch::Receiver<u64>,
    /// How much had come when it was given an event; `None` since it waits for the next.
    given: Option<u64>,
    _place: OwnedSemaphorePermit,
}

/// What comes next.
pub(super) enum Next {
    Event(Arc<Stored>),
    TooSlow,
    /// The server stops.
    Stopped,
}

/// The client has not kept up with the events.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client reads changes too slowly")]
pub(super) struct TooSlow;

impl Reader {
    pub(super) fn new(log: &Arc<ChangeLog>, filter: Filter, sequence: u64, place: OwnedSemaphorePermit) -> Self {
        Self { log: Arc::clone(log), filter, sequence, head: log.head(), given: None, _place: place }
    }

    /// Waits for the next event.
    pub(super) async fn next(&mut self) -> Next {
        loop {
            // Before the look: what comes after it wakes this.
            self.head.mark_unchanged();
            if self.log.stopped().is_cancelled() {
                return Next::Stopped;
            }
            match self.ready() {
                Ok(Some(event)) => return Next::Event(event),
                Ok(None) => {}
                Err(TooSlow) => return Next::TooSlow,
            }
            tokio::select! {
                () = self.log.stopped().cancelled() => return Next::Stopped,
                // The log is there as long as this is.
                _ = self.head.changed() => {}
            }
            self.given = None;
        }
    }

    /// The next event, when it is there.
    pub(super) fn ready(&mut self) -> Result<Option<Arc<Stored>>, TooSlow> {
        let state = self.log.state();
        let Some(State { ring, .. }) = state.as_ref() else { return Ok(None) };
        let come = ring.come();
        if self.given.is_some_and(|given| come - given > BEHIND_MAX) {
            self.log.cut_off();
            return Err(TooSlow);
        }
        loop {
            match ring.behind(self.sequence) {
                Ok(None) => return Ok(None),
                Ok(Some(event)) => {
                    self.sequence = event.sequence;
                    if event.change.is_wanted(&self.filter) {
                        self.given = Some(come);
                        return Ok(Some(Arc::clone(event)));
                    }
                }
                Err(_) => {
                    self.log.cut_off();
                    return Err(TooSlow);
                }
            }
        }
    }

    pub(super) fn log(&self) -> &ChangeLog {
        &self.log
    }
}
