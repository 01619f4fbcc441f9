//! k8s-inventory's payload: what its lists say and what is left out.

use kai::inventory::{KeyFilter, Metadata, MetadataRule, NamespaceRecord, NodeRecord, Phase, PodRecord, ReportPolicy};
use kai::snapshot::Event;
use kai::testing::namespace;
use kai::views::{PayloadForm, PayloadRequest};
use rstest::rstest;
use serde_json::{Value, json};

use super::cluster::{
    Container, HEX, body, labels, list, pod, request, sent, snapshot, snapshot_including, values, web,
};

const FORM: PayloadForm = PayloadForm::KubernetesInventory;
const UIDS: [&str; 3] = [
    "11111111-1111-4111-8111-111111111111",
    "22222222-2222-4222-8222-222222222222",
    "33333333-3333-4333-8333-333333333333",
];

#[test]
fn the_payload_has_the_shape_that_anchore_describes() {
    let metadata = |kind: &str| Metadata {
        labels: values(&[("app", kind), ("tier", "front")]),
        annotations: values(&[("owner", "a \"team\"")]),
    };
    let node = NodeRecord {
        name: "node-1".into(),
        uid: Some(UIDS[1].into()),
        architecture: "amd64".into(),
        operating_system: "linux".into(),
        kernel_version: "6.12.4".into(),
        kubelet_version: "v1.37.2".into(),
        kube_proxy_version: "".into(),
        container_runtime_version: "containerd://2.2.0".into(),
        metadata: metadata("node"),
    };
    let web = PodRecord {
        uid: Some(UIDS[2].into()),
        node: Some("node-1".into()),
        metadata: Some(Box::new(metadata("pod"))),
        ..pod("apps", "web-1", &[Container::new("app", "nginx:1", "nginx@sha256:{H}", "containerd://abc")])
    };
    let apps = NamespaceRecord { name: "apps".into(), uid: Some(UIDS[0].into()), metadata: metadata("namespace") };
    let snapshot = snapshot([Event::from(apps), Event::from(web), Event::from(node)]);
    assert_eq!(
        body(request(&snapshot, FORM)),
        json!({
            "cluster_name": "prod-eu-1",
            "serverVersionMetadata": {
                "major": "", "minor": "", "gitVersion": "v1.37.2", "gitCommit": "", "gitTreeState": "",
                "buildDate": "", "goVersion": "", "compiler": "", "platform": "",
            },
            "timestamp": "2027-01-15T08:00:00Z",
            "namespaces": [{
                "name": "apps", "uid": UIDS[0],
                "labels": {"app": "namespace", "tier": "front"}, "annotations": {"owner": "a \"team\""},
            }],
            "nodes": [{
                "name": "node-1", "uid": UIDS[1], "arch": "amd64", "operating_system": "linux",
                "kernel_version": "6.12.4", "kubelet_version": "v1.37.2",
                "container_runtime_version": "containerd://2.2.0",
                "labels": {"app": "node", "tier": "front"}, "annotations": {"owner": "a \"team\""},
            }],
            "pods": [{
                "name": "web-1", "uid": UIDS[2], "namespace_uid": UIDS[0], "node_uid": UIDS[1],
                "labels": {"app": "pod", "tier": "front"}, "annotations": {"owner": "a \"team\""},
            }],
            "containers": [{
                "id": "containerd://abc", "name": "app", "image_tag": "nginx:1",
                "image_digest": format!("sha256:{HEX}"), "pod_uid": UIDS[2],
            }],
        })
    );
}

#[test]
fn what_is_not_known_is_left_out() {
    let snapshot = snapshot([Event::from(PodRecord { node: Some("node-1".into()), ..web("apps", "web-1") })]);
    let body = body(request(&snapshot, FORM));
    let keys = |element: &Value| element.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert!(body.get("nodes").is_none(), "no node is known");
    assert_eq!(keys(&body["namespaces"][0]), ["name", "uid"]);
    assert_eq!(keys(&body["pods"][0]), ["name", "namespace_uid", "uid"], "no node is there to be joined");
    assert_eq!(keys(&body["containers"][0]), ["id", "image_tag", "name", "pod_uid"]);
}

#[test]
fn labels_of_namespaces_are_sent_by_the_rule_of_the_request() {
    let record =
        NamespaceRecord { metadata: labels(&[("team", "shop"), ("tier", "a")]), ..NamespaceRecord::named("apps") };
    let snapshot = snapshot([Event::from(record)]);
    let sent_with = |labels: KeyFilter| {
        let namespace_rule = MetadataRule { labels, annotations: KeyFilter::None };
        body(PayloadRequest { namespace_rule, ..request(&snapshot, FORM) })["namespaces"][0]["labels"].clone()
    };
    assert_eq!(sent_with(KeyFilter::None), json!(null), "a label that is kept for routing is not sent");
    let only_tier = KeyFilter::Matching([regex::Regex::new("^tier$").expect("a regex")].into());
    assert_eq!(sent_with(only_tier), json!({"tier": "a"}));
}

#[test]
fn only_pods_that_count_are_listed() {
    let waiting = PodRecord { phase: Phase::Pending, ..web("apps", "waiting") };
    let snapshot = snapshot([Event::from(waiting), Event::from(web("apps", "web"))]);
    let names = |ignore_not_running: bool| -> Vec<String> {
        let policy = ReportPolicy { ignore_not_running, ..ReportPolicy::default() };
        let body = body(PayloadRequest { policy, ..request(&snapshot, FORM) });
        list(&body, "pods").iter().map(|pod| pod["name"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names(true), ["web"]);
    assert_eq!(names(false), ["waiting", "web"]);
}

#[rstest]
#[case::kept(false, &["apps", "empty", "idle"])]
#[case::left_out(true, &["apps"])]
fn namespaces_without_images_follow_their_setting(#[case] ignore_empty: bool, #[case] expected: &[&str]) {
    let idle = PodRecord { phase: Phase::Succeeded, ..web("idle", "job") };
    let snapshot = snapshot([namespace("empty"), Event::from(idle), Event::from(web("apps", "web"))]);
    let policy = ReportPolicy { ignore_empty, ..ReportPolicy::default() };
    let body = body(PayloadRequest { policy, ..request(&snapshot, FORM) });
    let names: Vec<_> = list(&body, "namespaces").iter().map(|namespace| namespace["name"].as_str()).collect();
    assert_eq!(names, expected.iter().map(|name| Some(*name)).collect::<Vec<_>>());
}

#[test]
fn a_namespace_that_does_not_exist_is_not_listed() {
    let snapshot = snapshot_including(&["apps", "gone"], [namespace("apps")]);
    let body = body(request(&snapshot, FORM));
    let names: Vec<_> = list(&body, "namespaces").iter().map(|namespace| &namespace["name"]).collect();
    assert_eq!(names, ["apps"]);
}

#[rstest]
#[case::blank("  ", "\\u{20}\\u{20}")]
#[case::line_break_first("\na:1", "\\u{a}a:1")]
#[case::odd_but_taken("${IMG} \u{1}", "${IMG} \u{1}")]
fn a_text_that_would_make_the_receiver_refuse_everything_is_escaped(#[case] image: &str, #[case] expected: &str) {
    let snapshot = snapshot([Event::from(pod("apps", "web", &[Container::new("app", image, "", "")]))]);
    assert_eq!(body(request(&snapshot, FORM))["containers"][0]["image_tag"], json!(expected));
}

#[test]
fn no_namespaces_give_no_payload_or_an_empty_one_where_one_is_wanted() {
    let snapshot = snapshot([]);
    assert!(sent(request(&snapshot, FORM)).is_empty());
    let body = body(PayloadRequest { at_least_one: true, ..request(&snapshot, FORM) });
    assert_eq!([&body["namespaces"], &body["pods"], &body["containers"]], [&json!([]); 3]);
}
