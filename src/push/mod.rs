//! Reports to Anchore Enterprise.
//!
//! | file | what it knows |
//! |---|---|
//! | `client` | one exchange with the receiver: deadline, redirects, a password that has changed |
//! | `address`, `proxy`, `tls` | `anchore.url` and `anchore.http.*`: where and how the receiver is reached |
//! | `body` | what is sent, in pieces, packed or not |
//! | `credentials` | who speaks, and for which account; password files |
//! | `answer`, `failure` | what an answer, or none, means |

mod address;
mod answer;
mod body;
mod client;
mod credentials;
mod error;
mod failure;
mod proxy;
mod tls;

pub use answer::Answer;
pub use body::Body;
pub use client::Client;
pub use credentials::Sender;
pub use error::ClientError;
pub use failure::{Failure, Refusal};
