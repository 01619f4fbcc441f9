//! Lists and objects in the protobuf of the API server.
//!
//! The same records as from JSON, for a fraction of the work: a message says how long each of its fields is, so that what is
//! not kept is stepped over unread. Only the texts kept are looked at, where they stand.
//!
//! | file | what it knows |
//! |---|---|
//! | `fields` | the wire format |
//! | `cutter` | items out of a byte stream |
//! | `object`, `node` | the kept fields of a pod, a namespace and a node, by number |
//! | `texts` | labels and annotations, when they are wanted |
//! | `envelope` | what a body says of itself: its kind, its metadata, the `Status` of an error |

mod cutter;
mod envelope;
mod fields;
mod node;
mod object;
mod texts;

pub use envelope::{ApiStatus, read_status};

pub(super) use cutter::{Cutter, Sink};
pub(super) use envelope::{ListMeta, kind_of};
pub(super) use object::peek;

use super::item::{Expected, Item, broken, read_object};
use super::records::Records;
use super::sieve::Schema;

/// Reads one item. Its kind is not written in it: what is expected of it must be a pod, a namespace or a node.
pub(super) fn read_item(bytes: &[u8], expected: Expected, records: &mut Records) -> Item {
    let object = match expected {
        Expected::Namespace => object::read_namespace_object(bytes),
        Expected::Node => node::read_node_object(bytes),
        _ => object::read_pod_object(bytes),
    };
    let object = object.map(|mut object| {
        if records.schema(expected) == Schema::Wide {
            texts::read_texts(bytes, &mut object);
        }
        object
    });
    match object {
        Ok(object) => read_object(&object, || peek(bytes), expected, records),
        Err(fault) => broken(peek(bytes), expected, || (fault.to_string(), false)),
    }
}
