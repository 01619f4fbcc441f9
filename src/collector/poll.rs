//! Reading again at every interval, for as long as the service runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::report::Reporter;
use super::{CollectError, Collector, Source, SourceProgress};
use crate::config::CollectionSettings;
use crate::dump::Fingerprint;
use crate::feed::SnapshotWriter;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::snapshot::{Changes, Published, Snapshot};

/// The first wait after a failure; doubled after each further one, up to the interval or the maximum.
const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_mins(1);
/// How often a dump is looked at for a change.
const DUMP_LOOK: Duration = Duration::from_secs(1);
/// As many looks may find a dump changed once more before it is read all the same.
const DUMP_LOOKS_MAX: u32 = 30;

/// Keeps the feed up to date. A poll that fails keeps the last snapshot and is tried again sooner.
pub struct Poller {
    /// What is read.
    pub collector: Collector,
    /// Where snapshots go.
    pub writer: SnapshotWriter,
    /// Where failures are said.
    pub health: Health,
    /// Where polls are counted.
    pub metrics: Metrics,
    /// When to read.
    pub settings: CollectionSettings,
}

impl Poller {
    /// Polls until `stop`. Polls never overlap; the interval runs from start to start.
    ///
    /// # Errors
    /// Standard input could not be read: there is no second try.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), CollectError> {
        let mut reporter = Reporter::default();
        let mut failures = 0;
        let nobody: SourceProgress = Arc::new(|_, _| {});
        if !self.collector.is_dump() {
            self.metrics.polls().every(self.settings.interval);
        }
        loop {
            self.health.heartbeat();
            let begun = Instant::now();
            let fingerprint = self.collector.source.fingerprint();
            let outcome = tokio::select! {
                outcome = self.collector.collect(&nobody) => outcome,
                () = stop.cancelled() => return Ok(()),
            };
            let next = match outcome {
                Ok(published) => {
                    failures = 0;
                    if let Some((snapshot, observed_at)) = self.collector.latest() {
                        reporter.report(snapshot);
                        log_read(snapshot, published.as_ref(), begun.elapsed());
                        match published {
                            Some(Published { snapshot, .. }) => self.writer.publish(snapshot),
                            None => self.writer.observed(observed_at),
                        }
                    }
                    self.health.poll_succeeded();
                    self.metrics.polls().succeeded(begun.elapsed());
                    begun + self.settings.interval
                }
                Err(error) if self.collector.source.is_read_once() => return Err(error),
                Err(error) => {
                    let wait = self.backoff(failures);
                    failures += 1;
                    self.metrics.polls().failed(error.kind(), begun.elapsed());
                    self.say(&error, wait);
                    // From the end: a server that lets every request time out would else get no pause at all.
                    Instant::now() + wait
                }
            };
            let waited = match &self.collector.source {
                Source::Cluster { .. } => sleep_until(next, &self.health, &stop).await,
                Source::Dump(_) => self.until_changed(fingerprint, &stop).await,
            };
            if waited.is_none() {
                return Ok(());
            }
        }
    }

    fn say(&self, error: &CollectError, wait: Duration) {
        let text = error.to_string();
        match &self.collector.source {
            Source::Cluster { .. } => tracing::error!("poll failed, next try in {} s: {text}", wait.as_secs()),
            Source::Dump(_) => tracing::error!("reading the input failed, next try when it changes: {text}"),
        }
        self.health.poll_failed(&text);
    }

    fn backoff(&self, failures: u32) -> Duration {
        BACKOFF_MIN.saturating_mul(1 << failures.min(10)).min(BACKOFF_MAX).min(self.settings.interval)
    }

    /// Waits until the dump is another file, or has other content, than when it was last read, or is gone, and has stayed
    /// so from one look to the next: a file that is still being written is half a dump.
    async fn until_changed(&self, last: Option<Fingerprint>, stop: &CancellationToken) -> Option<()> {
        let (mut before, mut changes) = (last, 0);
        loop {
            sleep_until(Instant::now() + DUMP_LOOK, &self.health, stop).await?;
            let now = self.collector.source.fingerprint();
            if now != before && changes < DUMP_LOOKS_MAX {
                (before, changes) = (now, changes + 1);
            } else if now != last {
                return Some(());
            }
        }
    }
}

/// One line for each poll.
fn log_read(snapshot: &Snapshot, published: Option<&Published>, elapsed: Duration) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let changes = match published {
        Some(Published { changes: Some(changes), .. }) => changes.to_string(),
        Some(Published { changes: None, .. }) => "read for the first time".to_owned(),
        None => Changes::default().to_string(),
    };
    tracing::info!(
        generation = snapshot.generation(),
        namespaces = snapshot.namespaces().len(),
        pods = snapshot.pod_count(),
        complete = snapshot.is_complete(),
        elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        changes,
        "inventory read"
    );
}

/// How long the loop may be silent while it only waits.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Waits, and says meanwhile that the loop is alive; `None` when stopped.
async fn sleep_until(until: Instant, health: &Health, stop: &CancellationToken) -> Option<()> {
    loop {
        health.heartbeat();
        let next = until.min(Instant::now() + HEARTBEAT);
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            () = stop.cancelled() => return None,
        }
        if next == until {
            return Some(());
        }
    }
}
