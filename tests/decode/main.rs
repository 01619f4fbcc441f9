//! From bytes to events: pages of the API in both encodings, and saved dumps.

mod detail;
mod dump_real;
mod dump_shapes;
mod dump_source;
mod list;
mod properties;
mod proto;
mod watch;
mod watch_faults;

#[path = "../support/protobuf.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod protobuf;
