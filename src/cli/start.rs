//! What every subcommand begins with: settings in force, logging started, something to read.

use std::fmt;
use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::sync::Arc;

use super::Exit;
use crate::cluster::install_crypto_provider;
use crate::collector::{
    CollectError, Collector, DumpFile, NoCluster, PollCluster, Source, SourceProgress, WatchCluster,
};
use crate::config::{AnchoreUser, CollectionMethod, Environment, Flags, HistoryStore, Loaded, Mode, Settings, load};
use crate::dump::DumpInput;
use crate::health::PushBoard;
use crate::inventory::excerpt;
use crate::metrics::Metrics;
use crate::once::OnceError;
use crate::output::ProgressBar;
use crate::push::{Client, Pusher};
use crate::telemetry::{self, LogGuard, Pace};

/// An error that ends the process with a status of its own.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Settings in force, logging started.
pub(super) struct Started {
    pub(super) settings: Settings,
    /// Keep it until the end: what is buffered is written when it is dropped.
    pub(super) log: LogGuard,
}

/// Reads the settings, starts the log, and logs what the settings only warn of. `mode`: what the command is, whatever the
/// settings say.
pub(super) fn start(flags: &Flags, mode: Option<Mode>) -> anyhow::Result<Started> {
    let loaded = loaded(flags)?;
    let log = start_log(&loaded, mode.unwrap_or(loaded.settings.mode))?;
    // A file that was found rather than named may narrow the answer without anybody knowing.
    if let Some(file) = &loaded.file {
        tracing::info!("settings are read from {}", excerpt(&file.to_string_lossy()));
    }
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    install_crypto_provider();
    Ok(Started { settings: loaded.settings, log })
}

pub(super) fn loaded(flags: &Flags) -> anyhow::Result<Loaded> {
    load(flags, &Environment::of_process())
        .map_err(|errors| Failure { exit: Exit::Usage, message: errors.to_string() }.into())
}

pub(super) fn start_log(loaded: &Loaded, mode: Mode) -> anyhow::Result<LogGuard> {
    let pace = match mode {
        Mode::Adhoc => Pace::EveryLine,
        Mode::Periodic => Pace::NeverWait,
    };
    telemetry::start(&loaded.settings.log, pace)
        .map_err(|error| Failure { exit: Exit::Usage, message: error.to_string() }.into())
}

/// Draws how far the read of a cluster or of a dump is.
pub(super) fn progress_bar(quiet: bool, is_dump: bool) -> ProgressBar {
    if is_dump { ProgressBar::of_bytes(quiet) } else { ProgressBar::of_pods(quiet) }
}

/// What reads the cluster once, or the dump in its place.
pub(super) fn collector(mut settings: Settings, dump: Option<DumpInput>, progress: SourceProgress) -> Collector {
    settings.collection.method = CollectionMethod::Poll;
    serving_collector(settings, dump, Metrics::default(), progress)
}

/// What reads the cluster for as long as the service runs, or the dump in its place.
pub(super) fn serving_collector(
    settings: Settings,
    dump: Option<DumpInput>,
    metrics: Metrics,
    progress: SourceProgress,
) -> Collector {
    let Settings { cluster, anchore, selection, collection, history, .. } = settings;
    let (name, detail) = (cluster.name.clone(), anchore.detail());
    let source: Box<dyn Source> = if let Some(input) = dump {
        Box::new(DumpFile::new(input, detail).with_progress(progress))
    } else if matches!(&history.store, HistoryStore::Postgres(postgres) if postgres.is_read_only) {
        Box::new(NoCluster)
    } else {
        let poll = PollCluster::new(cluster, detail, selection.clone(), &collection);
        let mut poll = poll.with_metrics(metrics).with_progress(progress);
        if matches!(&history.store, HistoryStore::Postgres(postgres) if postgres.cluster_id.is_none()) {
            poll = poll.with_identity();
        }
        match collection.method {
            CollectionMethod::Poll => Box::new(poll),
            method => Box::new(WatchCluster::new(poll, collection.verify_interval, method == CollectionMethod::Auto)),
        }
    };
    Collector::new(source, selection, name)
}

/// What sends reports to Anchore Enterprise; `None` when the settings name no receiver.
pub(super) fn pusher(settings: &Settings, board: PushBoard, metrics: Metrics) -> anyhow::Result<Option<Pusher>> {
    let Some(Receiver { client, user }) = receiver(settings)? else { return Ok(None) };
    let anchore = Arc::new(settings.anchore.clone());
    Ok(Some(Pusher::new(client, user, anchore, settings.report.clone(), board, metrics, settings.collection.interval)))
}

/// The same for those who push what they read from a cluster alone: a dump is pushed only when that was asked for.
pub(super) fn pusher_unless_dump(
    settings: &Settings,
    is_dump: bool,
    board: PushBoard,
    metrics: Metrics,
) -> anyhow::Result<Option<Pusher>> {
    if is_dump && settings.anchore.push.is_some() {
        tracing::info!("anchore.url is set, but a file is not sent by itself; `kai push --input` sends it");
        return Ok(None);
    }
    pusher(settings, board, metrics)
}

/// A receiver, not connected yet, and who speaks to it where no route has a user of its own.
pub(super) struct Receiver {
    pub(super) client: Client,
    pub(super) user: AnchoreUser,
}

/// The receiver that the settings name.
pub(super) fn receiver(settings: &Settings) -> anyhow::Result<Option<Receiver>> {
    let Some(target) = &settings.anchore.push else { return Ok(None) };
    match Client::new(&target.url, &settings.anchore.http) {
        Ok(client) => Ok(Some(Receiver { client, user: target.credentials.clone() })),
        Err(error) => Err(Failure { exit: Exit::Usage, message: error.to_string() }.into()),
    }
}

/// The status of a run that did not end well.
pub(super) fn once_failed(error: OnceError, is_dump: bool) -> anyhow::Error {
    match error {
        OnceError::Collect(error) => {
            let failed = error_with_exit(&error);
            // Standard input is read when that is asked for, and never else.
            let is_lost = matches!(error.kind(), "configuration" | "unreachable" | "tls" | "not_kubernetes");
            if !is_dump && is_lost && has_waiting_input() { with_hint(failed) } else { failed }
        }
        error @ OnceError::NoClusterName => Failure { exit: Exit::Usage, message: error.to_string() }.into(),
        error => error.into(),
    }
}

/// Settings that can never work are another exit status than work that failed.
pub(super) fn error_with_exit(error: &CollectError) -> anyhow::Error {
    let exit = if error.is_configuration() { Exit::Usage } else { Exit::Failed };
    Failure { exit, message: error.to_string() }.into()
}

/// Whether standard input is a pipe or a file: somebody may have meant it to be read.
fn has_waiting_input() -> bool {
    let input = std::io::stdin().as_fd().try_clone_to_owned().map(File::from);
    input.and_then(|input| input.metadata()).is_ok_and(|metadata| {
        let kind = metadata.file_type();
        kind.is_fifo() || kind.is_file()
    })
}

fn with_hint(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<Failure>() {
        Ok(Failure { exit, message }) => {
            let message = format!("{message}; to read the objects on standard input, use `--input -`");
            Failure { exit, message }.into()
        }
        Err(error) => error,
    }
}
