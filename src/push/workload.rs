//! Which workload of the cluster this process is: one installation differs from another by it, without asking anybody.

use std::path::Path;

/// Where a pod finds its own namespace.
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";
/// The letters of the names that Kubernetes generates.
const MADE_UP: &str = "bcdfghjklmnpqrstvwxz2456789";
/// Length of what it puts behind the name of a ReplicaSet.
const POD_SUFFIX: usize = 5;
/// The longest hash that it puts behind the name of a Deployment.
const HASH_MAX: usize = 10;

/// The workload that this process belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Workload {
    /// The namespace that it runs in; `None` outside of a cluster.
    pub namespace: Option<String>,
    /// The Deployment's name, else the pod's, else the host's.
    pub name: String,
}

impl Workload {
    /// What this process was started as.
    #[must_use]
    pub(crate) fn of_process() -> Self {
        let namespace = std::fs::read_to_string(Path::new(NAMESPACE_FILE)).ok();
        let namespace = namespace.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let variable = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
        let host = variable.or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok());
        let host = host.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Self::of(namespace, host.as_deref().unwrap_or("kai"))
    }

    /// The workload of a host of that name. A pod's host is called as the pod.
    fn of(namespace: Option<String>, host: &str) -> Self {
        let deployment = namespace.is_some().then(|| deployment_of(host)).flatten();
        Self { name: deployment.unwrap_or(host).to_owned(), namespace }
    }
}

/// The Deployment of a pod, which calls its pods `NAME-HASH-SUFFIX`.
fn deployment_of(pod: &str) -> Option<&str> {
    let is_made_up = |text: &str| text.chars().all(|letter| MADE_UP.contains(letter));
    let (rest, suffix) = pod.rsplit_once('-')?;
    let (name, hash) = rest.rsplit_once('-')?;
    let is_pod = suffix.len() == POD_SUFFIX && is_made_up(suffix);
    let is_replica_set = (1..=HASH_MAX).contains(&hash.len()) && is_made_up(hash);
    (is_pod && is_replica_set && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::deployment(Some("anchore"), "kai-67479449b7-zdzlr", "kai")]
    #[case::deployment_with_dashes(Some("anchore"), "my-release-kai-6d4cf56db6-x2x9k", "my-release-kai")]
    #[case::stateful_set(Some("anchore"), "kai-0", "kai-0")]
    #[case::by_hand(Some("anchore"), "kai-debug-shell", "kai-debug-shell")]
    #[case::laptop(None, "kai-67479449b7-zdzlr", "kai-67479449b7-zdzlr")]
    fn a_workload_is_known_by_the_name_of_its_pod(
        #[case] namespace: Option<&str>,
        #[case] host: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(Workload::of(namespace.map(str::to_owned), host).name, expected);
    }
}
