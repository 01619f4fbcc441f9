//! One object whose kind its list or its watch tells.

use std::fmt::Debug;

use prost::Message;
use serde::de::DeserializeOwned;

use super::encoding::Encoding;
use super::identity::Identity;
use super::json;
use super::namespace::read_namespace;
use super::node::read_node;
use super::objects::{Namespace, Node, Pod};
use super::pod::{PodRead, read_pod};
use super::protobuf::problem;
use super::records::Records;
use super::sink::AtStart;
use super::skipped::{BrokenItem, Kind, Lack};
use crate::snapshot::Object;

/// What became of an item.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The object; `None` when it is broken, and of a node where nodes are not kept.
    pub(super) object: Option<Object>,
    /// The item itself, or parts of it that it was read without.
    pub(super) broken: Vec<BrokenItem>,
}

impl From<Object> for Read {
    fn from(object: Object) -> Self {
        Self { object: Some(object), broken: Vec::new() }
    }
}

impl From<PodRead> for Read {
    fn from(PodRead { pod, left_out }: PodRead) -> Self {
        let broken = left_out.iter().map(|lack| BrokenItem::left_out(&pod, lack)).collect();
        Self { object: Some(Object::Pod(pod)), broken }
    }
}

impl From<BrokenItem> for Read {
    fn from(broken: BrokenItem) -> Self {
        Self { object: None, broken: vec![broken] }
    }
}

/// An item as it was written.
enum Written {
    Pod(Pod),
    Namespace(Namespace),
    Node(Node),
}

/// A way of reading an object, whatever its kind is.
trait Form: Sized {
    type Error;

    fn read<T: Message + Default + DeserializeOwned + Debug>(self) -> Result<T, Self::Error>;

    fn read_as(self, kind: Kind) -> Result<Written, Self::Error> {
        match kind {
            Kind::Pod | Kind::Unknown => self.read().map(Written::Pod),
            Kind::Namespace => self.read().map(Written::Namespace),
            Kind::Node => self.read().map(Written::Node),
        }
    }
}

/// Bytes that are one item.
struct Whole<'a>(&'a [u8], Encoding);

impl Form for Whole<'_> {
    type Error = String;

    fn read<T: Message + Default + DeserializeOwned + Debug>(self) -> Result<T, String> {
        read_fields(self.0, self.1)
    }
}

/// JSON that begins with an item; its length goes to the second.
struct Start<'a>(&'a [u8], &'a mut usize);

impl Form for Start<'_> {
    type Error = AtStart<Read>;

    fn read<T: Message + Default + DeserializeOwned + Debug>(self) -> Result<T, AtStart<Read>> {
        match json::read_at_start(self.0) {
            AtStart::Read(object, length) => {
                *self.1 = length;
                Ok(object)
            }
            AtStart::Unfinished => Err(AtStart::Unfinished),
            AtStart::Irregular => Err(AtStart::Irregular),
        }
    }
}

/// Reads the fields of an object that is known to be whole; or the field that is broken, and how.
pub(super) fn read_fields<T: Message + Default + DeserializeOwned + Debug>(
    bytes: &[u8],
    encoding: Encoding,
) -> Result<T, String> {
    match encoding {
        Encoding::Json => json::read(bytes).map_err(|unreadable| unreadable.problem),
        Encoding::Protobuf => T::decode(bytes).map_err(|error| problem(&error)),
    }
}

/// Reads one item that is known to be whole.
pub(super) fn read(bytes: &[u8], encoding: Encoding, kind: Kind, records: &mut Records) -> Read {
    match Whole(bytes, encoding).read_as(kind) {
        Ok(object) => record(&object, || identity(bytes, encoding), kind, records),
        Err(problem) => BrokenItem { identity: identity(bytes, encoding), kind, problem }.into(),
    }
}

/// Reads the item at the start of some JSON.
pub(super) fn read_at_start(bytes: &[u8], kind: Kind, records: &mut Records) -> AtStart<Read> {
    let mut length = 0;
    match Start(bytes, &mut length).read_as(kind) {
        Ok(object) => {
            let identity = || identity(&bytes[..length], Encoding::Json);
            AtStart::Read(record(&object, identity, kind, records), length)
        }
        Err(other) => other,
    }
}

fn record(object: &Written, identity: impl Fn() -> Identity, kind: Kind, records: &mut Records) -> Read {
    let read: Result<Read, Lack> = match object {
        Written::Pod(pod) => read_pod(pod, records).map(Read::from),
        Written::Namespace(namespace) => read_namespace(namespace, records).map(|it| Object::Namespace(it).into()),
        Written::Node(node) => match records.detail.nodes.clone() {
            Some(rule) => read_node(node, &rule, records).map(|node| Object::Node(node).into()),
            None => Ok(Read::default()),
        },
    };
    read.unwrap_or_else(|lack| BrokenItem { identity: identity(), kind, problem: lack.to_string() }.into())
}

/// What an item calls itself, as far as it goes.
pub(super) fn identity(bytes: &[u8], encoding: Encoding) -> Identity {
    match encoding {
        Encoding::Json => json::identity(bytes),
        Encoding::Protobuf => {
            let mut named = Named::default();
            // A failure leaves what was found before it, which is all that is wanted.
            let _ = named.merge(bytes);
            let NamedMeta { name, namespace, uid, resource_version } = named.metadata.unwrap_or_default();
            Identity { namespace, name, uid, resource_version, ..Identity::default() }
        }
    }
}

/// The names of an object of any kind.
#[derive(Clone, PartialEq, Eq, Message)]
struct Named {
    #[prost(message, optional, tag = "1")]
    metadata: Option<NamedMeta>,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct NamedMeta {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "3")]
    namespace: String,
    #[prost(string, tag = "5")]
    uid: String,
    #[prost(string, tag = "6")]
    resource_version: String,
}
