//! What is reported with just the rights that kai has, and what is not.

use serde_json::Value;

use crate::fake_anchore::scenario::Scenario;
use crate::fake_anchore::server::Received;
use crate::harness::{Anchore, Inventory, eventually, inventory_of, results, shared};

super::claims! {
    AnyCluster: rights_in_one_namespace_are_enough_for_its_own_uid,
        nodes_that_may_not_be_listed_are_left_out_with_one_warning,
        an_inventory_without_a_refused_namespace_is_withheld_unless_that_is_asked_for,
}

const NO_NODES: &str = "nodes are left out";

fn namespaces_of(report: &Received) -> Vec<Value> {
    report.json()["namespaces"].as_array().cloned().unwrap_or_default()
}

fn web(namespace: &str) -> Inventory {
    let mut inventory = Inventory::default();
    inventory.namespaces.insert(namespace.to_owned());
    inventory.add_created(namespace, "web:1");
    inventory
}

fn rights_in_one_namespace_are_enough_for_its_own_uid() {
    let cluster = shared();
    let namespace = cluster.namespace("alone");
    let account = namespace.account("kai");
    namespace.let_list_pods(&account);
    namespace.create_pod("web", "web:1");
    let anchore = Anchore::start(Scenario::v2());
    let kai = || account.kai().pushing_to(&anchore).args(&["-n", &namespace.name]);

    // Without the right to ask for it a namespace is reported all the same, with a uid made of its name.
    let ended = kai().args(&["push"]).run().ended_with(0);
    for word in ["get namespaces", &namespace.name, &account.user(), NO_NODES] {
        assert!(ended.stderr.contains(word), "{word} is named: {}", ended.stderr);
    }
    let made = namespaces_of(&anchore.wait_for(1)[0]);
    let real = cluster.kubectl_json(&["get", "namespace", &namespace.name, "-o", "json"])["metadata"].clone();
    assert_ne!(made[0]["uid"], real["uid"]);
    assert_eq!(made[0].get("labels"), None, "nobody knows them: {made:?}");

    namespace.let_get_namespace(&account);
    let service = kai().serve().ready();
    for report in &anchore.wait_for(4)[1..] {
        assert_eq!(inventory_of(report), web(&namespace.name));
        let told = namespaces_of(report);
        assert_eq!((&told[0]["uid"], &told[0]["labels"]), (&real["uid"], &real["labels"]));
        assert_eq!(report.json().get("nodes"), None, "no nodes: {:?}", report.json());
    }
    let log = service.log();
    assert_eq!(log.matches(NO_NODES).count(), 1, "{log}");
    assert!(!log.contains("get namespaces"), "nothing else is missing: {log}");
}

fn nodes_that_may_not_be_listed_are_left_out_with_one_warning() {
    let cluster = shared();
    let namespace = cluster.namespace("nodeless");
    let account = namespace.account("kai");
    account.let_list("pods,namespaces");
    namespace.create_pod("web", "web:1");
    let anchore = Anchore::start(Scenario::v2());
    let service = account.kai().pushing_to(&anchore).serve().ready();
    for report in anchore.wait_for(3) {
        assert_eq!(report.json().get("nodes"), None);
        assert_eq!(inventory_of(&report).of(&namespace.name), web(&namespace.name));
    }
    let log = service.log();
    assert_eq!(log.matches(NO_NODES).count(), 1, "{log}");
    for word in ["list nodes", &account.user(), "ClusterRole"] {
        assert!(log.contains(word), "{word} is named: {log}");
    }
    let push = service.get("/readyz?verbose").json()["push"][0].clone();
    assert_eq!(push["outcome"], "accepted", "{push}");

    // The right that comes later is used without a restart.
    account.let_list("nodes");
    let names = cluster.kubectl_json(&["get", "nodes", "-o", "json"])["items"].as_array().map(Vec::len);
    eventually("report with nodes", std::time::Duration::from_mins(1), || {
        let newest = anchore.reports().pop().expect("a report").json();
        let sent = newest["nodes"].as_array().map(Vec::len);
        if sent == names { Ok(()) } else { Err(format!("{sent:?} of {names:?}; log: {}", service.log())) }
    });
}

fn an_inventory_without_a_refused_namespace_is_withheld_unless_that_is_asked_for() {
    let cluster = shared();
    let (open, closed) = (cluster.namespace("told"), cluster.namespace("untold"));
    let account = open.account("kai");
    open.let_list_pods(&account);
    open.create_pod("web", "web:1");
    closed.create_pod("secret", "secret:1");
    let anchore = Anchore::start(Scenario::v2());
    let namespaces = format!("{},{}", open.name, closed.name);
    let kai = || account.kai().pushing_to(&anchore).args(&["-n", &namespaces]);

    let withheld = kai().args(&["push"]).run().ended_with(1);
    assert_eq!(withheld.stdout, "");
    for word in [&closed.name, "list pods", &account.user(), "anchore.push-incomplete"] {
        assert!(withheld.stderr.contains(word), "{word} is named: {}", withheld.stderr);
    }
    let printed = kai().run().ended_with(1);
    assert_eq!(Inventory::of_results(&results(&printed.stdout)), web(&open.name), "the report is printed all the same");
    let received = anchore.received();
    assert!(received.is_empty(), "nothing is sent: {received:?}");

    kai().env("KAI_ANCHORE_PUSH_INCOMPLETE", "true").args(&["push"]).run().ended_with(0);
    kai().env("KAI_ANCHORE_PUSH_INCOMPLETE", "true").run().ended_with(3);
    let reports = anchore.reports();
    assert_eq!(reports.len(), 2, "one of each run");
    for report in reports {
        assert_eq!(inventory_of(&report), web(&open.name), "the refused one is absent, not empty");
    }
}
