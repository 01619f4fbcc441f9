//! `kai` without a subcommand: the report of the cluster, once.

use clap::Args;

use super::Exit;
use super::completion;
use super::start::{Started, collector, once_failed, pusher_unless_dump};
use crate::dump::DumpInput;
use crate::health::PushBoard;
use crate::metrics::Metrics;
use crate::once::{Ended, Once};
use crate::output::ProgressBar;

/// Flags of `kai` without a subcommand.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// adhoc: print once and end; periodic: be the service [default: adhoc]
    #[arg(short, long, value_name = "MODE", add = completion::words(&["adhoc", "periodic"]))]
    pub(super) mode: Option<String>,

    /// An incomplete report is no failure: exit 0 instead of 3
    #[arg(long)]
    allow_incomplete: bool,
}

impl Report {
    /// Lists, prints, and says by the exit status whether everything was read.
    pub(super) async fn run(&self, started: Started, dump: Option<DumpInput>) -> anyhow::Result<Exit> {
        let Started { settings, log } = started;
        let progress =
            if dump.is_some() { ProgressBar::of_bytes(settings.quiet) } else { ProgressBar::of_pods(settings.quiet) };
        let report = Some((settings.report.clone(), settings.output));
        let push = pusher_unless_dump(&settings, dump.is_some(), PushBoard::default(), Metrics::default())?;
        let needs_name = push.is_some();
        let once =
            Once { collector: collector(settings, dump, Metrics::default()), report, push, needs_name, progress };
        let error = match once.run().await {
            Ok(Ended::Done { pushed: Some(Err(error)), .. }) => error.into(),
            Ok(Ended::Done { snapshot, .. }) if snapshot.is_complete() || self.allow_incomplete => {
                return Ok(Exit::Done);
            }
            Ok(Ended::Done { .. }) => return Ok(Exit::Incomplete),
            Ok(Ended::Stopped) => {
                tracing::warn!("stopped before the report was printed");
                return Ok(Exit::Done);
            }
            Err(error) => once_failed(error),
        };
        log.record(&error);
        Err(error)
    }
}
