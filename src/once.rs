//! One run: list, print, end.

use std::io::{BufWriter, stdout};
use std::sync::Arc;

use crate::collector::{CollectError, Collector};
use crate::inventory::{OutputFormat, ReportPolicy};
use crate::output::{ProgressBar, is_closed_pipe, write_report};
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

/// Why nothing was printed.
#[derive(Debug, thiserror::Error)]
pub enum OnceError {
    /// Nothing was read.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// Standard output. The cause is the source of the error and not part of its text, so that it is said once.
    #[error("the report could not be written to standard output")]
    Output(#[source] std::io::Error),
}

impl Once {
    /// Reads and prints; the snapshot tells whether it was whole.
    pub async fn run(self) -> Result<Arc<Snapshot>, OnceError> {
        let Self { mut collector, policy, format, progress } = self;
        let read = collector.collect(&progress.reporter()).await;
        progress.clear();
        let snapshot = read?;
        crate::collector::Reporter::default().report(&snapshot);
        let report = KaiReport::of(&snapshot, &policy, |_| true);
        match write_report(&report, format, &mut BufWriter::new(stdout().lock())) {
            Err(error) if !is_closed_pipe(&error) => Err(OnceError::Output(error)),
            _ => Ok(snapshot),
        }
    }
}
