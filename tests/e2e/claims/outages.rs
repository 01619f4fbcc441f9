//! What is served while the API server or etcd is away, and that kai finds its way back alone.

use std::time::Duration;

use crate::harness::{Answer, Cluster, Service, images_of, outage, results};

super::claims! {
    OwnControlPlane: the_last_snapshot_is_served_with_its_age_while_the_api_server_is_dead,
        a_stopped_etcd_costs_no_snapshot,
        readiness_falls_for_age_where_that_is_asked_for,
        an_unreachable_server_fails_the_one_shot_and_says_which,
}

const BACK: Duration = Duration::from_mins(2);

fn serve(cluster: &Cluster) -> Service {
    // A request that hangs is given up soon, so that the poll fails while the test waits.
    cluster.kai().env("KAI_KUBERNETES_REQUEST_TIMEOUT_SECONDS", "3").serve().ready()
}

fn age(answer: &Answer) -> u64 {
    answer.json()["snapshot"]["age_seconds"].as_u64().unwrap_or_default()
}

fn poll_failed(answer: &Answer) -> bool {
    let body = answer.json();
    body["checks"].as_array().is_some_and(|checks| checks.iter().any(|check| check["ok"] == false))
}

fn the_last_snapshot_is_served_with_its_age_while_the_api_server_is_dead() {
    let (_turn, cluster) = outage();
    let namespace = cluster.namespace("death");
    namespace.create_pod("before", "before:1");
    let service = serve(cluster);
    let images = format!("/namespaces/{}/images", namespace.name);
    service.get_until(&images, BACK, |answer| answer.body.contains("before:1"));
    let before = service.get("/inventory");
    assert!(!images_of(&results(&before.body), &namespace.name).is_empty());

    cluster.plane().end("kube-apiserver", "KILL");
    let dead = service.get_until("/readyz?verbose", BACK, |answer| poll_failed(answer) && age(answer) >= 3);
    assert_eq!(dead.status, 200, "an old answer that says so beats a refused connection: {dead:?}");
    let server = cluster.endpoint["server"].as_str().expect("an address");
    assert!(dead.body.contains(server), "the server is named: {dead:?}");
    assert!(service.log().contains(server), "in the log too: {}", service.log());
    let while_dead = service.get("/inventory");
    assert_eq!((while_dead.status, results(&while_dead.body)), (200, results(&before.body)));
    let observed = while_dead.header("Inventory-Observed-At").map(str::to_owned);
    assert!(age(&service.get("/readyz?verbose")) >= 3);

    cluster.plane().start_again("kube-apiserver");
    cluster.await_server();
    namespace.create_pod("after", "after:1");
    service.get_until(&images, BACK, |answer| answer.body.contains("after:1"));
    // Long answers follow short ones.
    let is_newer = |answer: &Answer| answer.header("Inventory-Observed-At").map(str::to_owned) != observed;
    service.get_until("/inventory", BACK, is_newer);
    service.get_until("/readyz?verbose", BACK, |answer| !poll_failed(answer));
}

fn a_stopped_etcd_costs_no_snapshot() {
    let (_turn, cluster) = outage();
    let namespace = cluster.namespace("etcd");
    namespace.create_pod("before", "before:1");
    // A watch that is open stays so: only who lists notices.
    let kai = cluster.kai().env("KAI_COLLECTION_METHOD", "poll");
    let service = kai.env("KAI_KUBERNETES_REQUEST_TIMEOUT_SECONDS", "3").serve().ready();
    let images = format!("/namespaces/{}/images", namespace.name);
    service.get_until(&images, BACK, |answer| answer.body.contains("before:1"));

    cluster.plane().end("etcd", "TERM");
    let away = service.get_until("/readyz?verbose", BACK, poll_failed);
    assert_eq!(away.status, 200, "{away:?}");
    let served = service.get(&images);
    assert!(served.status == 200 && served.body.contains("before:1"), "{served:?}");
    assert_eq!(service.get("/livez").status, 200);

    cluster.plane().start_again("etcd");
    cluster.await_server();
    namespace.create_pod("after", "after:1");
    service.get_until(&images, BACK, |answer| answer.body.contains("after:1"));
    service.get_until("/readyz?verbose", BACK, |answer| !poll_failed(answer));
}

fn readiness_falls_for_age_where_that_is_asked_for() {
    let (_turn, cluster) = outage();
    // A cluster that is watched and quiet is heard of once a minute, by each stream at another second.
    let polling = cluster.kai().env("KAI_COLLECTION_METHOD", "poll");
    let service = polling.env("KAI_COLLECTION_STALE_AFTER_SECONDS", "5").serve().ready();
    cluster.plane().end("kube-apiserver", "KILL");
    service.get_until("/readyz", BACK, |answer| answer.status == 503);
    assert_eq!(service.get("/inventory").status, 200, "it is served all the same");
    cluster.plane().start_again("kube-apiserver");
    service.get_until("/readyz", BACK, |answer| answer.status == 200);
}

fn an_unreachable_server_fails_the_one_shot_and_says_which() {
    let (_turn, cluster) = outage();
    cluster.plane().end("kube-apiserver", "TERM");
    let ended = cluster.kai().run().ended_with(1);
    cluster.plane().start_again("kube-apiserver");
    cluster.await_server();
    assert_eq!(ended.stdout, "");
    let server = cluster.endpoint["server"].as_str().expect("an address");
    for word in [server, "kubeconfig"] {
        assert!(ended.stderr.contains(word), "{word} is named: {}", ended.stderr);
    }
    cluster.kai().run().ended_with(0);
}
