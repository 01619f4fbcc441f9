//! For any cluster, policy and limit: both forms say the same, and splitting loses and repeats nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kai::views::{KaiReport, PayloadForm, PayloadLimits, PayloadRequest};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::any_cluster::{any_policy, any_snapshot};
use super::cluster::{limits, list, request, sent, text};

use PayloadForm::{Inventories, KubernetesInventory};

fn any_limits() -> impl Strategy<Value = PayloadLimits> {
    let namespaces = proptest::option::of(1..4_usize);
    (namespaces, proptest::option::of(1..6_000_u64)).prop_map(|(namespaces, bytes)| limits(namespaces, bytes))
}

fn any_request(form: PayloadForm) -> impl Strategy<Value = PayloadRequest> {
    (any_snapshot(), any_policy(), any::<bool>()).prop_map(move |(snapshot, policy, with_idle_nodes)| PayloadRequest {
        policy,
        with_idle_nodes,
        at_least_one: true,
        ..request(&snapshot, form)
    })
}

fn texts<'a>(elements: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
    let mut texts: Vec<String> = elements.into_iter().map(Value::to_string).collect();
    texts.sort_unstable();
    texts
}

/// Each image of a report as a value that names its namespace.
fn images(body: &Value) -> Vec<Value> {
    let of_namespace = |namespace: &Value| -> Vec<Value> {
        list(namespace, "images").iter().map(|image| json!([namespace["namespace"], image])).collect()
    };
    list(body, "results").iter().flat_map(of_namespace).collect()
}

/// The images of a payload by way of its ids: `[namespace, tag, digest]`.
fn joined_images(body: &Value) -> BTreeSet<String> {
    let by_uid = |name: &str| -> HashMap<String, &Value> {
        list(body, name).iter().map(|element| (element["uid"].to_string(), element)).collect()
    };
    let (namespaces, pods) = (by_uid("namespaces"), by_uid("pods"));
    let image = |container: &Value| {
        let namespace = namespaces[&pods[&container["pod_uid"].to_string()]["namespace_uid"].to_string()];
        let mut image = json!({"tag": container["image_tag"]});
        if let Some(digest) = container.get("image_digest") {
            image["repoDigest"] = digest.clone();
        }
        json!([namespace["name"], image]).to_string()
    };
    list(body, "containers").iter().map(image).collect()
}

/// Length of a body with these alone of its lists.
fn length_of(body: &Value, lists: &[(&str, Vec<&Value>)]) -> u64 {
    let mut body = body.clone();
    for (name, elements) in lists {
        body[name] = elements.iter().map(|element| (*element).clone()).collect();
    }
    if list(&body, "nodes").is_empty() {
        body.as_object_mut().expect("an object").remove("nodes");
    }
    body.to_string().len() as u64
}

/// The lists of a namespace with all that it needs: what it takes to send it in one payload.
fn lists_of<'a>(body: &'a Value, namespace: &'a Value) -> [(&'static str, Vec<&'a Value>); 4] {
    let chosen =
        |name: &str, choose: &dyn Fn(&Value) -> bool| list(body, name).iter().filter(|at| choose(at)).collect();
    let pods: Vec<&Value> = chosen("pods", &|pod| pod["namespace_uid"] == namespace["uid"]);
    let containers = chosen("containers", &|container| pods.iter().any(|pod| pod["uid"] == container["pod_uid"]));
    let nodes = chosen("nodes", &|node| pods.iter().any(|pod| pod.get("node_uid") == Some(&node["uid"])));
    [("namespaces", vec![namespace]), ("nodes", nodes), ("pods", pods), ("containers", containers)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(250) })]

    #[test]
    fn a_report_that_is_not_split_is_the_report(request in any_request(Inventories)) {
        let report = serde_json::to_string(&KaiReport::of(&request.snapshot, &request.policy, |_| true)).expect("JSON");
        let bodies: Vec<String> = request.payloads().map(|payload| text(&payload)).collect();
        prop_assert_eq!(bodies, [report]);
    }

    #[test]
    fn both_forms_say_the_same_images(request in any_request(Inventories), limits in any_limits()) {
        let reported: Vec<(_, Value)> = sent(request.clone());
        let reported: BTreeSet<String> = reported.iter().flat_map(|(_, body)| images(body)).map(|image| image.to_string()).collect();
        let listed = sent(PayloadRequest { form: KubernetesInventory, limits, ..request });
        let listed: BTreeSet<String> = listed.iter().flat_map(|(_, body)| joined_images(body)).collect();
        prop_assert_eq!(reported, listed);
    }

    #[test]
    fn the_same_request_gives_the_same_bytes(
        request in prop_oneof![any_request(Inventories), any_request(KubernetesInventory)],
        limits in any_limits(),
    ) {
        let bodies = |request: PayloadRequest| request.payloads().map(|payload| text(&payload)).collect::<Vec<_>>();
        let request = PayloadRequest { limits, ..request };
        let shuffled = PayloadRequest { namespaces: request.namespaces.iter().rev().cloned().collect(), ..request.clone() };
        prop_assert_eq!(bodies(request), bodies(shuffled));
    }

    #[test]
    fn splitting_a_report_loses_and_repeats_no_image(request in any_request(Inventories), limits in any_limits()) {
        let (_, whole) = sent(request.clone()).remove(0);
        let parts = sent(PayloadRequest { limits, ..request });
        let found: Vec<Value> = parts.iter().flat_map(|(_, body)| images(body)).collect();
        prop_assert_eq!(texts(&found), texts(&images(&whole)));
        let results: Vec<&Value> = parts.iter().flat_map(|(_, body)| list(body, "results")).collect();
        let names = |results: &[&Value]| results.iter().map(|at| at["namespace"].to_string()).collect::<Vec<_>>();
        let mut split = names(&results);
        split.dedup();
        prop_assert_eq!(split, names(&list(&whole, "results").iter().collect::<Vec<_>>()), "in order, none lost");

        for (payload, body) in &parts {
            prop_assert!(limits.namespaces.is_none_or(|most| payload.namespaces <= most));
            let is_smallest = payload.containers <= 1 && payload.namespaces <= 1;
            prop_assert!(limits.bytes.is_none_or(|most| payload.body.length() <= most) || is_smallest, "{body}");
        }
        for namespace in list(&whole, "results") {
            let pieces = results.iter().filter(|at| at["namespace"] == namespace["namespace"]).count();
            let fits = limits.bytes.is_none_or(|most| length_of(&whole, &[("results", vec![namespace])]) <= most);
            prop_assert!(pieces == 1 || !fits, "{namespace} would have fitted");
        }
    }

    #[test]
    fn splitting_an_inventory_loses_and_repeats_nothing(request in any_request(KubernetesInventory), limits in any_limits()) {
        let (_, whole) = sent(request.clone()).remove(0);
        let parts = sent(PayloadRequest { limits, ..request });
        let all = |name: &str| texts(parts.iter().flat_map(|(_, body)| list(body, name)));
        for name in ["pods", "containers"] {
            prop_assert_eq!(all(name), texts(list(&whole, name)), "{}", name);
        }
        for name in ["namespaces", "nodes"] {
            let mut found = all(name);
            found.dedup();
            prop_assert_eq!(found, texts(list(&whole, name)), "{}: each at least once, and always the same", name);
        }
        let mut ids: Vec<String> = parts.iter().flat_map(|(_, body)| list(body, "containers")).map(|at| at["id"].to_string()).collect();
        ids.sort_unstable();
        prop_assert!(ids.is_sorted_by(|a, b| a < b), "an id twice: {ids:?}");

        let mut pieces: BTreeMap<String, usize> = BTreeMap::new();
        for (payload, body) in &parts {
            let uids = |name: &str| list(body, name).iter().map(|at| at["uid"].to_string()).collect::<BTreeSet<_>>();
            let (namespaces, nodes, pods) = (uids("namespaces"), uids("nodes"), uids("pods"));
            for name in ["namespaces", "nodes", "pods"] {
                prop_assert_eq!(uids(name).len(), list(body, name).len(), "{} once in a payload", name);
            }
            for pod in list(body, "pods") {
                prop_assert!(namespaces.contains(&pod["namespace_uid"].to_string()));
                prop_assert!(pod.get("node_uid").is_none_or(|uid| nodes.contains(&uid.to_string())));
            }
            for container in list(body, "containers") {
                prop_assert!(pods.contains(&container["pod_uid"].to_string()));
            }
            namespaces.into_iter().for_each(|uid| *pieces.entry(uid).or_default() += 1);
            prop_assert!(limits.namespaces.is_none_or(|most| payload.namespaces <= most));
            let is_smallest = payload.pods <= 1 && payload.namespaces <= 1 && (payload.namespaces == 1 || nodes.len() <= 1);
            prop_assert!(limits.bytes.is_none_or(|most| payload.body.length() <= most) || is_smallest, "{body:#}");
        }
        for namespace in list(&whole, "namespaces") {
            let fits = limits.bytes.is_none_or(|most| length_of(&whole, &lists_of(&whole, namespace)) <= most);
            prop_assert!(pieces[&namespace["uid"].to_string()] == 1 || !fits, "{namespace} would have fitted");
        }
    }

    /// A node is where its pods are: beyond those that run nothing, no payload names one that no pod of it runs on.
    #[test]
    fn a_payload_names_no_node_that_its_pods_do_not_run_on(request in any_request(KubernetesInventory), limits in any_limits()) {
        for (_, body) in sent(PayloadRequest { with_idle_nodes: false, limits, ..request }) {
            let named: BTreeSet<String> = list(&body, "nodes").iter().map(|node| node["uid"].to_string()).collect();
            let run_on: BTreeSet<String> =
                list(&body, "pods").iter().filter_map(|pod| pod.get("node_uid")).map(Value::to_string).collect();
            prop_assert_eq!(named, run_on);
        }
    }
}
