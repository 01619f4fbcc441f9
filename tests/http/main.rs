//! Everything that kai serves over HTTP.

mod access;
mod answers;
mod cache;
mod changes;
mod failures;
mod health;
mod history;
mod metrics;
mod probes;
mod rows;
mod sockets;
mod tls;
mod unread;

#[path = "../support/certificates.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod certificates;
#[path = "../support/http_2.rs"]
mod http_2;
#[path = "../support/http_support.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod http_support;
#[path = "../support/log.rs"]
mod log;
#[path = "../support/openmetrics.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod openmetrics;
