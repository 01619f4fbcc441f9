//! A cluster as a source: it is listed again at every interval.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;

use super::source::{Closed, CollectError, Nature, Retry, Source, SourceProgress, Update, events, forward, wait_until};
use crate::cluster::{ClusterSource, Environment, Progress, Relisted};
use crate::config::{ClusterSettings, CollectionSettings};
use crate::inventory::{Detail, NamespaceSelection};
use crate::metrics::Metrics;
use crate::snapshot::PodIdentity;
use crate::warned::Warned;

/// The first wait after a failure; doubled after each further one, up to the interval or the maximum.
const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_mins(1);

/// How long and how many names of namespaces may be asked for when only a message wants them.
const NAMES_TIMEOUT: Duration = Duration::from_secs(5);
const NAMES_MAX: u32 = 500;

static NATURE: Nature = Nature {
    identity: PodIdentity::Name,
    name: "the cluster",
    grows_stale: true,
    // The first list of a large cluster takes seconds.
    retry_after: Duration::from_secs(5),
};

/// The API server that the settings describe.
pub struct PollCluster {
    settings: ClusterSettings,
    detail: Detail,
    selection: NamespaceSelection,
    /// Names what was warned of by whichever connection.
    warned: Warned,
    metrics: Metrics,
    progress: SourceProgress,
    pub(super) interval: Duration,
    cycle_timeout: Duration,
    is_watched: bool,
    /// What tells the cluster from others is to be asked for.
    wants_identity: bool,
    /// Made when it is first needed, and again after a failure, so that new credentials in the kubeconfig count.
    connection: Option<ClusterSource>,
}

impl PollCluster {
    /// A cluster that is not connected yet.
    #[must_use]
    pub fn new(
        settings: ClusterSettings,
        detail: Detail,
        selection: NamespaceSelection,
        collection: &CollectionSettings,
    ) -> Self {
        Self {
            settings,
            detail,
            selection,
            warned: Warned::default(),
            metrics: Metrics::default(),
            progress: Arc::new(|_, _| {}),
            interval: collection.interval,
            cycle_timeout: collection.cycle_timeout,
            is_watched: false,
            wants_identity: false,
            connection: None,
        }
    }

    /// Counts its requests there, and shows how often it is read.
    #[must_use]
    pub fn with_metrics(self, metrics: Metrics) -> Self {
        metrics.polls().every(self.interval);
        Self { metrics, ..self }
    }

    /// Reports there how many pods were read.
    #[must_use]
    pub fn with_progress(self, progress: SourceProgress) -> Self {
        Self { progress, ..self }
    }

    /// Asks for the uid of kube-system, after each read until there is an answer.
    #[must_use]
    pub fn with_identity(self) -> Self {
        Self { wants_identity: true, ..self }
    }

    /// Reads so that a watch can go on from there.
    pub(super) fn watched(self) -> Self {
        Self { is_watched: true, ..self }
    }

    pub(super) async fn connect(&mut self) -> Result<&mut ClusterSource, CollectError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => ClusterSource::connect(&self.settings, &Environment::of_process())
                .await?
                .with_detail(self.detail.clone())
                .with_warned(self.warned.clone())
                .with_metrics(self.metrics.clone())
                .watched(self.is_watched),
        };
        Ok(self.connection.insert(connection))
    }

    /// Polls never overlap; the interval runs from start to start.
    async fn poll_for_ever(&mut self, updates: &Sender<Update>) -> Result<(), Closed> {
        loop {
            let (begun, _) = self.read(updates).await?;
            wait_until(begun + self.interval, updates).await?;
        }
    }

    /// Reads everything, and tries again until that works. Gives when the read began that did, and how its lists ended.
    pub(super) async fn read(&mut self, updates: &Sender<Update>) -> Result<(Instant, Relisted), Closed> {
        let mut failures = 0;
        loop {
            let begun = Instant::now();
            match self.poll(updates).await {
                Ok(relisted) => {
                    updates.send(Update::Read { elapsed: begun.elapsed() }).await?;
                    self.identify(updates).await?;
                    return Ok((begun, relisted));
                }
                Err(error) => {
                    self.fail(error, begun, failures, updates).await?;
                    failures += 1;
                }
            }
        }
    }

    async fn identify(&mut self, updates: &Sender<Update>) -> Result<(), Closed> {
        if let (true, Some(connection)) = (self.wants_identity, &self.connection) {
            let uid = connection.uid().await;
            self.wants_identity = uid.is_err();
            updates.send(Update::Identity(uid.map_err(|error| error.to_string()))).await?;
        }
        Ok(())
    }

    /// Says what failed, and waits.
    pub(super) async fn fail(
        &mut self,
        error: CollectError,
        begun: Instant,
        failures: u32,
        updates: &Sender<Update>,
    ) -> Result<(), Closed> {
        self.connection = None;
        let wait = backoff(failures, self.interval);
        let elapsed = begun.elapsed();
        updates.send(Update::Failed { error, elapsed, retry: Retry::In(wait) }).await?;
        // From the end: a server that lets every request time out would else get no pause at all.
        wait_until(Instant::now() + wait, updates).await
    }

    /// Connects anew for the next read.
    pub(super) fn disconnect(&mut self) {
        self.connection = None;
    }

    pub(super) fn selection(&self) -> &NamespaceSelection {
        &self.selection
    }

    /// What was connected for the last read.
    pub(super) fn connection(&self) -> Option<&ClusterSource> {
        self.connection.as_ref()
    }

    async fn poll(&mut self, updates: &Sender<Update>) -> Result<Relisted, CollectError> {
        let (limit, selection, progress) = (self.cycle_timeout, self.selection.clone(), Arc::clone(&self.progress));
        let read = async {
            let source = self.connect().await?;
            let (sender, received) = events();
            let relist = async move {
                let report = |Progress { pods, total }| progress(pods, total);
                source.relist(&selection, &sender, &report).await
            };
            let (result, ()) = tokio::join!(relist, forward(received, updates));
            Ok::<_, CollectError>(result?)
        };
        if limit.is_zero() {
            return read.await;
        }
        tokio::time::timeout(limit, read).await.unwrap_or(Err(CollectError::CycleTimeout(limit)))
    }
}

impl Source for PollCluster {
    fn open(&mut self) -> BoxFuture<'_, Result<(), CollectError>> {
        async { self.connect().await.map(drop) }.boxed()
    }

    fn run<'s>(&'s mut self, updates: &'s Sender<Update>) -> BoxFuture<'s, ()> {
        self.poll_for_ever(updates).map(|_closed| ()).boxed()
    }

    fn cluster_name(&self) -> Option<&str> {
        self.connection.as_ref()?.cluster_name()
    }

    fn namespace_names(&self) -> BoxFuture<'_, Vec<String>> {
        async {
            let Some(source) = &self.connection else { return Vec::new() };
            let names = tokio::time::timeout(NAMES_TIMEOUT, source.namespaces(NAMES_MAX)).await;
            names.ok().and_then(Result::ok).unwrap_or_default()
        }
        .boxed()
    }

    fn nature(&self) -> &'static Nature {
        &NATURE
    }
}

fn backoff(failures: u32, interval: Duration) -> Duration {
    BACKOFF_MIN.saturating_mul(1 << failures.min(10)).min(BACKOFF_MAX).min(interval)
}
