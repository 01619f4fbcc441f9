//! Cuts the items of a protobuf list out of a byte stream, without ever holding the list.
//!
//! A body is four bytes of magic and one `runtime.Unknown`, which goes on until the body ends: the kind of what it wraps,
//! and the list as its `raw` bytes. The list is one of `PodList` or `NamespaceList`, which are alike: metadata, then items.

use super::fields::{Varint, WireType, split_tag};
use crate::decode::error::DecodeError;
use crate::decode::sink::ITEM_MAX;

/// What every body of this encoding begins with.
pub(super) const MAGIC: [u8; 4] = *b"k8s\0";
/// The most bytes of a part that is no item: kinds, metadata of the list.
const PART_MAX: u64 = 1024 * 1024;
/// As much of an item above [`ITEM_MAX`] as is kept to name it: a name and a namespace stand within the first 600 bytes.
const HEAD: usize = 64 * 1024;
/// A buffer that one large item blew up is given back beyond this size.
const KEEP: usize = 1024 * 1024;

/// Who is given what was cut. A method that fails ends the reading.
pub(in crate::decode) trait Sink {
    /// `runtime.TypeMeta`: what the body is.
    fn type_meta(&mut self, message: &[u8]) -> Result<(), DecodeError>;
    /// The list begins.
    fn list_begin(&mut self) -> Result<(), DecodeError>;
    /// The list's own metadata.
    fn list_meta(&mut self, message: &[u8]) -> Result<(), DecodeError>;
    /// One item, whole.
    fn item(&mut self, message: &[u8]) -> Result<(), DecodeError>;
    /// An item of more than [`ITEM_MAX`] bytes, of which the first ones are given.
    fn item_too_large(&mut self, head: &[u8]) -> Result<(), DecodeError>;
    /// The list ended.
    fn list_end(&mut self) -> Result<(), DecodeError>;
}

/// Which message the next field belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// `runtime.Unknown`.
    Wrapper,
    /// The list, of which so many bytes are still to come.
    List { left: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Magic {
        seen: usize,
    },
    Tag,
    /// The value of a field that is a number nobody wants.
    Number,
    Length {
        part: Part,
    },
    Bytes {
        part: Part,
        left: u64,
    },
}

/// What a run of bytes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    TypeMeta,
    List,
    /// How the wrapped bytes are packed or written: empty for a list.
    ContentForm,
    ListMeta,
    Item,
    ItemTooLarge,
    Other,
}

/// The state between two pushes.
#[derive(Debug)]
pub(in crate::decode) struct Cutter {
    state: State,
    level: Level,
    varint: Varint,
    /// What has come of the part that is being read.
    part: Vec<u8>,
    /// Bytes that were read so far.
    at: u64,
}

impl Cutter {
    pub(in crate::decode) fn new() -> Self {
        Self {
            state: State::Magic { seen: 0 },
            level: Level::Wrapper,
            varint: Varint::default(),
            part: Vec::new(),
            at: 0,
        }
    }

    /// Whether nothing has been read yet.
    pub(in crate::decode) fn is_at_start(&self) -> bool {
        self.at == 0
    }

    /// Whether the body may end here.
    pub(in crate::decode) fn is_between_fields(&self) -> bool {
        self.state == State::Tag && self.level == Level::Wrapper && !self.varint.is_inside()
    }

    /// Reads on.
    pub(in crate::decode) fn push<S: Sink>(&mut self, mut bytes: &[u8], sink: &mut S) -> Result<(), DecodeError> {
        while let [first, ..] = bytes {
            let taken = match self.state {
                State::Magic { seen } => {
                    if *first != MAGIC[seen] {
                        return Err(self.broken("the body does not begin with the four bytes of Kubernetes"));
                    }
                    self.state = if seen + 1 < MAGIC.len() { State::Magic { seen: seen + 1 } } else { State::Tag };
                    1
                }
                State::Tag | State::Number | State::Length { .. } => {
                    self.read_number(*first)?;
                    1
                }
                State::Bytes { part, left } => self.read_part(bytes, part, left, sink)?,
            };
            bytes = &bytes[taken..];
            self.at += taken as u64;
            if let Level::List { left } = &mut self.level {
                *left -= taken as u64;
            }
            self.begin_or_end(sink)?;
        }
        Ok(())
    }

    /// One byte of a tag, of a number that nobody wants, or of a length.
    fn read_number(&mut self, byte: u8) -> Result<(), DecodeError> {
        let value = self.varint.push(byte).map_err(|problem| self.broken(problem.to_string()))?;
        let Some(value) = value else { return Ok(()) };
        self.state = match self.state {
            State::Tag => {
                let (number, wire_type) = split_tag(value).map_err(|problem| self.broken(problem.to_string()))?;
                let part = self.part_of(number);
                match wire_type {
                    WireType::Bytes => State::Length { part },
                    _ if part != Part::Other => return Err(self.broken("another wire type than that of a message")),
                    WireType::Varint => State::Number,
                    WireType::Fixed64 => State::Bytes { part, left: 8 },
                    WireType::Fixed32 => State::Bytes { part, left: 4 },
                }
            }
            State::Length { part } => {
                let part = match part {
                    Part::Item if value > ITEM_MAX as u64 => Part::ItemTooLarge,
                    Part::TypeMeta | Part::ListMeta if value > PART_MAX => {
                        return Err(self.broken(format!("{value} bytes outside the items, which no list has")));
                    }
                    // An empty text and an absent one are the same.
                    Part::ContentForm if value > 0 => {
                        return Err(self.broken("the list is wrapped in another form than protobuf"));
                    }
                    part => part,
                };
                State::Bytes { part, left: value }
            }
            _ => State::Tag,
        };
        Ok(())
    }

    fn part_of(&self, number: u32) -> Part {
        match (self.level, number) {
            (Level::Wrapper, 1) => Part::TypeMeta,
            (Level::Wrapper, 2) => Part::List,
            (Level::Wrapper, 3 | 4) => Part::ContentForm,
            (Level::List { .. }, 1) => Part::ListMeta,
            (Level::List { .. }, 2) => Part::Item,
            _ => Part::Other,
        }
    }

    /// What follows from what was just read without another byte: a list begins or ends, a part is empty.
    fn begin_or_end<S: Sink>(&mut self, sink: &mut S) -> Result<(), DecodeError> {
        if let (State::Bytes { left, .. }, Level::List { left: in_list }) = (self.state, self.level)
            && left > in_list
        {
            return Err(self.broken("the list ends inside a field"));
        }
        match self.state {
            State::Bytes { part: Part::List, left } => {
                sink.list_begin()?;
                self.level = Level::List { left };
                self.state = State::Tag;
            }
            State::Bytes { part, left: 0 } => {
                self.state = State::Tag;
                let end = give(part, &self.part, sink);
                self.part.clear();
                self.part.shrink_to(KEEP);
                end?;
            }
            _ => {}
        }
        if self.level == (Level::List { left: 0 }) {
            if self.state != State::Tag || self.varint.is_inside() {
                return Err(self.broken("the list ends inside a field"));
            }
            self.level = Level::Wrapper;
            sink.list_end()?;
        }
        Ok(())
    }

    /// Bytes of a part; returns how many of them.
    fn read_part<S: Sink>(&mut self, bytes: &[u8], part: Part, left: u64, sink: &mut S) -> Result<usize, DecodeError> {
        let length = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let bytes = &bytes[..length];
        let left = left - length as u64;
        if left == 0 && self.part.is_empty() && part != Part::ItemTooLarge {
            // It came in one piece: no need to hold it.
            give(part, bytes, sink)?;
            self.state = State::Tag;
            return Ok(length);
        }
        match part {
            Part::TypeMeta | Part::ListMeta | Part::Item => self.part.extend_from_slice(bytes),
            Part::ItemTooLarge => {
                let room = HEAD - self.part.len();
                self.part.extend_from_slice(&bytes[..room.min(length)]);
            }
            Part::List | Part::ContentForm | Part::Other => {}
        }
        self.state = State::Bytes { part, left };
        Ok(length)
    }

    fn broken(&self, problem: impl Into<String>) -> DecodeError {
        DecodeError::MalformedBytes { at: self.at, problem: problem.into() }
    }
}

fn give<S: Sink>(part: Part, bytes: &[u8], sink: &mut S) -> Result<(), DecodeError> {
    match part {
        Part::TypeMeta => sink.type_meta(bytes),
        Part::ListMeta => sink.list_meta(bytes),
        Part::Item => sink.item(bytes),
        Part::ItemTooLarge => sink.item_too_large(bytes),
        Part::List | Part::ContentForm | Part::Other => Ok(()),
    }
}
