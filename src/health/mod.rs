//! How the process is: what the probes answer from.

mod history;
mod push;

pub use history::{HistoryBoard, HistoryState};
pub use push::{AccountPush, PushBoard, PushOutcome, PushRecord, SentPayload};

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::feed::SnapshotReader;
use crate::snapshot::Snapshot;

/// Shared by the collector, which records how reads go, and the probes, which answer from it.
#[derive(Debug, Clone)]
pub struct Health(Arc<State>);

#[derive(Debug)]
struct State {
    reader: SnapshotReader,
    stale_after: Option<Duration>,
    liveness_limit: Duration,
    started: Instant,
    /// Milliseconds from `started` to the last heartbeat. A monotonic clock: a corrected wall clock restarts nothing.
    heartbeat: AtomicU64,
    draining: AtomicBool,
    /// There is nothing to list, and so nothing to wait for.
    has_no_cluster: AtomicBool,
    last_poll: Mutex<Option<Poll>>,
    watch: Mutex<Option<Watch>>,
    push: PushBoard,
    history: HistoryBoard,
}

#[derive(Debug, Clone)]
struct Poll {
    at: Instant,
    /// Why it failed; `None` when it did not.
    failure: Option<Box<str>>,
}

/// How the cluster is watched, since when.
#[derive(Debug, Clone)]
struct Watch {
    since: Instant,
    state: WatchState,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum WatchState {
    Watching,
    /// Not at the moment, and why.
    Lost(Box<str>),
    /// It is polled, and why.
    Polling(Box<str>),
    /// It cannot be, and polling is not wanted: why.
    Unwatchable(Box<str>),
}

/// How the process is at one moment.
#[derive(Debug, Clone)]
pub struct HealthReport {
    /// kai's loops are running.
    pub is_live: bool,
    /// Whether a snapshot can be served and the process is not stopping.
    pub is_ready: bool,
    /// What liveness follows from.
    pub liveness: Vec<HealthCheck>,
    /// What readiness follows from, and how the last poll went, from which it does not follow: an old snapshot that says
    /// its age is served.
    pub readiness: Vec<HealthCheck>,
    pub snapshot: Option<Arc<Snapshot>>,
    /// How the pushes go, by account.
    pub push: Vec<AccountPush>,
    /// How the history is kept, if it is.
    pub history: Option<HistoryState>,
    /// When the snapshot was last seen to be true.
    pub observed_at: Option<Timestamp>,
    /// Age of the snapshot; zero when the clock says that it is of the future.
    pub age: Duration,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    pub name: &'static str,
    pub ok: bool,
    /// What was found, in words.
    pub detail: String,
}

impl Health {
    /// Health of a process that serves what `reader` gives. Readiness falls when the snapshot is older than
    /// `stale_after`, liveness when the last heartbeat is older than `liveness_limit`; the start counts as one.
    #[must_use]
    pub fn new(
        reader: SnapshotReader,
        stale_after: Option<Duration>,
        liveness_limit: Duration,
        push: PushBoard,
    ) -> Self {
        Self(Arc::new(State {
            reader,
            stale_after,
            liveness_limit,
            started: Instant::now(),
            heartbeat: AtomicU64::new(0),
            draining: AtomicBool::new(false),
            has_no_cluster: AtomicBool::new(false),
            last_poll: Mutex::new(None),
            watch: Mutex::new(None),
            push,
            history: HistoryBoard::default(),
        }))
    }

    /// Where whoever keeps the history says how it stands.
    #[must_use]
    pub fn history(&self) -> &HistoryBoard {
        &self.0.history
    }

    /// The collector is active.
    pub fn heartbeat(&self) {
        let elapsed = u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.heartbeat.fetch_max(elapsed, Ordering::Relaxed);
    }

    /// A poll gave a snapshot.
    pub fn poll_succeeded(&self) {
        self.record(None);
    }

    /// A poll gave none; `reason` is shown to whoever asks why the snapshot is old. Foreign values in it are already fit for
    /// a message.
    pub fn poll_failed(&self, reason: &str) {
        self.record(Some(reason.into()));
    }

    /// The cluster is watched; `lost`: it is not at the moment, for that reason.
    pub fn watching(&self, lost: Option<&str>) {
        self.watch(lost.map_or(WatchState::Watching, |reason| WatchState::Lost(reason.into())));
    }

    /// The cluster is polled, because it cannot be watched for that reason.
    pub fn polling(&self, reason: &str) {
        self.watch(WatchState::Polling(reason.into()));
    }

    /// The cluster cannot be watched, and is to be: not ready, for that reason.
    pub fn unwatchable(&self, reason: &str) {
        self.watch(WatchState::Unwatchable(reason.into()));
    }

    /// The process reads no cluster: it is ready without a list.
    pub fn needs_no_cluster(&self) {
        self.0.has_no_cluster.store(true, Ordering::Relaxed);
    }

    /// Whether the process reads no cluster.
    #[must_use]
    pub fn has_no_cluster(&self) -> bool {
        self.0.has_no_cluster.load(Ordering::Relaxed)
    }

    /// The process stops: not ready from now on.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// How the process is; `now` gives the snapshot its age.
    #[must_use]
    pub fn report(&self, now: Timestamp) -> HealthReport {
        let latest = self.0.reader.latest();
        let observed_at = latest.as_ref().map(|latest| latest.observed_at);
        let age = observed_at.map_or(Duration::ZERO, |observed_at| age(observed_at, now));
        let snapshot = latest.map(|latest| latest.snapshot);
        let liveness = vec![self.collector()];
        let needed = [self.relist(snapshot.as_deref(), age), self.serving()];
        let (watch, is_watchable) = self.watch_check();
        let is_ready = needed.iter().all(|check| check.ok) && is_watchable;
        HealthReport {
            is_live: liveness.iter().all(|check| check.ok),
            is_ready,
            liveness,
            readiness: needed.into_iter().chain([self.poll()]).chain(watch).chain(self.0.history.check()).collect(),
            snapshot,
            push: self.0.push.accounts(),
            history: self.0.history.state(),
            observed_at,
            age,
        }
    }

    fn record(&self, failure: Option<Box<str>>) {
        *self.0.last_poll.lock().unwrap_or_else(PoisonError::into_inner) = Some(Poll { at: Instant::now(), failure });
    }

    fn watch(&self, state: WatchState) {
        let mut watch = self.0.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |watch: &Watch| std::mem::discriminant(&watch.state) == std::mem::discriminant(&state);
        let since = watch.as_ref().filter(|watch| is_same(watch)).map_or_else(Instant::now, |watch| watch.since);
        *watch = Some(Watch { since, state });
    }

    /// The check, where the cluster is to be watched, and whether readiness allows it.
    fn watch_check(&self) -> (Option<HealthCheck>, bool) {
        let watch = self.0.watch.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(Watch { since, state }) = watch else { return (None, true) };
        let is_watchable = !matches!(state, WatchState::Unwatchable(_));
        let seconds = since.elapsed().as_secs();
        let (ok, detail) = match state {
            WatchState::Watching => (true, format!("the cluster is watched, for {seconds} s by now")),
            WatchState::Lost(reason) => (false, format!("the watch is lost for {seconds} s: {reason}")),
            WatchState::Polling(reason) => {
                (true, format!("the cluster is polled, because it cannot be watched: {reason}"))
            }
            WatchState::Unwatchable(reason) => (false, reason.into()),
        };
        (Some(HealthCheck { name: "watch", ok, detail }), is_watchable)
    }

    fn collector(&self) -> HealthCheck {
        let last = Duration::from_millis(self.0.heartbeat.load(Ordering::Relaxed));
        let silence = self.0.started.elapsed().saturating_sub(last);
        let limit = self.0.liveness_limit;
        let detail = format!("last active {} s ago, at most {} s are allowed", silence.as_secs(), limit.as_secs());
        HealthCheck { name: "collector", ok: silence <= limit, detail }
    }

    fn relist(&self, snapshot: Option<&Snapshot>, age: Duration) -> HealthCheck {
        let Some(snapshot) = snapshot else {
            let ok = self.has_no_cluster();
            let detail = if ok { "there is no cluster to list" } else { "no list of the cluster has finished yet" };
            return HealthCheck { name: "relist", ok, detail: detail.to_owned() };
        };
        let generation = snapshot.generation();
        let seconds = age.as_secs();
        let (ok, detail) = match self.0.stale_after {
            None => (true, format!("generation {generation}, observed {seconds} s ago")),
            Some(limit) => (
                age <= limit,
                format!(
                    "generation {generation}, observed {seconds} s ago, stale after {} s (collection.stale-after-seconds)",
                    limit.as_secs()
                ),
            ),
        };
        HealthCheck { name: "relist", ok, detail }
    }

    fn serving(&self) -> HealthCheck {
        let draining = self.0.draining.load(Ordering::Relaxed);
        let detail = if draining { "stopping: open requests are finished" } else { "accepting requests" };
        HealthCheck { name: "serving", ok: !draining, detail: detail.to_owned() }
    }

    fn poll(&self) -> HealthCheck {
        let poll = self.0.last_poll.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (ok, detail) = match poll {
            None => (true, "no poll has ended yet".to_owned()),
            Some(Poll { at, failure: None }) => {
                (true, format!("the last poll succeeded {} s ago", at.elapsed().as_secs()))
            }
            Some(Poll { at, failure: Some(reason) }) => {
                (false, format!("the last poll failed {} s ago: {}", at.elapsed().as_secs(), reason))
            }
        };
        HealthCheck { name: "poll", ok, detail }
    }
}

fn age(observed_at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(observed_at)).unwrap_or(Duration::ZERO)
}
