//! A list of JSON values under way: text in chunks that never move, can be cut anywhere and are handed over as they are.

use std::io::{self, Write};

use bytes::Bytes;
use serde::Serialize;

/// The first chunk is small, as most payloads of a small cluster are; each next one is twice as large up to the last.
const SMALLEST: usize = 4 * 1024;
const LARGEST: usize = 64 * 1024;

/// Grows by new chunks alone: a vector that doubles holds its content twice while it moves.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// Chunks that are written, and their length together.
    done: Vec<Vec<u8>>,
    done_length: usize,
    /// The chunk that is written.
    open: Vec<u8>,
}

impl Section {
    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.done_length + self.open.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds JSON as it stands.
    pub(super) fn push(&mut self, text: &str) {
        self.extend(text.as_bytes());
    }

    /// Adds JSON as it stands.
    #[inline]
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        if bytes.len() <= self.open.capacity() - self.open.len() {
            self.open.extend_from_slice(bytes);
        } else {
            self.extend_beyond(bytes);
        }
    }

    fn extend_beyond(&mut self, mut bytes: &[u8]) {
        loop {
            let (now, later) = bytes.split_at(bytes.len().min(self.open.capacity() - self.open.len()));
            self.open.extend_from_slice(now);
            if later.is_empty() {
                return;
            }
            bytes = later;
            let next = Vec::with_capacity((self.open.capacity() * 2).clamp(SMALLEST, LARGEST));
            let full = std::mem::replace(&mut self.open, next);
            self.close(full);
        }
    }

    fn close(&mut self, chunk: Vec<u8>) {
        self.done_length += chunk.len();
        if !chunk.is_empty() {
            self.done.push(chunk);
        }
    }

    /// Adds a text as a JSON string.
    pub(super) fn push_text(&mut self, text: &str) {
        // Nearly no text has anything to escape, and to look at all of it without a branch for each byte is quick.
        let is_odd = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
        if text.as_bytes().iter().fold(false, |odd, byte| odd | is_odd(byte)) {
            return self.push_value(&text);
        }
        self.push("\"");
        self.push(text);
        self.push("\"");
    }

    /// Adds a value.
    pub(super) fn push_value(&mut self, value: &impl Serialize) {
        if let Err(error) = serde_json::to_writer(&mut *self, value) {
            unreachable!("a section takes every byte, and what is written are structs and lists of texts: {error}");
        }
    }

    /// Begins an element of a list that the section is: with a comma, unless it is the first.
    pub(super) fn begin_element(&mut self) {
        if !self.is_empty() {
            self.push(",");
        }
    }

    /// Adds what another section has.
    pub(super) fn append(&mut self, other: Self) {
        let Self { done, done_length, open } = other;
        let before = std::mem::replace(&mut self.open, open);
        self.close(before);
        self.done.extend(done);
        self.done_length += done_length;
    }

    /// Takes off what stands behind the first `at` bytes.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let mut tail = Self { open: std::mem::take(&mut self.open), ..Self::default() };
        // Nearly always the cut is in the last chunks.
        while self.done_length > at
            && let Some(chunk) = self.done.pop()
        {
            self.done_length -= chunk.len();
            tail.done_length += chunk.len();
            tail.done.push(chunk);
        }
        tail.done.reverse();
        let kept = at - self.done_length;
        if kept > 0 {
            let cut = tail.done.first_mut().unwrap_or(&mut tail.open);
            let mut behind = Vec::with_capacity(cut.capacity());
            behind.extend_from_slice(&cut[kept..]);
            cut.truncate(kept);
            self.open = std::mem::replace(cut, behind);
            tail.done_length = tail.done_length.saturating_sub(kept);
        }
        tail
    }

    /// Takes off the elements behind the first `at` bytes, as a list of their own: without the comma before them.
    pub(super) fn split_off_elements(&mut self, at: usize) -> Self {
        if at == 0 || at == self.len() {
            return self.split_off(at);
        }
        let tail = self.split_off(at + 1);
        drop(self.split_off(at));
        tail
    }

    /// What it has, to be sent.
    pub(super) fn into_chunks(self) -> impl Iterator<Item = Bytes> {
        let chunks = self.done.into_iter().chain([self.open]).filter(|chunk| !chunk.is_empty());
        chunks.map(|mut chunk| {
            chunk.shrink_to_fit();
            Bytes::from(chunk)
        })
    }
}

impl Write for Section {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend(bytes);
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(section: Section) -> String {
        let bytes: Vec<u8> = section.into_chunks().flatten().collect();
        String::from_utf8(bytes).expect("UTF-8")
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

        #[test]
        fn a_section_that_is_cut_and_put_together_is_what_was_written(
            pieces in proptest::collection::vec((0..100_000_usize, "[a-z]"), 1..6),
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..4),
        ) {
            let mut section = Section::default();
            let mut written = String::new();
            for (length, letter) in pieces {
                let piece = letter.repeat(length);
                section.push(&piece);
                written.push_str(&piece);
                prop_assert_eq!(section.len(), written.len());
            }
            let mut parts = Vec::new();
            for cut in cuts {
                let at = cut.index(section.len() + 1);
                let tail = section.split_off(at);
                prop_assert_eq!(section.len(), at);
                parts.push(tail);
            }
            let mut whole = section;
            for part in parts.into_iter().rev() {
                whole.append(part);
            }
            // What is put together can be written on.
            whole.push("END");
            prop_assert_eq!(text(whole), written + "END");
        }

        #[test]
        fn texts_are_escaped_as_serde_json_does(text_of in any::<String>()) {
            let mut section = Section::default();
            section.push_text(&text_of);
            prop_assert_eq!(text(section), serde_json::to_string(&text_of).expect("JSON"));
        }
    }
}
