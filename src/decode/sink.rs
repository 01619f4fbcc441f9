//! Between the streams that find documents and items, and those who read them.

use super::envelope::Envelope;
use super::error::{DecodeError, Problem};

/// The most bytes of one item, and of a document's envelope.
pub(super) const ITEM_MAX: usize = 16 * 1024 * 1024;
/// As much of an item above [`ITEM_MAX`] as is kept to name it: its metadata is the first thing in it.
pub(super) const HEAD: usize = 1024 * 1024;
/// A buffer that one large item blew up is given back beyond this size.
pub(super) const KEEP: usize = 1024 * 1024;

/// Who is given what a stream finds. A method that fails ends the reading.
pub(super) trait Sink {
    /// The items of a list begin; `list` has its fields in front of them.
    fn list_begins(&mut self, list: Envelope) -> Result<(), Stop>;

    /// The item at the start of `bytes`, if it can be read where it is. If not, it is cut out first.
    fn item_at_start(&mut self, _bytes: &[u8]) -> Result<AtStart<()>, Stop> {
        Ok(AtStart::Irregular)
    }

    /// One item, whole.
    fn item(&mut self, bytes: &[u8]) -> Result<(), Stop>;

    /// An item of more than [`ITEM_MAX`] bytes, of which the first ones are given.
    fn item_too_large(&mut self, head: &[u8]) -> Result<(), Stop>;

    /// The list ended; `list` has all of its fields.
    fn list_ends(&mut self, list: Envelope) -> Result<(), Stop>;

    /// A document without items that could be cut, whole.
    fn object(&mut self, bytes: &[u8]) -> Result<(), Stop>;

    /// Text that is no part of a document, between documents or among the items of one.
    fn foreign_line(&mut self, line: u64, text: String, is_among_items: bool) -> Result<(), Stop>;
}

/// What became of the item at the start of some bytes.
#[derive(Debug)]
pub(super) enum AtStart<T> {
    Read(T, usize),
    /// The bytes end inside it.
    Unfinished,
    /// Not in order: it must be cut out to find out what is wrong.
    Irregular,
}

/// Why reading ended before the input did.
#[derive(Debug)]
pub(super) enum Stop {
    /// The document is not what it must be, at the line that the stream is in.
    Problem(Problem),
    /// The input as a whole cannot be read.
    Error(DecodeError),
    /// Whoever takes the events wants no more.
    Enough,
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}
