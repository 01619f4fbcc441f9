//! Sending to Anchore: the bodies, the client, and the command.

mod client;
mod command;
mod payloads;

#[path = "../support/anchore_schema.rs"]
mod anchore_schema;
#[path = "../support/certificates.rs"]
mod certificates;
#[path = "../support/fake_anchore/mod.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod fake_anchore;
#[path = "../support/fake_api/mod.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod fake_api;
#[path = "../support/protobuf.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod protobuf;
