//! The ids that join: the cluster's where they serve, made ones that are the same in every process.

use std::collections::HashSet;

use kai::inventory::{ContainerKind, MissingTagPolicy, NamespaceRecord, NodeRecord, PodRecord, ReportPolicy};
use kai::snapshot::Event;
use kai::views::{PayloadForm, PayloadRequest};
use rstest::rstest;
use serde_json::{Value, json};

use super::cluster::{Container, body, list, node, pod, request, snapshot, web};

const FORM: PayloadForm = PayloadForm::KubernetesInventory;
const UID: &str = "7d9f0b5e-95b5-4b57-9f3a-0c1d2e3f4a5b";

#[rstest]
#[case::lower_case(Some(UID), Some(UID))]
#[case::upper_case(Some("7D9F0B5E-95B5-4B57-9F3A-0C1D2E3F4A5B"), Some(UID))]
#[case::mirror_pod(Some("7d9f0b5e95b54b579f3a0c1d2e3f4a5b"), None)]
#[case::braces(Some("{7d9f0b5e-95b5-4b57-9f3a-0c1d2e3f4a5b}"), None)]
#[case::misplaced(Some("7d9f0b5e9-5b5-4b57-9f3a-0c1d2e3f4a5b"), None)]
#[case::a_name(Some("web-1"), None)]
#[case::empty(Some(""), None)]
#[case::missing(None, None)]
fn a_uid_is_the_clusters_own_where_it_is_a_uuid(#[case] written: Option<&str>, #[case] expected: Option<&str>) {
    let uid = || written.map(Box::from);
    let snapshot = snapshot([
        Event::from(NamespaceRecord { uid: uid(), ..NamespaceRecord::named("apps") }),
        Event::from(PodRecord { uid: uid(), node: Some("node-1".into()), ..web("apps", "web-1") }),
        Event::from(NodeRecord { uid: uid(), ..node("node-1") }),
    ]);
    let body = body(request(&snapshot, FORM));
    let uids = ["namespaces", "nodes", "pods"].map(|name| body[name][0]["uid"].as_str().expect("a uid").to_owned());
    match expected {
        Some(expected) => assert_eq!(uids, [expected; 3]),
        None => assert_eq!(uids.iter().collect::<HashSet<_>>().len(), 3, "made of kind and name: {uids:?}"),
    }
    assert_eq!(body["pods"][0]["namespace_uid"], json!(uids[0]));
    assert_eq!(body["pods"][0]["node_uid"], json!(uids[1]));
    assert_eq!(body["containers"][0]["pod_uid"], json!(uids[2]));
}

/// A change of how ids are made would give everything at Anchore another identity.
#[test]
fn made_ids_are_these() {
    let snapshot = snapshot([
        Event::from(PodRecord { node: Some("node-1".into()), ..web("apps", "web-1") }),
        Event::from(node("node-1")),
    ]);
    let body = body(request(&snapshot, FORM));
    let ids = ["namespaces", "nodes", "pods"].map(|name| body[name][0]["uid"].clone());
    assert_eq!(
        ids,
        [
            "cb0fb2e7-4c1b-5f68-9dc2-17ec8ff0eeb8",
            "5a85565a-45ce-5853-baab-bcc8ca51e970",
            "4ca65f04-ed6b-59ef-bf71-20b5f5cb7bfd",
        ]
    );
    assert_eq!(body["containers"][0]["id"], "5766dd42-fecd-51cd-8e44-b33a3dc14c57");
}

#[test]
fn a_uid_that_two_pods_have_is_neithers() {
    let twin = |name: &str| Event::from(PodRecord { uid: Some(UID.into()), ..web("apps", name) });
    let body = body(request(&snapshot([twin("a"), twin("b")]), FORM));
    let uids: HashSet<&str> = list(&body, "pods").iter().filter_map(|pod| pod["uid"].as_str()).collect();
    assert_eq!(uids.len(), 2);
    assert!(!uids.contains(UID));
}

/// What the containers of one pod are called, by id or `made`, with tag and the first digits of the digest.
fn containers(pods: impl IntoIterator<Item = PodRecord>, policy: &ReportPolicy) -> Vec<String> {
    let snapshot = snapshot(pods.into_iter().map(Event::from));
    let body = body(PayloadRequest { policy: policy.clone(), ..request(&snapshot, FORM) });
    let elements = list(&body, "containers");
    let ids: HashSet<&Value> = elements.iter().map(|container| &container["id"]).collect();
    assert_eq!(ids.len(), elements.len(), "no two containers share an id: {elements:#?}");
    let mut said: Vec<String> = elements
        .iter()
        .map(|container| {
            let text = |key: &str| container[key].as_str().unwrap_or("-");
            let id = if text("id").contains("://") { text("id") } else { "made" };
            let digest = text("image_digest").trim_start_matches("sha256:");
            format!("{id} {} {}", text("image_tag"), &digest[..digest.len().min(4)])
        })
        .collect();
    said.sort_unstable();
    said
}

#[rstest]
#[case::own(&[Container::new("a", "x:1", "", "r://1")], &["r://1 x:1 -"])]
#[case::none(&[Container::new("a", "x:1", "", "")], &["made x:1 -"])]
#[case::volume(
    &[Container { kind: ContainerKind::Volume, ..Container::new("a", "x:1", "x@sha256:{H}", "") }],
    &["made x:1 b9b4"],
)]
#[case::shared(
    &[Container::new("a", "x:1", "", "r://1"), Container::new("b", "x:1", "", "r://1"), Container::new("c", "x:1", "", "r://2")],
    &["made x:1 -", "made x:1 -", "r://2 x:1 -"],
)]
#[case::update_in_place(
    &[Container { behind: true, status_image: "x:1".into(), ..Container::new("a", "x:2", "x@sha256:{H}", "r://1") }],
    &["made x:1 b9b4", "made x:2 -"],
)]
#[case::update_of_the_digest_alone(
    &[Container { behind: true, ..Container::new("a", "x:1@sha256:{O}", "x@sha256:{H}", "r://1") }],
    &["made x:1 1111", "made x:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628 b9b4"],
)]
#[case::same_name_and_tag(
    &[Container::new("a", "x:1@sha256:{O}", "", ""), Container::new("a", "x:1@sha256:{H}", "", ""), Container::new("a", "x:1", "", "")],
    &["made x:1 -", "made x:1 1111", "made x:1 b9b4"],
)]
#[case::equal_in_everything(
    &[Container::new("a", "x:1", "", ""), Container::new("a", "x:1", "", ""), Container::new("a", "x:1", "", "")],
    &["made x:1 -", "made x:1 -", "made x:1 -"],
)]
#[case::one_that_looks_made(
    &[Container::new("a", "x:1", "", "7d9f0b5e-95b5-5b57-9f3a-0c1d2e3f4a5b")],
    &["made x:1 -"],
)]
fn an_id_is_the_containers_own_where_it_has_one_alone(#[case] containers_of: &[Container], #[case] expected: &[&str]) {
    assert_eq!(containers([pod("apps", "web", containers_of)], &ReportPolicy::default()), expected);
}

#[test]
fn ids_that_pods_share_are_neithers() {
    let twin = |name: &str| pod("apps", name, &[Container::new("a", "x:1", "", "r://1")]);
    assert_eq!(containers([twin("p"), twin("q")], &ReportPolicy::default()), ["made x:1 -", "made x:1 -"]);
}

#[test]
fn both_entries_of_an_update_are_there_under_one_inserted_tag() {
    let updating = Container { behind: true, ..Container::new("a", "x@sha256:{O}", "x@sha256:{H}", "r://1") };
    let policy = ReportPolicy { missing_tag: MissingTagPolicy::Insert("NONE".into()), ..ReportPolicy::default() };
    assert_eq!(containers([pod("apps", "web", &[updating])], &policy), ["made x:NONE 1111", "made x:NONE b9b4"]);
}

/// What an update leaves to say when it has another name for the same thing is one container, with its own id.
#[test]
fn an_update_that_changes_nothing_is_one_container() {
    let updating = Container {
        behind: true,
        status_image: "reg.example.com/x:1".into(),
        ..Container::new("a", "x:1@sha256:{H}", "reg.example.com/x@sha256:{H}", "r://1")
    };
    let policy = ReportPolicy { missing_registry_override: Some("reg.example.com".into()), ..ReportPolicy::default() };
    assert_eq!(containers([pod("apps", "web", &[updating])], &policy), ["r://1 reg.example.com/x:1 b9b4"]);
}

/// Whoever else is sent: the id of an entry is its own.
#[test]
fn made_ids_do_not_depend_on_what_else_is_sent() {
    let ids = |events: Vec<PodRecord>| -> Vec<(Value, Value)> {
        let body = body(request(&snapshot(events.into_iter().map(Event::from)), FORM));
        let web = list(&body, "pods").iter().find(|pod| pod["name"] == "web").expect("the pod");
        let of_it = list(&body, "containers").iter().filter(|container| container["pod_uid"] == web["uid"]);
        of_it.map(|container| (container["name"].clone(), container["id"].clone())).collect()
    };
    let alone = ids(vec![web("apps", "web")]);
    assert_eq!(alone, ids(vec![web("apps", "a"), web("apps", "web"), web("shop", "web-2")]));
}
