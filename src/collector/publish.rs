//! What becomes of an update: it goes into the index, and snapshots come out, as often as they may.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::report::Reporter;
use super::source::{Audit, CollectError, Retry, Update};
use crate::cluster::Live;
use crate::feed::SnapshotWriter;
use crate::health::Health;
use crate::history::Recorder;
use crate::inventory::join_names;
use crate::metrics::Metrics;
use crate::snapshot::{Changes, Event, PodIndex, Published, Snapshot};

/// Changes within so long of a snapshot share the next one.
const COALESCE: Duration = Duration::from_millis(40);
/// Publishing rests this many times as long as it took: it never takes more than a tenth of a core.
const REST: u32 = 9;
/// As many objects stand in one line of the log.
const NAMES_MAX: usize = 5;
/// From one line of the log about changes to the next.
const LINE: Duration = Duration::from_mins(1);

/// Where the service hears of what was read.
pub struct Outlets {
    pub writer: SnapshotWriter,
    /// How the last read went, and that the loop is alive.
    pub health: Health,
    /// How many reads there were, and how they went.
    pub metrics: Metrics,
    /// Takes what came and went.
    pub recorder: Recorder,
}

/// Takes updates, and decides when a snapshot is due.
pub(super) struct Publisher {
    out: Outlets,
    reporter: Reporter,
    /// Something has changed since the last snapshot.
    is_due: bool,
    /// The cluster is watched, and all streams are heard of.
    is_live: bool,
    /// When the first change came that no snapshot has.
    changed: Option<Instant>,
    /// When the next snapshot may be made.
    earliest: Instant,
    /// What the last line about changes told of, and when it was written.
    logged: Option<(Arc<Snapshot>, Instant)>,
}

impl Publisher {
    pub(super) fn new(out: Outlets) -> Self {
        Self {
            out,
            reporter: Reporter::default(),
            is_due: false,
            is_live: false,
            changed: None,
            earliest: Instant::now(),
            logged: None,
        }
    }

    /// Waits until a snapshot is due.
    pub(super) async fn due(&self) {
        if !self.is_due {
            return std::future::pending().await;
        }
        tokio::time::sleep_until(self.earliest).await;
    }

    /// Takes an update of the source; `None`: a snapshot is due.
    pub(super) fn step(&mut self, update: Option<Update>, index: &mut PodIndex) {
        self.out.health.heartbeat();
        match update {
            None => self.publish_live(index),
            Some(Update::Events(events)) => events.into_iter().for_each(|event| index.apply(event)),
            Some(Update::Found(events)) => {
                events.into_iter().for_each(|event| index.apply(event));
                self.is_due = true;
            }
            Some(Update::Audit(audit)) => self.audit(audit, index),
            Some(Update::Identity(uid)) => self.out.recorder.identified(uid),
            Some(Update::Polling(reason)) => {
                self.out.health.polling(&reason);
                self.is_live = false;
                self.out.writer.watched(false);
            }
            Some(Update::Live(Live { events, observed_at, lost })) => {
                self.out.health.watching(lost.as_deref());
                self.out.writer.watched(lost.is_none());
                self.is_live = lost.is_none();
                if !events.is_empty() {
                    self.changed.get_or_insert_with(Instant::now);
                }
                events.into_iter().for_each(|event| index.apply(event));
                index.apply(Event::Seen(observed_at));
                self.is_due = true;
            }
            Some(Update::Read { elapsed }) => {
                let published = self.publish(index);
                if let Some(snapshot) = index.snapshot() {
                    let observed_at = index.observed_at().unwrap_or_else(|| snapshot.observed_at());
                    self.out.recorder.listed(snapshot, observed_at);
                    self.reporter.report(snapshot);
                    log_read(snapshot, published.as_ref(), elapsed);
                    self.logged = Some((Arc::clone(snapshot), Instant::now()));
                }
                self.out.health.poll_succeeded();
                self.out.metrics.polls().succeeded(elapsed);
            }
            Some(Update::Failed { error, elapsed, retry }) => self.failed(&error, elapsed, retry),
            Some(Update::Waiting) => {
                self.is_due |= self.out.recorder.exchange(index);
                self.log_changes(index);
            }
        }
    }

    fn audit(&mut self, audit: Audit, index: &mut PodIndex) {
        match audit {
            Audit::Begun => index.begin_audit(),
            Audit::Events(events) => events.into_iter().for_each(|event| index.audit(event)),
            Audit::Listed => index.compare_audit(),
            Audit::Settled => {
                let missed = index.settle_audit();
                self.out.metrics.watch().audited(missed.len());
                if !missed.is_empty() {
                    tracing::error!(
                        "the watch has missed changes, and a list has set them right: {}",
                        join_names(&missed, NAMES_MAX)
                    );
                    self.is_due = true;
                }
            }
        }
    }

    pub(super) fn failed(&mut self, error: &CollectError, elapsed: Duration, retry: Retry) {
        self.out.writer.watched(false);
        self.is_live = false;
        let text = error.to_string();
        self.out.recorder.broke(&text);
        match retry {
            Retry::In(wait) if matches!(error, CollectError::Unwatchable(_)) => {
                tracing::error!("not ready, next try in {} s: {text}", wait.as_secs());
            }
            Retry::In(wait) => tracing::error!("poll failed, next try in {} s: {text}", wait.as_secs()),
            Retry::WhenChanged | Retry::Never => {
                tracing::error!("reading the input failed, next try when it changes: {text}");
            }
        }
        match error {
            CollectError::Unwatchable(_) => self.out.health.unwatchable(&text),
            _ => self.out.health.poll_failed(&text),
        }
        self.out.metrics.polls().failed(error.kind(), elapsed);
    }

    fn publish_live(&mut self, index: &mut PodIndex) {
        let begun = Instant::now();
        index.set_now(Timestamp::now());
        let published = self.publish(index);
        if let (true, Some(snapshot), Some(observed_at)) = (self.is_live, index.snapshot(), index.observed_at()) {
            self.out.recorder.watched(snapshot, observed_at);
        }
        let now = Instant::now();
        if let (Some(_), Some(changed)) = (published, self.changed.take()) {
            self.out.metrics.watch().published(now - changed);
        }
        self.earliest = now + COALESCE.max((now - begun) * REST);
        self.log_changes(index);
    }

    fn publish(&mut self, index: &mut PodIndex) -> Option<Published> {
        self.is_due = false;
        // What a history has kept counts before anything is shown.
        self.out.recorder.exchange(index);
        let published = index.publish();
        self.out.recorder.exchange(index);
        match (&published, index.observed_at()) {
            (Some(Published { snapshot, .. }), _) => self.out.writer.publish(Arc::clone(snapshot)),
            (None, Some(observed_at)) => self.out.writer.observed(observed_at),
            (None, None) => {}
        }
        published
    }

    /// One line for all that changed in a minute, and what is missing or odd since.
    fn log_changes(&mut self, index: &PodIndex) {
        let (Some((before, at)), Some(snapshot)) = (&self.logged, index.snapshot()) else { return };
        if at.elapsed() < LINE || before.generation() == snapshot.generation() {
            return;
        }
        self.reporter.report(snapshot);
        if tracing::enabled!(tracing::Level::INFO) {
            let changes = Changes::between(before, snapshot).to_string();
            log("inventory changed", snapshot, &changes, at.elapsed());
        }
        self.logged = Some((Arc::clone(snapshot), Instant::now()));
    }
}

/// One line for each read.
fn log_read(snapshot: &Snapshot, published: Option<&Published>, elapsed: Duration) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let changes = match published.map(Published::changes) {
        Some(Some(changes)) => changes.to_string(),
        Some(None) => "read for the first time".to_owned(),
        None => Changes::default().to_string(),
    };
    log("inventory read", snapshot, &changes, elapsed);
}

fn log(what: &str, snapshot: &Snapshot, changes: &str, elapsed: Duration) {
    tracing::info!(
        generation = snapshot.generation(),
        namespaces = snapshot.namespaces().len(),
        pods = snapshot.pod_count(),
        complete = snapshot.is_complete(),
        elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        changes,
        "{what}"
    );
}
