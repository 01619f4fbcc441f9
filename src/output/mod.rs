//! An answer to standard output, progress to standard error.

mod progress;
mod report;
mod terminal;

pub(crate) use progress::ProgressBar;
pub(crate) use report::{is_closed_pipe, print_report};
pub(crate) use terminal::{has_color, terminal_width};
