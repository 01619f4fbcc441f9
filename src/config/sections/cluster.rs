//! `kubeconfig.*` and `kubernetes.*`: how to reach the cluster, and its name.

use std::io::ErrorKind;
use std::path::Path;

use super::{Given, inline};
use crate::config::keys::{
    self, ANCHORE_URL, KUBECONFIG_CLUSTER, KUBECONFIG_PATH, KUBECONFIG_SERVER, OLDER_REQUEST_TIMEOUT,
    REQUEST_BATCH_SIZE, REQUEST_TIMEOUT, WORKER_POOL_SIZE,
};
use crate::config::problem::{Origin, Problems};
use crate::config::settings::{ClusterSettings, KubeconfigSource};
use crate::inventory::excerpt;

/// The value of `kubeconfig.path` that means the pod's service account.
const IN_CLUSTER: &str = "use-in-cluster";
/// The name in KAI's sample file, which no cluster in production has.
const SAMPLE_NAME: &str = "docker-desktop";

/// Why a cluster without a name cannot be pushed, and where to name it: a message as it is, for whoever learns from the
/// connection that it gives no name either.
pub const NO_CLUSTER_NAME: &str = "kubeconfig.cluster: is empty, and nothing else names the cluster, but anchore.url is set: clusters with the same name overwrite each other in Anchore; name this cluster with the key kubeconfig.cluster, the variable \
     KAI_KUBECONFIG_CLUSTER or the flag --cluster-name";

/// `pushing`: a receiver is set, in which reports of one cluster name overwrite each other.
pub(super) fn build(given: Given<'_>, pushing: bool, problems: &mut Problems) -> ClusterSettings {
    let values = given.values;
    let source = source(given, problems);
    let context = given.flags.context.clone().filter(|context| !context.is_empty());
    if context.is_some() && !given.flags.input {
        let without_contexts = match &source {
            KubeconfigSource::InCluster => Some((KUBECONFIG_PATH, "is use-in-cluster")),
            KubeconfigSource::Inline(_) => Some((KUBECONFIG_SERVER, "describes the connection")),
            KubeconfigSource::Path(_) | KubeconfigSource::Search => None,
        };
        if let Some((key, reason)) = without_contexts {
            let text = format!(
                "names a context of a kubeconfig, but {key} ({}) {reason}; give --kubeconfig too, or leave --context out",
                values.origin(key)
            );
            problems.add_at(&Origin::Flag("--context"), text);
        }
    }
    let name = values.text(KUBECONFIG_CLUSTER).map(str::to_owned);
    if pushing {
        check_name(given, name.as_deref(), &source, problems);
    }
    // The older form counts when it is set.
    let older = values.seconds(OLDER_REQUEST_TIMEOUT);
    ClusterSettings {
        source,
        context,
        impersonation: given.flags.impersonation.clone(),
        name,
        request_timeout: if older.is_zero() { values.seconds(REQUEST_TIMEOUT) } else { older },
        page_size: values.small_number(REQUEST_BATCH_SIZE),
        workers: values.small_number(WORKER_POOL_SIZE) as usize,
    }
}

/// A path counts before an inline connection, and that before the search.
fn source(given: Given<'_>, problems: &mut Problems) -> KubeconfigSource {
    let values = given.values;
    let Some(written) = values.text(KUBECONFIG_PATH) else {
        return match inline::build(values, problems) {
            Some(cluster) => KubeconfigSource::Inline(Box::new(cluster)),
            None => KubeconfigSource::Search,
        };
    };
    if written == IN_CLUSTER {
        return KubeconfigSource::InCluster;
    }
    // The flag's own path rather than its text, which may not be all of it.
    let path = given.environment.resolve(given.flags.kubeconfig.as_deref().unwrap_or(Path::new(written)));
    // A saved dump asks no cluster, so that a file meant for the cluster serves for it too.
    if !given.flags.input
        && let Err(reason) = check_is_file(&path)
    {
        let text = format!(
            "\"{}\" {reason}; write the path of a kubeconfig, or {IN_CLUSTER} for the service account of the pod",
            excerpt(written)
        );
        problems.add(values.origin(KUBECONFIG_PATH), KUBECONFIG_PATH, text);
    }
    KubeconfigSource::Path(path)
}

fn check_is_file(path: &Path) -> Result<(), String> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err("is a folder".to_owned()),
        Ok(_) => Ok(()),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err("does not exist".to_owned())
        }
        Err(error) => Err(format!("cannot be read ({error})")),
    }
}

/// Whether the connection will be the service account of the pod, as far as is known before it is tried.
fn is_in_cluster(given: Given<'_>, source: &KubeconfigSource) -> bool {
    let Given { environment, .. } = given;
    let searched = || {
        let default_file = environment.home.as_ref().map(|home| home.join(".kube/config"));
        environment.variable("KUBERNETES_SERVICE_HOST").is_some()
            && environment.variable("KUBECONFIG").is_none()
            && !default_file.is_some_and(|path| path.exists())
    };
    match source {
        KubeconfigSource::InCluster => true,
        KubeconfigSource::Search => searched(),
        KubeconfigSource::Path(_) | KubeconfigSource::Inline(_) => false,
    }
}

/// Reports of clusters with the same name overwrite each other.
fn check_name(given: Given<'_>, name: Option<&str>, source: &KubeconfigSource, problems: &mut Problems) {
    let origin = given.values.origin_or(KUBECONFIG_CLUSTER, ANCHORE_URL);
    match name {
        // A service account knows no name of its cluster; of any other connection that is seen once it is made.
        None if !given.flags.input && is_in_cluster(given, source) => problems.add_at(origin, NO_CLUSTER_NAME),
        Some(SAMPLE_NAME) => problems.warn(
            origin,
            format!(
                "{KUBECONFIG_CLUSTER}: {SAMPLE_NAME} is the name in KAI's sample file; clusters with the same name overwrite each other in \
                 Anchore, so give each cluster its own with the key {KUBECONFIG_CLUSTER}, the variable {} or the flag --cluster-name",
                keys::variable(KUBECONFIG_CLUSTER.path)
            ),
        ),
        None | Some(_) => {}
    }
}
