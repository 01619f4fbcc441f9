//! What is worth a look about an image, each a word that a client can filter by.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::inventory::{ContainerRecord, ContainerState, ImageRef};
use crate::snapshot::Snapshot;

/// A fact about an image, or about a container that runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// No digest is pinned, and the tag has no digit: `latest` (also when no tag is written), `stable`, `main`.
    FloatingTag,
    /// Neither the manifest pins a digest, nor does the node report one.
    NoDigest,
    /// The manifest pins a digest.
    Pinned,
    /// The pinned digest is not the one that runs. A multi-platform image runs with the digest of its index or of one platform.
    Drift,
    /// The manifest requests another image than the one that still runs.
    Updating,
    /// The same name and tag runs with several digests in the cluster.
    SeveralDigests,
    /// The text is no valid image reference.
    UnreadableReference,
    /// The container does not run: it waits, has ended, or its node has not reported it. An image: none of its containers runs.
    NotRunning,
}

/// Flags, each once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl Flag {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 8] = [
        Self::FloatingTag,
        Self::NoDigest,
        Self::Pinned,
        Self::Drift,
        Self::Updating,
        Self::SeveralDigests,
        Self::UnreadableReference,
        Self::NotRunning,
    ];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::FloatingTag => "floating-tag",
            Self::NoDigest => "no-digest",
            Self::Pinned => "pinned",
            Self::Drift => "drift",
            Self::Updating => "updating",
            Self::SeveralDigests => "several-digests",
            Self::UnreadableReference => "unreadable-reference",
            Self::NotRunning => "not-running",
        }
    }

    /// The flag of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flag| flag.word() == word)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Flags {
    /// Those of a reference that runs with a digest, or does not.
    pub(super) fn of_image(snapshot: &Snapshot, image: &ImageRef, has_digest: bool) -> Self {
        Self::of_reference(image, has_digest).with(Flag::SeveralDigests, snapshot.runs_with_several_digests(image))
    }

    /// The same without what only the whole cluster tells.
    pub(in crate::views) fn of_reference(image: &ImageRef, has_digest: bool) -> Self {
        let is_pinned = image.digest().is_some();
        let has_version = |tag: &str| tag.bytes().any(|byte| byte.is_ascii_digit());
        Self::default()
            .with(Flag::FloatingTag, !is_pinned && image.tag().is_some_and(|tag| !has_version(tag)))
            .with(Flag::NoDigest, !has_digest)
            .with(Flag::Pinned, is_pinned)
            .with(Flag::UnreadableReference, image.problem().is_some())
    }

    /// Those of a container, of whose image `image` are.
    pub(in crate::views) fn of_container(image: Self, container: &ContainerRecord) -> Self {
        image
            .with(Flag::Drift, container.flags.digest_mismatch)
            .with(Flag::Updating, container.updating_from.is_some())
            .with(Flag::NotRunning, container.state != ContainerState::Running)
    }

    #[must_use]
    pub const fn has(self, flag: Flag) -> bool {
        self.0 & flag.bit() != 0
    }

    const fn with(self, flag: Flag, is_so: bool) -> Self {
        if is_so { Self(self.0 | flag.bit()) } else { self }
    }

    /// Of an image, what its containers tell together.
    #[must_use]
    pub const fn together(self, other: Self) -> Self {
        let not_running = Flag::NotRunning.bit();
        Self((self.0 | other.0) & !not_running | self.0 & other.0 & not_running)
    }

    /// The words of those that are there.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Flag::ALL.into_iter().filter(move |flag| self.has(*flag)).map(Flag::word)
    }
}

impl Serialize for Flags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.words())
    }
}

/// Words that only a newer kai has are passed over.
impl<'de> Deserialize<'de> for Flags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<Cow<'de, str>>::deserialize(deserializer)?;
        let known = words.iter().filter_map(|word| Flag::named(word));
        Ok(known.fold(Self::default(), |flags, flag| flags.with(flag, true)))
    }
}
