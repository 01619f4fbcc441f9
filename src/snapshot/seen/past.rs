//! When everything that a history holds was first seen: small enough for all of it to stand in memory.

use foldhash::{HashMap, HashMapExt as _};
use jiff::Timestamp;

use super::{FirstSeen, SightingKey};
use crate::inventory::{Digest, ImageRef};
use crate::snapshot::ContentHash;

/// By the hash of namespace, image and digest.
#[derive(Debug, Default)]
pub struct Past(HashMap<ContentHash, Packed>);

/// Milliseconds since 1970, doubled, and one more when that is exact.
#[derive(Debug, Clone, Copy)]
struct Packed(i64);

impl Past {
    /// With room for so many.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Self {
        Self(HashMap::with_capacity(rows))
    }

    /// How many images it knows, each namespace apart.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes that an image was seen. The earlier time stays; it is given back.
    pub fn insert(&mut self, key: &SightingKey, first: FirstSeen) -> FirstSeen {
        self.insert_of(&key.namespace, &key.image, key.digest.as_ref(), first)
    }

    pub(super) fn insert_of(
        &mut self,
        namespace: &str,
        image: &ImageRef,
        digest: Option<&Digest>,
        first: FirstSeen,
    ) -> FirstSeen {
        let packed = self.0.entry(hash(namespace, image, digest)).or_insert(Packed::of(first));
        let earlier = packed.first().map_or(first, |known| known.earlier(first));
        *packed = Packed::of(earlier);
        earlier
    }

    /// Adds what another one knows.
    pub(super) fn join(&mut self, other: Self) {
        for (key, packed) in other.0 {
            let known = self.0.entry(key).or_insert(packed);
            *known = match (known.first(), packed.first()) {
                (Some(a), Some(b)) => Packed::of(a.earlier(b)),
                _ => *known,
            };
        }
    }

    /// Of what a store holds no more.
    pub fn remove(&mut self, key: &SightingKey) {
        self.0.remove(&hash(&key.namespace, &key.image, key.digest.as_ref()));
    }
}

fn hash(namespace: &str, image: &ImageRef, digest: Option<&Digest>) -> ContentHash {
    ContentHash::of(&(namespace, image, digest))
}

impl Packed {
    fn of(first: FirstSeen) -> Self {
        Self(first.at.as_millisecond() * 2 + i64::from(first.is_exact))
    }

    /// Always there: it was packed from a time.
    fn first(self) -> Option<FirstSeen> {
        let at = Timestamp::from_millisecond(self.0.div_euclid(2)).ok()?;
        Some(FirstSeen { at, is_exact: self.0.rem_euclid(2) == 1 })
    }
}
