//! A list of JSON values under way: text in chunks that never move, can be cut between elements and are handed over as they
//! are. What repeats is said by its mark; lengths are always those of the text that is meant.

use memchr::memchr;

use super::body;
use super::json::Json;
use super::repeats::Repeat;

/// The first chunk is small, as most payloads of a small cluster are; each next one is twice as large up to the last.
const SMALLEST: usize = 4 * 1024;
const LARGEST: usize = 64 * 1024;

/// Grows by new chunks alone: a vector that doubles holds its content twice while it moves.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// Chunks that are written, and the length of their text together.
    done: Vec<Chunk>,
    done_length: usize,
    /// The chunk that is written.
    open: Chunk,
}

/// Text in which repeats are marked.
#[derive(Debug, Default)]
struct Chunk {
    bytes: Vec<u8>,
    /// Length of the text that it stands for.
    length: usize,
}

impl Section {
    /// How many bytes its text has.
    pub(super) fn len(&self) -> usize {
        self.done_length + self.open.length
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn extend_beyond(&mut self, mut bytes: &[u8]) {
        loop {
            let (now, later) = bytes.split_at(bytes.len().min(self.open.room()));
            self.open.extend(now);
            if later.is_empty() {
                return;
            }
            bytes = later;
            self.next_chunk();
        }
    }

    fn next_chunk(&mut self) {
        let capacity = (self.open.bytes.capacity() * 2).clamp(SMALLEST, LARGEST);
        let next = Chunk { bytes: Vec::with_capacity(capacity), length: 0 };
        let full = std::mem::replace(&mut self.open, next);
        self.close(full);
    }

    fn close(&mut self, chunk: Chunk) {
        self.done_length += chunk.length;
        if !chunk.bytes.is_empty() {
            self.done.push(chunk);
        }
    }

    /// Adds JSON that is kept.
    pub(super) fn push_repeat(&mut self, repeat: Repeat) {
        if self.open.room() < Repeat::WIDTH {
            self.next_chunk();
        }
        self.open.bytes.extend_from_slice(&repeat.to_bytes());
        self.open.length += repeat.length();
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

    /// Takes off what stands behind the first `at` bytes of text, which end between elements.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let mut tail = Self { open: std::mem::take(&mut self.open), ..Self::default() };
        // Nearly always the cut is in the last chunks.
        while self.done_length > at
            && let Some(chunk) = self.done.pop()
        {
            self.done_length -= chunk.length;
            tail.done_length += chunk.length;
            tail.done.push(chunk);
        }
        tail.done.reverse();
        let kept = at - self.done_length;
        if kept > 0 {
            let cut = tail.done.first_mut().unwrap_or(&mut tail.open);
            let behind = cut.split_off(kept);
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
    pub(super) fn into_chunks(self) -> impl Iterator<Item = body::Chunk> {
        let chunks = self.done.into_iter().chain([self.open]).filter(|chunk| !chunk.bytes.is_empty());
        chunks.map(|Chunk { mut bytes, length }| {
            bytes.shrink_to_fit();
            body::Chunk { bytes: bytes.into(), length }
        })
    }
}

impl Json for Section {
    #[inline]
    fn push_bytes(&mut self, bytes: &[u8]) {
        if bytes.len() <= self.open.room() {
            self.open.extend(bytes);
        } else {
            self.extend_beyond(bytes);
        }
    }
}

impl Chunk {
    fn room(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }

    fn extend(&mut self, plain: &[u8]) {
        self.bytes.extend_from_slice(plain);
        self.length += plain.len();
    }

    /// Takes off what stands behind the first `at` bytes of text.
    fn split_off(&mut self, at: usize) -> Self {
        let offset = self.offset_of(at);
        let mut bytes = Vec::with_capacity(self.bytes.capacity());
        bytes.extend_from_slice(&self.bytes[offset..]);
        self.bytes.truncate(offset);
        Self { bytes, length: std::mem::replace(&mut self.length, at) - at }
    }

    /// Where the text's byte at `at` stands, which is none of a repeat but its first.
    fn offset_of(&self, at: usize) -> usize {
        let (mut offset, mut before) = (0, 0);
        loop {
            let rest = &self.bytes[offset..];
            let plain = memchr(Repeat::MARK, rest).unwrap_or(rest.len());
            if at - before <= plain {
                return offset + at - before;
            }
            let repeat = Repeat::read(&rest[plain..]);
            offset += plain + Repeat::WIDTH;
            before += plain + repeat.length();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::views::payload::body::PayloadBody;
    use crate::views::payload::repeats::Repeats;

    fn text(section: Section, repeats: &Repeats) -> String {
        let body = PayloadBody::new(section.into_chunks().collect(), repeats.kept());
        let bytes = body.pieces().collect::<Vec<_>>().concat();
        assert_eq!(bytes.len() as u64, body.length());
        String::from_utf8(bytes).expect("UTF-8")
    }

    /// Writes a text that may be there again.
    fn push_repeating(section: &mut Section, text: &str, repeats: &mut Repeats) {
        match repeats.keep(text.as_bytes()) {
            Some(repeat) => section.push_repeat(repeat),
            None => section.push(text),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

        #[test]
        fn a_section_that_is_cut_and_put_together_is_what_was_written(
            pieces in proptest::collection::vec((0..100_000_usize, "[a-z]", any::<bool>()), 1..6),
            small in proptest::collection::vec((0..40_usize, "[a-d]", any::<bool>()), 0..200),
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..4),
        ) {
            let mut repeats = Repeats::default();
            let mut section = Section::default();
            let mut written = String::new();
            let mut ends = vec![0];
            for (length, letter, repeats_itself) in pieces.into_iter().chain(small) {
                let piece = letter.repeat(length);
                if repeats_itself {
                    push_repeating(&mut section, &piece, &mut repeats);
                } else {
                    section.push(&piece);
                }
                written.push_str(&piece);
                prop_assert_eq!(section.len(), written.len());
                ends.push(written.len());
            }
            let mut parts = Vec::new();
            for cut in cuts {
                ends.retain(|end| *end <= section.len());
                let at = ends[cut.index(ends.len())];
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
            prop_assert_eq!(text(whole, &repeats), written + "END");
        }

        #[test]
        fn texts_are_escaped_as_serde_json_does(text_of in any::<String>()) {
            let mut section = Section::default();
            section.push_text(&text_of);
            prop_assert_eq!(text(section, &Repeats::default()), serde_json::to_string(&text_of).expect("JSON"));
        }
    }

    #[test]
    fn pieces_are_no_longer_than_a_chunk() {
        let (mut section, mut repeats) = (Section::default(), Repeats::default());
        for number in 0..20_000 {
            push_repeating(&mut section, &"x".repeat(100 + number % 7), &mut repeats);
        }
        let body = PayloadBody::new(section.into_chunks().collect(), repeats.kept());
        assert!(body.pieces().all(|piece| piece.len() <= LARGEST));
        // Two megabytes, and as many chunks as a hundred kilobytes of marks have.
        assert!(body.pieces().count() < 40, "{}", body.pieces().count());
    }
}
