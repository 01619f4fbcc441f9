//! What can go wrong between kai and a server that it calls, whichever it is: the API server, or a receiver of reports.
//!
//! | file | what it knows |
//! |---|---|
//! | `call` | no whole answer: the message, for every server that is called |
//! | `transport`, `reason` | what it means when there is no answer |
//! | `page`, `retry_after` | a web page instead of an answer; when to come again |
//! | `backoff` | the waits between tries |
//! | `proxy` | whether a server is reached through a proxy |
//! | `crypto` | the one provider of every TLS connection |
//! | `fips` | which module it is in a FIPS build, and that it is in use |

mod backoff;
mod call;
mod crypto;
#[cfg(any(feature = "fips", test))]
mod fips;
mod page;
mod proxy;
mod reason;
mod retry_after;
mod transport;

pub use call::CallError;
pub use crypto::install_crypto_provider;
#[cfg(feature = "fips")]
pub(crate) use fips::{Module, require_fips};
pub use retry_after::retry_after;

pub(crate) use backoff::doubling;
pub(crate) use call::{Credentials, Server};
pub(crate) use page::{describe_error_page, describe_page, has_html_type, is_html};
pub(crate) use proxy::{Proxy, ProxyError, ProxyVariables};
pub(crate) use reason::os_reason;
pub(crate) use transport::{CertificateCure, Transport, causes};
