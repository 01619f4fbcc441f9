//! A report to standard output.

use std::io::{self, BufWriter, ErrorKind, Write as _, stdout};

use super::terminal::terminal_width;
use crate::views::{Format, KaiReport, Layout};

/// Prints the whole report. Blocks while nobody reads it.
///
/// # Errors
/// Those of standard output; see [`is_closed_pipe`] for the one that is no failure.
pub(crate) fn print_report(report: &KaiReport<'_>, format: Format) -> io::Result<()> {
    let mut out = BufWriter::new(stdout().lock());
    format.write(report, terminal_width().map_or(Layout::Indented, Layout::Terminal), &mut out)?;
    out.flush()
}

/// Whether a write failed because the reader has gone (`kai | head`): then nobody reads on.
#[must_use]
pub(crate) fn is_closed_pipe(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}
