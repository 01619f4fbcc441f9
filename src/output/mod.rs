//! An answer to standard output, progress to standard error.

mod progress;
mod report;

pub(crate) use progress::ProgressBar;
pub(crate) use report::{is_closed_pipe, print_report};
