//! Finds the documents of a JSON byte stream and the items of their lists, without ever holding a list.
//!
//! Only two levels are read by the grammar: the keys of a document, and the elements of its `items`. What is below is
//! passed over by counting brackets outside strings, so that nesting costs neither stack nor memory. Everything that is not
//! inside `items` is kept as the document's *envelope*: the list with its items elided, or the whole of a single object.

use memchr::{memchr, memchr_iter};

use super::between::{Between, Documents};
use super::nesting::Nesting;
use super::read::read;
use super::splice::{document_in, syntax_error};
use super::state::{State, ends_scalar, is_blank, unexpected};
use crate::decode::envelope::Envelope;
use crate::decode::error::{DecodeError, Problem};
use crate::decode::sink::{AtStart, ITEM_MAX, KEEP, Sink, Stop};
use crate::inventory::excerpt;

/// An item is tried once more with the next bytes while it is not larger than this.
const OPEN_MAX: usize = 128 * 1024;
/// The most bytes of a top-level key that are looked at.
const KEY_MAX: usize = 256;

/// The state between two pushes.
#[derive(Debug)]
pub(in crate::decode) struct Stream {
    between: Between,
    state: State,
    nesting: Nesting,
    key: Vec<u8>,
    envelope: Vec<u8>,
    item: Vec<u8>,
    item_too_large: bool,
    has_items: bool,
    /// Line breaks in front of `counted` bytes of what is being pushed.
    lines: u64,
    counted: usize,
    /// The lines that the document and the item begin in.
    document_line: u64,
    item_line: u64,
}

impl Stream {
    pub(in crate::decode) fn new(documents: Documents) -> Self {
        Self {
            between: Between::new(documents),
            state: State::BetweenDocuments,
            nesting: Nesting::default(),
            key: Vec::new(),
            envelope: Vec::new(),
            item: Vec::new(),
            item_too_large: false,
            has_items: false,
            lines: 0,
            counted: 0,
            document_line: 1,
            item_line: 1,
        }
    }

    /// Whether a document, or an array of them, has begun and not ended.
    pub(in crate::decode) fn is_inside_document(&self) -> bool {
        self.between.is_in_array() || !matches!(self.state, State::BetweenDocuments | State::Line)
    }

    /// What there is of an item that has begun and not ended, unless it is too large to be kept.
    pub(in crate::decode) fn unfinished_item(&self) -> Option<&[u8]> {
        let is_inside = matches!(self.state, State::OpenItem | State::InItem);
        (is_inside && !self.item_too_large).then_some(&self.item)
    }

    /// Whether an item has just ended.
    pub(in crate::decode) fn is_behind_item(&self) -> bool {
        self.state == State::AfterItem
    }

    /// What there is of the unfinished document, its items elided.
    pub(in crate::decode) fn unfinished_envelope(&self) -> &[u8] {
        &self.envelope
    }

    /// The error of a document that is not what it must be, where the stream is.
    pub(in crate::decode) fn error(&self, problem: Problem) -> DecodeError {
        let line = match problem {
            Problem::Splice { below } => self.item_line + below,
            _ => self.lines + 1,
        };
        DecodeError::at(line, self.document_line, problem)
    }

    /// Why the input ends inside a document, when it is that another one begins inside it: the first was cut off.
    pub(in crate::decode) fn splice(&self) -> Option<DecodeError> {
        let below = match self.state {
            State::OpenItem | State::InItem => match document_in(&self.item) {
                Some(at) => count_lines(&self.item[..at]),
                None => syntax_error(self.unfinished_item()?)?,
            },
            state if state.is_in_items() => return None,
            _ => {
                syntax_error(&self.envelope)?;
                return Some(DecodeError::at(self.lines + 1, self.document_line, Problem::Splice { below: 0 }));
            }
        };
        Some(self.error(Problem::Splice { below }))
    }

    pub(in crate::decode) fn push<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<(), Stop> {
        let mut at = 0;
        self.counted = 0;
        let read = self.advance(bytes, &mut at, sink);
        self.count_to(bytes, at);
        read
    }

    /// Ends the last line, which may lack its line break.
    pub(in crate::decode) fn finish<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop> {
        let is_in_line = matches!(self.state, State::Line | State::LineInItems { .. });
        if is_in_line { self.end_line(sink) } else { Ok(()) }
    }

    /// The line that byte `at` of what is being pushed stands in.
    fn count_to(&mut self, bytes: &[u8], at: usize) -> u64 {
        let at = at.min(bytes.len());
        self.lines += count_lines(bytes.get(self.counted..at).unwrap_or_default());
        self.counted = at;
        self.lines + 1
    }

    fn advance<S: Sink>(&mut self, bytes: &[u8], at: &mut usize, sink: &mut S) -> Result<(), Stop> {
        // Where the part of `bytes` that belongs to the envelope and is not kept yet begins.
        let mut envelope_from = 0;
        while *at < bytes.len() {
            match self.state {
                State::OpenItem => *at += self.close_item(&bytes[*at..], sink)?,
                State::InItem => {
                    let Some(length) = self.nesting.end(&bytes[*at..]) else {
                        self.keep_item(&bytes[*at..]);
                        *at = bytes.len();
                        break;
                    };
                    self.end_item(&bytes[*at..*at + length], sink)?;
                    *at += length;
                    self.state = State::AfterItem;
                }
                State::InItemScalar => {
                    let length = bytes[*at..].iter().position(|byte| ends_scalar(*byte));
                    let Some(length) = length else {
                        self.keep_item(&bytes[*at..]);
                        *at = bytes.len();
                        break;
                    };
                    self.end_item(&bytes[*at..*at + length], sink)?;
                    *at += length;
                    self.state = State::AfterItem;
                }
                State::InValue => match self.nesting.end(&bytes[*at..]) {
                    Some(length) => {
                        *at += length;
                        self.state = State::AfterValue;
                    }
                    None => *at = bytes.len(),
                },
                State::InScalar => match bytes[*at..].iter().position(|byte| ends_scalar(*byte)) {
                    Some(length) => {
                        *at += length;
                        self.state = State::AfterValue;
                    }
                    None => *at = bytes.len(),
                },
                State::InKey { .. } => *at += self.read_key(&bytes[*at..]),
                State::Line | State::LineInItems { .. } => {
                    let end = memchr(b'\n', &bytes[*at..]).map(|length| *at + length);
                    self.between.keep(&bytes[*at..end.unwrap_or(bytes.len())]);
                    *at = end.unwrap_or(bytes.len());
                    if end.is_some() {
                        self.count_to(bytes, *at);
                        self.end_line(sink)?;
                    }
                }
                _ if is_blank(bytes[*at]) => *at += 1,
                _ => *at += self.read_token(bytes, *at, &mut envelope_from, sink)?,
            }
        }
        if !self.state.is_in_items() && !matches!(self.state, State::BetweenDocuments | State::Line) {
            self.keep_envelope(&bytes[envelope_from..])?;
        }
        Ok(())
    }

    /// One byte that is no blank, where the grammar has a choice; returns how many bytes are done.
    fn read_token<S: Sink>(
        &mut self,
        bytes: &[u8],
        at: usize,
        envelope_from: &mut usize,
        sink: &mut S,
    ) -> Result<usize, Stop> {
        let byte = bytes[at];
        self.state = match (self.state, byte) {
            (State::BetweenDocuments, b'{') => {
                *envelope_from = at;
                self.document_line = self.count_to(bytes, at);
                State::Key { first: true }
            }
            (State::BetweenDocuments, byte) => {
                if self.between.begins_line(byte)? {
                    State::Line
                } else {
                    State::BetweenDocuments
                }
            }
            (State::Key { .. }, b'"') => {
                self.key.clear();
                State::InKey { escaped: false }
            }
            (State::Key { first: true } | State::AfterValue, b'}') => {
                self.keep_envelope(&bytes[*envelope_from..=at])?;
                let end = self.end_document(sink);
                self.has_items = false;
                reset(&mut self.envelope);
                end?;
                State::BetweenDocuments
            }
            (State::Colon, b':') => State::Value,
            (State::Value, b'[') if self.key == b"items" => {
                if self.has_items {
                    return Err(Problem::KeyTwice("items").into());
                }
                self.has_items = true;
                self.keep_envelope(&bytes[*envelope_from..=at])?;
                // What is wrong with it is reported at the end, when all of it is there.
                sink.list_begins(read(&[&self.envelope, &b"]}"[..]].concat()).unwrap_or_default())?;
                State::Item { first: true }
            }
            (State::Value, _) => match self.nesting.begin(byte) {
                Some(true) => State::InValue,
                Some(false) => State::InScalar,
                None => return Err(unexpected(byte, "a value").into()),
            },
            (State::AfterValue, b',') => State::Key { first: false },
            (State::Item { .. } | State::AfterItem, byte) if self.between.may_begin_line(byte) => {
                self.between.keep(&[byte]);
                State::LineInItems { behind_item: self.state == State::AfterItem }
            }
            (State::Item { .. }, byte) if byte != b']' => match self.nesting.begin(byte) {
                Some(nested) => {
                    self.item_too_large = false;
                    if nested {
                        self.item_line = self.count_to(bytes, at);
                        let whole = &bytes[at..bytes.len().min(at + ITEM_MAX)];
                        match sink.item_at_start(whole)? {
                            AtStart::Read((), length) => {
                                self.state = State::AfterItem;
                                return Ok(length);
                            }
                            AtStart::Unfinished if whole.len() <= OPEN_MAX => {
                                self.keep_item(whole);
                                self.state = State::OpenItem;
                                return Ok(whole.len());
                            }
                            AtStart::Unfinished | AtStart::Irregular => {}
                        }
                        self.keep_item(&bytes[at..=at]);
                        self.state = State::InItem;
                        return self.rest_of_item(bytes, at, sink);
                    }
                    self.state = State::InItemScalar;
                    return Ok(0);
                }
                None => return Err(unexpected(byte, "an item").into()),
            },
            (State::Item { first: true } | State::AfterItem, b']') => {
                *envelope_from = at;
                State::AfterValue
            }
            (State::AfterItem, b',') => State::Item { first: false },
            (state, _) => return Err(unexpected(byte, state.expected()).into()),
        };
        Ok(1)
    }

    fn end_document<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop> {
        if !self.has_items {
            return sink.object(&self.envelope);
        }
        let list = read::<Envelope>(&self.envelope);
        let broken = |reason: String| Stop::Error(DecodeError::BrokenList(excerpt(&reason).to_string()));
        sink.list_ends(list.map_err(|unreadable| broken(unreadable.problem))?)
    }

    fn end_line<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop> {
        let is_among_items = self.state.is_in_items();
        self.state = match self.state {
            State::LineInItems { behind_item: true } => State::AfterItem,
            State::LineInItems { behind_item: false } => State::Item { first: true },
            _ => State::BetweenDocuments,
        };
        match self.between.end_line() {
            Some(text) => sink.foreign_line(self.lines + 1, text, is_among_items),
            None => Ok(()),
        }
    }

    /// An item that stands whole in `bytes`, as most do, is handed on where it is.
    fn rest_of_item<S: Sink>(&mut self, bytes: &[u8], at: usize, sink: &mut S) -> Result<usize, Stop> {
        let Some(length) = self.nesting.end(&bytes[at + 1..]) else {
            self.keep_item(&bytes[at + 1..]);
            return Ok(bytes.len() - at);
        };
        self.item.clear();
        self.state = State::AfterItem;
        self.end_item(&bytes[at..=at + length], sink)?;
        Ok(1 + length)
    }

    /// Most items that are cut in two by the end of a buffer end in the next one.
    fn close_item<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<usize, Stop> {
        let begun = self.item.len();
        self.item.extend_from_slice(&bytes[..bytes.len().min(OPEN_MAX)]);
        if let AtStart::Read((), length) = sink.item_at_start(&self.item)? {
            reset(&mut self.item);
            self.state = State::AfterItem;
            return Ok(length - begun);
        }
        self.item.truncate(begun);
        self.state = State::InItem;
        // What is there does not end the item, or it would have been read, but the count must know it.
        self.nesting = Nesting::inside();
        let end = self.nesting.end(&self.item[1..]);
        debug_assert_eq!(end, None, "an unfinished item has no end");
        Ok(0)
    }

    fn end_item<S: Sink>(&mut self, tail: &[u8], sink: &mut S) -> Result<(), Stop> {
        if self.item.is_empty() && tail.len() <= ITEM_MAX {
            // It was tried in place already.
            return sink.item(tail);
        }
        self.keep_item(tail);
        let done = if self.item_too_large {
            sink.item_too_large(&self.item)
        } else if let AtStart::Read((), _) = sink.item_at_start(&self.item)? {
            Ok(())
        } else {
            sink.item(&self.item)
        };
        reset(&mut self.item);
        done
    }

    fn keep_item(&mut self, bytes: &[u8]) {
        let room = ITEM_MAX - self.item.len();
        self.item_too_large |= bytes.len() > room;
        self.item.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn keep_envelope(&mut self, part: &[u8]) -> Result<(), Problem> {
        if self.envelope.len() + part.len() > ITEM_MAX {
            return Err(Problem::EnvelopeTooLarge);
        }
        self.envelope.extend_from_slice(part);
        Ok(())
    }

    /// Reads a key up to its closing quote; returns how many bytes are done.
    fn read_key(&mut self, bytes: &[u8]) -> usize {
        let State::InKey { mut escaped } = self.state else { return 0 };
        for (index, byte) in bytes.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    self.state = State::Colon;
                    return index + 1;
                }
                _ => {}
            }
            if self.key.len() < KEY_MAX {
                self.key.push(*byte);
            }
        }
        self.state = State::InKey { escaped };
        bytes.len()
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

fn reset(buffer: &mut Vec<u8>) {
    buffer.clear();
    if buffer.capacity() > KEEP {
        buffer.shrink_to(KEEP);
    }
}
