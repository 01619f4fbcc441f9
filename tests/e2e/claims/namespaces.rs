//! Which namespaces are read, and how they come and go.

use std::time::Duration;

use crate::harness::{filled, results, shared};

super::claims! {
    AnyCluster: namespaces_appear_and_vanish_while_polling,
        an_included_namespace_that_does_not_exist_is_reported_empty;
    OwnControlPlane: exclude_takes_names_and_regexes_among_two_hundred_namespaces,
}

/// Polls are a second apart; the removal of a namespace takes a controller's round.
const SEEN: Duration = Duration::from_mins(1);

fn namespaces_appear_and_vanish_while_polling() {
    let cluster = shared();
    let service = cluster.kai().serve().ready();
    let namespace = cluster.namespace("passing");
    let images = format!("/namespaces/{}/images", namespace.name);
    assert_eq!(service.get("/namespaces/e2e-never-made/images").status, 404);
    let empty = service.get_until(&images, SEEN, |answer| answer.status == 200);
    assert_eq!(empty.json()["images"].as_array().map(Vec::len), Some(0), "{empty:?}");
    namespace.create_pod("web", "web:1");
    service.get_until(&images, SEEN, |answer| answer.body.contains("web:1"));
    // A pod that no node has is removed at once, and the namespace with it.
    cluster.kubectl(&["delete", "namespace", &namespace.name, "--wait=false"]);
    service.get_until(&images, SEEN, |answer| answer.status == 404);
    let all = service.get("/inventory");
    assert!(!all.body.contains(&namespace.name), "{}", all.body);
    assert_eq!(all.header("Inventory-Complete"), Some("true"));
}

fn an_included_namespace_that_does_not_exist_is_reported_empty() {
    let cluster = shared();
    let ended = cluster.kai().args(&["-n", "e2e-never-made"]).run().ended_with(3);
    assert_eq!(results(&ended.stdout), serde_json::json!([{"namespace": "e2e-never-made", "images": []}]));
    assert!(ended.stderr.contains("e2e-never-made"), "it is said: {}", ended.stderr);
}

fn exclude_takes_names_and_regexes_among_two_hundred_namespaces() {
    let (_turn, cluster) = filled();
    let all = cluster.kubectl(&["get", "namespaces", "-o", "jsonpath={.items[*].metadata.name}"]);
    // What the expressions below leave, by cutting names.
    let is_team = |name: &&str| !name.starts_with("kube-") && !["default", "readers"].contains(name);
    let is_kept = |name: &&str| {
        let (team, number) = name.split_once('-').expect("a team and a number");
        let is_matched = team.ends_with('g') && number.starts_with('1') && number.len() > 1;
        team != "search" && !number.ends_with('5') && !is_matched
    };
    let mut left: Vec<&str> = all.split(' ').filter(is_team).filter(is_kept).collect();
    left.sort_unstable();
    let by_name = left.remove(0);
    assert!(left.len() > 50 && left.len() < 180, "the expressions say something: {left:?}");

    let exclude = format!("['^search-', '5$', 'g-?1[0-9]+$', '^kube-', {by_name}, default, readers]");
    let config = format!("namespace-selectors:\n  exclude: {exclude}\n");
    let ended = cluster.kai().config(&config).run().ended_with(0);
    let results = results(&ended.stdout);
    let names: Vec<&str> =
        results.as_array().into_iter().flatten().filter_map(|result| result["namespace"].as_str()).collect();
    assert_eq!(names, left);
}
