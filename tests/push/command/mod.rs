//! Pushing as a user of the program sees it: the binary against receivers and clusters of named scenarios. What ends with which
//! status, what is said, what arrives where, and that no secret shows anywhere.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod arrived;
mod dry_run;
mod integrations;
mod once;
mod process;
mod receivers;
mod secrets;
mod service;
mod settings;
mod tls;
