//! What has come of the frame that is being read.

use crate::decode::error::DecodeError;
use crate::decode::sink::{HEAD, ITEM_MAX, KEEP};

/// The largest frame that is passed over. Any text that is taken for the length of a frame is larger.
pub(super) const FRAME_MAX: u64 = 128 * 1024 * 1024;

/// One frame, up to [`ITEM_MAX`] bytes of it; of a larger one its head alone.
#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: Vec<u8>,
    /// How much has come, held or not.
    length: u64,
    is_too_large: bool,
}

/// A frame, or the head of one that is too large.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) is_cut: bool,
}

impl Held {
    /// A frame begins that says how long it is.
    pub(super) fn begin(&mut self, length: u64) {
        self.is_too_large = length > ITEM_MAX as u64;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes that are not the frame's last.
    pub(super) fn keep(&mut self, part: &[u8]) {
        self.length += part.len() as u64;
        if self.length > ITEM_MAX as u64 {
            self.is_too_large = true;
        }
        let mut kept = part;
        if self.is_too_large {
            self.bytes.truncate(HEAD);
            self.bytes.shrink_to(HEAD);
            kept = &part[..part.len().min(HEAD - self.bytes.len())];
        }
        let needed = self.bytes.len() + kept.len();
        if needed > self.bytes.capacity() {
            let grown = needed.max(self.bytes.capacity() * 2).min(ITEM_MAX);
            self.bytes.reserve_exact(grown - self.bytes.len());
        }
        self.bytes.extend_from_slice(kept);
    }

    /// The frame's last bytes: it is given, and the next one begins.
    pub(super) fn give(
        &mut self,
        last: &[u8],
        found: &mut impl FnMut(Frame<'_>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        if self.is_empty() && last.len() <= ITEM_MAX {
            // It came in one piece: no need to hold it.
            return found(Frame { bytes: last, is_cut: false });
        }
        self.keep(last);
        let end = found(Frame { bytes: &self.bytes, is_cut: self.is_too_large });
        self.bytes.clear();
        self.bytes.shrink_to(KEEP);
        (self.length, self.is_too_large) = (0, false);
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const CHUNK: usize = 60_000;

    /// Takes a frame of that length in chunks. What was given, and the most that was held.
    fn hold(held: &mut Held, length: usize) -> (usize, bool, usize) {
        let (mut given, mut most) = (None, 0);
        for left in (0..length).step_by(CHUNK).map(|at| length - at) {
            if left > CHUNK {
                held.keep(&vec![b'x'; CHUNK]);
                most = most.max(held.bytes.capacity());
                continue;
            }
            let found = &mut |frame: Frame<'_>| {
                given = Some((frame.bytes.len(), frame.is_cut));
                Ok(())
            };
            held.give(&vec![b'x'; left], found).unwrap();
        }
        let (length, is_cut) = given.unwrap();
        (length, is_cut, most)
    }

    #[rstest]
    #[case::small(100, 100, false)]
    #[case::in_pieces(5 << 20, 5 << 20, false)]
    #[case::as_large_as_may_be(ITEM_MAX, ITEM_MAX, false)]
    #[case::larger(ITEM_MAX + 1, HEAD, true)]
    #[case::much_larger(40 << 20, HEAD, true)]
    fn one_frame_is_held_and_no_more(#[case] length: usize, #[case] expected: usize, #[case] is_cut: bool) {
        let mut held = Held::default();
        for _ in 0..3 {
            let (given, was_cut, most) = hold(&mut held, length);
            assert_eq!((given, was_cut), (expected, is_cut));
            assert!(most <= ITEM_MAX && most <= (2 * length).max(HEAD), "{most}");
            assert!(held.is_empty() && held.bytes.capacity() <= KEEP, "{}", held.bytes.capacity());
        }
    }

    #[test]
    fn a_frame_that_says_it_is_too_large_is_never_held() {
        let mut held = Held::default();
        held.begin(17 << 20);
        let (given, is_cut, most) = hold(&mut held, 17 << 20);
        assert_eq!((given, is_cut), (HEAD, true));
        assert!(most <= 2 * HEAD, "{most}");
    }
}
