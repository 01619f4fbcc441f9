//! Reports to Anchore Enterprise.
//!
//! | file | what it knows |
//! |---|---|
//! | `client` | one exchange with the receiver: deadline, a password that has changed |
//! | `address`, `proxy`, `tls` | `anchore.url` and `anchore.http.*`: where and how the receiver is reached |
//! | `body` | what is sent, in chunks, compressed or not |
//! | `credentials` | who sends, and for which account; password files |
//! | `answer`, `failure` | what an answer, or none, means |
//! | `routing`, `plan` | which account gets which namespaces, and whether anything is sent at all |
//! | `api_version` | which interface of the receiver takes it |
//! | `delivery`, `retry_policy` | one report to one account, again while that can help |
//! | `pusher` | when: once, or at every interval or change |
//! | `dry_run` | what would be sent, for a person |
//! | `registration`, `integration`, `workload` | what kai reports about itself |

mod address;
mod answer;
mod api_version;
mod body;
mod client;
mod credentials;
mod delivery;
mod dry_run;
mod error;
mod failure;
mod integration;
mod plan;
mod proxy;
mod pusher;
mod quiet;
mod registration;
mod retry_policy;
mod routing;
#[cfg(test)]
mod tests;
mod tls;
mod workload;

pub use answer::Answer;
pub use body::{Body, Coding};
pub use client::Client;
pub use credentials::Sender;
pub use delivery::Receiver;
pub(crate) use dry_run::DryRun;
pub use failure::Failure;
pub(crate) use pusher::{PushError, Pusher};
pub(crate) use registration::Registrar;
pub(crate) use workload::Workload;

pub use crate::remote::CallError;
