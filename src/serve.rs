//! The service: build, spawn, supervise, drain.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::collector::{CollectError, Collector, Nature, Outlets};
use crate::config::{
    CollectionSettings, Environment, Flags, HistorySettings, HistoryStore, MetricsSettings, NO_CLUSTER_NAME,
    ServerSettings, load,
};
use crate::feed::{Latest, SnapshotReader, feed};
use crate::health::{Health, PushBoard};
use crate::history::{History, HistoryClock};
use crate::http::{self, HttpDeps, ListenError, Listeners};
use crate::inventory::ReportPolicy;
use crate::metrics::{Exposition, Metrics};
use crate::output::{is_closed_pipe, print_report};
use crate::push::{Pusher, Registrar};
use crate::shutdown::{HangUps, StopSignals};
use crate::telemetry::LogControl;
use crate::views::{Format, KaiReport};

/// What the liveness probe allows the event loop beyond the deadline of a poll.
const LIVENESS_GRACE: Duration = Duration::from_mins(1);
/// What a stop allows tasks that have nothing to finish.
const STOP_GRACE: Duration = Duration::from_secs(2);
/// What a stop allows the history, which may have to wait for a disk or a network.
const HISTORY_GRACE: Duration = Duration::from_secs(5);

/// What the service is made of.
pub(crate) struct Service {
    pub(crate) collector: Collector,
    pub(crate) collection: CollectionSettings,
    pub(crate) server: ServerSettings,
    pub(crate) policy: ReportPolicy,
    /// Print each new report so.
    pub(crate) print: Option<Format>,
    /// Where what was seen is kept.
    pub(crate) history: HistorySettings,
    /// What is sent to Anchore Enterprise.
    pub(crate) push: Option<Push>,
    /// Where those who push say how it goes.
    pub(crate) board: PushBoard,
    /// Where everybody counts.
    pub(crate) metrics: Metrics,
    /// How much of it is shown.
    pub(crate) exposed: MetricsSettings,
    /// Changes the log at SIGHUP.
    pub(crate) log: LogControl,
    /// What was typed: `log.level` is read again with it.
    pub(crate) flags: Flags,
}

/// What reports to Anchore Enterprise.
pub(crate) struct Push {
    /// Sends the inventory.
    pub(crate) pusher: Pusher,
    /// Tells that this installation is there, and how it is.
    pub(crate) registrar: Option<Registrar>,
}

/// Why the service ended, or never began.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// An address could not be taken, or a file of TLS not be used.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The settings of the source are wrong.
    #[error(transparent)]
    Source(CollectError),
    /// The cluster has no name, and its reports would overwrite those of others.
    #[error("{NO_CLUSTER_NAME}")]
    NoClusterName,
    #[error("signals cannot be caught: {0}")]
    Signals(std::io::Error),
    #[error("the thread of the history cannot be started: {0}")]
    History(std::io::Error),
    /// A task ended that should run as long as the process.
    #[error("the task {name} ended: {reason}")]
    TaskEnded { name: &'static str, reason: String },
}

/// The end of a task: its name, and what went wrong.
type TaskEnd = (&'static str, Result<(), String>);

impl Service {
    /// Runs until SIGTERM or SIGINT, then drains.
    pub(crate) async fn run(self) -> Result<(), ServeError> {
        let Self {
            mut collector,
            collection,
            server,
            policy,
            print,
            history,
            push,
            board,
            metrics,
            exposed,
            log,
            flags,
        } = self;
        let signals = StopSignals::catch().map_err(ServeError::Signals)?;
        let hang_ups = HangUps::catch().map_err(ServeError::Signals)?;
        let listeners = Listeners::open(&server)?;
        let stop = CancellationToken::new();
        let relay = tokio::spawn(signals.relay(stop.clone()));
        // Only settings that can never work end the service: rights and API server may come later. A credential plugin
        // may take its time, and a stop must not wait for it.
        tokio::select! {
            opened = collector.open() => match opened {
                Err(error) if error.is_configuration() => return Err(ServeError::Source(error)),
                Ok(()) if push.is_some() && collector.cluster_name().is_empty() => {
                    return Err(ServeError::NoClusterName);
                }
                _ => {}
            },
            () = stop.cancelled() => return Ok(()),
        }
        let drain = CancellationToken::new();
        let (writer, reader) = feed();
        let &Nature { grows_stale, retry_after, .. } = collector.nature();
        let stale_after = collection.stale_after.filter(|_| grows_stale);
        let health = Health::new(reader.clone(), stale_after, collection.cycle_timeout + LIVENESS_GRACE, board);
        if matches!(&history.store, HistoryStore::Postgres(postgres) if postgres.is_read_only) {
            health.needs_no_cluster();
        }
        let shutdown_timeout = server.shutdown_timeout;
        let reach = if grows_stale { collection.interval * 2 + LIVENESS_GRACE } else { Duration::ZERO };
        let history = open_history(history, reach, &health, &metrics).await?;

        let mut tasks: JoinSet<TaskEnd> = JoinSet::new();
        if !listeners.is_empty() {
            let deps = HttpDeps {
                reader: reader.clone(),
                health: health.clone(),
                metrics: Exposition::new(metrics.clone(), health.clone(), &policy, &exposed),
                policy: policy.clone(),
                history: history.reader(),
                settings: server,
                retry_after,
            };
            spawn_http(&mut tasks, listeners, deps, drain.clone());
        }
        if let Some(push) = push {
            spawn_push(&mut tasks, push, &reader, &drain);
        }
        if let Some(format) = print {
            let stopped = drain.clone();
            let interval = if grows_stale { collection.interval } else { Duration::ZERO };
            tasks.spawn(async move { ("report", print_reports(reader, policy, format, interval, stopped).await) });
        }
        let outlets = Outlets { writer, health: health.clone(), metrics, recorder: history.recorder().clone() };
        let stopped = drain.clone();
        tasks.spawn(
            async move { ("collector", collector.run(outlets, stopped).await.map_err(|error| error.to_string())) },
        );

        let stopped = drain.clone();
        tasks.spawn(async move { ("log", renew_log(hang_ups, log, flags, stopped).await) });

        let ended = tokio::select! {
            () = stop.cancelled() => None,
            ended = tasks.join_next() => ended,
        };
        health.drain();
        drain.cancel();
        let outcome = match ended {
            None => Ok(()),
            Some(end) => Err(task_ended(end)),
        };
        if tokio::time::timeout(shutdown_timeout + STOP_GRACE, async { while tasks.join_next().await.is_some() {} })
            .await
            .is_err()
        {
            tracing::warn!("tasks did not end within server.shutdown-timeout-seconds: ending them");
            tasks.shutdown().await;
        }
        let written = tokio::task::spawn_blocking(|| history.stop());
        if tokio::time::timeout(HISTORY_GRACE, written).await.is_err() {
            tracing::warn!("the history could not be written within {} s", HISTORY_GRACE.as_secs());
        }
        relay.abort();
        tracing::info!("stopped");
        outcome
    }
}

/// Reads what a history knows before anything is shown.
async fn open_history(
    settings: HistorySettings,
    reach: Duration,
    health: &Health,
    metrics: &Metrics,
) -> Result<History, ServeError> {
    let (board, metrics) = (health.history().clone(), metrics.clone());
    let open = move || History::open(&settings, HistoryClock::default(), reach, board, metrics);
    let opened = tokio::task::spawn_blocking(open).await.map_err(std::io::Error::other);
    opened.and_then(|opened| opened).map_err(ServeError::History)
}

fn spawn_http(tasks: &mut JoinSet<TaskEnd>, listeners: Listeners, deps: HttpDeps, drain: CancellationToken) {
    if let Some(url) = listeners.url() {
        tracing::info!("listening on {url}");
    }
    if let Some(url) = listeners.probe_url() {
        tracing::info!("probes on {url}");
    }
    tasks.spawn(async move { ("http", http::serve(listeners, deps, drain).await.map_err(|error| error.to_string())) });
}

fn spawn_push(tasks: &mut JoinSet<TaskEnd>, push: Push, reader: &SnapshotReader, drain: &CancellationToken) {
    let Push { pusher, registrar } = push;
    let (snapshots, stopped) = (reader.clone(), drain.clone());
    tasks.spawn(async move { ("push", pusher.run(snapshots, stopped).await) });
    if let Some(registrar) = registrar {
        let (snapshots, stopped) = (reader.clone(), drain.clone());
        tasks.spawn(async move {
            registrar.run(snapshots, stopped).await;
            ("registration", Ok(()))
        });
    }
}

fn task_ended(end: Result<TaskEnd, tokio::task::JoinError>) -> ServeError {
    let (name, reason) = match end {
        Ok((name, Err(reason))) => (name, reason),
        Ok((name, Ok(()))) => (name, "without a reason".to_owned()),
        Err(error) => ("unknown", error.to_string()),
    };
    ServeError::TaskEnded { name, reason }
}

/// At each hang-up opens the log file anew and reads `log.level` again, until stopped. Of everything else that the settings
/// say by then nothing counts before the next start.
async fn renew_log(
    mut hang_ups: HangUps,
    log: LogControl,
    flags: Flags,
    stop: CancellationToken,
) -> Result<(), String> {
    loop {
        tokio::select! {
            () = hang_ups.next() => {}
            () = stop.cancelled() => return Ok(()),
        }
        let (log, flags) = (log.clone(), flags.clone());
        // Files may lie on a disk that does not answer.
        tokio::task::spawn_blocking(move || {
            // First, so that what follows stands in the new file.
            match log.reopen() {
                Ok(true) => tracing::info!("SIGHUP received: log.file is opened again"),
                Ok(false) => {}
                Err(error) => tracing::warn!("SIGHUP received: {error}; the file that was open stays in use"),
            }
            match load(&flags, &Environment::of_process()) {
                Ok(loaded) => {
                    let level = loaded.settings.log.level;
                    log.set_level(level);
                    tracing::info!("SIGHUP received: log.level is {level}");
                }
                Err(errors) => {
                    let problems = errors.problems().join("; ");
                    tracing::warn!("SIGHUP received, and log.level stays as it is: {problems}");
                }
            }
        })
        .await
        .map_err(|error| error.to_string())?;
    }
}

/// Prints a report after each read, as KAI does, until stopped; of a cluster one each `interval`, however often it
/// changes. A closed pipe ends the printing and a full disk loses a report, but the service goes on.
async fn print_reports(
    mut reader: SnapshotReader,
    policy: ReportPolicy,
    format: Format,
    interval: Duration,
    stop: CancellationToken,
) -> Result<(), String> {
    let (mut is_failing, mut earliest) = (false, Instant::now());
    loop {
        let next = async {
            tokio::time::sleep_until(earliest).await;
            reader.next_read().await
        };
        let latest = tokio::select! {
            latest = next => latest,
            () = stop.cancelled() => return Ok(()),
        };
        earliest = Instant::now() + interval;
        let Some(Latest { snapshot, observed_at, .. }) = latest else { return Ok(()) };
        let policy = policy.clone();
        let printed = tokio::task::spawn_blocking(move || {
            let report = KaiReport { timestamp: observed_at, ..KaiReport::of(&snapshot, &policy, |_| true) };
            print_report(&report, format)
        });
        // A pipe that nobody reads takes no report, and must not hold up the stop.
        let written = tokio::select! {
            written = printed => written.map_err(|error| error.to_string())?,
            () = stop.cancelled() => return Ok(()),
        };
        match &written {
            Ok(()) => {}
            Err(error) if is_closed_pipe(error) => {
                tracing::warn!("standard output is closed: no more reports are printed");
                stop.cancelled().await;
                return Ok(());
            }
            Err(_) if is_failing => {}
            Err(error) => {
                tracing::warn!(
                    "a report could not be written to standard output: {error}; the service goes on and tries again \
                     with the next report"
                );
            }
        }
        is_failing = written.is_err();
    }
}
