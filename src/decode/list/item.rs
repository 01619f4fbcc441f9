//! One item of a list of one kind.

use std::fmt::Debug;

use prost::Message;
use serde::de::DeserializeOwned;

use super::encoding::Encoding;
use super::protobuf::problem;
use crate::decode::identity::Identity;
use crate::decode::json;
use crate::decode::namespace::read_namespace;
use crate::decode::node::read_node;
use crate::decode::objects::{Namespace, Node, Pod};
use crate::decode::pod::{PodRead, read_pod};
use crate::decode::records::Records;
use crate::decode::sink::AtStart;
use crate::decode::skipped::{BrokenItem, Kind};
use crate::inventory::{NamespaceRecord, NodeRecord};

/// What became of an item.
#[derive(Debug)]
pub(super) enum Read {
    Pod(PodRead),
    Namespace(NamespaceRecord),
    Node(NodeRecord),
    /// A node, where nodes are not kept.
    Unwanted,
    Broken(BrokenItem),
}

/// An item as it was written.
enum Object {
    Pod(Pod),
    Namespace(Namespace),
    Node(Node),
}

/// A way of reading an object, whatever its kind is.
trait Form: Sized {
    type Error;

    fn read<T: Message + Default + DeserializeOwned + Debug>(self) -> Result<T, Self::Error>;

    fn read_as(self, kind: Kind) -> Result<Object, Self::Error> {
        match kind {
            Kind::Pod | Kind::Unknown => self.read().map(Object::Pod),
            Kind::Namespace => self.read().map(Object::Namespace),
            Kind::Node => self.read().map(Object::Node),
        }
    }
}

/// Bytes that are one item.
struct Whole<'a>(&'a [u8], Encoding);

impl Form for Whole<'_> {
    type Error = String;

    fn read<T: Message + Default + DeserializeOwned + Debug>(self) -> Result<T, String> {
        match self.1 {
            Encoding::Json => json::read(self.0).map_err(|unreadable| unreadable.problem),
            Encoding::Protobuf => T::decode(self.0).map_err(|error| problem(&error)),
        }
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

/// Reads one item that is known to be whole.
pub(super) fn read(bytes: &[u8], encoding: Encoding, kind: Kind, records: &mut Records) -> Read {
    match Whole(bytes, encoding).read_as(kind) {
        Ok(object) => record(&object, || identity(bytes, encoding), kind, records),
        Err(problem) => Read::Broken(BrokenItem { identity: identity(bytes, encoding), kind, problem }),
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

fn record(object: &Object, identity: impl Fn() -> Identity, kind: Kind, records: &mut Records) -> Read {
    let read = match object {
        Object::Pod(pod) => read_pod(pod, records).map(Read::Pod),
        Object::Namespace(namespace) => read_namespace(namespace, records).map(Read::Namespace),
        Object::Node(node) => match records.detail.nodes.clone() {
            Some(rule) => read_node(node, &rule, records).map(Read::Node),
            None => Ok(Read::Unwanted),
        },
    };
    read.unwrap_or_else(|lack| Read::Broken(BrokenItem { identity: identity(), kind, problem: lack.to_string() }))
}

/// What an item calls itself, as far as it goes.
pub(super) fn identity(bytes: &[u8], encoding: Encoding) -> Identity {
    match encoding {
        Encoding::Json => json::identity(bytes),
        Encoding::Protobuf => {
            let mut named = Named::default();
            // A failure leaves what was found before it, which is all that is wanted.
            let _ = named.merge(bytes);
            let NamedMeta { name, namespace } = named.metadata.unwrap_or_default();
            Identity { namespace, name, ..Identity::default() }
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
}
