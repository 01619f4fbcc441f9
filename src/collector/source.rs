//! Where events come from: a cluster or a saved dump.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::Sender;

use crate::cluster::{ClusterError, ClusterSource, Environment, Progress};
use crate::config::ClusterSettings;
use crate::dump::{DumpError, DumpInput, DumpSource, Fingerprint};
use crate::inventory::{Detail, NamespaceSelection};
use crate::metrics::Metrics;
use crate::snapshot::{Event, PodIdentity};
use crate::warned::Warned;

/// Told how much was read, and of how much where that is known: pods of a cluster, bytes of a dump.
pub type SourceProgress = Arc<dyn Fn(u64, Option<u64>) + Send + Sync>;

/// How long and how many names of namespaces may be asked for when only a message wants them.
const NAMES_TIMEOUT: Duration = Duration::from_secs(5);
const NAMES_MAX: u32 = 500;

/// A cluster or a saved dump of one.
pub enum Source {
    /// The API server that the settings describe; the connection is made when it is first needed, and again after a
    /// failure, so that new credentials in the kubeconfig count.
    Cluster {
        /// How to reach it.
        settings: Box<ClusterSettings>,
        /// How much of it is kept.
        detail: Box<Detail>,
        /// What was warned of, by whichever connection.
        warned: Warned,
        /// Where requests are counted.
        metrics: Metrics,
        /// The connection, while there is one.
        connection: Option<Box<ClusterSource>>,
    },
    /// A dump; `None` only while a thread reads it.
    Dump(Option<Box<DumpSource>>),
}

/// Why a source could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The dump.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// The deadline of the whole poll.
    #[error(
        "the cluster was not read within {} s (collection.cycle-timeout-seconds); raise it, or find out why the API server is slow",
        .0.as_secs()
    )]
    CycleTimeout(Duration),
    /// The source said that it had ended and had not.
    #[error("the source ended without finishing its lists")]
    Unfinished,
    /// The thread that read the dump died.
    #[error("reading the input failed: {0}")]
    Thread(#[from] tokio::task::JoinError),
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
            Self::Unfinished => "unfinished",
            Self::Thread(_) => "thread",
        }
    }
}

impl Source {
    /// The cluster of these settings, not connected yet.
    #[must_use]
    pub fn cluster(settings: ClusterSettings, detail: Detail) -> Self {
        let (settings, detail) = (Box::new(settings), Box::new(detail));
        Self::Cluster { settings, detail, warned: Warned::default(), metrics: Metrics::default(), connection: None }
    }

    /// A saved dump.
    #[must_use]
    pub fn dump(input: DumpInput, detail: Detail) -> Self {
        Self::Dump(Some(Box::new(DumpSource::new(input).with_detail(detail))))
    }

    /// Counts the requests to a cluster there, once it is connected.
    #[must_use]
    pub fn with_metrics(mut self, counted: Metrics) -> Self {
        if let Self::Cluster { metrics, .. } = &mut self {
            *metrics = counted;
        }
        self
    }

    /// Connects, where that is not done yet.
    pub async fn open(&mut self) -> Result<(), CollectError> {
        if let Self::Cluster { settings, detail, warned, metrics, connection: connection @ None } = self {
            let source = ClusterSource::connect(settings, &Environment::of_process()).await?;
            let source = source.with_detail((**detail).clone()).with_warned(warned.clone());
            *connection = Some(Box::new(source.with_metrics(metrics.clone())));
        }
        Ok(())
    }

    /// What tells a changed dump from the one that was read; `None` for a cluster, and while the file is not there.
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        match self {
            Self::Cluster { .. } => None,
            Self::Dump(source) => source.as_deref().and_then(DumpSource::fingerprint),
        }
    }

    /// When the dump was last written; `None` for a cluster, and where no file tells.
    pub(super) fn modified_at(&self) -> Option<Timestamp> {
        match self {
            Self::Cluster { .. } => None,
            Self::Dump(source) => source.as_deref().and_then(DumpSource::modified_at),
        }
    }

    /// What makes two records of it the same pod.
    pub(super) fn pod_identity(&self) -> PodIdentity {
        match self {
            Self::Cluster { .. } => PodIdentity::Name,
            Self::Dump(_) => PodIdentity::NameAndUid,
        }
    }

    /// Names of namespaces that are there, as many as can be had without ado.
    pub(super) async fn namespace_names(&self) -> Vec<String> {
        match self {
            Self::Cluster { connection: Some(source), .. } => {
                let names = tokio::time::timeout(NAMES_TIMEOUT, source.namespaces(NAMES_MAX)).await;
                names.ok().and_then(Result::ok).unwrap_or_default()
            }
            Self::Dump(Some(source)) => source.namespace_names().map(str::to_owned).collect(),
            Self::Cluster { connection: None, .. } | Self::Dump(None) => Vec::new(),
        }
    }

    /// Whether there is no second try.
    pub(super) fn is_read_once(&self) -> bool {
        matches!(self, Self::Dump(Some(source)) if source.is_read_once())
    }

    /// What the source itself calls the cluster.
    pub(super) fn cluster_name(&self) -> Option<&str> {
        match self {
            Self::Cluster { connection, .. } => connection.as_ref().and_then(|source| source.cluster_name()),
            Self::Dump(_) => None,
        }
    }

    pub(super) async fn relist(
        &mut self,
        selection: &NamespaceSelection,
        events: &Sender<Vec<Event>>,
        progress: &SourceProgress,
    ) -> Result<(), CollectError> {
        self.open().await?;
        match self {
            Self::Cluster { connection, .. } => {
                let source = connection.as_mut().ok_or(CollectError::Unfinished)?;
                let report = |Progress { pods, total }| progress(pods, total);
                let result = source.relist(selection, events, &report).await;
                if result.is_err() {
                    *connection = None;
                }
                Ok(result?)
            }
            Self::Dump(slot) => {
                let mut source = slot.take().ok_or(CollectError::Unfinished)?;
                let (events, progress) = (events.clone(), Arc::clone(progress));
                let (source, result) = tokio::task::spawn_blocking(move || {
                    let result = source.read(&events, &*progress);
                    (source, result)
                })
                .await?;
                *slot = Some(source);
                Ok(result?)
            }
        }
    }
}
