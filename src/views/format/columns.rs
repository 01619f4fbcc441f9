//! Rows in columns, for a terminal and for whatever reads lines.

use std::borrow::Cow;
use std::io::{self, Read as _, Write};

const COLUMN_GAP: usize = 2;
/// No column becomes narrower than this.
const NARROWEST: usize = 10;
/// What stands for the middle of a text that does not fit.
const CUT: char = '…';

/// How a table is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// What fits beside each other, in characters; `None`: columns are as wide as their content. Whoever pipes a table into
    /// `grep` or `awk` must not meet a cut text.
    pub width: Option<usize>,
    pub has_header: bool,
    /// Whether the last column stands out.
    pub is_colored: bool,
}

impl Look {
    /// For whatever reads lines.
    pub const WHOLE: Self = Self { width: None, has_header: true, is_colored: false };
}

/// Writes a header and a line for each row.
///
/// # Errors
/// Those of the writer.
pub(crate) fn write_columns<const N: usize>(
    header: [&str; N],
    rows: &[[Cow<'_, str>; N]],
    look: Look,
    writer: &mut impl Write,
) -> io::Result<()> {
    let titles = header.map(Cow::Borrowed);
    let lines = || look.has_header.then_some(&titles).into_iter().chain(rows);
    let width = |column: usize| lines().map(|cells| cells[column].chars().count()).max().unwrap_or_default();
    // A column without a word only takes room.
    let is_shown: [bool; N] =
        std::array::from_fn(|column| look.width.is_none() || rows.iter().any(|cells| !cells[column].is_empty()));
    let mut widths: [usize; N] = std::array::from_fn(|column| if is_shown[column] { width(column) } else { 0 });
    let last = is_shown.iter().rposition(|is_shown| *is_shown).unwrap_or_default();
    if let Some(all) = look.width {
        let gaps = COLUMN_GAP * is_shown.iter().filter(|is_shown| **is_shown).count().saturating_sub(1);
        narrow(&mut widths, all.saturating_sub(gaps));
    }
    for cells in lines() {
        let is_header = std::ptr::eq(cells, &raw const titles);
        for (column, cell) in cells.iter().enumerate().filter(|(column, _)| is_shown[*column]) {
            let cell = if look.width.is_some() { shorten(cell, widths[column]) } else { Cow::Borrowed(&**cell) };
            if column != last {
                writer.write_all(cell.as_bytes())?;
                // The width of a format string ends at 65,535, and a text that is no image name may be longer.
                let blanks = (widths[column] + COLUMN_GAP).saturating_sub(cell.chars().count());
                io::copy(&mut io::repeat(b' ').take(blanks as u64), writer)?;
            } else if look.is_colored && column + 1 == N && !is_header && !cell.is_empty() {
                write!(writer, "\u{1b}[33m{cell}\u{1b}[0m")?;
            } else {
                writer.write_all(cell.as_bytes())?;
            }
        }
        writer.write_all(b"\n")?;
    }
    Ok(())
}

/// Takes from the widest columns until all of them fit, or none can become narrower.
fn narrow<const N: usize>(widths: &mut [usize; N], all: usize) {
    let widest = widths.iter().copied().max().unwrap_or_default();
    for limit in (NARROWEST..widest).rev() {
        if widths.iter().sum::<usize>() <= all {
            return;
        }
        *widths = widths.map(|width| width.min(limit));
    }
}

/// The beginning and the end of a text that is longer than that: what tells names apart mostly stands at their end.
fn shorten(text: &str, width: usize) -> Cow<'_, str> {
    let length = text.chars().count();
    if length <= width {
        return Cow::Borrowed(text);
    }
    let kept = width.saturating_sub(1);
    let head = kept * 2 / 5;
    let behind = text.chars().skip(length - (kept - head));
    Cow::Owned(text.chars().take(head).chain([CUT]).chain(behind).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drawn(rows: &[[Cow<'_, str>; 3]], look: Look) -> String {
        let mut bytes = Vec::new();
        write_columns(["A", "BB", "CCC"], rows, look, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_long_text_keeps_its_beginning_and_its_end() {
        assert_eq!(shorten("registry.example.com/team/app:1.25", 16), "regist…/app:1.25");
        assert_eq!(shorten("nginx", 16), "nginx");
        assert_eq!(shorten("ééééééééé", 4), "é…éé");
    }

    #[test]
    fn what_fits_is_not_cut() {
        let rows = [["a", "b", "c"].map(Cow::Borrowed)];
        assert_eq!(drawn(&rows, Look { width: Some(20), ..Look::WHOLE }), "A  BB  CCC\na  b   c\n");
        assert_eq!(drawn(&rows, Look { has_header: false, ..Look::WHOLE }), "a  b  c\n");
    }

    #[test]
    fn a_terminal_shows_no_column_without_a_word() {
        let rows = [["a", "", ""].map(Cow::Borrowed), ["d", "", ""].map(Cow::Borrowed)];
        let look = Look { width: Some(20), is_colored: true, ..Look::WHOLE };
        assert_eq!(drawn(&rows, look), "A\na\nd\n");
        assert_eq!(drawn(&rows, Look::WHOLE), "A  BB  CCC\na      \nd      \n");
    }

    #[test]
    fn the_last_column_alone_has_a_color() {
        let rows = [["a", "b", "c"].map(Cow::Borrowed), ["d", "e", ""].map(Cow::Borrowed)];
        let look = Look { is_colored: true, ..Look::WHOLE };
        assert_eq!(drawn(&rows, look), "A  BB  CCC\na  b   \u{1b}[33mc\u{1b}[0m\nd  e   \n");
    }

    proptest! {
        #[test]
        fn a_table_fits_wherever_its_columns_may_be_narrow_enough(
            rows in prop::collection::vec(["[a-z/:.é]{0,80}", "[a-z]{0,40}", "[a-z]{0,20}"], 0..5),
            width in 34..200_usize,
        ) {
            let rows: Vec<[Cow<'_, str>; 3]> = rows.into_iter().map(|row| row.map(Cow::Owned)).collect();
            for line in drawn(&rows, Look { width: Some(width), ..Look::WHOLE }).lines() {
                prop_assert!(line.chars().count() <= width, "{line}");
            }
        }
    }
}
