//! An answer to standard output, progress to standard error.

mod progress;
mod report;

pub use progress::ProgressBar;
pub use report::{is_closed_pipe, write_report};

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// Indented by two spaces.
    Json,
    /// A header and one line for each entry.
    Table,
    /// `namespace,tag,repo_digest`
    Csv,
}
