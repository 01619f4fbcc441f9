//! Reading a cluster: connections, relists and their failures, and the loop that polls, against a fake API server.

mod collector;
mod completion;
mod connect;
mod credentials;
mod detail;
mod failures;
mod relist;
mod tls;
mod watching;

#[path = "../support/certificates.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod certificates;
#[path = "../support/fake_api/mod.rs"]
mod fake_api;
#[path = "../support/log.rs"]
mod log;
#[path = "../support/openmetrics.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod openmetrics;
#[path = "../support/protobuf.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod protobuf;
