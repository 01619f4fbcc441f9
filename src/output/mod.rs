//! An answer to standard output, progress to standard error.

mod progress;
mod report;

pub use progress::ProgressBar;
pub use report::{is_closed_pipe, print_report};
