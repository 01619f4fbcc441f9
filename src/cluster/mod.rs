//! The Kubernetes API in, events out.
//!
//! [`ClusterSource::connect`] reads how the cluster is reached and sends nothing; [`ClusterSource::relist`] reads the
//! whole cluster once and sends what it finds as [`crate::snapshot::Event`]s. All traffic goes through `kube::Client`, as raw requests:
//! a list body is handed to [`crate::decode`] as it arrives and never held whole.
//!
//! | file | what it knows |
//! |---|---|
//! | `environment` | what of the process decides how the cluster is reached |
//! | `connection/` | kubeconfig, service account or inline keys → address and credentials |
//! | `request`, `retry` | the connection: one GET, its deadline, what is tried again, credentials that are renewed |
//! | `failure`, `rejection`, `describe` | why a request gave nothing; an answer that is no list; the message |
//! | `page`, `ahead`, `list`, `ends` | one page; the one after it; a paged list with its restarts; how lists ended |
//! | `course`, `progress` | whether the pages lead to an end; how far a relist is |
//! | `namespace`, `nodes` | one namespace by its name; the list of nodes, which nothing depends on |
//! | `relist`, `source` | which lists make a relist; renewal of credentials |
//! | `watch/` | what changes since: streams of frames, and what to do when one ends or fails |

mod ahead;
mod connection;
mod course;
mod describe;
mod ends;
mod environment;
mod error;
mod failure;
mod list;
mod many;
mod namespace;
mod nodes;
mod page;
mod progress;
mod rejection;
mod relist;
mod request;
mod retry;
mod source;
mod watch;

pub use connection::contexts;
#[doc(hidden)]
pub use connection::describe_connection;
pub use ends::Relisted;
pub use environment::Environment;
pub use error::ClusterError;
pub(crate) use error::Endpoint;
pub use progress::Progress;
pub use source::ClusterSource;
pub use watch::Live;
pub(crate) use watch::{Fallback, WatchEnd, Watchers};

pub use crate::remote::install_crypto_provider;
/// For fuzzing.
#[doc(hidden)]
pub use crate::remote::retry_after;
#[cfg(feature = "fips")]
pub(crate) use crate::remote::{Module, require_fips};
