//! An answer to standard output, progress to standard error.

mod columns;
mod progress;
mod report;

pub use columns::write_columns;
pub use progress::ProgressBar;
pub use report::{is_closed_pipe, write_report};
