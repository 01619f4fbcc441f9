//! From what was typed to an exit status.

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use clap_complete::CompleteEnv;

use super::{Cli, Command, Exit, config, serve, version};
use crate::cluster::install_crypto_provider;
use crate::collector::{Collector, Source};
use crate::config::{Environment, Flags, Loaded, Mode, Settings, load};
use crate::dump::DumpInput;
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
    _log: LogGuard,
}

/// Runs what the command line asks for.
#[must_use]
pub fn main() -> ExitCode {
    // A shell that asks for completions gets nothing else: no log line, no runtime.
    CompleteEnv::with_factory(Cli::command).complete();
    let cli = Cli::parse();
    let exit = run(&cli).unwrap_or_else(|error| {
        // Nobody may be left to read it; the status says it all the same.
        let _unread = writeln!(std::io::stderr(), "error: {error:#}");
        error.downcast_ref::<Failure>().map_or(Exit::Failed, |failure| failure.exit)
    });
    ExitCode::from(exit as u8)
}

fn run(cli: &Cli) -> anyhow::Result<Exit> {
    match &cli.command {
        Some(Command::Version(_)) => version::Version::run(cli.globals.output()),
        Some(Command::Explain(explain)) => explain.run(),
        Some(Command::Completion(completion)) => completion.run(),
        Some(Command::Probe(probe)) => {
            install_crypto_provider();
            one_thread()?.block_on(probe.run())
        }
        Some(Command::Config(_)) => {
            let loaded = loaded(&cli.globals.flags())?;
            let _log = start_log(&loaded)?;
            config::Config::run(&loaded)
        }
        Some(Command::Serve(options)) => {
            let started = start(&Flags { listen: options.listen.clone(), ..cli.globals.flags() })?;
            many_threads()?.block_on(serve::run(started, cli.globals.dump()))
        }
        None => {
            let started = start(&Flags { mode: cli.report.mode.clone(), ..cli.globals.flags() })?;
            match started.settings.mode {
                Mode::Adhoc => one_thread()?.block_on(cli.report.run(started, cli.globals.dump())),
                Mode::Periodic => many_threads()?.block_on(serve::run(started, cli.globals.dump())),
            }
        }
    }
}

/// Reads the settings, starts the log, and says what the settings only warn of.
fn start(flags: &Flags) -> anyhow::Result<Started> {
    let loaded = loaded(flags)?;
    let log = start_log(&loaded)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    install_crypto_provider();
    Ok(Started { settings: loaded.settings, _log: log })
}

fn loaded(flags: &Flags) -> anyhow::Result<Loaded> {
    load(flags, &Environment::of_process())
        .map_err(|errors| Failure { exit: Exit::Usage, message: errors.to_string() }.into())
}

fn start_log(loaded: &Loaded) -> anyhow::Result<LogGuard> {
    telemetry::start(&loaded.settings.log)
        .map_err(|error| Failure { exit: Exit::Usage, message: error.to_string() }.into())
}

/// What reads the cluster, or the dump in its place.
pub(super) fn collector(settings: Settings, dump: Option<DumpInput>) -> Collector {
    let name = settings.cluster.name.clone();
    let (source, timeout) = match dump {
        // A dump ends where its file ends: a deadline would only cut standard input off.
        Some(input) => (Source::dump(input), Duration::ZERO),
        None => (Source::cluster(settings.cluster), settings.collection.cycle_timeout),
    };
    Collector::new(source, settings.selection, name, timeout)
}

fn one_thread() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn many_threads() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
