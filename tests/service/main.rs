//! The service as a process.

mod clients;
mod following;
mod history;
mod log;
mod process;
mod writing;

#[path = "../support/http_2.rs"]
mod http_2;
#[path = "../support/openmetrics.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod openmetrics;

#[path = "../support/certificates.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod certificates;
