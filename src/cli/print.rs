//! A text to standard output, and what becomes of it.

use std::io::{self, Write};

use anyhow::Context as _;

use super::Exit;
use crate::output::is_closed_pipe;

/// What the user was going to read, and cannot.
pub(super) const NOT_WRITTEN: &str = "standard output could not be written";

/// Prints the whole text. A reader that has gone is no failure.
pub(super) fn print(text: &[u8]) -> anyhow::Result<Exit> {
    write(text, &mut io::stdout())
}

fn write(text: &[u8], writer: &mut impl Write) -> anyhow::Result<Exit> {
    match writer.write_all(text).and_then(|()| writer.flush()) {
        Err(error) if !is_closed_pipe(&error) => Err(error).context(NOT_WRITTEN),
        _ => Ok(Exit::Done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file on a full disk, or a pipe without a reader.
    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_text_that_cannot_be_written_is_an_error_that_says_where_it_was_to_go() {
        let error = write(b"text", &mut Broken(io::ErrorKind::StorageFull)).expect_err("full");
        assert_eq!(format!("{error:#}"), "standard output could not be written: no storage space");
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        assert_eq!(write(b"text", &mut Broken(io::ErrorKind::BrokenPipe)).expect("done"), Exit::Done);
    }
}
