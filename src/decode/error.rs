//! Why an input as a whole could not be read, in words that name what was found and what to do.

use std::fmt;
use std::io;

use super::sink::{ITEM_MAX, Problem};
use crate::inventory::excerpt;

/// What to do about an input that is something else.
const HINT: &str = "`kubectl get namespaces,pods --all-namespaces -o json` prints what kai reads";

/// An input that gives no list of objects.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The bytes could not be had.
    #[error("reading failed: {0}")]
    Read(io::Error),
    /// No byte, or none but blanks.
    #[error("the input is empty; {HINT}")]
    Empty,
    /// Not text at all, or not in UTF-8; says what it is.
    #[error("the input is {0}, not JSON or YAML in UTF-8; {HINT}")]
    NotText(&'static str),
    /// A document that is no object: an array, a number, a string.
    #[error("the input is {0}, not a list of Kubernetes objects; {HINT}")]
    NoObject(String),
    /// Objects that are no list, and of no kind that kai knows.
    #[error("no list and no pod or namespace in the input, only {0}; {HINT}")]
    NotKubernetes(String),
    /// Lists or objects of other kinds alone.
    #[error("no pod and no namespace in the input, only {0}; {HINT}")]
    OtherKinds(String),
    /// The keys are those of Go structs.
    #[error("the input has the field names of Go ({0}), as a program prints its own structs; {HINT}")]
    GoFieldNames(String),
    /// Text of another program stands before the objects.
    #[error("line {line} is not part of a Kubernetes object: `{}`; remove the lines of other programs", excerpt(.text))]
    ForeignLine {
        /// Counted from 1.
        line: u64,
        /// The line.
        text: String,
    },
    /// One document stands in the middle of another.
    #[error(
        "line {line}: another document begins inside this one ({what}), as when two outputs are written to one file"
    )]
    Spliced {
        /// Counted from 1.
        line: u64,
        /// How it shows.
        what: String,
    },
    /// The grammar is broken.
    #[error("line {line}: {problem}")]
    Malformed {
        /// Counted from 1.
        line: u64,
        /// What stands where what should.
        problem: String,
    },
    /// The wire format of a protobuf body is broken, or it wraps no list.
    #[error("byte {at} of the protobuf body: {problem}")]
    MalformedBytes {
        /// How many bytes stand before.
        at: u64,
        /// What is wrong there.
        problem: String,
    },
    /// A field of the list's own is broken.
    #[error("the list itself is broken: {0}")]
    BrokenList(String),
    /// The body of an answer goes on behind its list.
    #[error("a second document follows the list")]
    SecondDocument,
    /// More outside the items of a list, or in a single object, than any object has.
    #[error("line {line}: more than {} MiB in one object; the API server stores none that large", ITEM_MAX >> 20)]
    TooLarge {
        /// Counted from 1.
        line: u64,
    },
    /// The bytes ended inside the document.
    #[error("the input ends too early, {0}")]
    EndedEarly(String),
}

impl DecodeError {
    /// The error of a document that is not what it must be, at that line.
    pub(super) fn at(line: u64, problem: Problem) -> Self {
        match problem {
            Problem::Unexpected { expected, found } => {
                Self::Malformed { line, problem: format!("expected {expected}, found {found}") }
            }
            Problem::NoObject(found) => Self::NoObject(found.described()),
            Problem::KeyTwice(key) => Self::Spliced { line, what: format!("`{key}` stands twice") },
            Problem::Splice => Self::Spliced { line, what: "an object begins where none can".to_owned() },
            Problem::ShellTooLarge => Self::TooLarge { line },
            Problem::NoKey { text, at_start: true } | Problem::ForeignLine(text) => Self::ForeignLine { line, text },
            Problem::NoKey { text, at_start: false } => {
                Self::Malformed { line, problem: format!("expected a key or an item, found `{}`", excerpt(&text)) }
            }
        }
    }
}

/// What stands at some place of the input. One byte: more would depend on how the input was cut up on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found(pub(super) u8);

impl Found {
    /// What a value that is no object is.
    fn described(self) -> String {
        match self.0 {
            b'[' => "an array, not an object with `items` (a `List`)".to_owned(),
            b'"' => "a string".to_owned(),
            b'-' | b'0'..=b'9' => "a number".to_owned(),
            _ => format!("text that begins with {self}"),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            byte @ b'!'..=b'~' => write!(f, "`{}`", char::from(byte)),
            byte => write!(f, "the byte 0x{byte:02x}"),
        }
    }
}
