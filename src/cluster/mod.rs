//! The Kubernetes API in, events out.
//!
//! [`ClusterSource::connect`] reads how the cluster is reached and sends nothing; [`ClusterSource::relist`] reads the
//! whole cluster once and says what it finds as [`crate::snapshot::Event`]s. All traffic goes through `kube::Client`, as raw requests:
//! a list body is handed to [`crate::decode`] as it arrives and never held whole.
//!
//! | file | what it knows |
//! |---|---|
//! | `environment` | what of the process decides how the cluster is reached |
//! | `connection/` | kubeconfig, service account or inline keys → address and credentials |
//! | `request`, `retry` | one GET, its deadline, what is tried again |
//! | `answer` | what an answer that is no list means |
//! | `page`, `ahead`, `list` | one page; the one after it; a paged list with its restarts |
//! | `namespace`, `nodes` | one namespace by its name; the list of nodes, which nothing depends on |
//! | `relist`, `source` | which lists make a relist; renewal of credentials |

mod ahead;
mod answer;
mod connection;
mod environment;
mod error;
mod list;
mod namespace;
mod nodes;
mod page;
mod relist;
mod request;
mod retry;
mod source;

pub use connection::KubeconfigError;
pub use environment::Environment;
pub use error::{ClusterError, Endpoint};
pub use source::{ClusterSource, Progress};

pub use crate::remote::install_crypto_provider;
#[cfg(feature = "fips")]
pub(crate) use crate::remote::{Module, require_fips};
