//! The event loop: a source's events go through the index into snapshots, once or for as long as the service runs.

mod cluster;
mod dump;
mod nothing;
mod publish;
mod report;
mod source;
mod watch;

pub use cluster::PollCluster;
pub use dump::DumpFile;
pub use nothing::NoCluster;
pub use publish::Outlets;
pub use report::{Reporter, lacking};
pub use source::{Audit, CollectError, Nature, Retry, Source, SourceProgress, Update};
pub use watch::WatchCluster;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::publish::Publisher;
use crate::inventory::{NamespaceSelection, panic_text};
use crate::snapshot::{PodIndex, Snapshot};

/// Updates that the source may be ahead of the index: a stream that waits too long is cut off by its server.
const BATCHES: usize = 64;

/// How long the source rests after a panic: what caused it is probably there still.
const PAUSE: Duration = Duration::from_mins(1);

/// One source with the index that its events go to.
pub struct Collector {
    source: Box<dyn Source>,
    configured_name: Option<String>,
    index: PodIndex,
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
                    // A single read is no watch.
                    Some(
                        Update::Waiting
                        | Update::Live(_)
                        | Update::Found(_)
                        | Update::Audit(_)
                        | Update::Identity(_)
                        | Update::Polling(_),
                    ) => {}
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
        let mut publisher = Publisher::new(out);
        loop {
            let (sender, mut updates) = mpsc::channel(BATCHES);
            let mut running = self.source.run(&sender);
            let panic = loop {
                let update = tokio::select! {
                    // In this order: a stream that never rests must not keep what is due waiting.
                    biased;
                    () = stop.cancelled() => return Ok(()),
                    () = publisher.due() => None,
                    Some(update) = updates.recv() => Some(update),
                    () = &mut running => return Ok(()),
                };
                if let Some(Update::Failed { error, retry: Retry::Never, .. }) = update {
                    return Err(error);
                }
                let index = &mut self.index;
                // What a panic leaves half done is forgotten with the whole index.
                match catch_unwind(AssertUnwindSafe(|| publisher.step(update, index))) {
                    Ok(()) => {}
                    Err(panic) => break panic_text(&*panic),
                }
            };
            drop(running);
            self.index.reset();
            publisher.failed(&CollectError::Panicked(panic), Duration::ZERO, Retry::In(PAUSE));
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => return Ok(()),
            }
        }
    }
}
