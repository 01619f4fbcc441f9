//! Bytes of a list or an object become records.
//!
//! A list is never held whole: a cutter takes its items out of the byte stream one by one, and each is read straight into
//! the few fields kept. Everything here works on bytes that are handed in; nothing is logged, and a text of the input
//! that comes into a message is cut and escaped.

#[macro_use]
mod loose;

mod cutter;
mod encoding;
mod error;
mod forms;
mod head;
mod item;
mod list;
mod namespace;
mod nesting;
mod node;
mod objects;
mod peek;
mod pod;
mod proto;
mod records;
mod saved;
mod shell;
mod sieve;
mod sink;
mod skipped;
mod wire;
mod yaml;

pub use encoding::Encoding;
pub use error::DecodeError;
pub use list::{ListDecoder, PageEnd};
pub use namespace::read_one_namespace;
pub use proto::{ApiStatus, read_status};
pub use records::Records;
pub use saved::{DumpEnd, read_dump};
