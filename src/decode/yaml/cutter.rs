//! Cuts the items of a YAML list out of its lines, without ever holding the list.
//!
//! In block style, what belongs to an item is indented more than its dash: block scalars and quoted texts of several lines
//! too. So indentation alone tells where an item ends, and what is inside need not be understood here. An `items` in flow
//! style stays in the document's shell, which is parsed whole.

use memchr::memchr;

use super::line::{Key, Line, key_of};
use crate::decode::error::Found;
use crate::decode::sink::{ITEM_MAX, KEEP, Problem, Sink, Stop};

/// The top-level keys of a list, a pod and a namespace.
const KNOWN_KEYS: [&str; 6] = ["apiVersion", "kind", "metadata", "items", "spec", "status"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing of the document yet.
    Before,
    /// Lines go to the shell.
    Shell,
    /// `items:` was the last line.
    ItemsBegun,
    /// Inside an item whose dash stands at that column.
    Item { dash: usize },
}

/// The state between two pushes.
#[derive(Debug)]
pub(in crate::decode) struct YamlCutter {
    state: State,
    /// The column of the top-level keys.
    base: usize,
    /// The start of a line whose end has not come yet.
    partial: Vec<u8>,
    shell: Vec<u8>,
    item: Vec<u8>,
    item_too_large: bool,
    has_items: bool,
    /// Of [`KNOWN_KEYS`], which stood already.
    seen: [bool; KNOWN_KEYS.len()],
    /// A line that no object of the API begins with, and its number.
    foreign: Option<(u64, String)>,
    line: u64,
    documents: u64,
}

impl YamlCutter {
    /// Begins; the line that the first byte stands in is the first.
    pub(in crate::decode) fn new() -> Self {
        Self {
            state: State::Before,
            base: 0,
            partial: Vec::new(),
            shell: Vec::new(),
            item: Vec::new(),
            item_too_large: false,
            has_items: false,
            seen: [false; KNOWN_KEYS.len()],
            foreign: None,
            line: 0,
            documents: 0,
        }
    }

    /// Whole documents so far.
    pub(in crate::decode) fn documents(&self) -> u64 {
        self.documents
    }

    /// The line that was read last, counted from 1.
    pub(in crate::decode) fn line(&self) -> u64 {
        self.line
    }

    /// Whether a list of the API lacks its `kind`: as kubectl sorts the keys, that comes after `items`, so what was to
    /// come is missing, and the last item may not be whole.
    pub(in crate::decode) fn lacks_kind(&self) -> bool {
        let [api_version, kind, _, items, ..] = self.seen;
        api_version && items && !kind
    }

    /// The item being read.
    pub(in crate::decode) fn unfinished_item(&self) -> Option<&[u8]> {
        matches!(self.state, State::Item { .. }).then_some(&self.item)
    }

    /// Reads on.
    pub(in crate::decode) fn push<S: Sink>(&mut self, mut bytes: &[u8], sink: &mut S) -> Result<(), Stop> {
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
            return Err(Problem::ShellTooLarge.into());
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }

    /// The last line may lack its line break. Answers whether it could be read.
    pub(in crate::decode) fn push_last_line<S: Sink>(&mut self, sink: &mut S) -> Result<bool, Stop> {
        let line = std::mem::take(&mut self.partial);
        if line.is_empty() {
            return Ok(true);
        }
        match self.read_line(&line, sink) {
            Err(Stop::Problem(Problem::NoKey { at_start: false, .. })) => Ok(false),
            read => read.map(|()| true),
        }
    }

    /// Ends the last document.
    pub(in crate::decode) fn finish<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop> {
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
            self.state = State::Shell;
        }
        match self.state {
            State::Item { dash } => {
                if line.is_blank() || line.is_comment() || line.indent > dash {
                    self.keep_item(line.bytes);
                    return Ok(());
                }
                self.end_item(sink)?;
                if line.indent == dash && line.is_dash() {
                    self.begin_item(line);
                    return Ok(());
                }
                self.state = State::Shell;
            }
            State::ItemsBegun if line.is_blank() || line.is_comment() => return Ok(()),
            State::ItemsBegun if line.indent >= self.base && line.is_dash() => {
                self.has_items = true;
                self.keep_shell(b" []\n")?;
                sink.items_begin(&self.shell)?;
                self.begin_item(line);
                return Ok(());
            }
            State::ItemsBegun => {
                self.keep_shell(b"\n")?;
                self.state = State::Shell;
            }
            State::Before | State::Shell => {}
        }
        Ok(self.read_shell_line(line)?)
    }

    /// A line outside the items.
    fn read_shell_line(&mut self, line: Line<'_>) -> Result<(), Problem> {
        if !line.is_blank() && !line.is_comment() && line.indent <= self.base {
            let key = key_of(line.content());
            match &key {
                Some(key) => self.note_key(key, line)?,
                // What closes a collection in flow style is often written below its key.
                None if line.closes_flow() && !self.shell.is_empty() => {}
                None if line.opens_flow() && self.shell.is_empty() => {}
                None => return Err(self.no_key(line)),
            }
            if let Some(Key { name, value_is_empty: true }) = key
                && name == "items"
            {
                self.keep_shell(&line.bytes[..line.indent])?;
                self.keep_shell(b"items:")?;
                self.state = State::ItemsBegun;
                return Ok(());
            }
        }
        self.keep_shell(line.bytes)?;
        self.keep_shell(b"\n")
    }

    fn note_key(&mut self, key: &Key<'_>, line: Line<'_>) -> Result<(), Problem> {
        match KNOWN_KEYS.iter().position(|known| *known == key.name) {
            Some(known) if self.seen[known] => Err(Problem::KeyTwice(KNOWN_KEYS[known])),
            Some(known) => {
                self.seen[known] = true;
                Ok(())
            }
            None => {
                if self.foreign.is_none() && !self.seen.contains(&true) {
                    self.foreign = Some((self.line, line.text()));
                }
                Ok(())
            }
        }
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
        match self.state {
            State::Before => return Ok(()),
            State::Item { .. } => self.end_item(sink)?,
            State::ItemsBegun | State::Shell => {}
        }
        let is_known = sink.document_end(&self.shell, self.has_items)?;
        if is_known && let Some((line, text)) = self.foreign.take() {
            self.line = line;
            return Err(Problem::ForeignLine(text).into());
        }
        self.documents += 1;
        self.shell.clear();
        self.shell.shrink_to(KEEP);
        self.has_items = false;
        self.seen = [false; KNOWN_KEYS.len()];
        self.foreign = None;
        self.state = State::Before;
        Ok(())
    }

    fn no_key(&self, line: Line<'_>) -> Problem {
        let at_start = self.shell.is_empty();
        if at_start && line.is_dash() {
            return Problem::NoObject(Found(b'['));
        }
        Problem::NoKey { text: line.text(), at_start }
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

    fn keep_shell(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        if self.shell.len() + bytes.len() > ITEM_MAX {
            return Err(Problem::ShellTooLarge);
        }
        self.shell.extend_from_slice(bytes);
        Ok(())
    }
}
