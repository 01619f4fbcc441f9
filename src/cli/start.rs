//! What every subcommand begins with: settings in force, logging started, something to read.

use std::fmt;
use std::time::Duration;

use super::Exit;
use crate::cluster::install_crypto_provider;
use crate::collector::{CollectError, Collector, Source};
use crate::config::{Environment, Flags, Loaded, Settings, load};
use crate::dump::DumpInput;
use crate::inventory::Detail;
use crate::telemetry::{self, LogGuard};

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

/// Reads the settings, starts the log, and says what the settings only warn of.
pub(super) fn start(flags: &Flags) -> anyhow::Result<Started> {
    let loaded = loaded(flags)?;
    let log = start_log(&loaded)?;
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

pub(super) fn start_log(loaded: &Loaded) -> anyhow::Result<LogGuard> {
    telemetry::start(&loaded.settings.log)
        .map_err(|error| Failure { exit: Exit::Usage, message: error.to_string() }.into())
}

/// What reads the cluster, or the dump in its place.
pub(super) fn collector(settings: Settings, dump: Option<DumpInput>) -> Collector {
    let name = settings.cluster.name.clone();
    let (source, timeout) = match dump {
        // A dump ends where its file ends: a deadline would only cut standard input off.
        Some(input) => (Source::dump(input, Detail::default()), Duration::ZERO),
        None => (Source::cluster(settings.cluster, Detail::default()), settings.collection.cycle_timeout),
    };
    Collector::new(source, settings.selection, name, timeout)
}

/// Settings that can never work are another exit status than work that failed.
pub(super) fn error_with_exit(error: &CollectError) -> anyhow::Error {
    let exit = if error.is_configuration() { Exit::Usage } else { Exit::Failed };
    Failure { exit, message: error.to_string() }.into()
}
