//! How the history is kept: written by whoever keeps it, read by the probes and the metrics.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::HealthCheck;

/// Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct HistoryBoard(Arc<Mutex<Option<HistoryState>>>);

/// How a history is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryState {
    /// Where: `memory`, `sqlite` or `postgres`.
    pub store: &'static str,
    /// Images in namespaces, each with a digest of its own.
    pub rows: u64,
    /// Of the file.
    pub bytes: u64,
    /// Rows that are not written yet.
    pub queue: u64,
    /// Rows that could not be written and had to go.
    pub lost: u64,
    /// Rows that had to go because there were too many.
    pub dropped: u64,
    /// How often kai had to stop looking, since it started.
    pub gaps: u64,
    /// Why it is not kept as the settings want, in words that are fit for a message.
    pub problem: Option<String>,
    /// Where a file went that could not be read.
    pub put_aside: Option<PathBuf>,
}

impl HistoryBoard {
    pub fn show(&self, state: HistoryState) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }

    /// How it stands; `None` when no history is kept.
    #[must_use]
    pub fn state(&self) -> Option<HistoryState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn check(&self) -> Option<HealthCheck> {
        let HistoryState { store, rows, queue, lost, problem, put_aside, .. } = self.state()?;
        let aside = put_aside.map(|path| format!("; a file that could not be read is now {}", path.display()));
        let lost_rows = (lost > 0).then(|| format!("; {lost} rows could not be written and are lost"));
        let detail = match &problem {
            Some(problem) => format!("{problem}; {queue} rows wait in memory"),
            None => format!("{rows} rows in {store}"),
        };
        let detail = detail + &aside.unwrap_or_default() + &lost_rows.unwrap_or_default();
        Some(HealthCheck { name: "history", ok: problem.is_none() && lost == 0, detail })
    }
}
