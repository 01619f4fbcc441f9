//! The container logs between the documents of `kubectl cluster-info dump`.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memmem, memrchr};

/// How a block of log begins, at the start of a line: `==== START logs for container NAME of pod NAMESPACE/NAME ====`.
const START: &[u8] = b"==== START logs for container ";
/// How the line begins that ends it; the rest is as in the line that began it. The log may lack its last line break.
const END: &[u8] = b"==== END logs for container ";
/// The longest line that can begin a block: three names of at most 253 characters.
const LINE_MAX: usize = 1024;

/// Gives line breaks alone in place of such blocks, so that lines keep their numbers.
pub(super) struct WithoutLogs<R> {
    reader: R,
    /// Bytes that are to be given, and those of them that were.
    ready: Vec<u8>,
    given: usize,
    /// Bytes read and not looked at: they may be the beginning of a mark.
    unread: Vec<u8>,
    /// What ends the block at hand.
    end: Option<Vec<u8>>,
    /// Whether `unread` begins a line.
    is_line_start: bool,
    is_at_end: bool,
}

impl<R: Read> WithoutLogs<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            ready: Vec::new(),
            given: 0,
            unread: Vec::new(),
            end: None,
            is_line_start: true,
            is_at_end: false,
        }
    }

    /// Moves what is decided of `unread` to `ready`.
    fn decide(&mut self) {
        let unread = std::mem::take(&mut self.unread);
        let mut rest = unread.as_slice();
        loop {
            let before = rest.len();
            rest = if self.end.is_some() { self.pass_over(rest) } else { self.pass_on(rest) };
            if rest.is_empty() || rest.len() == before {
                break;
            }
        }
        self.unread = rest.to_vec();
    }

    /// Inside a block; answers what is left.
    fn pass_over<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Some(end) = &self.end else { return bytes };
        let found = memmem::find(bytes, end);
        // A mark may have begun at the end of what is there.
        let undecided = if self.is_at_end { 0 } else { bytes.len().min(end.len() - 1) };
        let inside = found.unwrap_or(bytes.len() - undecided);
        let behind = found.map_or(inside, |found| found + end.len());
        let lines = memchr_iter(b'\n', &bytes[..inside]).count();
        self.ready.resize(self.ready.len() + lines, b'\n');
        if found.is_some() {
            self.end = None;
            self.is_line_start = false;
        }
        &bytes[behind..]
    }

    /// Outside of blocks; answers what is left.
    fn pass_on<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let found = self.start(bytes);
        let undecided = if self.is_at_end { 0 } else { self.undecided(bytes) };
        let decided = found.unwrap_or(bytes.len() - undecided);
        self.ready.extend_from_slice(&bytes[..decided]);
        if let Some(last) = bytes[..decided].last() {
            self.is_line_start = *last == b'\n';
        }
        if found.is_none() {
            return &bytes[decided..];
        }
        let line = &bytes[decided..];
        let length = memchr(b'\n', line).unwrap_or(line.len());
        let mut end = END.to_vec();
        end.extend_from_slice(line[START.len()..length].trim_ascii_end());
        self.end = Some(end);
        &line[length..]
    }

    /// Where a whole line stands that begins a block.
    fn start(&self, bytes: &[u8]) -> Option<usize> {
        memmem::find_iter(bytes, START).find(|at| {
            let begins_line = if *at == 0 { self.is_line_start } else { bytes[at - 1] == b'\n' };
            begins_line && (self.is_at_end || memchr(b'\n', &bytes[*at..]).is_some())
        })
    }

    /// As many bytes at the end as may become a line that begins a block.
    fn undecided(&self, bytes: &[u8]) -> usize {
        let line = memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        let rest = &bytes[line..];
        let begins_line = line > 0 || self.is_line_start;
        let common = rest.len().min(START.len());
        let is_mark = begins_line && rest[..common] == START[..common];
        if is_mark && rest.len() < LINE_MAX { rest.len() } else { 0 }
    }
}

impl<R: Read> Read for WithoutLogs<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() && !self.is_at_end {
            self.given = 0;
            self.ready.clear();
            if self.end.is_none() && self.unread.is_empty() {
                let length = self.reader.read(buffer)?;
                let bytes = &buffer[..length];
                if self.start(bytes).is_none() && self.undecided(bytes) == 0 {
                    self.is_line_start = bytes.last().map_or(self.is_line_start, |last| *last == b'\n');
                    return Ok(length);
                }
                self.unread.extend_from_slice(bytes);
                self.decide();
                continue;
            }
            let before = self.unread.len();
            self.unread.resize(before + buffer.len(), 0);
            let read = self.reader.read(&mut self.unread[before..]);
            self.unread.truncate(before + *read.as_ref().unwrap_or(&0));
            self.is_at_end = read? == 0 && !buffer.is_empty();
            self.decide();
        }
        let length = buffer.len().min(self.ready.len() - self.given);
        buffer[..length].copy_from_slice(&self.ready[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}
