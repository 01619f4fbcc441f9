//! `kai` without a subcommand: the report of the cluster, once.

use clap::Args;

use super::Exit;
use super::completion;
use super::start::{Failure, Started, collector, once_failed, progress_bar, pusher_unless_dump};
use crate::collector::lacking;
use crate::dump::DumpInput;
use crate::health::PushBoard;
use crate::metrics::Metrics;
use crate::once::{Ended, Once};
use crate::snapshot::Snapshot;

/// Flags of `kai` without a subcommand.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// adhoc: print the report once and end; periodic: run the service [default: adhoc]
    #[arg(short, long, value_name = "MODE", add = completion::words(&["adhoc", "periodic"]))]
    pub(super) mode: Option<String>,

    /// Exit with 0 instead of 3 when the report is incomplete
    #[arg(long)]
    allow_incomplete: bool,

    /// Print without sending the inventory to anchore.url
    #[arg(long)]
    pub(super) no_push: bool,
}

impl Report {
    /// Lists, prints, and shows by the exit status whether everything was read.
    pub(super) async fn run(
        &self,
        started: Started,
        dump: Option<DumpInput>,
        typed: Vec<String>,
    ) -> anyhow::Result<Exit> {
        let Started { settings, log } = started;
        let is_dump = dump.is_some();
        let is_logged = !settings.quiet && settings.log.file.is_none();
        let progress = progress_bar(settings.quiet, is_dump);
        let report = Some((settings.report.clone(), settings.output));
        let push = pusher_unless_dump(&settings, is_dump, PushBoard::default(), Metrics::default())?;
        let needs_name = push.is_some();
        let collector = collector(settings, dump, progress.reporter());
        let once = Once { collector, report, push, typed, needs_name, progress };
        let error = match once.run().await {
            Ok(Ended::Done { pushed: Some(Err(error)), .. }) => error.into(),
            Ok(Ended::Done { snapshot, unknown, .. }) => match incomplete(&snapshot, unknown, is_logged) {
                None => return Ok(Exit::Done),
                Some(message) if self.allow_incomplete => {
                    tracing::warn!("{message}");
                    return Ok(Exit::Done);
                }
                Some(message) => Failure { exit: Exit::Incomplete, message }.into(),
            },
            Ok(Ended::Stopped) => {
                tracing::warn!("stopped before the report was printed");
                return Ok(Exit::Done);
            }
            Err(error) => once_failed(error, is_dump),
        };
        log.record(&error);
        Err(error)
    }
}

/// What the report lacks, in one line; `None` when nothing. What the log has on standard error already is not repeated.
fn incomplete(snapshot: &Snapshot, unknown: Vec<String>, is_logged: bool) -> Option<String> {
    let lacking = lacking(snapshot).map(|lacking| {
        let named = if is_logged { "the lines above name what is missing" } else { &lacking };
        format!("the report is incomplete: {named}")
    });
    let all: Vec<String> = unknown.into_iter().chain(lacking).collect();
    (!all.is_empty()).then(|| all.join("; "))
}
