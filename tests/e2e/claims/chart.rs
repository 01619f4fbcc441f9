//! The chart on a real API server: what it installs is taken, becomes ready, replaces KAI's in place, and gives kai the
//! rights that it needs and no more.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Kai, Namespace, has_namespace, images_of, program, results, run, shared};

super::claims! {
    OwnControlPlane: what_is_rendered_is_taken_under_restricted_pod_security,
        an_installation_becomes_ready_and_leaves_nothing,
        an_installation_by_kais_chart_is_upgraded_in_place,
        the_cluster_role_is_enough_for_the_whole_cluster,
        the_roles_are_enough_for_their_namespaces_and_for_no_other;
}

/// The scripts wait three minutes at most for each of their installations.
const LIMIT: Duration = Duration::from_mins(8);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a step of `tests/chart/cluster.sh` in a namespace of its own.
fn step(name: &str) {
    let cluster = shared();
    let namespace = cluster.namespace(name);
    let mut command = Command::new(root().join("tests/chart/cluster.sh"));
    command.arg(name).arg(&namespace.name).env("KUBECONFIG", &cluster.kubeconfig);
    run(command, "", LIMIT).ended_with(0);
}

fn what_is_rendered_is_taken_under_restricted_pod_security() {
    step("restricted");
}

fn an_installation_becomes_ready_and_leaves_nothing() {
    step("install");
}

fn an_installation_by_kais_chart_is_upgraded_in_place() {
    step("upgrade");
}

/// The chart as a release that is called as its namespace, without pods; kai runs outside with its rights.
struct Release<'a> {
    namespace: &'a Namespace<'a>,
}

/// helm in this namespace, with nothing of the user's.
fn helm(namespace: &Namespace<'_>) -> Command {
    let home = namespace.cluster.scratch(&format!("{}-helm", namespace.name));
    let mut command = Command::new(program("helm"));
    for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(variable, &home);
    }
    command.env("KUBECONFIG", &namespace.cluster.kubeconfig).arg("--namespace").arg(&namespace.name);
    command
}

impl<'a> Release<'a> {
    #[track_caller]
    fn install(namespace: &'a Namespace<'a>, arguments: &[&str]) -> Self {
        let name = &namespace.name;
        let mut command = helm(namespace);
        command.arg("install").arg(name).arg(root().join("charts/kai"));
        command.arg("--set").arg(format!("fullnameOverride={name},replicaCount=0")).args(arguments);
        run(command, "", LIMIT).ended_with(0);
        Self { namespace }
    }

    /// kai with the release's configuration and the rights of its service account.
    fn kai(&self) -> Kai {
        let (cluster, name) = (self.namespace.cluster, self.namespace.name.as_str());
        let config = cluster.kubectl(&["-n", name, "get", "configmap", name, "-o", r"jsonpath={.data.config\.yaml}"]);
        let user = json!({"token": self.namespace.token(name, &[])});
        let kubeconfig = cluster.write_kubeconfig(&format!("{name}-chart"), &cluster.endpoint, &user);
        Kai::new(&kubeconfig).config(&config).args(&["--mode", "adhoc"])
    }
}

impl Drop for Release<'_> {
    fn drop(&mut self) {
        let mut command = helm(self.namespace);
        command.arg("uninstall").arg(&self.namespace.name);
        drop(run(command, "", LIMIT));
    }
}

fn the_cluster_role_is_enough_for_the_whole_cluster() {
    let cluster = shared();
    let namespace = cluster.namespace("chart");
    namespace.create_pod("web", "web:1");
    let ended = Release::install(&namespace, &[]).kai().run().ended_with(0);
    let results = results(&ended.stdout);
    assert_eq!(images_of(&results, &namespace.name).len(), 1, "{results:.500}");
    assert!(has_namespace(&results, "kube-system"), "all namespaces are reported: {results:.500}");
}

fn the_roles_are_enough_for_their_namespaces_and_for_no_other() {
    let cluster = shared();
    let (one, two) = (cluster.namespace("role-one"), cluster.namespace("role-two"));
    one.create_pod("web", "web:1");
    two.create_pod("db", "db:2");
    let namespaces = format!("rbac.namespaces={{{},{}}}", one.name, two.name);
    let release = Release::install(&one, &["--set", &namespaces]);
    let ended = release.kai().run().ended_with(0);
    let results = results(&ended.stdout);
    assert_eq!(results.as_array().map(Vec::len), Some(2), "these two and no other: {results}");
    for namespace in [&one.name, &two.name] {
        assert_eq!(images_of(&results, namespace).len(), 1, "{results}");
    }
    let account = format!("system:serviceaccount:{}:{}", one.name, one.name);
    for resource in ["pods", "namespaces", "nodes"] {
        let asked = cluster.try_kubectl(&["auth", "can-i", "list", resource, "-A", "--as", &account], "");
        assert_eq!(asked.stdout.trim(), "no", "the whole cluster's {resource}: {}", asked.stderr);
    }
}
