//! From settings to an address and credentials; nothing is sent.
//!
//! The configuration of kube's client is put together here rather than by kube's own loaders: those read the process's
//! variables (a test could not set what it wants), stop at what kubectl passes over, and do not name the contexts that
//! there are.

mod credential;
mod document;
mod endpoint;
mod fault;
mod kubeconfig;
mod plugin;
mod recipe;

pub use endpoint::Endpoint;
pub use fault::KubeconfigError;

pub(in crate::cluster) use recipe::{FreshClient, Recipe};
