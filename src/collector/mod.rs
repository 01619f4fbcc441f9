//! The event loop: a source's events go through the index into snapshots, once or at every interval.

mod poll;
mod report;
mod source;

pub use poll::Poller;
pub use report::{Reporter, lacking};
pub use source::{CollectError, Source, SourceProgress};

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::inventory::NamespaceSelection;
use crate::snapshot::{Event, PodIndex, Published, Snapshot};

/// Batches of events on their way to the index; bounded, so that a fast source waits for a slow index.
const BATCHES: usize = 16;

/// One source with the index that its events go to.
pub struct Collector {
    source: Source,
    selection: NamespaceSelection,
    configured_name: Option<String>,
    cycle_timeout: Duration,
    index: Option<PodIndex>,
}

impl Collector {
    /// A collector that has read nothing yet. `configured_name` is the cluster's name in reports; without one it is that
    /// of the source.
    #[must_use]
    pub fn new(
        source: Source,
        selection: NamespaceSelection,
        configured_name: Option<String>,
        cycle_timeout: Duration,
    ) -> Self {
        Self { source, selection, configured_name, cycle_timeout, index: None }
    }

    /// Connects to the source, where that is not done yet.
    pub async fn open(&mut self) -> Result<(), CollectError> {
        self.source.open().await
    }

    /// Whether a saved dump is read, and no cluster.
    #[must_use]
    pub fn is_dump(&self) -> bool {
        matches!(self.source, Source::Dump(_))
    }

    /// The cluster's name in reports: the configured one, else that of the kubeconfig's context, else empty. Known once
    /// [`Self::open`] has succeeded.
    #[must_use]
    pub fn cluster_name(&self) -> &str {
        self.configured_name.as_deref().or_else(|| self.source.cluster_name()).unwrap_or_default()
    }

    /// When the dump was last written; `None` for a cluster and for standard input.
    #[must_use]
    pub fn dump_modified_at(&self) -> Option<Timestamp> {
        self.source.modified_at()
    }

    /// Names of namespaces that the source has, for a message about one that it does not have; none where they cannot be
    /// had.
    pub async fn namespace_names(&self) -> Vec<String> {
        self.source.namespace_names().await
    }

    /// The newest snapshot, and when it was last seen to be true.
    #[must_use]
    pub fn latest(&self) -> Option<(&Arc<Snapshot>, Timestamp)> {
        let index = self.index.as_ref()?;
        index.snapshot().zip(index.observed_at())
    }

    /// Reads everything once, and gives what is new. A failure leaves the index as it was.
    pub async fn collect(&mut self, progress: &SourceProgress) -> Result<Option<Published>, CollectError> {
        self.source.open().await?;
        let name = self.cluster_name().to_owned();
        let identity = self.source.pod_identity();
        let index =
            self.index.get_or_insert_with(|| PodIndex::new(&name, self.selection.clone()).with_identity(identity));
        let (sender, mut receiver) = mpsc::channel(BATCHES);
        let source = &mut self.source;
        let selection = &self.selection;
        let read = async move {
            let result = source.relist(selection, &sender, progress).await;
            drop(sender);
            result
        };
        let apply = async {
            let mut is_whole = false;
            while let Some(batch) = receiver.recv().await {
                for event in batch {
                    is_whole |= matches!(event, Event::Observed(_));
                    index.apply(event);
                }
            }
            is_whole
        };
        let both = async { tokio::join!(read, apply) };
        let (result, is_whole) = if self.cycle_timeout.is_zero() {
            both.await
        } else {
            tokio::time::timeout(self.cycle_timeout, both)
                .await
                .map_err(|_elapsed| CollectError::CycleTimeout(self.cycle_timeout))?
        };
        result?;
        if is_whole { Ok(index.publish()) } else { Err(CollectError::Unfinished) }
    }
}
