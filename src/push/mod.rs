//! Reports to Anchore Enterprise.
//!
//! | file | what it knows |
//! |---|---|
//! | `client` | one exchange with the receiver: deadline, redirects, a password that has changed |
//! | `address`, `proxy`, `tls` | `anchore.url` and `anchore.http.*`: where and how the receiver is reached |
//! | `body` | what is sent, in chunks, compressed or not |
//! | `credentials` | who speaks, and for which account; password files |
//! | `answer`, `failure` | what an answer, or none, means |
//! | `routing`, `plan` | which account gets which namespaces, and whether anything is sent at all |
//! | `wire` | which interface of the receiver takes it |
//! | `deliver`, `patience` | one report to one account, again while that can help |
//! | `pusher` | when: once, or at every interval or change |
//! | `dry_run` | what would be sent, for a person |
//! | `registration`, `integration`, `workload` | what kai tells of itself |

mod address;
mod answer;
mod body;
mod client;
mod credentials;
mod deliver;
mod dry_run;
mod error;
mod failure;
mod integration;
mod patience;
mod plan;
mod proxy;
mod pusher;
mod registration;
mod routing;
mod tls;
#[cfg(test)]
mod trial;
mod wire;
mod workload;

pub use answer::Answer;
pub use body::{Body, BodyStream, Coding};
pub use client::Client;
pub use credentials::Sender;
pub use deliver::Receiver;
pub use dry_run::{DryRun, NamespaceRoute};
pub use error::ClientError;
pub use failure::{Failure, Refusal};
pub use pusher::{PushError, Pusher};
pub use registration::Registrar;
pub use workload::Workload;
