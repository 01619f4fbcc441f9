//! From settings to an address and credentials; nothing is sent.
//!
//! The configuration of kube's client is put together here rather than by kube's own loaders: those read the process's
//! variables (a test could not set what it wants), stop at what kubectl passes over, and do not name the contexts that
//! there are.

mod credential;
mod document;
mod endpoint;
mod fault;
mod impersonation;
mod kubeconfig;
mod plugin;
mod recipe;

pub(crate) use endpoint::Endpoint;
pub(crate) use fault::KubeconfigError;

pub(in crate::cluster) use fault::ConnectError;

pub(in crate::cluster) use recipe::{FreshClient, Recipe};

use self::kubeconfig::Files;
use super::environment::Environment;
use crate::config::{ClusterSettings, KubeconfigSource};

/// The contexts of the kubeconfig, in its order; none where there is no kubeconfig or it cannot be read.
pub fn contexts(source: &KubeconfigSource, environment: &Environment) -> Vec<String> {
    let files = match source {
        KubeconfigSource::Path(path) => Files::read(path).ok(),
        KubeconfigSource::Search => Files::search(environment).ok().and_then(Result::ok),
        KubeconfigSource::InCluster | KubeconfigSource::Inline(_) => None,
    };
    files.map(Files::into_contexts).unwrap_or_default()
}

/// The API server and who named it, or what is wrong with that: the part of a connection that runs no plugin. For fuzzing.
#[doc(hidden)]
pub fn describe_connection(settings: &ClusterSettings, environment: &Environment) -> Result<String, String> {
    Recipe::read(settings, environment).map(|recipe| recipe.endpoint.to_string()).map_err(|error| error.to_string())
}
