//! What changes in a cluster shows at once, and what happens to the watch changes nothing about what is true.

use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Answer, Cluster, Kai, Namespace, Service, compact, outage, shared};

super::claims! {
    OwnControlPlane: each_change_shows_within_a_second,
        without_the_verb_watch_it_polls_and_it_watches_once_it_may,
        a_frozen_api_server_costs_time_and_nothing_else,
        a_compaction_under_the_watch_loses_nothing;
    AnyCluster: a_namespace_deleted_and_created_again_is_another_one;
}

/// What a change may take from kubectl's return to the answer.
const AT_ONCE: Duration = Duration::from_secs(1);
pub(super) const BACK: Duration = Duration::from_mins(2);

/// A service that watches, whose interval never comes.
fn serve(cluster: &Cluster) -> Service {
    watching(cluster.kai().env("KAI_COLLECTION_METHOD", "watch"))
}

/// The service once it watches.
pub(super) fn watching(kai: Kai) -> Service {
    let service = kai.serve().ready();
    service.get_until("/readyz?verbose", BACK, |answer| answer.body.contains("the cluster is watched"));
    service
}

pub(super) fn images(namespace: &Namespace<'_>) -> String {
    format!("/namespaces/{}/images", namespace.name)
}

/// Asks until it holds, which must be soon.
#[track_caller]
pub(super) fn at_once(service: &Service, path: &str, what: &str, holds: impl Fn(&Answer) -> bool) {
    let begun = Instant::now();
    loop {
        let answer = service.get(path);
        if holds(&answer) {
            drop(writeln!(std::io::stdout(), "{what}: {:?}", begun.elapsed()));
            return;
        }
        assert!(begun.elapsed() < AT_ONCE, "{what} does not show: {answer:?}; log: {}", service.log());
    }
}

fn each_change_shows_within_a_second() {
    let cluster = shared();
    let namespace = cluster.namespace("watched");
    let service = serve(cluster);
    let path = images(&namespace);
    namespace.create_pod("web", "web:1");
    at_once(&service, &path, "a pod", |answer| answer.body.contains("web:1"));
    let image = json!({"spec": {"containers": [{"name": "app", "image": "web:2"}]}}).to_string();
    cluster.kubectl(&["-n", &namespace.name, "patch", "pod", "web", "-p", &image]);
    at_once(&service, &path, "an update in place", |answer| answer.body.contains("web:2"));
    let debug = ["-n", &namespace.name, "debug", "web", "--image=toolbox:7", "-c", "toolbox", "--profile=general"];
    cluster.kubectl(&debug);
    at_once(&service, &path, "an ephemeral container", |answer| answer.body.contains("toolbox:7"));
    cluster.kubectl(&["-n", &namespace.name, "delete", "pod", "web", "--grace-period=0", "--force"]);
    at_once(&service, &path, "a deletion", |answer| !answer.body.contains("web:"));
    assert_eq!(service.polls(), 1, "one list: {}", service.log());
}

fn without_the_verb_watch_it_polls_and_it_watches_once_it_may() {
    let cluster = shared();
    let namespace = cluster.namespace("unwatched");
    let account = namespace.account("kai");
    account.let_do("list", "pods,namespaces");
    let service = account.kai().serve().ready();
    let polling = service.get_until("/readyz?verbose", BACK, |answer| answer.body.contains("is polled"));
    assert!(polling.status == 200 && polling.body.contains("missing right: watch"), "{polling:?}");
    namespace.create_pod("web", "web:1");
    service.get_until(&images(&namespace), BACK, |answer| answer.body.contains("web:1"));
    let warnings = service.log().lines().filter(|line| line.contains("add the verb watch")).count();
    assert_eq!(warnings, 1, "{}", service.log());
    account.let_do("watch", "pods,namespaces");
    service.get_until("/readyz?verbose", BACK, |answer| answer.body.contains("the cluster is watched"));
    namespace.create_pod("db", "db:1");
    at_once(&service, &images(&namespace), "a pod", |answer| answer.body.contains("db:1"));
}

fn a_frozen_api_server_costs_time_and_nothing_else() {
    let (_turn, cluster) = outage();
    let namespace = cluster.namespace("frozen");
    namespace.create_pod("before", "before:1");
    let service = serve(cluster);
    let path = images(&namespace);
    cluster.plane().signal("kube-apiserver", "STOP");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        let answer = service.get(&path);
        assert!(answer.status == 200 && answer.body.contains("before:1"), "{answer:?}");
        std::thread::sleep(Duration::from_secs(1));
    }
    let age = service.get("/readyz?verbose").json()["snapshot"]["age_seconds"].as_u64();
    assert!(age >= Some(19), "the age is the true one: {age:?}");
    cluster.plane().signal("kube-apiserver", "CONT");
    cluster.await_server();
    namespace.create_pod("after", "after:1");
    service.get_until(&path, BACK, |answer| answer.body.contains("after:1"));
}

fn a_compaction_under_the_watch_loses_nothing() {
    let (_turn, cluster) = outage();
    let namespace = cluster.namespace("compacted");
    namespace.create_pod("before", "before:1");
    let service = serve(cluster);
    let path = images(&namespace);
    compact(cluster.plane());
    // A server that starts again has no cache to go on from.
    cluster.plane().end("kube-apiserver", "KILL");
    cluster.plane().start_again("kube-apiserver");
    cluster.await_server();
    cluster.kubectl(&["-n", &namespace.name, "delete", "pod", "before", "--grace-period=0", "--force"]);
    namespace.create_pod("after", "after:1");
    service.get_until(&path, BACK, |answer| answer.body.contains("after:1") && !answer.body.contains("before:1"));
    service.get_until("/readyz?verbose", BACK, |answer| answer.body.contains("the cluster is watched"));
}

fn a_namespace_deleted_and_created_again_is_another_one() {
    let cluster = shared();
    let namespace = cluster.namespace("twice");
    namespace.create_pod("old", "old:1");
    let service = serve(cluster);
    let path = images(&namespace);
    service.get_until(&path, BACK, |answer| answer.body.contains("old:1"));
    cluster.kubectl(&["-n", &namespace.name, "delete", "pod", "old", "--grace-period=0", "--force"]);
    // Where no controller ends a namespace, its finalizer is taken away by hand.
    cluster.kubectl(&["delete", "namespace", &namespace.name, "--wait=false"]);
    let finalize = format!("/api/v1/namespaces/{}/finalize", namespace.name);
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace.name}, "spec": {"finalizers": []}});
    cluster.try_kubectl(&["replace", "--raw", &finalize, "-f", "-"], &object.to_string());
    service.get_until(&path, BACK, |answer| answer.status == 404);
    cluster.kubectl(&["create", "namespace", &namespace.name]);
    cluster.try_kubectl(&["-n", &namespace.name, "create", "serviceaccount", "default"], "");
    namespace.create_pod("new", "new:1");
    service.get_until(&path, BACK, |answer| answer.body.contains("new:1") && !answer.body.contains("old:1"));
}
