//! What may stand between the documents of a JSON stream, and between the items of their lists.

use crate::decode::error::{Found, Problem};

/// The most bytes of a line that are kept.
const LINE_MAX: usize = 1024;
/// The most arrays of documents inside each other.
const ARRAYS_MAX: u32 = 8;

/// What a stream may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) enum Documents {
    One,
    /// Objects one after the other, in arrays, between marks (`---`), and among lines of other programs.
    Many,
}

/// The state between two documents.
#[derive(Debug)]
pub(super) struct Between {
    documents: Documents,
    /// Arrays of documents that are open.
    arrays: u32,
    /// The line that has begun.
    text: Vec<u8>,
}

impl Between {
    pub(super) fn new(documents: Documents) -> Self {
        Self { documents, arrays: 0, text: Vec::new() }
    }

    pub(super) fn is_in_array(&self) -> bool {
        self.arrays > 0
    }

    /// Takes a byte that begins no document and is no blank. Answers whether it begins a line of text.
    pub(super) fn begins_line(&mut self, byte: u8) -> Result<bool, Problem> {
        match byte {
            _ if self.documents == Documents::One => return Err(Problem::NoObject(Found(byte))),
            b'[' if self.arrays < ARRAYS_MAX => self.arrays += 1,
            b'[' => return Err(Problem::NoObject(Found(byte))),
            b']' if self.arrays > 0 => self.arrays -= 1,
            b',' if self.arrays > 0 => {}
            // A byte order mark, where files were joined.
            0xef | 0xbb | 0xbf => {}
            _ if self.arrays > 0 => return Err(Problem::Unexpected { expected: "an object", found: Found(byte) }),
            _ => {
                self.keep(&[byte]);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a byte where an item or a comma must be begins a line of text rather than a value.
    pub(super) fn may_begin_line(&self, byte: u8) -> bool {
        self.documents == Documents::Many && byte.is_ascii_alphabetic() && !matches!(byte, b't' | b'f' | b'n')
    }

    pub(super) fn keep(&mut self, bytes: &[u8]) {
        let room = LINE_MAX - self.text.len();
        self.text.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// The line ended. Its text, if it is another program's: marks between documents and comments mean nothing.
    pub(super) fn end_line(&mut self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.text).trim().to_owned();
        self.text.clear();
        let is_mark = matches!(text.as_str(), "---" | "...") || text.starts_with('#');
        (!is_mark).then_some(text)
    }
}
