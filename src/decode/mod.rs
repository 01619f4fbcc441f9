//! Bytes of a list, a watch or an object become records.
//!
//! A list is never held whole: a stream finds its items one by one, and each is read straight into the few fields kept.
//! Everything here works on bytes that are handed in; nothing is logged, and a text of the input that comes into a message
//! is cut and escaped.
//!
//! | file | what it knows |
//! |---|---|
//! | `objects` | the fields kept, one line each, for JSON, YAML and protobuf |
//! | `fields`, `texts`, `time` | how fields, labels, annotations and times are written |
//! | `pod`, `namespace`, `node` | what the fields of an object mean |
//! | `json` | items out of a JSON byte stream, and one item of JSON |
//! | `protobuf` | the wrapper of an object in protobuf, and the fields of a message |
//! | `item` | one object of a known kind, in either encoding |
//! | `list` | a page of the API server, in JSON or protobuf |
//! | `watch` | a watch stream of the API server, in JSON or protobuf |
//! | `dump` | a saved file, in JSON or YAML, of any shape |

#[macro_use]
mod loose;

mod dump;
mod encoding;
mod envelope;
mod error;
mod fields;
mod identity;
mod item;
mod json;
mod list;
mod namespace;
mod node;
mod objects;
mod pod;
mod protobuf;
mod records;
mod sink;
mod skipped;
mod status;
mod texts;
mod time;
mod watch;

pub use dump::{DumpEnd, read_dump};
pub use encoding::Encoding;
pub use error::DecodeError;
pub use list::{ListDecoder, PageEnd, read_one_namespace};
pub use records::Records;
pub use status::{ApiStatus, read_status};
pub use watch::{ResourceVersion, WatchEvent, WatchFrame, WatchReader};
