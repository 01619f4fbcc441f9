//! Between those that cut documents up and those that read what was cut, and what ends the work of both.

use super::error::{DecodeError, Found};
use super::item::AtStart;

/// The most bytes of one item, and of a document's shell.
pub(super) const ITEM_MAX: usize = 16 * 1024 * 1024;
/// A buffer that one large item blew up is given back beyond this size.
pub(super) const KEEP: usize = 1024 * 1024;

/// Who is given what was cut. A method that fails ends the reading.
pub(super) trait Sink {
    /// The `items` of a document begin; `shell` is what stood before them.
    fn items_begin(&mut self, shell: &[u8]) -> Result<(), Stop>;
    /// The item at the start of `bytes`, if it can be read where it is. If not, it is cut out first.
    fn item_at_start(&mut self, bytes: &[u8]) -> Result<AtStart<()>, Stop>;
    /// One item, whole.
    fn item(&mut self, bytes: &[u8]) -> Result<(), Stop>;
    /// An item of more than [`ITEM_MAX`] bytes, of which the first ones are given.
    fn item_too_large(&mut self, head: &[u8]) -> Result<(), Stop>;
    /// A document ended. Answers whether it was a list, a pod or a namespace.
    fn document_end(&mut self, shell: &[u8], has_items: bool) -> Result<bool, Stop>;
}

/// Why reading ended before the input did.
#[derive(Debug)]
pub(super) enum Stop {
    /// The document is not what it must be, at the line that the cutter is in.
    Problem(Problem),
    /// The document as a whole cannot be read.
    Error(DecodeError),
    /// Whoever takes the events wants no more.
    Enough,
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// What is wrong with a document as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// Something stands where another thing must.
    Unexpected { expected: &'static str, found: Found },
    /// A document begins with something else than an object.
    NoObject(Found),
    /// Another object begins inside an item.
    Splice,
    /// A top-level key stands twice.
    KeyTwice(&'static str),
    /// Text where a top-level key must stand: at the start of a document, or inside it.
    NoKey { text: String, at_start: bool },
    /// A document of the API begins with a line that is none of its own.
    ForeignLine(String),
    /// More than [`ITEM_MAX`] bytes outside `items`.
    ShellTooLarge,
}
