//! What distinguishes one state of the input from another, so that a file is read again when it changes.

use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;

use crate::files::FileStamp;

/// What distinguishes one state of all files of the input from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// That of these files; `None` when there are none.
    pub(super) fn of(files: impl Iterator<Item = Metadata>) -> Option<Self> {
        let (mut hasher, mut is_empty) = (DefaultHasher::new(), true);
        for file in files {
            is_empty = false;
            FileStamp::of(&file).hash(&mut hasher);
        }
        (!is_empty).then(|| Self(hasher.finish()))
    }
}

/// When the file was last written.
pub(super) fn modified_at(metadata: &Metadata) -> Option<Timestamp> {
    Timestamp::try_from(metadata.modified().ok()?).ok()
}
