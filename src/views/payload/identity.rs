//! The ids that join the payload's lists: those of the cluster where they can serve, else ones made from names.
//!
//! A made id is a UUIDv5 over the names, the same in every process and whatever else is sent. It stands in where the
//! cluster gives none, where it gives one that the receiver would refuse, and where two things would share one.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::quality::FixedState;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::inventory::{ContainerKind, ContainerRecord, NodeRecord, PodRecord};
use crate::snapshot::NamespacePart;

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
    /// Stands for any where only lengths count: they are all of one.
    pub(super) const ANY: Self = Self([b'0'; LENGTH]);

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
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(str::from_utf8(&self.0).map_err(S::Error::custom)?)
    }
}

/// Gives ids within one cluster.
pub(super) struct Identities {
    cluster: Box<str>,
    shared: Shared,
}

/// The hashes of the ids that a cluster gave to what is sent, each as often as it is sent.
pub(super) struct GivenIds(Vec<u64>);

/// What an id is of. Two things of different kinds may have the same.
#[derive(Clone, Copy)]
enum Kind {
    Namespace,
    Node,
    Pod,
    Container,
}

impl GivenIds {
    /// A vector that grows would take up to three times its content: there is one id for each container of a cluster.
    pub(super) fn with_capacity(ids: usize) -> Self {
        Self(Vec::with_capacity(ids))
    }

    pub(super) fn add_namespace(&mut self, part: &NamespacePart) {
        self.add_uid(Kind::Namespace, namespace_uid(part));
    }

    pub(super) fn add_node(&mut self, node: &NodeRecord) {
        self.add_uid(Kind::Node, node.uid.as_deref());
    }

    pub(super) fn add_pod(&mut self, pod: &PodRecord) {
        self.add_uid(Kind::Pod, pod.uid.as_deref());
    }

    /// For each entry that has it: one that stands for two entries of its own container is shared, too.
    pub(super) fn add_container(&mut self, id: &str) {
        self.0.push(hash(Kind::Container, id.as_bytes()));
    }

    fn add_uid(&mut self, kind: Kind, written: Option<&str>) {
        if let Some(uid) = written.and_then(Uid::parse) {
            self.0.push(hash(kind, &uid.0));
        }
    }
}

impl Identities {
    /// Takes every id of the cluster for the only one of its kind.
    pub(super) fn new(cluster: &str) -> Self {
        Self { cluster: cluster.into(), shared: Shared::default() }
    }

    /// An id that is given twice is nobody's from now on. Returns whether there is one.
    pub(super) fn withdraw_shared(&mut self, given: GivenIds) -> bool {
        self.shared = Shared::of(given);
        !self.shared.0.is_empty()
    }

    pub(super) fn namespace(&self, part: &NamespacePart) -> Uid {
        self.uid(Kind::Namespace, namespace_uid(part), &["namespace", "", part.name()])
    }

    pub(super) fn node(&self, node: &NodeRecord) -> Uid {
        self.uid(Kind::Node, node.uid.as_deref(), &["node", "", &node.name])
    }

    pub(super) fn pod(&self, pod: &PodRecord) -> Uid {
        self.uid(Kind::Pod, pod.uid.as_deref(), &["pod", &pod.namespace, &pod.name])
    }

    /// The container's own id, unless others have it too.
    pub(super) fn own_id<'c>(&self, container: &'c ContainerRecord) -> Option<&'c str> {
        usable_id(container).filter(|id| !self.shared.has(|| hash(Kind::Container, id.as_bytes())))
    }

    /// The id of an entry without one of its own; `fields` distinguish it from every other entry of its pod.
    pub(super) fn made_entry(&self, pod: &PodRecord, fields: &[&str]) -> Uid {
        self.made(&["entry", &pod.namespace, &pod.name], fields)
    }

    /// The uid of an object: its own unless it is no UUID or one that others have too.
    fn uid(&self, kind: Kind, own: Option<&str>, fields: &[&str; 3]) -> Uid {
        let own = own.and_then(Uid::parse).filter(|uid| !self.shared.has(|| hash(kind, &uid.0)));
        own.unwrap_or_else(|| self.made(fields, &[]))
    }

    fn made(&self, object: &[&str; 3], more: &[&str]) -> Uid {
        let mut name = Vec::new();
        // Each behind its length, so that no two lists of fields are one name.
        for field in [&*self.cluster].iter().chain(object).chain(more) {
            name.extend((field.len() as u64).to_le_bytes());
            name.extend(field.as_bytes());
        }
        let mut text = [0; LENGTH];
        Uuid::new_v5(&MADE, &name).hyphenated().encode_lower(&mut text);
        Uid(text)
    }
}

/// The container id that can serve as one: there, and not one that looks like a made one and could be mistaken for it.
fn usable_id(container: &ContainerRecord) -> Option<&str> {
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

/// Ids that are there more than once, by their hashes: a real cluster has none. Two that are not the same and have one hash
/// get made ids, which are as good.
#[derive(Default)]
struct Shared(Box<[u64]>);

impl Shared {
    fn of(GivenIds(mut all): GivenIds) -> Self {
        all.sort_unstable();
        let twice = all.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        let mut shared: Vec<u64> = twice.collect();
        shared.dedup();
        Self(shared.into())
    }

    fn has(&self, hash: impl FnOnce() -> u64) -> bool {
        !self.0.is_empty() && self.0.binary_search(&hash()).is_ok()
    }
}

fn namespace_uid(part: &NamespacePart) -> Option<&str> {
    part.record().and_then(|record| record.uid.as_deref())
}

/// The same in every process: what is shared here is shared everywhere.
fn hash(kind: Kind, bytes: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(kind as u64).build_hasher();
    hasher.write(bytes);
    hasher.finish()
}
