//! Why an input as a whole could not be read, in words that name what was found and what to do.

use std::fmt;
use std::io;

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
    /// Not text at all, or not in UTF-8; has what it is.
    #[error("the input is {0}, not JSON or YAML in UTF-8; {HINT}")]
    NotText(&'static str),
    /// A document that is no object: an array, a number, a string.
    #[error("the input is {0}, not a list of Kubernetes objects; {HINT}")]
    NoObject(String),
    /// Objects that are no list, and of no kind that kai knows.
    #[error("no list and no pod or namespace in the input, only {0}; {HINT}")]
    NotKubernetes(String),
    /// What the API server, or kubectl, answered in place of objects.
    #[error("there are no objects in the input, only what the API server answered: {0}")]
    Refused(String),
    /// What kubectl prints for people.
    #[error("the input is {0}, which is made for people; {HINT}")]
    ForPeople(&'static str),
    /// The keys are those of Go structs.
    #[error("the input has the field names of Go ({0}), as a program prints its own structs; {HINT}")]
    GoFieldNames(String),
    /// Text of another program stands before the objects.
    #[error("line {line} is not part of a Kubernetes object: `{}`; {}", excerpt(.text), remedy(.text))]
    ForeignLine {
        /// Counted from 1.
        line: u64,
        text: String,
    },
    /// One document stands in the middle of another.
    #[error(
        "line {line}: another document begins inside the one of line {document} ({what}), as when two outputs are written \
         to one file or the first was cut off; save them again, each whole"
    )]
    Spliced {
        /// The line of the inner one, counted from 1.
        line: u64,
        /// The line that the outer one begins in.
        document: u64,
        /// How it shows.
        what: String,
    },
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
        problem: String,
    },
    /// A field of the list's own is broken.
    #[error("the list itself is broken: {0}")]
    BrokenList(String),
    /// The body of an answer goes on behind its list.
    #[error("a second document follows the list")]
    SecondDocument,
    /// More outside the items of a list, or in a single object, than any object has.
    #[error("line {line}: more than 16 MiB in one object; the API server stores none that large")]
    TooLarge {
        /// Counted from 1.
        line: u64,
    },
    /// The bytes ended inside the document.
    #[error("the input ends too early, {0}")]
    EndedEarly(String),
}

/// What to do about a line that another program wrote.
fn remedy(line: &str) -> &'static str {
    let failed = ["Error from server", "error:", "Error:", "Unable to connect", "The connection to the server"];
    if failed.iter().any(|words| line.starts_with(words)) {
        "kubectl failed there: save the objects again, and its errors apart (2>errors.txt)"
    } else {
        "remove the lines of other programs, or save the objects without them (2>/dev/null)"
    }
}

impl DecodeError {
    /// The error of a document that began in that line and is not what it must be in the other.
    pub(super) fn at(line: u64, document: u64, problem: Problem) -> Self {
        match problem {
            Problem::Unexpected { expected, found } => {
                let problem = format!("expected {expected}, found {found}");
                let begins_object = found == Found(b'{') && line > document;
                if begins_object {
                    Self::Spliced { line, document, what: problem }
                } else {
                    Self::Malformed { line, problem }
                }
            }
            Problem::NoObject(found) => Self::NoObject(found.described()),
            Problem::KeyTwice(key) => Self::Spliced { line, document, what: format!("`{key}` stands twice") },
            Problem::Splice { .. } => {
                Self::Spliced { line, document, what: "an object begins where none can".to_owned() }
            }
            Problem::ForeignLine { line, text } => Self::ForeignLine { line, text },
            Problem::EnvelopeTooLarge => Self::TooLarge { line },
        }
    }
}

/// What is wrong with a document as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// Something stands where another thing must.
    Unexpected { expected: &'static str, found: Found },
    /// A document begins with something else than an object.
    NoObject(Found),
    /// Another document begins inside an item, so many lines below the item's first.
    Splice { below: u64 },
    /// A top-level key stands twice.
    KeyTwice(&'static str),
    /// Text of another program where an object must be.
    ForeignLine { line: u64, text: String },
    /// More outside `items` than is held.
    EnvelopeTooLarge,
}

/// What stands at some place of the input. One byte: more would depend on how the input was cut up on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found(pub(super) u8);

impl Found {
    /// What a value that is no object is.
    pub(super) fn described(self) -> String {
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
