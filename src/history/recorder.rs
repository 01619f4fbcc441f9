//! Where the index and the history meet: what came and went goes one way, what was known before goes the other. Never waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::looking::Looking;
use super::pending::Pending;
use crate::snapshot::{Past, PodIndex, SightingKey, Snapshot};

/// Given to whoever applies events. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Recorder(pub(super) Arc<Mutex<Record>>);

/// What is under way between the index and the store.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) pending: Pending,
    pub(super) looking: Looking,
    /// When the first of the pending rows came.
    pub(super) waiting_since: Option<Instant>,
    /// What a store knew, for the index.
    pub(super) learned: Option<Past>,
    /// What a store holds no more, for the index.
    pub(super) forgotten: Vec<SightingKey>,
    /// From one list to the next, where the cluster is polled.
    reach: Duration,
    /// The cluster is watched, and would have told what came and went.
    is_watched: bool,
    /// Everything that is there is to be told again: the store has lost it.
    pub(super) wants_all: bool,
    pub(super) identity: Identity,
}

/// Which cluster it is, where a store has several.
#[derive(Debug, Clone, Default)]
pub(super) struct Identity {
    /// The uid of its namespace kube-system, or why that cannot be read; `None`: it was not asked for yet.
    pub(super) uid: Option<Result<String, String>>,
    /// What it is called.
    pub(super) name: Arc<str>,
}

impl Record {
    /// The cluster is watched, and would have told what came and went.
    pub(super) fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// From one list to the next at most, where lists are all that is read.
    pub(super) fn reach(&self) -> SignedDuration {
        SignedDuration::try_from(self.reach).unwrap_or(SignedDuration::MAX)
    }
}

impl Recorder {
    /// `reach`: from one list to the next at most, where lists are all that is read.
    #[must_use]
    pub fn new(reach: Duration) -> Self {
        Self(Arc::new(Mutex::new(Record {
            pending: Pending::default(),
            looking: Looking::default(),
            waiting_since: None,
            learned: None,
            forgotten: Vec::new(),
            reach,
            is_watched: false,
            wants_all: false,
            identity: Identity::default(),
        })))
    }

    /// Takes what the index has to tell, and tells it what it is to know. Whether it has to publish again.
    pub fn exchange(&self, index: &mut PodIndex) -> bool {
        let mut record = self.lock();
        let mut sightings = index.take_sightings();
        if std::mem::take(&mut record.wants_all) {
            index.tell_again();
            sightings.extend(index.take_sightings());
        }
        for sighting in sightings {
            record.pending.add(sighting);
            record.waiting_since.get_or_insert_with(Instant::now);
        }
        // They wait for what is written next.
        index.take_workloads().into_iter().for_each(|sighting| record.pending.update(sighting));
        let forgotten = std::mem::take(&mut record.forgotten);
        if !forgotten.is_empty() {
            index.forget(&forgotten);
        }
        let learned = record.learned.take();
        let is_due = learned.is_some();
        learned.into_iter().for_each(|past| index.learn(past));
        is_due
    }

    /// Everything was listed: the snapshot is what it led to.
    pub fn listed(&self, snapshot: &Snapshot, observed_at: Timestamp) {
        let mut record = self.lock();
        if std::mem::take(&mut record.is_watched) {
            record.looking.broke("the watch had to begin anew");
        }
        if *record.identity.name != *snapshot.cluster_name() {
            record.identity.name = snapshot.cluster_name().into();
        }
        let reach = record.reach;
        record.looking.listed(observed_at, snapshot.unread_namespaces(), reach);
    }

    /// The snapshot was still true then, by a watch.
    pub fn watched(&self, snapshot: &Snapshot, observed_at: Timestamp) {
        let mut record = self.lock();
        record.is_watched = true;
        record.looking.seen(observed_at, snapshot.unread_namespaces());
    }

    /// What tells the cluster from others, or why that is not known.
    pub fn identified(&self, uid: Result<String, String>) {
        self.lock().identity.uid = Some(uid);
    }

    /// The cluster could not be read, or not be watched.
    pub fn broke(&self, reason: &str) {
        self.lock().looking.broke(reason);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Record> {
        // What a panic leaves is at worst a row without its last addition.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
