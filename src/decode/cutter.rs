//! Cuts the items of a JSON list out of a byte stream, without ever holding the list.
//!
//! Only two levels are read by the grammar: the top-level object's keys, and the elements of its `items`. What is below is
//! passed over by counting brackets outside strings, so that nesting costs neither stack nor memory. Everything that is not
//! inside `items` is kept as the document's *shell*: the list with its items elided, or the whole of a single object.

use memchr::memchr_iter;

use super::error::Found;
use super::item::AtStart;
use super::nesting::Nesting;
use super::sink::{ITEM_MAX, KEEP, Problem, Sink, Stop};

/// An item is tried once more with the next bytes while it is not larger than this.
const OPEN_MAX: usize = 128 * 1024;
/// The most bytes of a top-level key that are looked at.
const KEY_MAX: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    BetweenDocuments,
    Key {
        first: bool,
    },
    InKey {
        escaped: bool,
    },
    Colon,
    Value,
    InValue,
    InScalar,
    AfterValue,
    Item {
        first: bool,
    },
    /// An item that was in order as far as it went, and is tried once more with the bytes that follow.
    OpenItem,
    /// An item whose end is found by counting.
    InItem,
    InItemScalar,
    AfterItem,
}

impl State {
    fn is_in_items(self) -> bool {
        matches!(self, Self::Item { .. } | Self::OpenItem | Self::InItem | Self::InItemScalar | Self::AfterItem)
    }
}

/// The state between two pushes.
#[derive(Debug)]
pub(super) struct Cutter {
    state: State,
    nesting: Nesting,
    key: Vec<u8>,
    shell: Vec<u8>,
    item: Vec<u8>,
    item_too_large: bool,
    has_items: bool,
    /// Line breaks in what was pushed before.
    lines: u64,
    documents: u64,
}

impl Cutter {
    pub(super) fn new() -> Self {
        Self {
            state: State::BetweenDocuments,
            nesting: Nesting::default(),
            key: Vec::new(),
            shell: Vec::new(),
            item: Vec::new(),
            item_too_large: false,
            has_items: false,
            lines: 0,
            documents: 0,
        }
    }

    /// Whole documents so far.
    pub(super) fn documents(&self) -> u64 {
        self.documents
    }

    /// Whether a document has begun and not ended.
    pub(super) fn is_inside_document(&self) -> bool {
        self.state != State::BetweenDocuments
    }

    /// What there is of an item that has begun and not ended, unless it is too large to be kept.
    pub(super) fn unfinished_item(&self) -> Option<&[u8]> {
        let is_inside = matches!(self.state, State::OpenItem | State::InItem);
        (is_inside && !self.item_too_large).then_some(&self.item)
    }

    /// What there is of the unfinished document, its items elided.
    pub(super) fn unfinished_shell(&self) -> &[u8] {
        &self.shell
    }

    /// The line that was being read when a push failed, counted from 1.
    pub(super) fn line(&self) -> u64 {
        self.lines + 1
    }

    /// Reads on.
    pub(super) fn push<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<(), Stop> {
        let mut at = 0;
        let read = self.advance(bytes, &mut at, sink);
        self.lines += count_lines(&bytes[..at.min(bytes.len())]);
        read
    }

    fn advance<S: Sink>(&mut self, bytes: &[u8], at: &mut usize, sink: &mut S) -> Result<(), Stop> {
        // Where the part of `bytes` that belongs to the shell and is not kept yet begins.
        let mut shell_from = 0;
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
                _ if is_blank(bytes[*at]) => *at += 1,
                _ => *at += self.read_token(bytes, *at, &mut shell_from, sink)?,
            }
        }
        if !self.state.is_in_items() && self.state != State::BetweenDocuments {
            self.keep_shell(&bytes[shell_from..])?;
        }
        Ok(())
    }

    /// One byte that is no blank, where the grammar has a choice; returns how many bytes are done.
    fn read_token<S: Sink>(
        &mut self,
        bytes: &[u8],
        at: usize,
        shell_from: &mut usize,
        sink: &mut S,
    ) -> Result<usize, Stop> {
        let byte = bytes[at];
        self.state = match (self.state, byte) {
            (State::BetweenDocuments, b'{') => {
                *shell_from = at;
                State::Key { first: true }
            }
            (State::BetweenDocuments, _) => {
                return Err(Problem::NoObject(Found(bytes[at])).into());
            }
            (State::Key { .. }, b'"') => {
                self.key.clear();
                State::InKey { escaped: false }
            }
            (State::Key { first: true } | State::AfterValue, b'}') => {
                self.keep_shell(&bytes[*shell_from..=at])?;
                let end = sink.document_end(&self.shell, self.has_items);
                self.documents += 1;
                self.has_items = false;
                reset(&mut self.shell);
                end?;
                State::BetweenDocuments
            }
            (State::Colon, b':') => State::Value,
            (State::Value, b'[') if self.key == b"items" => {
                if self.has_items {
                    return Err(Problem::KeyTwice("items").into());
                }
                self.has_items = true;
                self.keep_shell(&bytes[*shell_from..=at])?;
                sink.items_begin(&self.shell)?;
                State::Item { first: true }
            }
            (State::Value, _) => match self.nesting.begin(byte) {
                Some(true) => State::InValue,
                Some(false) => State::InScalar,
                None => return Err(unexpected(byte, "a value").into()),
            },
            (State::AfterValue, b',') => State::Key { first: false },
            (State::Item { .. }, byte) if byte != b']' => match self.nesting.begin(byte) {
                Some(nested) => {
                    self.item_too_large = false;
                    if nested {
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
                *shell_from = at;
                State::AfterValue
            }
            (State::AfterItem, b',') => State::Item { first: false },
            (state, _) => {
                let expected = match state {
                    State::Key { .. } => "a key in double quotes",
                    State::Item { .. } => "an item",
                    State::Colon => "`:`",
                    State::AfterValue => "`,` or `}`",
                    _ => "`,` or `]`",
                };
                return Err(unexpected(byte, expected).into());
            }
        };
        Ok(1)
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

    fn keep_shell(&mut self, part: &[u8]) -> Result<(), Problem> {
        if self.shell.len() + part.len() > ITEM_MAX {
            return Err(Problem::ShellTooLarge);
        }
        self.shell.extend_from_slice(part);
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

fn unexpected(found: u8, expected: &'static str) -> Problem {
    Problem::Unexpected { expected, found: Found(found) }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

fn ends_scalar(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b',' | b'}' | b']' | b'{' | b'[' | b'"' | b':')
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
