//! One gzip member out of texts that are deflated one by one, so that a text that was deflated before is copied.
//!
//! Each text ends on a byte, with a sync flush, and knows nothing of those before it. Never several members: many clients
//! read the first one alone.

use std::io;

use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress};

/// No name, no time, no system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// A comma as a block of its own, which takes no encoder.
const COMMA: [u8; 6] = [0, 1, 0, 0xfe, 0xff, b','];
/// The last block, of nothing.
const END: [u8; 5] = [1, 0, 0, 0xff, 0xff];

/// What a text comes to, wherever it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Check {
    crc: u32,
    bytes: u64,
}

/// A member that is being written.
pub(super) struct Member {
    out: Vec<u8>,
    check: Hasher,
    bytes: u64,
    encoder: Compress,
}

impl Member {
    pub(super) fn new(level: Compression, capacity: usize) -> Self {
        let mut out = Vec::with_capacity(capacity);
        out.extend(HEADER);
        Self { out, check: Hasher::new(), bytes: 0, encoder: Compress::new(level, false) }
    }

    /// Bytes until now.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// Deflates a text.
    pub(super) fn write(&mut self, text: &[u8]) -> io::Result<Check> {
        self.encoder.reset();
        let mut left = text;
        loop {
            self.out.reserve(left.len() / 4 + 64);
            let before = self.encoder.total_in();
            self.encoder.compress_vec(left, &mut self.out, FlushCompress::Sync)?;
            let taken = usize::try_from(self.encoder.total_in() - before).map_err(io::Error::other)?;
            left = &left[taken..];
            // With room to spare, the encoder holds nothing back.
            if left.is_empty() && self.out.len() < self.out.capacity() {
                break;
            }
        }
        let check = Check::of(text);
        self.count(check);
        Ok(check)
    }

    /// Takes a text that was deflated before, with what it came to.
    pub(super) fn copy(&mut self, deflated: &[u8], check: Check) {
        self.out.extend(deflated);
        self.count(check);
    }

    pub(super) fn comma(&mut self) {
        self.out.extend(COMMA);
        self.count(Check::of(b","));
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out.extend(END);
        self.out.extend(self.check.finalize().to_le_bytes());
        // RFC 1952: the length modulo 2^32.
        self.out.extend(&self.bytes.to_le_bytes()[..4]);
        self.out
    }

    fn count(&mut self, Check { crc, bytes }: Check) {
        self.check.combine(&Hasher::new_with_initial_len(crc, bytes));
        self.bytes += bytes;
    }
}

impl Check {
    fn of(text: &[u8]) -> Self {
        Self { crc: crc32fast::hash(text), bytes: text.len() as u64 }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

        #[test]
        fn texts_that_are_written_or_copied_are_one_member(
            texts in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..2_000), 0..40_usize), 0..8),
        ) {
            let texts: Vec<Vec<u8>> = texts.into_iter().map(|(text, times)| text.repeat(times)).collect();
            let mut first = Member::new(Compression::default(), 0);
            let mut places = Vec::new();
            for text in &texts {
                let begin = first.len();
                let check = first.write(text).expect("deflated");
                places.push((begin..first.len(), check));
                first.comma();
            }
            let first = first.finish();
            let mut second = Member::new(Compression::default(), 0);
            for (place, check) in places {
                second.copy(&first[place], check);
                second.comma();
            }
            prop_assert_eq!(&second.finish(), &first);
            let (mut decoder, mut read) = (GzDecoder::new(&*first), Vec::new());
            decoder.read_to_end(&mut read).expect("gzip");
            prop_assert_eq!(read, texts.iter().flat_map(|text| [text, &b","[..]].concat()).collect::<Vec<u8>>());
            prop_assert_eq!(decoder.into_inner().len(), 0, "nothing behind the member");
        }
    }
}
