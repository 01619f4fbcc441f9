//! Where questions about the past are asked: they run on the thread of the store, one after another.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

use super::error::StoreError;
use super::recorder::Recorder;
use super::store::{ClusterSeen, Dropped, Query, Store};
use crate::snapshot::{Period, Sighting, SightingKey};

/// How long what was last seen may be ago, while kai is watching: a quiet watch is heard of once a minute.
const SILENCE: SignedDuration = SignedDuration::from_secs(150);

/// What the thread of the store is told.
pub(super) enum Command {
    Ask(Box<dyn FnOnce(&mut Kept<'_>) + Send>),
    Stop,
}

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct HistoryReader {
    commands: mpsc::Sender<Command>,
}

/// Why a question about the past has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The thread has ended: the process stops.
    #[error("the history is closed")]
    Closed,
}

/// The store, and what it does not have yet.
pub struct Kept<'a> {
    store: &'a mut dyn Store,
    recorder: &'a Recorder,
    now: Timestamp,
}

impl HistoryReader {
    pub(super) fn new(commands: mpsc::Sender<Command>) -> Self {
        Self { commands }
    }

    /// Of a history that is not there: nothing is answered.
    #[must_use]
    pub fn closed() -> Self {
        Self::new(mpsc::channel().0)
    }

    /// Does that on the thread of the store.
    pub async fn ask<R: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Kept<'_>) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, Unreadable> {
        let (sender, receiver) = oneshot::channel();
        let work = move |kept: &mut Kept<'_>| {
            // Whoever asked may have gone.
            drop(sender.send(question(kept)));
        };
        self.commands.send(Command::Ask(Box::new(work))).map_err(|_| Unreadable::Closed)?;
        Ok(receiver.await.map_err(|_| Unreadable::Closed)??)
    }
}

impl<'a> Kept<'a> {
    pub(super) fn new(store: &'a mut dyn Store, recorder: &'a Recorder, now: Timestamp) -> Self {
        // A history knows no more than milliseconds.
        let now = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        Self { store, recorder, now }
    }

    /// The time by the clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Gives the rows that are asked for, in no order.
    pub fn read(&mut self, query: &Query, mut take: impl FnMut(Sighting)) -> Result<(), StoreError> {
        let mut pending: BTreeMap<SightingKey, Sighting> = {
            let record = self.recorder.lock();
            let wanted = record.pending.iter().filter(|row| query.wants_key(&row.key));
            wanted.map(|row| (row.key.clone(), row.clone())).collect()
        };
        let is_wanted = |sighting: &Sighting| query.wants_time(sighting.first, sighting.last);
        self.store.read(query, &mut |mut sighting| {
            if let Some(newer) = pending.remove(&sighting.key) {
                sighting.merge(&newer);
            }
            if is_wanted(&sighting) {
                take(sighting);
            }
        })?;
        pending.into_values().filter(is_wanted).for_each(take);
        Ok(())
    }

    /// When kai was looking, sorted; it is now when it was a moment ago.
    pub fn periods(&mut self) -> Result<Vec<Period>, StoreError> {
        let mut periods: BTreeMap<Timestamp, Period> =
            self.store.periods()?.into_iter().map(|period| (period.start, period)).collect();
        let record = self.recorder.lock();
        periods.extend(record.looking.ended().iter().map(|period| (period.start, period.clone())));
        if let Some(current) = record.looking.current() {
            let patience = if record.is_watched() { SILENCE } else { record.reach().max(SILENCE) };
            let is_looking = self.now.duration_since(current.end) <= patience;
            let end = if is_looking { current.end.max(self.now) } else { current.end };
            let ended = (!is_looking).then(|| "nothing newer was read".into());
            periods.insert(current.start, Period { end, ended, ..current.clone() });
        }
        Ok(periods.into_values().collect())
    }

    /// Every cluster that shares the store, sorted by name, with the numbers of its rows where they are to be counted.
    pub fn clusters(&mut self, are_counted: bool) -> Result<Vec<ClusterSeen>, StoreError> {
        self.store.clusters(are_counted)
    }

    /// When the kai of a cluster was looking, sorted, as far as it has written that.
    pub fn periods_of(&mut self, cluster: &str) -> Result<Vec<Period>, StoreError> {
        self.store.periods_of(cluster)
    }

    /// Gives the rows that are asked for of these clusters, by their uids (none: of all), as they stand in the store.
    pub fn read_fleet(
        &mut self,
        clusters: &[String],
        query: &Query,
        mut take: impl FnMut(&Arc<str>, Sighting),
    ) -> Result<(), StoreError> {
        self.store.read_fleet(clusters, query, &mut take)
    }

    /// Rows that went because there were too many, or could not be written.
    pub fn dropped(&mut self) -> Result<Dropped, StoreError> {
        let uncounted = *self.recorder.lock().pending.uncounted();
        Ok(self.store.dropped()?.and(uncounted))
    }
}
