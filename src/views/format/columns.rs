//! Rows in columns, for a terminal and for whatever reads lines.

use std::borrow::Cow;
use std::io::{self, Read as _, Write};

const COLUMN_GAP: usize = 2;

/// Writes a header and a line for each row. Columns are as wide as their content: whoever pipes a table into `grep` or `awk`
/// must not meet a wrapped line.
///
/// # Errors
/// Those of the writer.
pub(crate) fn write_columns<const N: usize>(
    header: [&str; N],
    rows: &[[Cow<'_, str>; N]],
    writer: &mut impl Write,
) -> io::Result<()> {
    let header = header.map(Cow::Borrowed);
    let lines = || std::iter::once(&header).chain(rows);
    let width = |column: usize| lines().map(|cells| cells[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; N] = std::array::from_fn(width);
    for cells in lines() {
        for (column, cell) in cells.iter().enumerate() {
            writer.write_all(cell.as_bytes())?;
            // The width of a format string ends at 65,535, and a text that is no image name may be longer.
            if column + 1 < N {
                let blanks = (widths[column] + COLUMN_GAP).saturating_sub(cell.chars().count());
                io::copy(&mut io::repeat(b' ').take(blanks as u64), writer)?;
            }
        }
        writer.write_all(b"\n")?;
    }
    Ok(())
}
