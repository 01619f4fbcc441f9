//! From what was typed to an exit status.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use clap_complete::CompleteEnv;

use super::start::{Failure, loaded, start, start_log};
use super::{Cli, Command, Exit, config, serve, version};
use crate::cluster::install_crypto_provider;
use crate::config::{Flags, Mode};

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

fn one_thread() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn many_threads() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
