//! The service as a process.

mod log;
mod process;
mod writing;

#[path = "../support/certificates.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod certificates;
