//! One run: list, print, push, end.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::collector::{CollectError, Collector, Reporter};
use crate::config::{NO_CLUSTER_NAME, nearest};
use crate::inventory::{Phase, ReportPolicy, excerpt, join_names};
use crate::output::{ProgressBar, is_closed_pipe, print_report};
use crate::push::{PushError, Pusher};
use crate::shutdown::StopSignals;
use crate::snapshot::{NamespaceState, Snapshot};
use crate::views::{Format, KaiReport};

/// As many names of namespaces as a message has.
const NAMES_SHOWN: usize = 5;

/// What a single run is asked for.
pub(crate) struct Once {
    pub(crate) collector: Collector,
    /// What the report says, and how it is printed; `None` prints none.
    pub(crate) report: Option<(ReportPolicy, Format)>,
    /// Where it is sent to.
    pub(crate) push: Option<Pusher>,
    /// Namespaces that were typed for this run: one that does not exist is the user's mistake.
    pub(crate) typed: Vec<String>,
    /// Whether a cluster without a name is refused before it is read: in Anchore it would overwrite others.
    pub(crate) needs_name: bool,
    /// Draws how far the read is.
    pub(crate) progress: ProgressBar,
}

/// How a run that did not fail ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// What was asked for is done with this snapshot.
    Done {
        /// What was read.
        snapshot: Arc<Snapshot>,
        /// Of the namespaces that were typed, those that do not exist, each with what to do.
        unknown: Vec<String>,
        /// What became of the push, if there was one.
        pushed: Option<Result<(), PushError>>,
    },
    /// A signal came before that.
    Stopped,
}

/// Why nothing was printed or sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OnceError {
    #[error(transparent)]
    Collect(#[from] CollectError),
    #[error("{NO_CLUSTER_NAME}")]
    NoClusterName,
    #[error("signals cannot be caught")]
    Signals(#[source] std::io::Error),
    /// Standard output. The cause is the source of the error and not part of its text, so that it is said once.
    #[error("the report could not be written to standard output")]
    Output(#[source] std::io::Error),
}

impl Once {
    /// Reads, prints and pushes; the snapshot tells whether it was whole. SIGTERM or SIGINT ends it with
    /// [`Ended::Stopped`].
    pub(crate) async fn run(self) -> Result<Ended, OnceError> {
        let signals = StopSignals::catch().map_err(OnceError::Signals)?;
        let stop = CancellationToken::new();
        let relay = tokio::spawn(signals.relay(stop.clone()));
        let ended = tokio::select! {
            done = self.work() => done,
            () = stop.cancelled() => Ok(Ended::Stopped),
        };
        relay.abort();
        ended
    }

    async fn work(self) -> Result<Ended, OnceError> {
        let Self { mut collector, report, push, typed, needs_name, progress } = self;
        collector.open().await?;
        if needs_name && collector.cluster_name().is_empty() {
            return Err(OnceError::NoClusterName);
        }
        tracing::debug!("reading");
        let read = collector.read_once().await;
        progress.clear();
        let snapshot = read?;
        Reporter::without(&typed).report(&snapshot);
        if let Some((policy, format)) = report {
            warn_of_none_running(&snapshot, &policy);
            print(Arc::clone(&snapshot), policy, format).await?;
        }
        let unknown = unknown(&snapshot, &typed, &collector).await;
        // The report is printed whatever becomes of the push.
        let pushed = match push {
            Some(pusher) => Some(pusher.push_once(&snapshot).await),
            None => None,
        };
        Ok(Ended::Done { snapshot, unknown, pushed })
    }
}

/// A report without images of a cluster with pods needs an explanation.
fn warn_of_none_running(snapshot: &Snapshot, policy: &ReportPolicy) {
    let mut pods = snapshot.namespaces().iter().flat_map(|part| part.pods());
    let count = pods.clone().count();
    if policy.ignore_not_running && count > 0 && pods.all(|pod| pod.phase != Phase::Running) {
        tracing::warn!(
            "no image is listed: ignore-not-running leaves out every pod ({count}), because none is in phase Running"
        );
    }
}

/// The first of the names, when there are any.
fn known<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { String::new() } else { format!("; known namespaces: {}", join_names(&names, NAMES_SHOWN)) }
}

/// Those of the typed namespaces that do not exist, each with a name that is near.
async fn unknown(snapshot: &Snapshot, typed: &[String], collector: &Collector) -> Vec<String> {
    let is_unknown =
        |name: &&String| snapshot.namespace(name).is_some_and(|part| part.state() == NamespaceState::Unknown);
    let unknown: Vec<&String> = typed.iter().filter(is_unknown).collect();
    if unknown.is_empty() {
        return Vec::new();
    }
    let place = collector.nature().name;
    let names = collector.namespace_names().await;
    let sentence = |name: &&String| {
        let others = names.iter().map(String::as_str).filter(|other| other != name);
        let near = match nearest(name, others.clone()) {
            Some(near) => format!("; did you mean \"{}\"?", excerpt(near)),
            None => known(others),
        };
        format!("the namespace \"{}\" of -n is not in {place}{}", excerpt(name), near)
    };
    unknown.iter().map(sentence).collect()
}

async fn print(snapshot: Arc<Snapshot>, policy: ReportPolicy, format: Format) -> Result<(), OnceError> {
    tracing::debug!("printing");
    // In a thread of its own: a reader that does not read would else keep a stop waiting.
    let written =
        tokio::task::spawn_blocking(move || print_report(&KaiReport::of(&snapshot, &policy, |_| true), format))
            .await
            .unwrap_or_else(|panic| Err(panic.into()));
    match written {
        Err(error) if !is_closed_pipe(&error) => Err(OnceError::Output(error)),
        _ => Ok(()),
    }
}
