//! Finds the items of a protobuf list in a byte stream, without ever holding the list.
//!
//! A body is four bytes of magic and one `runtime.Unknown`, which goes on until the body ends: the kind of what it wraps,
//! and the list as its `raw` bytes. The lists are alike: metadata, then items. Each item is a message that prost reads.

use prost::Message as _;
use prost::encoding::WireType;

use crate::decode::envelope::{Envelope, Items};
use crate::decode::error::DecodeError;
use crate::decode::objects::{ListMeta, TypeMeta};
use crate::decode::protobuf::{MAGIC, problem};
use crate::decode::sink::{HEAD, ITEM_MAX, KEEP, Sink, Stop};
use crate::inventory::excerpt;

/// The most bytes of a part that is no item: kinds, metadata of the list.
const PART_MAX: u64 = 1024 * 1024;
/// The largest number that a field can have.
const FIELD_MAX: u64 = (1 << 29) - 1;

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
pub(super) struct Stream {
    state: State,
    level: Level,
    varint: Varint,
    /// What has come of the part that is being read.
    part: Vec<u8>,
    /// What the list has said of itself.
    envelope: Envelope,
    /// The sink knows of the list.
    has_begun: bool,
    /// Bytes that were read so far.
    at: u64,
}

impl Stream {
    pub(super) fn new() -> Self {
        Self {
            state: State::Magic { seen: 0 },
            level: Level::Wrapper,
            varint: Varint::default(),
            part: Vec::new(),
            envelope: Envelope { items: Items::Array, ..Envelope::default() },
            has_begun: false,
            at: 0,
        }
    }

    /// Whether nothing has been read yet.
    pub(super) fn is_at_start(&self) -> bool {
        self.at == 0
    }

    /// Whether the body may end here.
    pub(super) fn is_between_fields(&self) -> bool {
        self.state == State::Tag && self.level == Level::Wrapper && !self.varint.is_inside()
    }

    pub(super) fn push<S: Sink>(&mut self, mut bytes: &[u8], sink: &mut S) -> Result<(), Stop> {
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
    fn read_number(&mut self, byte: u8) -> Result<(), Stop> {
        let value = self.varint.push(byte).map_err(|problem| self.broken(problem))?;
        let Some(value) = value else { return Ok(()) };
        self.state = match self.state {
            State::Tag => {
                let part = self.part_of(value >> 3);
                let wire_type = WireType::try_from(value & 7).map_err(|error| self.broken(error.to_string()))?;
                match wire_type {
                    _ if value >> 3 == 0 || value >> 3 > FIELD_MAX => {
                        return Err(self.broken("a field number that protobuf does not have"));
                    }
                    WireType::LengthDelimited => State::Length { part },
                    _ if part != Part::Other => return Err(self.broken("another wire type than that of a message")),
                    WireType::Varint => State::Number,
                    WireType::SixtyFourBit => State::Bytes { part, left: 8 },
                    WireType::ThirtyTwoBit => State::Bytes { part, left: 4 },
                    WireType::StartGroup | WireType::EndGroup => {
                        return Err(self.broken("a group, which Kubernetes does not use"));
                    }
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

    fn part_of(&self, number: u64) -> Part {
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
    fn begin_or_end<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop> {
        if let (State::Bytes { left, .. }, Level::List { left: in_list }) = (self.state, self.level)
            && left > in_list
        {
            return Err(self.broken("the list ends inside a field"));
        }
        match self.state {
            State::Bytes { part: Part::List, left } => {
                self.has_begun = false;
                self.level = Level::List { left };
                self.state = State::Tag;
            }
            State::Bytes { part, left: 0 } => {
                self.state = State::Tag;
                let bytes = std::mem::take(&mut self.part);
                let end = self.give(part, &bytes, sink);
                self.part = bytes;
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
            sink.list_ends(std::mem::take(&mut self.envelope))?;
        }
        Ok(())
    }

    /// Bytes of a part; returns how many of them.
    fn read_part<S: Sink>(&mut self, bytes: &[u8], part: Part, left: u64, sink: &mut S) -> Result<usize, Stop> {
        let length = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let bytes = &bytes[..length];
        let left = left - length as u64;
        if left == 0 && self.part.is_empty() && part != Part::ItemTooLarge {
            // It came in one piece: no need to hold it.
            self.give(part, bytes, sink)?;
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

    fn give<S: Sink>(&mut self, part: Part, bytes: &[u8], sink: &mut S) -> Result<(), Stop> {
        let broken = |name: &str, error: &prost::DecodeError| {
            Stop::Error(DecodeError::BrokenList(excerpt(&format!("{name}: {}", problem(error))).to_string()))
        };
        match part {
            Part::TypeMeta => {
                self.envelope.kind = TypeMeta::decode(bytes).map_err(|error| broken("typeMeta", &error))?.kind;
                Ok(())
            }
            Part::ListMeta => {
                self.envelope.metadata = Some(ListMeta::decode(bytes).map_err(|error| broken("metadata", &error))?);
                self.begin_list(sink)
            }
            Part::Item => self.begin_list(sink).and_then(|()| sink.item(bytes)),
            Part::ItemTooLarge => self.begin_list(sink).and_then(|()| sink.item_too_large(bytes)),
            Part::List | Part::ContentForm | Part::Other => Ok(()),
        }
    }

    /// The list has said of itself what it says before its items.
    fn begin_list<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop> {
        if self.has_begun {
            return Ok(());
        }
        self.has_begun = true;
        sink.list_begins(self.envelope.clone())
    }

    fn broken(&self, problem: impl Into<String>) -> Stop {
        Stop::Error(DecodeError::MalformedBytes { at: self.at, problem: problem.into() })
    }
}

/// A number that comes byte by byte, seven bits in each, the lowest first.
#[derive(Debug, Default, Clone, Copy)]
struct Varint {
    value: u64,
    bits: u32,
}

impl Varint {
    /// Takes the next byte; yields the number when that was its last.
    fn push(&mut self, byte: u8) -> Result<Option<u64>, &'static str> {
        let low = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit.
        if self.bits > 63 || (self.bits == 63 && low > 1) {
            return Err("a number of more than 64 bits");
        }
        self.value |= low << self.bits;
        self.bits += 7;
        if byte & 0x80 != 0 {
            return Ok(None);
        }
        Ok(Some(std::mem::take(self).value))
    }

    /// Whether a number has begun and not ended.
    fn is_inside(self) -> bool {
        self.bits > 0
    }
}
