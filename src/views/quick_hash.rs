//! A quick hash without a key, the same in every process: for telling what is there twice, where whoever makes two things
//! collide gains nothing.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map by [`QuickHasher`].
pub(super) type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<QuickHasher>>;

/// Takes eight bytes at a time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct QuickHasher(u64);

/// Odd, and without a pattern in its bits: the fractional part of the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for QuickHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.write_u64(u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        // The length goes in too, so that zeros at the end count.
        self.write_u64(u64::from_le_bytes(last) ^ ((bytes.len() as u64) << 56));
    }

    fn write_u64(&mut self, word: u64) {
        // Both halves of the product: the high bits of a word would never reach the low bits of the hash.
        let product = u128::from(self.0 ^ word) * u128::from(FACTOR);
        #[expect(clippy::cast_possible_truncation, reason = "the halves of a product")]
        let mixed = (product as u64) ^ ((product >> 64) as u64);
        self.0 = mixed.rotate_left(23) ^ FACTOR;
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn hash(text: &str) -> u64 {
        let mut hasher = QuickHasher::default();
        hasher.write(text.as_bytes());
        hasher.finish()
    }

    #[test]
    fn other_texts_have_other_hashes() {
        let zeros = (0..20).map(|length| "\0".repeat(length));
        let ids = (0..100_000).map(|number| format!("containerd://{number:064x}"));
        let texts: Vec<String> = zeros.chain(ids).collect();
        let hashes: HashSet<u64> = texts.iter().map(|text| hash(text)).collect();
        assert_eq!(hashes.len(), texts.len());
    }

    /// What two processes find to be shared must be the same.
    #[test]
    fn a_hash_is_the_same_in_every_process() {
        assert_eq!(hash("containerd://1"), 18_058_329_300_341_920_137);
    }
}
