//! From what was typed to an exit status.

use std::io::Write as _;
use std::process::ExitCode;

use clap::FromArgMatches as _;
use clap_complete::CompleteEnv;
use tokio::runtime::Runtime;

use super::print::NOT_WRITTEN;
use super::start::{Failure, loaded, start, start_log};
use super::{Cli, Command, Exit, config, plugin, serve, version};
use crate::cluster::install_crypto_provider;
use crate::config::{Flags, Mode};
use crate::output::is_closed_pipe;

/// Runs what the command line asks for.
#[must_use]
pub fn main() -> ExitCode {
    // A shell that asks for completions gets nothing else: no log line, no runtime.
    CompleteEnv::with_factory(plugin::command).complete();
    let cli = match parse() {
        Ok(cli) => cli,
        Err(answer) => return print_answer(&answer),
    };
    let exit = run(&cli).unwrap_or_else(|error| {
        // Nobody may be left to read it; the status says it all the same.
        let _unread = writeln!(std::io::stderr(), "error: {error:#}");
        error.downcast_ref::<Failure>().map_or(Exit::Failed, |failure| failure.exit)
    });
    ExitCode::from(exit as u8)
}

fn parse() -> Result<Cli, clap::Error> {
    let mut command = plugin::command();
    let mut matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Help and versions are answers of the parser too. clap's own way out would not say that one could not be written.
fn print_answer(answer: &clap::Error) -> ExitCode {
    match answer.print() {
        Err(error) if !answer.use_stderr() && !is_closed_pipe(&error) => {
            let _unread = writeln!(std::io::stderr(), "error: {NOT_WRITTEN}: {error}");
            ExitCode::from(Exit::Failed as u8)
        }
        _ => ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(Exit::Usage as u8)),
    }
}

fn run(cli: &Cli) -> anyhow::Result<Exit> {
    #[cfg(feature = "fips")]
    if !matches!(cli.command, Some(Command::Version(_))) {
        install_crypto_provider();
        crate::cluster::require_fips().map_err(anyhow::Error::msg)?;
    }
    if cli.report.no_push && cli.command.is_some() {
        let message = "--no-push is for kai without a subcommand; remove one of them".to_owned();
        return Err(Failure { exit: Exit::Usage, message }.into());
    }
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
            let _log = start_log(&loaded, Mode::Adhoc)?;
            config::Config::run(&loaded)
        }
        Some(Command::Serve(options)) => {
            let flags = Flags { listen: options.listen.clone(), ..cli.globals.flags() };
            let started = start(&flags, Some(Mode::Periodic))?;
            block_on(many_threads()?, serve::run(flags, started, cli.globals.dump(), options.no_cluster))
        }
        Some(Command::Images(images)) => block_on(one_thread()?, images.run(&cli.globals)),
        Some(Command::Containers(containers)) => block_on(one_thread()?, containers.run(&cli.globals)),
        Some(Command::Where(locate)) => block_on(one_thread()?, locate.run(&cli.globals)),
        Some(Command::History(history)) => block_on(one_thread()?, history.run(&cli.globals)),
        Some(Command::Diff(diff)) => block_on(one_thread()?, diff.run(&cli.globals)),
        Some(Command::Push(push)) => {
            let started = start(&cli.globals.flags(), Some(Mode::Adhoc))?;
            block_on(many_threads()?, push.run(started, cli.globals.dump(), cli.globals.namespaces()))
        }
        None => {
            let flags = Flags { mode: cli.report.mode.clone(), ..cli.globals.flags() };
            let mut started = start(&flags, None)?;
            if cli.report.no_push {
                started.settings.anchore.push = None;
            }
            match started.settings.mode {
                Mode::Adhoc => {
                    let typed = cli.globals.namespaces();
                    block_on(one_thread()?, cli.report.run(started, cli.globals.dump(), typed))
                }
                Mode::Periodic => block_on(many_threads()?, serve::run(flags, started, cli.globals.dump(), false)),
            }
        }
    }
}

fn block_on(runtime: Runtime, work: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    let result = runtime.block_on(work);
    // A thread that waits for standard input, or for a pipe with nobody at its other end, would hold the stop up for ever.
    runtime.shutdown_background();
    result
}

fn one_thread() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn many_threads() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
