//! One client that reads events: a place in the ring, and nothing else that could grow.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_util::sync::CancellationToken;

use super::log::{ChangeLog, State};
use super::ring::Stored;
use super::standing::Standing;
use crate::views::Filter;

/// Reads the events that a filter wants.
pub(super) struct Reader {
    log: Arc<ChangeLog>,
    filter: Filter,
    /// Number of the last event that it has passed.
    pub(super) sequence: u64,
    head: watch::Receiver<u64>,
    standing: Arc<Standing>,
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
    /// Reads behind the event of that number, on a connection that ends when it is given up.
    pub(super) fn new(
        log: &Arc<ChangeLog>,
        filter: Filter,
        sequence: u64,
        given_up: &CancellationToken,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let standing = log.stand(given_up.clone());
        Self { log: Arc::clone(log), filter, sequence, head: log.head(), standing, _place: place }
    }

    /// Waits for the next event.
    pub(super) async fn next(&mut self) -> Next {
        loop {
            // Before the look: what comes after it wakes this.
            self.head.mark_unchanged();
            if self.log.stopped().is_cancelled() {
                return Next::Stopped;
            }
            if self.standing.is_given_up() {
                return Next::TooSlow;
            }
            match self.ready() {
                Ok(Some(event)) => return Next::Event(event),
                Ok(None) => {}
                Err(TooSlow) => return Next::TooSlow,
            }
            self.standing.waits();
            tokio::select! {
                () = self.log.stopped().cancelled() => return Next::Stopped,
                // The log is there as long as this is.
                _ = self.head.changed() => {}
            }
        }
    }

    /// The next event, when it is there.
    pub(super) fn ready(&mut self) -> Result<Option<Arc<Stored>>, TooSlow> {
        let state = self.log.state();
        let Some(State { ring, .. }) = state.as_ref() else { return Ok(None) };
        loop {
            match ring.behind(self.sequence) {
                Ok(None) => return Ok(None),
                Ok(Some(event)) => {
                    self.sequence = event.sequence;
                    if event.change.is_wanted(&self.filter) {
                        self.standing.was_given(ring.come());
                        return Ok(Some(Arc::clone(event)));
                    }
                }
                Err(_) => return Err(TooSlow),
            }
        }
    }

    pub(super) fn log(&self) -> &ChangeLog {
        &self.log
    }

    /// Its client is not waited for.
    pub(super) fn give_up(&self) {
        self.log.give_up(&self.standing);
    }
}
