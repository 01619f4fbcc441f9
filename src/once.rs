//! One run: list, print, end.

use std::io::{BufWriter, stdout};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::collector::{CollectError, Collector};
use crate::inventory::{OutputFormat, ReportPolicy};
use crate::output::{ProgressBar, is_closed_pipe, write_report};
use crate::shutdown::StopSignals;
use crate::snapshot::Snapshot;
use crate::views::KaiReport;

/// What a single run is asked for.
pub struct Once {
    /// What is read.
    pub collector: Collector,
    /// What the report says.
    pub policy: ReportPolicy,
    /// How it is printed.
    pub format: OutputFormat,
    /// Draws how far the read is.
    pub progress: ProgressBar,
}

/// How a run that did not fail ended.
#[derive(Debug)]
pub enum Ended {
    /// The report of this snapshot is printed.
    Printed(Arc<Snapshot>),
    /// A signal came before the report was printed whole.
    Stopped,
}

/// Why nothing was printed.
#[derive(Debug, thiserror::Error)]
pub enum OnceError {
    /// Nothing was read.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// Signals could not be caught.
    #[error("signals cannot be caught")]
    Signals(#[source] std::io::Error),
    /// Standard output. The cause is the source of the error and not part of its text, so that it is said once.
    #[error("the report could not be written to standard output")]
    Output(#[source] std::io::Error),
}

impl Once {
    /// Reads and prints; the snapshot tells whether it was whole. SIGTERM or SIGINT ends it with [`Ended::Stopped`].
    pub async fn run(self) -> Result<Ended, OnceError> {
        let signals = StopSignals::catch().map_err(OnceError::Signals)?;
        let stop = CancellationToken::new();
        let relay = tokio::spawn(signals.relay(stop.clone()));
        let ended = tokio::select! {
            read = self.read_and_print() => read.map(Ended::Printed),
            () = stop.cancelled() => Ok(Ended::Stopped),
        };
        relay.abort();
        ended
    }

    async fn read_and_print(self) -> Result<Arc<Snapshot>, OnceError> {
        let Self { mut collector, policy, format, progress } = self;
        tracing::debug!("reading");
        let read = collector.collect(&progress.reporter()).await;
        progress.clear();
        let snapshot = read?;
        crate::collector::Reporter::default().report(&snapshot);
        tracing::debug!("printing");
        let report = KaiReport::of(&snapshot, &policy, |_| true);
        // In a thread of its own: a reader that does not read would else keep a stop waiting.
        let written =
            tokio::task::spawn_blocking(move || write_report(&report, format, &mut BufWriter::new(stdout().lock())))
                .await
                .unwrap_or_else(|panic| Err(panic.into()));
        match written {
            Err(error) if !is_closed_pipe(&error) => Err(OnceError::Output(error)),
            _ => Ok(snapshot),
        }
    }
}
