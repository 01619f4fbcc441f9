//! Follows the feed, and keeps what has changed for those who read it, and for those who come back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use serde_json::value::to_raw_value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::ring::{Ring, Stored};
use super::standing::Standing;
use crate::feed::SnapshotReader;
use crate::metrics::Metrics;
use crate::snapshot::Snapshot;
use crate::views::{Change, ChangeRow, Told};

/// Clients that follow changes at once.
pub(super) const CLIENTS_MAX: usize = 64;

/// Every event since the first snapshot, as far as they are kept.
#[derive(Debug)]
pub(in crate::http) struct ChangeLog {
    /// Tells the ids of this process from those of others.
    boot: Arc<str>,
    feed: SnapshotReader,
    state: Mutex<Option<State>>,
    /// Number of the last event, for those who wait for the next.
    head: watch::Sender<u64>,
    places: Arc<Semaphore>,
    /// Of clients that follow; some may have gone.
    standings: Mutex<Vec<Weak<Standing>>>,
    stopped: CancellationToken,
    metrics: Metrics,
}

/// The events, and the snapshot that the last of them led to.
#[derive(Debug)]
pub(super) struct State {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) ring: Ring,
}

/// Where a client goes on.
pub(super) struct Position {
    pub(super) sequence: u64,
    /// The snapshot that the events change, for a client that begins with them.
    pub(super) start: Option<Arc<Snapshot>>,
    /// The client named an id from which it cannot go on.
    pub(super) is_reset: bool,
}

impl ChangeLog {
    pub(in crate::http) fn new(boot: &Arc<str>, feed: SnapshotReader, metrics: Metrics) -> Self {
        let log = Self {
            boot: Arc::clone(boot),
            feed,
            state: Mutex::default(),
            head: watch::Sender::new(0),
            places: Arc::new(Semaphore::new(CLIENTS_MAX)),
            standings: Mutex::default(),
            stopped: CancellationToken::new(),
            metrics,
        };
        drop(log.state());
        log
    }

    /// How many clients follow.
    pub(in crate::http) fn clients(&self) -> usize {
        CLIENTS_MAX - self.places.available_permits()
    }

    /// Ends all streams, and those that begin later.
    pub(in crate::http) fn stop(&self) {
        self.stopped.cancel();
    }

    /// Ends the connections of clients that do not take the end of their stream.
    pub(in crate::http) fn give_up_all(&self) {
        for client in self.standing() {
            client.give_up();
        }
    }

    /// Makes the events of each snapshot that comes, whether anybody reads them or not. Ends with the feed.
    pub(in crate::http) async fn follow(self: Arc<Self>) {
        let mut feed = self.feed.clone();
        let mut told = None;
        while let Some(snapshot) = feed.next().await {
            let log = Arc::clone(&self);
            let before = told.take();
            // The first list after a refusal may change everything.
            let advanced = tokio::task::spawn_blocking(move || log.advance(before, &snapshot)).await;
            match advanced {
                Ok(next) => told = next,
                Err(error) => tracing::error!("what has changed could not be told: {error}"),
            }
        }
    }

    /// Adds the events of the next snapshot. Some may have been passed over.
    fn advance(&self, told: Option<Told>, snapshot: &Arc<Snapshot>) -> Option<Told> {
        let (base, last) = match self.state().as_ref() {
            Some(state) => (Arc::clone(&state.snapshot), state.ring.last()),
            None => return told,
        };
        let mut told = told.unwrap_or_else(|| Told::new(Arc::clone(&base)));
        // A client may have begun with one that the feed gives here later.
        if snapshot.generation() <= base.generation() {
            return Some(told);
        }
        let changes = told.advance(snapshot);
        let is_known = changes.is_some();
        let events: Vec<_> = (last + 1..).zip(changes.into_iter().flatten()).collect();
        let events: Vec<_> =
            events.into_iter().filter_map(|(sequence, change)| self.stored(sequence, change, snapshot)).collect();
        let mut state = self.state();
        let Some(State { snapshot: newest, ring }) = state.as_mut() else { return Some(told) };
        *newest = Arc::clone(snapshot);
        events.into_iter().for_each(|event| ring.push(event));
        if !is_known {
            ring.clear();
        }
        let (head, come) = (ring.last(), ring.come());
        drop(state);
        if head != last {
            self.standing().iter().filter(|client| client.is_behind(come)).for_each(|client| self.give_up(client));
            self.head.send_replace(head);
        }
        Some(told)
    }

    fn stored(&self, sequence: u64, change: Change, snapshot: &Snapshot) -> Option<Stored> {
        self.metrics.http().changed(change.kind.word());
        // Plain texts and numbers cannot fail to be written.
        let data = to_raw_value(&ChangeRow::of(&change, &self.id(sequence), snapshot)).ok()?;
        Some(Stored { sequence, change, data })
    }

    pub(super) fn id(&self, sequence: u64) -> String {
        format!("{}-{sequence}", self.boot)
    }

    pub(super) fn boot(&self) -> &str {
        &self.boot
    }

    /// Where a client goes on that names this id, or none; `None` before the first snapshot.
    pub(super) fn position(&self, id: Option<&str>) -> Option<Position> {
        let is_known = |sequence: &u64| self.state().as_ref().is_some_and(|state| state.ring.knows(*sequence));
        match id.and_then(|id| self.sequence(id)).filter(is_known) {
            Some(sequence) => Some(Position { sequence, start: None, is_reset: false }),
            None => self.begin(id.is_some()),
        }
    }

    /// Where a client begins, or begins again.
    pub(super) fn begin(&self, is_reset: bool) -> Option<Position> {
        let state = self.state();
        let State { snapshot, ring } = state.as_ref()?;
        Some(Position { sequence: ring.last(), start: Some(Arc::clone(snapshot)), is_reset })
    }

    fn sequence(&self, id: &str) -> Option<u64> {
        let number = id.strip_prefix(&*self.boot)?.strip_prefix('-')?;
        // Written in no other way.
        number.parse().ok().filter(|sequence: &u64| sequence.to_string() == number)
    }

    /// A place for one more client.
    pub(super) fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Changes when an event has come.
    pub(super) fn head(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    pub(super) fn stopped(&self) -> &CancellationToken {
        &self.stopped
    }

    /// How a client stands that begins now.
    pub(super) fn stand(&self, given_up: CancellationToken) -> Arc<Standing> {
        let come = self.state().as_ref().map_or(0, |state| state.ring.come());
        let standing = Arc::new(Standing::new(come, given_up));
        let mut standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        standings.retain(|client| client.strong_count() > 0);
        standings.push(Arc::downgrade(&standing));
        standing
    }

    fn standing(&self) -> Vec<Arc<Standing>> {
        let standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        standings.iter().filter_map(Weak::upgrade).collect()
    }

    /// Ends the connection of a client that is behind too far.
    pub(super) fn give_up(&self, client: &Standing) {
        if client.give_up() {
            self.metrics.http().cut_off();
        }
    }

    /// What is known, from the first snapshot on.
    pub(super) fn state(&self) -> MutexGuard<'_, Option<State>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_none() {
            *state = self.feed.current().map(|snapshot| State { snapshot, ring: Ring::default() });
        }
        state
    }
}
