//! What the event loop asks of a source, and what a source sends.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::Instant;

use crate::cluster::{ClusterError, Live};
use crate::dump::DumpError;
use crate::snapshot::{Event, PodIdentity};

/// Receives how much was read, and of how much where that is known: pods of a cluster, bytes of a dump.
pub type SourceProgress = Arc<dyn Fn(u64, Option<u64>) + Send + Sync>;

/// Batches of events that one read may be ahead of the index; bounded, so that a fast source waits for a slow index.
const BATCHES: usize = 16;
/// The longest that a source is silent while it only waits.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Where events come from. A source decides when it reads; the event loop only takes what it sends.
pub trait Source: Send {
    /// Checks the settings and connects, where that is not done yet. Reads nothing of the cluster.
    fn open(&mut self) -> BoxFuture<'_, Result<(), CollectError>>;

    /// Reads, and reads again when it is time to, for as long as somebody receives the updates. Whoever drops the future
    /// ends all that it did.
    fn run<'s>(&'s mut self, updates: &'s Sender<Update>) -> BoxFuture<'s, ()>;

    /// What the source itself calls the cluster; `None` when it does not know, or is not open yet.
    fn cluster_name(&self) -> Option<&str>;

    /// Names of namespaces that are there, for a message about one that is not; none where they cannot be had.
    fn namespace_names(&self) -> BoxFuture<'_, Vec<String>>;

    /// What does not change about it.
    fn nature(&self) -> &'static Nature;
}

/// What kind of thing a source is, as far as others must know.
#[derive(Debug)]
pub struct Nature {
    /// What makes two of its records the same pod.
    pub identity: PodIdentity,
    /// What a message calls it.
    pub name: &'static str,
    /// Whether its answers grow old when nothing new is read. A file is as old as it is, which is what the user asked for.
    pub grows_stale: bool,
    /// When a client that came before the first read should come again.
    pub retry_after: Duration,
}

/// What a source sends.
#[derive(Debug)]
pub enum Update {
    /// What it found, in order.
    Events(Vec<Event>),
    /// Everything was read once, from its begin to its end. All events of it were sent before.
    Read {
        /// How long that took.
        elapsed: Duration,
    },
    /// What has changed since it was read.
    Live(Live),
    /// What was found beside the watch.
    Found(Vec<Event>),
    /// A second list, to find what the watch has missed.
    Audit(Audit),
    /// What tells the cluster from others, or why that cannot be read.
    Identity(Result<String, String>),
    /// It is not watched but polled, for this reason.
    Polling(String),
    /// A read failed. What was known before it stays.
    Failed {
        error: CollectError,
        elapsed: Duration,
        /// When it is tried again.
        retry: Retry,
    },
    /// Nothing is to be done, and the source waits.
    Waiting,
}

/// What becomes of a second list.
#[derive(Debug)]
pub enum Audit {
    Begun,
    Events(Vec<Event>),
    Listed,
    /// The watch has had the time to tell what changed while it was listed.
    Settled,
}

/// When a source tries again after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// After this time.
    In(Duration),
    /// When the files change.
    WhenChanged,
    /// What was read is gone: standard input.
    Never,
}

/// Why a source could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// The deadline of the whole poll.
    #[error(
        "the cluster was not read within {} s (collection.cycle-timeout-seconds); raise it, or find out why the API server is slow",
        .0.as_secs()
    )]
    CycleTimeout(Duration),
    /// `collection.method` is `watch`, and the cluster cannot be watched.
    #[error("the cluster cannot be watched: {0}; with collection.method auto kai polls it instead")]
    Unwatchable(String),
    /// The source ended before it had read everything.
    #[error("the source ended without finishing its lists")]
    Unfinished,
    /// The thread that read the dump panicked.
    #[error("reading the input failed: {0}")]
    Thread(#[from] tokio::task::JoinError),
    /// What was read could not be taken over.
    #[error("taking over what was read failed by a defect of kai ({0}); report it with this message")]
    Panicked(String),
}

impl CollectError {
    /// Whether the settings are wrong, so that trying again cannot help.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.is_configuration())
    }

    /// A word for what went wrong, of a fixed set, to count by.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Cluster(error) => error.kind(),
            Self::Dump(_) => "dump",
            Self::CycleTimeout(_) => "cycle_timeout",
            Self::Unwatchable(_) => "unwatchable",
            Self::Unfinished => "unfinished",
            Self::Thread(_) => "thread",
            Self::Panicked(_) => "panic",
        }
    }
}

/// The event loop has gone: nobody receives what is sent.
#[derive(Debug)]
pub(super) struct Closed;

impl<T> From<mpsc::error::SendError<T>> for Closed {
    fn from(_: mpsc::error::SendError<T>) -> Self {
        Self
    }
}

/// A channel for the events of one read.
pub(super) fn events() -> (Sender<Vec<Event>>, Receiver<Vec<Event>>) {
    mpsc::channel(BATCHES)
}

/// Passes the events of one read on until its end.
pub(super) async fn forward(mut events: Receiver<Vec<Event>>, updates: &Sender<Update>) {
    while let Some(batch) = events.recv().await {
        if updates.send(Update::Events(batch)).await.is_err() {
            return;
        }
    }
}

/// Waits, and lets the event loop know meanwhile that the source is alive.
pub(super) async fn wait_until(until: Instant, updates: &Sender<Update>) -> Result<(), Closed> {
    loop {
        updates.send(Update::Waiting).await?;
        let next = until.min(Instant::now() + HEARTBEAT);
        tokio::time::sleep_until(next).await;
        if next == until {
            return Ok(());
        }
    }
}
