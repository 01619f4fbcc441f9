//! A hash of content that is the same in every process, for ETags and for noticing changes.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// 128 bits of SHA-256 over a canonical form. Not a security measure: it only separates equal content from other content.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentHash([u8; 16]);

/// The hashes of many things, in whatever order they came: one more or one less costs an addition. A sum and not XOR, in
/// which two equal ones would be none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct HashSum(u128);

/// Takes fields one by one; each is delimited, so that `ab` + `c` differs from `a` + `bc`.
#[derive(Default)]
pub struct ContentHasher(Sha256);

impl HashSum {
    pub(super) fn add(&mut self, hash: ContentHash) {
        self.0 = self.0.wrapping_add(u128::from_le_bytes(hash.0));
    }

    pub(super) fn remove(&mut self, hash: ContentHash) {
        self.0 = self.0.wrapping_sub(u128::from_le_bytes(hash.0));
    }
}

impl ContentHasher {
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
        self
    }

    /// Takes a field that may be absent; absent differs from empty.
    pub fn optional(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    /// Takes a number, or the length of a list that follows.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.0.update(number.to_le_bytes());
        self
    }

    /// Takes a part that has its own hash.
    pub fn hash(&mut self, hash: ContentHash) -> &mut Self {
        self.0.update(hash.0);
        self
    }

    /// Takes many such parts in no order.
    pub(super) fn sum(&mut self, HashSum(sum): HashSum) -> &mut Self {
        self.0.update(sum.to_le_bytes());
        self
    }

    /// The hash of everything taken.
    #[must_use]
    pub fn finish(self) -> ContentHash {
        let mut short = [0; 16];
        short.copy_from_slice(&self.0.finalize()[..16]);
        ContentHash(short)
    }
}

/// 32 hex digits.
impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}
