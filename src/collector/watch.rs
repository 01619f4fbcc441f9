//! A cluster as a source: it is listed once, and watched from there.

use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use tokio::sync::mpsc::{self, Sender};
use tokio::time::Instant;

use super::cluster::PollCluster;
use super::source::{Audit, Closed, CollectError, Nature, Retry, Source, Update, events, wait_until};
use crate::cluster::{ClusterSource, Fallback, Relisted, WatchEnd, Watchers};
use crate::inventory::NamespaceSelection;
use crate::warned::Warned;

/// Chunks of frames that the streams may be ahead of the index.
const CHUNKS: usize = 64;
/// The longest that a source is silent while nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// What changed while a list was read, the watch has told by then: bookmarks come once a minute.
const PATIENCE: Duration = Duration::from_secs(70);
/// How long it may take to ask for a right before the start.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);
const TOPIC: &str = "watch";

/// The API server that the settings describe, watched.
pub struct WatchCluster {
    poll: PollCluster,
    /// Everything is listed again that long after the last list, give or take a tenth.
    verify_interval: Option<Duration>,
    patience: Duration,
    watchers: Watchers,
    warned: Warned,
}

/// Why everything is listed again.
enum Then {
    Now,
    /// With a connection of its own.
    Reconnected,
    At(Instant),
    Failed(CollectError),
    Stalled {
        reason: String,
        wait: Duration,
    },
}

impl WatchCluster {
    /// Lists as `poll` does. With `polls` it goes on like that where the cluster cannot be watched.
    #[must_use]
    pub fn new(poll: PollCluster, verify_interval: Option<Duration>, polls: bool) -> Self {
        let fallback = if polls { Fallback::Poll } else { Fallback::Never };
        let (watchers, warned) = (Watchers::new(fallback), Warned::default());
        Self { poll: poll.watched(), verify_interval, patience: PATIENCE, watchers, warned }
    }

    /// Waits that long for what the watch has to say of a difference.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    async fn watch_for_ever(&mut self, updates: &Sender<Update>) -> Result<(), Closed> {
        loop {
            let (begun, relisted) = self.poll.read(updates).await?;
            loop {
                match self.watch(begun, &relisted, updates).await? {
                    Then::Now => break,
                    Then::Reconnected => break self.poll.disconnect(),
                    Then::At(time) => break wait_until(time, updates).await?,
                    Then::Failed(error) => break self.poll.fail(error, Instant::now(), 0, updates).await?,
                    // Listing again would be polling.
                    Then::Stalled { reason, wait } => {
                        let (error, retry) = (CollectError::Unwatchable(reason), Retry::In(wait));
                        updates.send(Update::Failed { error, elapsed: Duration::ZERO, retry }).await?;
                        wait_until(Instant::now() + wait, updates).await?;
                    }
                }
            }
        }
    }

    /// Passes on what changes, until everything has to be listed again.
    async fn watch(&mut self, begun: Instant, relisted: &Relisted, updates: &Sender<Update>) -> Result<Then, Closed> {
        let (next_poll, watched_since) = (begun + self.poll.interval, Instant::now());
        let Some(connection) = self.poll.connection() else { return Ok(Then::Now) };
        let selection = self.poll.selection();
        let audits = audits(connection, selection, self.verify_interval, self.patience, updates);
        let mut audits = std::pin::pin!(audits);
        // What is watched is not asked for.
        let interval = Some(self.poll.interval).filter(|_| !relisted.has_namespaces());
        let mut asks = std::pin::pin!(asks(connection, selection, interval, updates));
        let (sender, mut live) = mpsc::channel(CHUNKS);
        let mut watching = std::pin::pin!(connection.watch(&mut self.watchers, relisted, &sender));
        let end = loop {
            tokio::select! {
                biased;
                Some(live) = live.recv() => updates.send(Update::Live(live)).await?,
                end = &mut watching => break end,
                Closed = &mut audits => return Err(Closed),
                Closed = &mut asks => return Err(Closed),
                // A right that is missing may be given: it is asked for as often as by polling.
                () = tokio::time::sleep_until(next_poll), if relisted.is_refused() => return Ok(Then::Now),
                () = tokio::time::sleep(HEARTBEAT) => updates.send(Update::Waiting).await?,
            }
        };
        Ok(match end {
            WatchEnd::Relist => Then::Now,
            WatchEnd::Abandoned => return Err(Closed),
            WatchEnd::Reconnect => Then::Reconnected,
            WatchEnd::Failed(error) => Then::Failed(error.into()),
            WatchEnd::Stalled { reason, wait } => Then::Stalled { reason, wait },
            WatchEnd::Poll(reason) => {
                if watched_since.elapsed() >= HEARTBEAT {
                    self.warned.is_well(TOPIC);
                }
                if self.warned.is_news(TOPIC) {
                    let seconds = self.poll.interval.as_secs();
                    tracing::warn!(
                        "the cluster is polled every {seconds} s (polling-interval-seconds), because it cannot be \
                         watched: {reason}"
                    );
                }
                updates.send(Update::Polling(reason)).await?;
                Then::At(next_poll)
            }
        })
    }
}

/// Asks for the included namespaces at every interval, if there is one: their labels may change, and they may go.
async fn asks(
    connection: &ClusterSource,
    selection: &NamespaceSelection,
    interval: Option<Duration>,
    updates: &Sender<Update>,
) -> Closed {
    let Some(interval) = interval else { return std::future::pending().await };
    loop {
        tokio::time::sleep(interval).await;
        if let Err(closed) = updates.send(Update::Found(connection.ask_included(selection).await)).await {
            return closed.into();
        }
    }
}

/// Lists everything at every interval, give or take a tenth, to find what the watch has missed.
async fn audits(
    connection: &ClusterSource,
    selection: &NamespaceSelection,
    interval: Option<Duration>,
    patience: Duration,
    updates: &Sender<Update>,
) -> Closed {
    let Some(interval) = interval else { return std::future::pending().await };
    loop {
        tokio::time::sleep(interval.mul_f64(0.9 + 0.2 * fastrand::f64())).await;
        if let Err(closed) = audit(connection, selection, patience, updates).await {
            return closed;
        }
    }
}

async fn audit(
    connection: &ClusterSource,
    selection: &NamespaceSelection,
    patience: Duration,
    updates: &Sender<Update>,
) -> Result<(), Closed> {
    updates.send(Update::Audit(Audit::Begun)).await?;
    let (sender, mut received) = events();
    let listed = async move { connection.list(selection, &sender).await };
    let passed_on = async {
        while let Some(batch) = received.recv().await {
            updates.send(Update::Audit(Audit::Events(batch))).await?;
        }
        Ok::<_, Closed>(())
    };
    let (listed, passed_on) = tokio::join!(listed, passed_on);
    passed_on?;
    if let Err(error) = listed {
        tracing::info!("what is watched is not verified this time: {error}");
        return Ok(());
    }
    updates.send(Update::Audit(Audit::Listed)).await?;
    tokio::time::sleep(patience).await;
    Ok(updates.send(Update::Audit(Audit::Settled)).await?)
}

impl Source for WatchCluster {
    fn open(&mut self) -> BoxFuture<'_, Result<(), CollectError>> {
        async {
            let selection = self.poll.selection().clone();
            let connection = self.poll.connect().await?;
            if !self.watchers.polls() {
                // A server that is silent has refused nothing.
                let checked = tokio::time::timeout(CHECK_TIMEOUT, connection.check_watch(&selection)).await;
                checked.unwrap_or(Ok(()))?;
            }
            Ok(())
        }
        .boxed()
    }

    fn run<'s>(&'s mut self, updates: &'s Sender<Update>) -> BoxFuture<'s, ()> {
        self.watch_for_ever(updates).map(|_closed| ()).boxed()
    }

    fn cluster_name(&self) -> Option<&str> {
        self.poll.cluster_name()
    }

    fn namespace_names(&self) -> BoxFuture<'_, Vec<String>> {
        self.poll.namespace_names()
    }

    fn nature(&self) -> &'static Nature {
        self.poll.nature()
    }
}
