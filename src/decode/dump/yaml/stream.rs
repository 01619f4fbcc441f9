//! Finds the documents of a YAML byte stream and the items of their lists by their lines, without ever holding a list.
//!
//! In block style, what belongs to an item is indented more than its dash: block scalars and quoted texts of several lines
//! too. So indentation alone shows where an item ends, and what is inside need not be understood here. An `items` in flow
//! style stays in the document's envelope, which is parsed whole. A line of another program (`Error from server: …`) stands
//! at the left edge and has no key of the API: it is reported and passed over with what is indented below it.

use memchr::memchr;

use super::line::{Key, Line, key_of};
use crate::decode::envelope::{self, Envelope};
use crate::decode::error::{DecodeError, Problem};
use crate::decode::sink::{ITEM_MAX, KEEP, Sink, Stop};
use crate::inventory::excerpt;

/// The top-level keys of a list, a pod and a namespace.
const KNOWN_KEYS: [&str; 6] = ["apiVersion", "kind", "metadata", "items", "spec", "status"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing of the document yet.
    Before,
    /// Lines go to the envelope.
    Envelope,
    /// `items:` was the last line.
    ItemsBegun,
    /// Inside an item whose dash stands at that column.
    Item { dash: usize },
    /// Below a line of another program; a dash at that column goes on with the items.
    Foreign { dash: Option<usize> },
}

/// Which items a document has that can be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Items {
    None,
    /// Those under its key `items`.
    OfList,
    /// The document is a sequence, without keys of its own.
    Bare,
}

/// The state between two pushes.
#[derive(Debug)]
pub(in crate::decode::dump) struct Stream {
    state: State,
    /// The column of the top-level keys.
    base: usize,
    /// The start of a line whose end has not come yet.
    partial: Vec<u8>,
    envelope: Vec<u8>,
    item: Vec<u8>,
    item_too_large: bool,
    items: Items,
    /// Of [`KNOWN_KEYS`], which stood already.
    seen: [bool; KNOWN_KEYS.len()],
    unknown_key: Option<UnknownKey>,
    foreign: Foreign,
    /// The last line was cut off before its key ended.
    is_cut: bool,
    line: u64,
    document_line: u64,
}

/// A key that no list, pod or namespace begins with, at the beginning of a document.
#[derive(Debug)]
struct UnknownKey {
    line: u64,
    text: String,
    /// Its value is a text: all of it may be one.
    is_of_words: bool,
}

/// Lines of other programs in a document.
#[derive(Debug, Default)]
struct Foreign {
    first: Option<(u64, String)>,
    more: u64,
}

impl Stream {
    /// Begins; the line that the first byte stands in is the first.
    pub(in crate::decode::dump) fn new() -> Self {
        Self {
            state: State::Before,
            base: 0,
            partial: Vec::new(),
            envelope: Vec::new(),
            item: Vec::new(),
            item_too_large: false,
            items: Items::None,
            seen: [false; KNOWN_KEYS.len()],
            unknown_key: None,
            foreign: Foreign::default(),
            is_cut: false,
            line: 0,
            document_line: 1,
        }
    }

    /// The error of a document that is not what it must be, at the line that was read last.
    pub(in crate::decode::dump) fn error(&self, problem: Problem) -> DecodeError {
        DecodeError::at(self.line, self.document_line, problem)
    }

    /// Whether the document ends before all of it has come. As kubectl sorts the keys, `kind` comes after `items`: a list
    /// of the API that lacks it ends inside its items.
    pub(in crate::decode::dump) fn ended_early(&self) -> bool {
        let [api_version, kind, _, items, ..] = self.seen;
        self.is_cut || (api_version && items && !kind)
    }

    pub(in crate::decode::dump) fn unfinished_item(&self) -> Option<&[u8]> {
        matches!(self.state, State::Item { .. }).then_some(&self.item)
    }

    pub(in crate::decode::dump) fn push<S: Sink>(&mut self, mut bytes: &[u8], sink: &mut S) -> Result<(), Stop> {
        while let Some(end) = memchr(b'\n', bytes) {
            if self.partial.is_empty() {
                self.read_line(&bytes[..end], sink)?;
            } else {
                self.partial.extend_from_slice(&bytes[..end]);
                let line = std::mem::take(&mut self.partial);
                self.read_line(&line, sink)?;
                self.partial = line;
                self.partial.clear();
            }
            bytes = &bytes[end + 1..];
        }
        if self.partial.len() + bytes.len() > ITEM_MAX {
            self.line += 1;
            return Err(Problem::EnvelopeTooLarge.into());
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }

    /// The last line may lack its line break.
    pub(in crate::decode::dump) fn push_last_line<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop> {
        let line = std::mem::take(&mut self.partial);
        if line.is_empty() {
            return Ok(());
        }
        let is_in_document = self.seen.contains(&true);
        self.read_line(&line, sink)?;
        // One word at the left edge is a key that was cut off; more of them are a text.
        let is_word = line.iter().all(u8::is_ascii_alphanumeric);
        self.is_cut = is_in_document && is_word && matches!(self.state, State::Foreign { .. });
        Ok(())
    }

    pub(in crate::decode::dump) fn finish<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop> {
        self.end_document(sink)
    }

    fn read_line<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<(), Stop> {
        self.line += 1;
        let line = Line::new(bytes);
        if let Some(rest) = line.after_document_start() {
            self.end_document(sink)?;
            return self.read_content(Line::new(&rest), sink);
        }
        if line.is_document_end() {
            return self.end_document(sink);
        }
        self.read_content(line, sink)
    }

    fn read_content<S: Sink>(&mut self, line: Line<'_>, sink: &mut S) -> Result<(), Stop> {
        if self.state == State::Before {
            if line.is_blank() || line.is_comment() || line.is_directive() {
                return Ok(());
            }
            self.base = line.indent;
            self.document_line = self.line;
            self.state = State::Envelope;
            if line.is_dash() {
                return self.begin_items(Items::Bare, line, sink);
            }
        }
        let is_empty = line.is_blank() || line.is_comment();
        match self.state {
            State::Item { dash } => {
                if is_empty || line.indent > dash {
                    self.keep_item(line.bytes);
                    return Ok(());
                }
                self.end_item(sink)?;
                if line.indent == dash && line.is_dash() {
                    self.begin_item(line);
                    return Ok(());
                }
                self.state = State::Envelope;
                return Ok(self.read_envelope_line(line, Some(dash))?);
            }
            State::ItemsBegun if is_empty => return Ok(()),
            State::ItemsBegun if line.indent >= self.base && line.is_dash() => {
                self.keep_envelope(b" []\n")?;
                return self.begin_items(Items::OfList, line, sink);
            }
            State::ItemsBegun => {
                self.keep_envelope(b"\n")?;
                self.state = State::Envelope;
            }
            State::Foreign { dash } => {
                if is_empty || line.indent > self.base.max(dash.unwrap_or(0)) {
                    return Ok(());
                }
                if line.is_dash() && dash == Some(line.indent) {
                    self.begin_item(line);
                    return Ok(());
                }
                return Ok(self.read_envelope_line(line, dash)?);
            }
            State::Before | State::Envelope => {}
        }
        Ok(self.read_envelope_line(line, None)?)
    }

    /// A line outside the items; `dash` is the column of those just before it.
    fn read_envelope_line(&mut self, line: Line<'_>, dash: Option<usize>) -> Result<(), Problem> {
        if !line.is_blank() && !line.is_comment() && line.indent <= self.base {
            let Some(Key { name, value_is_empty }) = key_of(line.content()) else {
                // What closes a collection in flow style is often written below its key.
                if line.closes_flow() && !self.envelope.is_empty() {
                    return self.keep_line(line);
                }
                if line.opens_flow() && !self.seen.contains(&true) && self.items == Items::None {
                    // JSON behind a line of another program, be it one that reads like a key.
                    let unknown = self.unknown_key.take().map(|key| (key.line, key.text));
                    return match unknown.or(self.foreign.first.take()) {
                        Some((line, text)) => Err(Problem::ForeignLine { line, text }),
                        None => self.keep_line(line),
                    };
                }
                self.note_foreign(line, dash);
                return Ok(());
            };
            match KNOWN_KEYS.iter().position(|known| *known == name) {
                Some(known) if self.seen[known] => return Err(Problem::KeyTwice(KNOWN_KEYS[known])),
                Some(known) => self.seen[known] = true,
                None if !is_word(name) || (line.is_of_words() && self.is_of_pods()) => {
                    self.note_foreign(line, dash);
                    return Ok(());
                }
                None if self.is_unbegun() => {
                    let (text, is_of_words) = (line.text(), line.is_of_words());
                    self.unknown_key = Some(UnknownKey { line: self.line, text, is_of_words });
                }
                None => {}
            }
            self.state = State::Envelope;
            if value_is_empty && name == "items" {
                self.keep_envelope(&line.bytes[..line.indent])?;
                self.keep_envelope(b"items:")?;
                self.state = State::ItemsBegun;
                return Ok(());
            }
        }
        self.keep_line(line)
    }

    /// Whether the document is known to be one whose top-level keys are all in [`KNOWN_KEYS`].
    fn is_of_pods(&self) -> bool {
        let [.., items, _, _] = self.seen;
        let kinds = [&b"kind: Pod"[..], b"kind: Namespace"];
        items || self.envelope.split(|byte| *byte == b'\n').any(|line| kinds.contains(&line.trim_ascii()))
    }

    /// Whether nothing of the document came but lines of other programs.
    fn is_unbegun(&self) -> bool {
        self.envelope.is_empty() && self.items == Items::None
    }

    fn note_foreign(&mut self, line: Line<'_>, dash: Option<usize>) {
        self.state = State::Foreign { dash };
        if self.foreign.first.is_some() {
            self.foreign.more += 1;
        } else {
            self.foreign.first = Some((self.line, line.text()));
        }
    }

    fn begin_items<S: Sink>(&mut self, items: Items, line: Line<'_>, sink: &mut S) -> Result<(), Stop> {
        self.items = items;
        sink.list_begins(super::read(&self.envelope).unwrap_or_default())?;
        self.begin_item(line);
        Ok(())
    }

    fn begin_item(&mut self, line: Line<'_>) {
        self.state = State::Item { dash: line.indent };
        self.item_too_large = false;
        self.item.clear();
        self.keep_item_part(&line.bytes[..line.indent]);
        // In place of the dash, so that the item stands as a document of its own.
        self.keep_item_part(b" ");
        self.keep_item(&line.bytes[line.indent + 1..]);
    }

    fn end_item<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop> {
        let item = std::mem::take(&mut self.item);
        let done = if self.item_too_large { sink.item_too_large(&item) } else { sink.item(&item) };
        self.item = item;
        self.item.clear();
        self.item.shrink_to(KEEP);
        done
    }

    fn end_document<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop> {
        if let State::Item { .. } = self.state {
            self.end_item(sink)?;
        }
        let foreign = std::mem::take(&mut self.foreign);
        let is_keyless = !self.seen.contains(&true);
        let unknown_key = self.unknown_key.take().filter(|key| !is_keyless || key.is_of_words);
        let is_text = is_keyless && unknown_key.is_some();
        let unknown_key = unknown_key.map(|key| (key.line, key.text));
        let document_line = self.document_line;
        let is_first = |(line, _): &(u64, String)| *line == document_line;
        // What stands before the keys of an object is reported without reading it: it is another program's output.
        if let Some((line, text)) = foreign.first.clone().filter(is_first).or(unknown_key) {
            sink.foreign_line(line, text, false)?;
        }
        let ended = if is_text { Ok(()) } else { self.give(sink) };
        if let Some((line, text)) = foreign.first.filter(|first| !is_first(first)) {
            ended?;
            let more = if foreign.more > 0 { format!(" (and {} more lines)", foreign.more) } else { String::new() };
            sink.foreign_line(line, text + &more, false)?;
        } else {
            ended?;
        }
        self.envelope.clear();
        self.envelope.shrink_to(KEEP);
        self.items = Items::None;
        self.seen = [false; KNOWN_KEYS.len()];
        self.state = State::Before;
        Ok(())
    }

    fn give<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop> {
        if self.items == Items::Bare {
            return sink.list_ends(Envelope { items: envelope::Items::Array, ..Envelope::default() });
        }
        if self.envelope.is_empty() {
            return Ok(());
        }
        if self.items == Items::None {
            return sink.object(&self.envelope);
        }
        let broken = |reason: &str| Stop::Error(DecodeError::BrokenList(excerpt(reason).to_string()));
        let list: Envelope = super::read(&self.envelope).map_err(|unreadable| broken(&unreadable.problem))?;
        sink.list_ends(list)
    }

    fn keep_line(&mut self, line: Line<'_>) -> Result<(), Problem> {
        self.keep_envelope(line.bytes)?;
        self.keep_envelope(b"\n")
    }

    fn keep_item(&mut self, bytes: &[u8]) {
        self.keep_item_part(bytes);
        self.keep_item_part(b"\n");
    }

    fn keep_item_part(&mut self, bytes: &[u8]) {
        let room = ITEM_MAX - self.item.len();
        self.item_too_large |= bytes.len() > room;
        self.item.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn keep_envelope(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        if self.envelope.len() + bytes.len() > ITEM_MAX {
            return Err(Problem::EnvelopeTooLarge);
        }
        self.envelope.extend_from_slice(bytes);
        Ok(())
    }
}

/// Whether a key is one word, as all top-level keys of the API are.
fn is_word(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
