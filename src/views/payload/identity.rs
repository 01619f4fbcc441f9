//! The ids that join the payload's lists: those of the cluster where they can serve, else ones made from names.
//!
//! A made id is a UUIDv5 over the names, the same in every process and whatever else is sent. It stands in where the
//! cluster gives none, where it gives one that the receiver would refuse, and where two things would share one.

use std::hash::Hasher;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::inventory::{ContainerKind, ContainerRecord};
use crate::views::quick_hash::QuickHasher;

/// Every made id is of this namespace. Changing it would give each of them another value.
const MADE: Uuid = Uuid::from_u128(0x5f3d_0b0e_8a64_4c3b_9d0a_6f2b_71c4_e89d);

/// A UUID in the one form that the receiver takes, as it is written: lower case, with hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Uid([u8; LENGTH]);

const LENGTH: usize = Hyphenated::LENGTH;
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
/// Where the version of a UUID stands, and that of one made by SHA-1.
const VERSION: (usize, u8) = (14, b'5');

impl Uid {
    /// Reads a uid of the cluster. Upper case is another spelling of the same UUID; forms without hyphens are none.
    fn parse(text: &str) -> Option<Self> {
        let mut bytes: [u8; LENGTH] = text.as_bytes().try_into().ok()?;
        bytes.make_ascii_lowercase();
        // Digits at the hyphens' places, and all of it is digits: that takes no branch for each byte.
        let mut digits = bytes;
        for hyphen in HYPHENS {
            if std::mem::replace(&mut digits[hyphen], b'0') != b'-' {
                return None;
            }
        }
        let are_hex = digits.iter().fold(true, |all, byte| all & matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        are_hex.then_some(Self(bytes))
    }

    /// 36 characters, none of which is escaped in JSON.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(str::from_utf8(&self.0).map_err(S::Error::custom)?)
    }
}

/// What a uid is of. Two objects of one kind have different places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) kind: &'static str,
    /// Empty for what is in no namespace.
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

/// Gives ids within one cluster.
pub(super) struct Identities {
    cluster: Box<str>,
    /// The fields of the name that is hashed, each behind its length.
    scratch: Vec<u8>,
}

impl Identities {
    pub(super) fn new(cluster: &str) -> Self {
        Self { cluster: cluster.into(), scratch: Vec::new() }
    }

    /// The uid of an object: its own unless it is no UUID or one that others have too.
    pub(super) fn uid(&mut self, own: Option<&str>, shared: &Shared, place: Place<'_>) -> Uid {
        let own = own.and_then(Uid::parse).filter(|uid| !shared.has_uid(uid));
        own.unwrap_or_else(|| self.made(&[place.kind, place.namespace, place.name]))
    }

    /// The id of an entry without one of its own; `fields` tell it from every other entry of its pod.
    pub(super) fn entry_id(&mut self, pod: Place<'_>, fields: &[&str]) -> Uid {
        let mut all = vec!["entry", pod.namespace, pod.name];
        all.extend(fields);
        self.made(&all)
    }

    fn made(&mut self, fields: &[&str]) -> Uid {
        let Self { cluster, scratch } = self;
        scratch.clear();
        for field in std::iter::once(&&**cluster).chain(fields) {
            scratch.extend((field.len() as u64).to_le_bytes());
            scratch.extend(field.as_bytes());
        }
        let mut text = [0; LENGTH];
        Uuid::new_v5(&MADE, scratch).hyphenated().encode_lower(&mut text);
        Uid(text)
    }
}

/// The container id that can serve as one: there, and not one that looks like a made one and could be mistaken for it.
pub(super) fn own_id(container: &ContainerRecord) -> Option<&str> {
    let own = container.container_id.as_deref().filter(|id| !id.is_empty())?;
    let (position, version) = VERSION;
    let looks_made = own.len() == LENGTH && Uid::parse(own).is_some_and(|uid| uid.0[position] == version);
    (!looks_made).then_some(own)
}

/// The word of a kind in a made id.
pub(super) fn kind_word(kind: ContainerKind) -> &'static str {
    match kind {
        ContainerKind::Container => "container",
        ContainerKind::Init => "init",
        ContainerKind::Sidecar => "sidecar",
        ContainerKind::Ephemeral => "ephemeral",
        ContainerKind::Volume => "volume",
    }
}

/// Finds the ids that are there more than once, by their hashes. Two that are not the same and have one hash get made ids,
/// which are as good.
#[derive(Debug, Default)]
pub(super) struct Seen(Vec<u64>);

/// Ids that are there more than once: a real cluster has none.
#[derive(Debug)]
pub(super) struct Shared(Box<[u64]>);

impl Seen {
    pub(super) fn take_id(&mut self, id: &str) {
        self.0.push(hash(id.as_bytes()));
    }

    pub(super) fn take_uid(&mut self, written: Option<&str>) {
        self.0.extend(written.and_then(Uid::parse).map(|uid| hash(&uid.0)));
    }

    pub(super) fn shared(self) -> Shared {
        let Self(mut hashes) = self;
        hashes.sort_unstable();
        let twice = hashes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        let mut shared: Vec<u64> = twice.collect();
        shared.dedup();
        Shared(shared.into())
    }
}

impl Shared {
    pub(super) fn has_id(&self, id: &str) -> bool {
        !self.0.is_empty() && self.0.binary_search(&hash(id.as_bytes())).is_ok()
    }

    fn has_uid(&self, uid: &Uid) -> bool {
        !self.0.is_empty() && self.0.binary_search(&hash(&uid.0)).is_ok()
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = QuickHasher::default();
    hasher.write(bytes);
    hasher.finish()
}
