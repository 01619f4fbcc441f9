//! What kai does with just the rights that it has, and what it says of those that it lacks.

use std::time::Duration;

use crate::harness::{expected_results, has_namespace, images_of, results, shared};

super::claims! {
    AnyCluster: the_right_to_list_pods_and_namespaces_is_enough,
        included_namespaces_need_roles_in_them_alone,
        one_refused_namespace_is_named_and_the_rest_is_reported,
        a_refused_namespace_is_served_as_refused,
        nothing_allowed_fails_and_names_the_missing_right,
        nothing_allowed_in_the_included_namespaces_fails_and_names_the_missing_right,
        a_service_started_before_its_rights_becomes_ready_with_them,
        pods_without_namespaces_are_an_incomplete_report,
}

/// The service tries again with growing pauses.
const RECOVERY: Duration = Duration::from_mins(1);

fn the_right_to_list_pods_and_namespaces_is_enough() {
    let cluster = shared();
    let namespace = cluster.namespace("wide");
    let account = namespace.account("kai");
    account.let_list("pods,namespaces");
    namespace.create_pod("web", "registry.example.com:5000/web:1.2");
    let ended = account.kai().run().ended_with(0);
    let expected = cluster.kubectl_json(&["-n", &namespace.name, "get", "pods", "-o", "json"]);
    let results = results(&ended.stdout);
    assert_eq!(images_of(&results, &namespace.name), images_of(&expected_results(&expected, true), &namespace.name));
    assert!(has_namespace(&results, "kube-system"), "all namespaces are reported: {results:.500}");
}

fn included_namespaces_need_roles_in_them_alone() {
    let cluster = shared();
    let (one, two) = (cluster.namespace("one"), cluster.namespace("two"));
    let account = one.account("kai");
    one.let_list_pods(&account);
    two.let_list_pods(&account);
    one.create_pod("web", "web:1");
    two.create_pod("db", "db:2");
    let ended = account.kai().args(&["-n", &format!("{},{}", one.name, two.name)]).run().ended_with(0);
    let expected = cluster.kubectl_json(&["get", "pods", "-A", "-o", "json"]);
    let (expected, results) = (expected_results(&expected, true), results(&ended.stdout));
    assert_eq!(results.as_array().map(Vec::len), Some(2), "these two and no other: {results}");
    for namespace in [&one.name, &two.name] {
        assert_eq!(images_of(&results, namespace), images_of(&expected, namespace));
    }
    assert!(!ended.stderr.contains("forbidden"), "nothing else is asked for: {}", ended.stderr);
}

fn one_refused_namespace_is_named_and_the_rest_is_reported() {
    let cluster = shared();
    let (open, closed) = (cluster.namespace("open"), cluster.namespace("closed"));
    let account = open.account("kai");
    open.let_list_pods(&account);
    open.create_pod("web", "web:1");
    closed.create_pod("secret", "secret:1");
    let namespaces = format!("{},{}", open.name, closed.name);
    let ended = account.kai().args(&["-n", &namespaces]).run().ended_with(3);
    let results = results(&ended.stdout);
    assert_eq!(images_of(&results, &open.name).len(), 1);
    assert!(!has_namespace(&results, &closed.name), "an empty list would be false: {results}");
    for word in [&closed.name, "list", "pods", &account.user()] {
        assert!(ended.stderr.contains(word), "{word} is named: {}", ended.stderr);
    }
    account.kai().args(&["-n", &namespaces, "--allow-incomplete"]).run().ended_with(0);
}

fn a_refused_namespace_is_served_as_refused() {
    let cluster = shared();
    let (open, closed) = (cluster.namespace("served"), cluster.namespace("unserved"));
    let account = open.account("kai");
    open.let_list_pods(&account);
    let service = account.kai().args(&["-n", &format!("{},{}", open.name, closed.name)]).serve().ready();
    assert_eq!(service.get("/inventory").header("Inventory-Complete"), Some("false"));
    let refused = service.get(&format!("/namespaces/{}/images", closed.name));
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(refused.body.contains("pods"), "the reason is said: {refused:?}");
    assert_eq!(service.get(&format!("/namespaces/{}/images", open.name)).status, 200);
    let state = |name: &str| {
        let namespaces = service.get("/namespaces").json()["namespaces"].clone();
        let found = namespaces.as_array().and_then(|all| all.iter().find(|entry| entry["name"] == name));
        found.map(|entry| entry["state"].to_string()).unwrap_or_default()
    };
    assert_eq!((state(&open.name).as_str(), state(&closed.name).as_str()), ("\"read\"", "\"refused\""));
    // The right that comes later is used without a restart.
    closed.let_list_pods(&account);
    service.get_until("/inventory", RECOVERY, |answer| answer.header("Inventory-Complete") == Some("true"));
    assert_eq!(service.get(&format!("/namespaces/{}/images", closed.name)).status, 200);
}

fn nothing_allowed_fails_and_names_the_missing_right() {
    let namespace = shared().namespace("nothing");
    let account = namespace.account("kai");
    let ended = account.kai().run().ended_with(1);
    assert_eq!(ended.stdout, "", "no report is better than an empty one");
    for word in ["list", "pods", "cluster", &account.user(), "namespace-selectors.include"] {
        assert!(ended.stderr.contains(word), "{word} is named: {}", ended.stderr);
    }
}

fn nothing_allowed_in_the_included_namespaces_fails_and_names_the_missing_right() {
    let namespace = shared().namespace("none");
    let account = namespace.account("kai");
    let ended = account.kai().args(&["-n", &namespace.name]).run().ended_with(1);
    assert_eq!(ended.stdout, "");
    for word in ["list", "pods", &namespace.name, &account.user(), "Role"] {
        assert!(ended.stderr.contains(word), "{word} is named: {}", ended.stderr);
    }
}

fn a_service_started_before_its_rights_becomes_ready_with_them() {
    let namespace = shared().namespace("early");
    let account = namespace.account("kai");
    let service = account.kai().serve();
    let verbose = service.get_until("/readyz?verbose", RECOVERY, |answer| answer.body.contains("forbidden"));
    assert_eq!(verbose.status, 503, "{verbose:?}");
    assert!(verbose.body.contains("pods"), "the missing right is named: {verbose:?}");
    assert_eq!(service.get("/livez").status, 200, "a missing right is no reason to be restarted");
    let early = service.get("/inventory");
    assert_eq!(early.status, 503, "{early:?}");
    assert!(early.header("Retry-After").is_some(), "{early:?}");
    assert!(service.log().contains("pods"), "the log says it too: {}", service.log());
    account.let_list("pods,namespaces");
    service.get_until("/readyz", RECOVERY, |answer| answer.status == 200);
    let inventory = service.get("/inventory");
    assert_eq!((inventory.status, inventory.header("Inventory-Complete")), (200, Some("true")), "{inventory:?}");
}

fn pods_without_namespaces_are_an_incomplete_report() {
    let cluster = shared();
    let namespace = cluster.namespace("pods");
    let empty = cluster.namespace("empty");
    let account = namespace.account("kai");
    account.let_list("pods");
    namespace.create_pod("web", "web:1");
    let ended = account.kai().run().ended_with(3);
    let results = results(&ended.stdout);
    assert_eq!(images_of(&results, &namespace.name).len(), 1);
    assert!(!has_namespace(&results, &empty.name), "it cannot be known: {results:.500}");
    assert!(ended.stderr.contains("namespaces"), "the missing right is named: {}", ended.stderr);
}
