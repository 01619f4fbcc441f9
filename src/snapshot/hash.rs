//! A hash of content that is the same in every process, for ETags and for noticing changes.

use std::fmt;
use std::hash::{Hash, Hasher};

use sha2::{Digest as _, Sha256};

/// 128 bits of SHA-256 over the fields of a value, as its `Hash` gives them. Not a security measure: it only tells equal
/// content from other content.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentHash([u8; 16]);

/// The hashes of many things, in whatever order they came: one more or one less costs an addition. A sum and not XOR, in
/// which two equal ones would be none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct HashSum(u128);

impl ContentHash {
    /// The hash of a value.
    #[must_use]
    pub fn of(value: &(impl Hash + ?Sized)) -> Self {
        let mut bytes = Bytes::default();
        value.hash(&mut bytes);
        let mut short = [0; 16];
        short.copy_from_slice(&bytes.0.finalize()[..16]);
        Self(short)
    }
}

impl HashSum {
    pub(super) fn add(&mut self, hash: ContentHash) {
        self.0 = self.0.wrapping_add(u128::from_le_bytes(hash.0));
    }

    pub(super) fn remove(&mut self, hash: ContentHash) {
        self.0 = self.0.wrapping_sub(u128::from_le_bytes(hash.0));
    }
}

/// What `Hash` writes to. `Hash` delimits texts and lists, so that `ab` + `c` differs from `a` + `bc`.
#[derive(Default)]
struct Bytes(Sha256);

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Asked by hash tables alone.
    fn finish(&self) -> u64 {
        0
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
