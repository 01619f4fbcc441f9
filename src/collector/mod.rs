//! The event loop: a source's events go through the index into snapshots, once or for as long as the service runs.

mod cluster;
mod dump;
mod report;
mod source;

pub use cluster::PollCluster;
pub use dump::DumpFile;
pub use report::{Reporter, lacking};
pub use source::{CollectError, Nature, Retry, Source, SourceProgress, Update};

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::feed::SnapshotWriter;
use crate::health::Health;
use crate::inventory::{NamespaceSelection, panic_text};
use crate::metrics::Metrics;
use crate::snapshot::{Changes, PodIndex, Published, Snapshot};

/// How long the source rests after a panic: what caused it is probably there still.
const PAUSE: Duration = Duration::from_mins(1);

/// One source with the index that its events go to.
pub struct Collector {
    source: Box<dyn Source>,
    configured_name: Option<String>,
    index: PodIndex,
}

/// Where the service hears of what was read.
pub struct Outlets {
    pub writer: SnapshotWriter,
    /// How the last read went, and that the loop is alive.
    pub health: Health,
    /// How many reads there were, and how they went.
    pub metrics: Metrics,
}

impl Collector {
    /// A collector that has read nothing yet. `configured_name` is the cluster's name in reports; without one it is that
    /// of the source.
    #[must_use]
    pub fn new(source: Box<dyn Source>, selection: NamespaceSelection, configured_name: Option<String>) -> Self {
        let name = configured_name.as_deref().unwrap_or_default();
        let index = PodIndex::new(name, selection).with_identity(source.nature().identity);
        Self { source, configured_name, index }
    }

    /// Checks the settings of the source and connects, where that is not done yet.
    pub async fn open(&mut self) -> Result<(), CollectError> {
        self.source.open().await
    }

    /// What kind of source it has.
    #[must_use]
    pub fn nature(&self) -> &'static Nature {
        self.source.nature()
    }

    /// The cluster's name in reports: the configured one, else that of the kubeconfig's context, else empty. Known once
    /// [`Self::open`] has succeeded.
    #[must_use]
    pub fn cluster_name(&self) -> &str {
        self.configured_name.as_deref().or_else(|| self.source.cluster_name()).unwrap_or_default()
    }

    /// Names of namespaces that the source has, for a message about one that it does not have; none where they cannot be
    /// had.
    pub async fn namespace_names(&self) -> Vec<String> {
        self.source.namespace_names().await
    }

    /// Reads everything once. A failure leaves what is known as it was.
    pub async fn read_once(&mut self) -> Result<Arc<Snapshot>, CollectError> {
        let (sender, mut updates) = mpsc::channel(1);
        let index = &mut self.index;
        let apply = async {
            loop {
                match updates.recv().await {
                    Some(Update::Events(events)) => events.into_iter().for_each(|event| index.apply(event)),
                    Some(Update::Read { .. }) => {
                        index.publish();
                        return index.snapshot().cloned().ok_or(CollectError::Unfinished);
                    }
                    Some(Update::Failed { error, .. }) => return Err(error),
                    Some(Update::Waiting) => {}
                    None => return Err(CollectError::Unfinished),
                }
            }
        };
        tokio::select! {
            result = apply => result,
            () = self.source.run(&sender) => Err(CollectError::Unfinished),
        }
    }

    /// Takes what the source sends until `stop`. A read that fails keeps the last snapshot.
    ///
    /// # Errors
    /// Standard input could not be read: there is no second try.
    pub async fn run(mut self, out: Outlets, stop: CancellationToken) -> Result<(), CollectError> {
        let mut reporter = Reporter::default();
        loop {
            let (sender, mut updates) = mpsc::channel(1);
            let mut running = self.source.run(&sender);
            let panic = loop {
                let update = tokio::select! {
                    Some(update) = updates.recv() => update,
                    () = &mut running => return Ok(()),
                    () = stop.cancelled() => return Ok(()),
                };
                out.health.heartbeat();
                if let Update::Failed { error, retry: Retry::Never, .. } = update {
                    return Err(error);
                }
                let index = &mut self.index;
                // What a panic leaves half done is forgotten with the whole index.
                match catch_unwind(AssertUnwindSafe(|| take(update, index, &mut reporter, &out))) {
                    Ok(()) => {}
                    Err(panic) => break panic_text(&*panic),
                }
            };
            drop(running);
            self.index.reset();
            out.failed(&CollectError::Panicked(panic), Duration::ZERO, Retry::In(PAUSE));
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => return Ok(()),
            }
        }
    }
}

/// Takes one update of the source.
fn take(update: Update, index: &mut PodIndex, reporter: &mut Reporter, out: &Outlets) {
    match update {
        Update::Events(events) => events.into_iter().for_each(|event| index.apply(event)),
        Update::Read { elapsed } => {
            let published = index.publish();
            if let Some((snapshot, observed_at)) = index.snapshot().zip(index.observed_at()) {
                reporter.report(snapshot);
                log_read(snapshot, published.as_ref(), elapsed);
                match published {
                    Some(Published { snapshot, .. }) => out.writer.publish(snapshot),
                    None => out.writer.observed(observed_at),
                }
            }
            out.health.poll_succeeded();
            out.metrics.polls().succeeded(elapsed);
        }
        Update::Failed { error, elapsed, retry } => out.failed(&error, elapsed, retry),
        Update::Waiting => {}
    }
}

impl Outlets {
    fn failed(&self, error: &CollectError, elapsed: Duration, retry: Retry) {
        let text = error.to_string();
        match retry {
            Retry::In(wait) => tracing::error!("poll failed, next try in {} s: {text}", wait.as_secs()),
            Retry::WhenChanged | Retry::Never => {
                tracing::error!("reading the input failed, next try when it changes: {text}");
            }
        }
        self.health.poll_failed(&text);
        self.metrics.polls().failed(error.kind(), elapsed);
    }
}

/// One line for each read.
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
