//! What is kept beyond images, by rule: labels, annotations, container IDs, uids of namespaces, nodes; the same from every
//! wire.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use kai::decode::{Encoding, ListDecoder, Records, read_dump, read_one_namespace};
use kai::inventory::{Detail, KeyFilter, Metadata, MetadataRule, NamespaceRecord, NodeRecord, PodRecord};
use kai::snapshot::{Event, ListScope, Object};
use kai::testing::everything;
use regex::Regex;
use rstest::rstest;
use serde_json::{Value, json};

use crate::protobuf::Message;

fn matching(expressions: &[&str]) -> KeyFilter {
    KeyFilter::Matching(expressions.iter().map(|text| Regex::new(text).expect("a regex")).collect())
}

fn rule(labels: KeyFilter, annotations: KeyFilter) -> MetadataRule {
    MetadataRule { labels, annotations }
}

fn all() -> MetadataRule {
    rule(KeyFilter::All, KeyFilter::All)
}

/// `KEY=VALUE` in the order kept.
fn shown(pairs: &kai::inventory::KeyValues) -> Vec<String> {
    pairs.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

/// An object as `kubectl -o yaml` lays it out, as an item of a list; texts in double quotes.
fn yaml(value: &Value, indent: usize) -> String {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let lines = fields.iter().map(|(key, value)| format!("\n{pad}\"{key}\":{}", yaml(value, indent + 2)));
            lines.collect::<Vec<_>>().concat()
        }
        Value::Array(items) if !items.is_empty() => {
            let lines = items.iter().map(|item| format!("\n{pad}-{}", yaml(item, indent + 2)));
            lines.collect::<Vec<_>>().concat()
        }
        scalar => format!(" {scalar}"),
    }
}

fn yaml_list(items: &[Value]) -> String {
    let items = items.iter().map(|item| format!("-{}\n", yaml(item, 2).replacen("\n ", "", 1)));
    format!("apiVersion: v1\nitems:\n{}kind: List\n", items.collect::<Vec<_>>().concat())
}

/// What a list of that scope gives in both encodings, and what a dump of the same objects gives in both formats.
fn from_every_wire(scope: &ListScope, kind: &str, item: &Value, detail: &Detail) -> [(&'static str, Vec<Event>); 4] {
    let body = json!({"kind": format!("{kind}List"), "apiVersion": "v1", "metadata": {}, "items": [item]});
    let mut item = item.clone();
    (item["apiVersion"], item["kind"]) = (json!("v1"), json!(kind));
    let json_dump = json!({"apiVersion": "v1", "items": [&item], "kind": "List"});
    [
        ("a list in JSON", list_events(scope, Encoding::Json, body.to_string().as_bytes(), detail)),
        ("a list in protobuf", list_events(scope, Encoding::Protobuf, &crate::protobuf::list_of(&body), detail)),
        ("a dump in JSON", dump_events(&json_dump.to_string(), detail)),
        ("a dump in YAML", dump_events(&yaml_list(&[item]), detail)),
    ]
}

fn list_events(scope: &ListScope, encoding: Encoding, body: &[u8], detail: &Detail) -> Vec<Event> {
    let (mut records, mut events) = (Records::new(detail.clone()), Vec::new());
    let mut decoder = ListDecoder::of_encoding(scope.clone(), encoding);
    for part in body.chunks(99) {
        decoder.push(part, &mut records, &mut events).expect("a list");
    }
    decoder.finish().expect("a whole list");
    events
}

fn dump_events(text: &str, detail: &Detail) -> Vec<Event> {
    let mut events = Vec::new();
    let end = read_dump(&mut text.as_bytes(), &mut Records::new(detail.clone()), &mut |event| {
        events.push(event);
        ControlFlow::Continue(())
    });
    // A dump of nodes alone is none; what it gave is looked at all the same.
    assert!(
        end.is_ok() || events.iter().all(|event| matches!(event, Event::Applied(Object::Node(_)))),
        "{end:?} {text}"
    );
    events
}

fn only_pod(wire: &str, events: Vec<Event>) -> PodRecord {
    match <[Event; 1]>::try_from(events) {
        Ok([Event::Applied(Object::Pod(pod))]) => pod,
        other => panic!("{wire}: not one pod but {other:?}"),
    }
}

fn only_namespace(wire: &str, events: Vec<Event>) -> NamespaceRecord {
    match <[Event; 1]>::try_from(events) {
        Ok([Event::Applied(Object::Namespace(namespace))]) => namespace,
        other => panic!("{wire}: not one namespace but {other:?}"),
    }
}

fn only_node(wire: &str, events: Vec<Event>) -> NodeRecord {
    match <[Event; 1]>::try_from(events) {
        Ok([Event::Applied(Object::Node(node))]) => node,
        other => panic!("{wire}: not one node but {other:?}"),
    }
}

fn static_pod() -> Value {
    json!({
        "metadata": {
            "name": "web-1", "namespace": "shop", "uid": "u-1",
            "labels": {"team/owner": "é \"x\"", "app": "web", "empty": ""},
            "annotations": {
                "team/contact": "a: b\n- c", "kubernetes.io/config.mirror": "m", "last-applied": "{\"spec\": [1]}"
            }
        },
        "spec": {"nodeName": "n1", "containers": [{"name": "a", "image": "nginx:1"}, {"name": "b", "image": "nginx:1"}]},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "a", "image": "nginx:1", "imageID": "", "containerID": "containerd://1a", "state": {"running": {}}},
            {"name": "b", "image": "nginx:1", "imageID": "", "state": {"waiting": {"reason": "ContainerCreating"}}}
        ]}
    })
}

const LABELS: [&str; 3] = ["app=web", "empty=", "team/owner=é \"x\""];
const MIRROR: &str = "kubernetes.io/config.mirror=m";
const ANNOTATIONS: [&str; 3] = [MIRROR, "last-applied={\"spec\": [1]}", "team/contact=a: b\n- c"];

#[rstest]
#[case::nothing(rule(KeyFilter::None, KeyFilter::None), false, &[], &[])]
#[case::ids_alone(rule(KeyFilter::None, KeyFilter::None), true, &[], &[])]
#[case::everything(all(), true, &LABELS, &ANNOTATIONS)]
#[case::labels_alone(rule(KeyFilter::All, KeyFilter::None), false, &LABELS, &[])]
#[case::annotations_alone(rule(KeyFilter::None, KeyFilter::All), false, &[], &ANNOTATIONS)]
#[case::found_anywhere(rule(matching(&["ea.*/"]), matching(&["^team/", "mirror"])), true, &[LABELS[2]], &[MIRROR, ANNOTATIONS[2]])]
#[case::found_nowhere(rule(matching(&["^x"]), matching(&["^x"])), false, &[], &[])]
fn labels_annotations_and_ids_of_a_pod_are_kept_by_rule(
    #[case] pods: MetadataRule,
    #[case] container_ids: bool,
    #[case] labels: &[&str],
    #[case] annotations: &[&str],
) {
    let detail = Detail { pods, container_ids, ..Detail::default() };
    for (wire, events) in from_every_wire(&ListScope::AllPods, "Pod", &static_pod(), &detail) {
        let pod = only_pod(wire, events);
        let nothing = Metadata::default();
        let metadata = pod.metadata.as_deref().unwrap_or(&nothing);
        assert_eq!(
            (shown(&metadata.labels), shown(&metadata.annotations)),
            (owned(labels), owned(annotations)),
            "{wire}"
        );
        assert_eq!(pod.metadata.is_none(), metadata.is_empty(), "{wire}: an empty box");
        let ids: Vec<_> = pod.containers.iter().map(|container| container.container_id.as_deref()).collect();
        assert_eq!(ids, [Some("containerd://1a").filter(|_| container_ids), None], "{wire}");
        let owner = pod.owner.as_ref().expect("the mark of a static pod is read whatever is kept");
        assert_eq!((&*owner.kind, &*owner.name), ("Node", "n1"), "{wire}");
    }
}

#[test]
fn the_label_of_a_template_tells_the_workload_though_no_label_is_kept() {
    let mut pod = static_pod();
    pod["metadata"]["annotations"] = json!({});
    pod["metadata"]["labels"]["pod-template-hash"] = json!("6b7f9c");
    pod["metadata"]["ownerReferences"] = json!([{"kind": "ReplicaSet", "name": "web-6b7f9c", "controller": true}]);
    for (wire, events) in from_every_wire(&ListScope::AllPods, "Pod", &pod, &Detail::default()) {
        let owner = only_pod(wire, events).owner.expect("an owner");
        let workload = owner.workload();
        assert_eq!((workload.kind, workload.name, workload.is_inferred), ("Deployment", "web", true), "{wire}");
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn the_key_filter_sees_whole_keys_and_equal_texts_are_shared() {
    let detail = Detail { pods: all(), ..Detail::default() };
    let body = json!({"kind": "PodList", "items": [static_pod(), static_pod()]}).to_string();
    let events = list_events(&ListScope::AllPods, Encoding::Json, body.as_bytes(), &detail);
    let [Event::Applied(Object::Pod(first)), Event::Applied(Object::Pod(second))] = events.as_slice() else {
        panic!("{events:?}")
    };
    let label = |pod: &PodRecord| pod.metadata.as_ref().and_then(|kept| kept.label("app").cloned()).expect("a label");
    assert!(std::sync::Arc::ptr_eq(&label(first), &label(second)));
}

/// Pods whose metadata no API server would write, with the labels that are left.
#[rstest]
#[case::other_values(r#"{"b":"2","n":5,"t":true,"z":null,"l":["x"],"o":{"a":"x"},"f":1.5,"a":"1"}"#, &["a=1", "b=2"])]
#[case::twice(r#"{"a":"1","b":"x","a":"2"}"#, &["a=2", "b=x"])]
#[case::twice_and_no_text_at_last(r#"{"a":"1","a":5}"#, &[])]
#[case::escapes(r#"{"\u0061":"\u00e9\"\\","b":"\n"}"#, &["a=é\"\\", "b=\n"])]
#[case::no_map("[1,2]", &[])]
#[case::a_text(r#""x""#, &[])]
#[case::null("null", &[])]
#[case::empty("{}", &[])]
fn odd_labels_and_annotations_break_nothing(#[case] texts: &str, #[case] left: &[&str]) {
    let pod = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"a","namespace":"x","labels":{texts},"annotations":{texts}}}}}"#
    );
    for detail in [Detail::default(), everything()] {
        let list = format!(r#"{{"kind":"PodList","items":[{pod}]}}"#);
        let is_kept = detail.container_ids && !left.is_empty();
        for (wire, events) in [
            ("list", list_events(&ListScope::AllPods, Encoding::Json, list.as_bytes(), &detail)),
            ("dump", dump_events(&pod, &detail)),
        ] {
            let metadata = only_pod(wire, events).metadata;
            assert_eq!(metadata.is_some(), is_kept, "{wire}");
            if let Some(metadata) = metadata {
                assert_eq!(
                    (shown(&metadata.labels), shown(&metadata.annotations)),
                    (owned(left), owned(left)),
                    "{wire}"
                );
            }
        }
    }
}

#[rstest]
#[case::numbers_and_words("{a: 1, b: true, c: ~, d: 0x1f, e: .inf, f: 1_000, g: 2026-11-24, h: \"1\"}", &["g=2026-11-24", "h=1"])]
#[case::odd_keys("{5: x, true: y, ~: z, [1]: w, {q: r}: v, ok: \"1\"}", &["ok=1"])]
#[case::yes_is_a_text("{a: yes, b: off}", &["a=yes", "b=off"])]
#[case::long_numbers("{a: 123456789012345678901234567890123456789012345678901234567890, b: '1'}", &["b=1"])]
#[case::nested("{a: {b: c}, d: [e], f: g}", &["f=g"])]
#[case::a_list("[a, b]", &[])]
#[case::nothing("", &[])]
fn odd_labels_in_yaml_break_nothing(#[case] labels: &str, #[case] left: &[&str]) {
    let text = format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: x\n  labels: {labels}\n");
    for detail in [Detail::default(), everything()] {
        let metadata = only_pod("YAML", dump_events(&text, &detail)).metadata;
        let kept = metadata.map(|metadata| shown(&metadata.labels)).unwrap_or_default();
        assert_eq!(kept, if detail.container_ids { owned(left) } else { Vec::new() });
    }
}

#[test]
fn odd_labels_in_protobuf_break_nothing() {
    let entry = |key: &[u8], value: &[u8]| Message::new().bytes(1, key).bytes(2, value);
    let metadata = Message::new()
        .text(1, "a")
        .message(11, &entry(b"twice", b"1"))
        .message(11, &Message::new().text(1, "no value"))
        .message(11, &entry(b"bytes", b"a\xffb"))
        .text(3, "x");
    // In two pieces, as protobuf allows.
    let rest = Message::new().message(11, &entry(b"twice", b"2"));
    let body = crate::protobuf::pod_list(&[Message::new().message(1, &metadata).message(1, &rest)]);
    for (detail, left) in
        [(Detail::default(), &[][..]), (everything(), &["bytes=a\u{fffd}b", "no value=", "twice=2"][..])]
    {
        let pod = only_pod("protobuf", list_events(&ListScope::AllPods, Encoding::Protobuf, &body, &detail));
        let kept = pod.metadata.map(|metadata| shown(&metadata.labels)).unwrap_or_default();
        assert_eq!(kept, owned(left));
    }
}

#[rstest]
#[case::nothing(Detail::default(), None, &[], &[])]
#[case::an_account_by_label(
    Detail { namespace_objects: true, namespace_label: Some("account".into()), ..Detail::default() }, Some("u-ns"), &["account=red"], &[]
)]
#[case::as_an_object(Detail { namespace_objects: true, ..Detail::default() }, Some("u-ns"), &[], &[])]
#[case::by_rule(
    Detail { namespace_objects: true, namespaces: rule(matching(&["^t"]), KeyFilter::All), ..Detail::default() },
    Some("u-ns"), &["team=a"], &["note=x"]
)]
#[case::by_rule_and_account(
    Detail {
        namespace_objects: true, namespaces: rule(matching(&["^t"]), KeyFilter::None), namespace_label: Some("account".into()),
        ..Detail::default()
    },
    Some("u-ns"), &["account=red", "team=a"], &[]
)]
fn a_namespace_is_kept_by_rule(
    #[case] detail: Detail,
    #[case] uid: Option<&str>,
    #[case] labels: &[&str],
    #[case] annotations: &[&str],
) {
    let namespace = json!({"metadata": {
        "name": "shop", "uid": "u-ns", "labels": {"team": "a", "account": "red", "x": "y"}, "annotations": {"note": "x"}
    }});
    let mut whole = namespace.clone();
    whole["kind"] = json!("Namespace");
    let one = read_one_namespace(whole.to_string().as_bytes(), &mut Records::new(detail.clone())).expect("a namespace");
    let mut all = vec![("get", one)];
    let wires = from_every_wire(&ListScope::Namespaces, "Namespace", &namespace, &detail);
    all.extend(wires.into_iter().map(|(wire, events)| (wire, only_namespace(wire, events))));
    for (wire, namespace) in all {
        assert_eq!((&*namespace.name, namespace.uid.as_deref()), ("shop", uid), "{wire}");
        let Metadata { labels: kept, annotations: notes } = &namespace.metadata;
        assert_eq!((shown(kept), shown(notes)), (owned(labels), owned(annotations)), "{wire}");
    }
}

#[test]
fn a_namespace_whose_list_says_at_its_end_what_it_is_loses_nothing() {
    let text = r#"{"items":[{"metadata":{"name":"shop","uid":"u-ns","labels":{"a":"b"}}}],"kind":"NamespaceList"}"#;
    let namespace = only_namespace("dump", dump_events(text, &everything()));
    assert_eq!((namespace.uid.as_deref(), shown(&namespace.metadata.labels)), (Some("u-ns"), owned(&["a=b"])));
}

#[rstest]
#[case::cut_short(r#"{"kind":"Namespace","metadata":{"na"#, "ends too early, inside a namespace")]
#[case::another_kind(r#"{"kind":"Sta\ntus"}"#, "`Sta\\ntus`")]
#[case::no_kind("{}", "an object without kind")]
#[case::no_name(r#"{"kind":"Namespace","metadata":{}}"#, "a namespace without a name")]
#[case::an_odd_name(r#"{"kind":"Namespace","metadata":{"name":5}}"#, "line 1: invalid type: integer `5`")]
#[case::more_behind_it(r#"{"kind":"Namespace","metadata":{"name":"a"}} x"#, "line 1: trailing characters")]
fn an_answer_that_is_no_namespace_is_refused(#[case] body: &str, #[case] expected: &str) {
    let error = read_one_namespace(body.as_bytes(), &mut Records::default()).expect_err("refused").to_string();
    assert!(error.contains(expected), "{error}");
}

fn node() -> Value {
    json!({
        "metadata": {"name": "n1", "uid": "u-n1", "labels": {"zone": "a", "arch": "x"}, "annotations": {"cri": "y"}},
        "spec": {"podCIDR": "10.0.0.0/24", "providerID": "p://1"},
        "status": {"nodeInfo": {
            "machineID": "m", "kernelVersion": "6.8", "osImage": "Debian", "containerRuntimeVersion": "containerd://2.0",
            "kubeletVersion": "v1.37.2", "operatingSystem": "linux", "architecture": "amd64"
        }}
    })
}

#[rstest]
#[case::everything(all(), &["arch=x", "zone=a"], &["cri=y"])]
#[case::no_metadata(MetadataRule::default(), &[], &[])]
#[case::by_rule(rule(matching(&["^z"]), KeyFilter::None), &["zone=a"], &[])]
fn a_node_is_kept_when_nodes_are(#[case] rule: MetadataRule, #[case] labels: &[&str], #[case] annotations: &[&str]) {
    let detail = Detail { nodes: Some(rule), ..Detail::default() };
    for (wire, events) in from_every_wire(&ListScope::Nodes, "Node", &node(), &detail) {
        let NodeRecord {
            name,
            uid,
            architecture,
            operating_system,
            kernel_version,
            kubelet_version,
            kube_proxy_version,
            container_runtime_version,
            metadata,
        } = only_node(wire, events);
        assert_eq!((&*name, uid.as_deref()), ("n1", Some("u-n1")), "{wire}");
        let said = [&architecture, &operating_system, &kernel_version, &kubelet_version, &kube_proxy_version];
        assert_eq!(said.map(|text| &**text), ["amd64", "linux", "6.8", "v1.37.2", ""], "{wire}");
        assert_eq!(&*container_runtime_version, "containerd://2.0", "{wire}");
        assert_eq!(
            (shown(&metadata.labels), shown(&metadata.annotations)),
            (owned(labels), owned(annotations)),
            "{wire}"
        );
    }
    for (wire, events) in from_every_wire(&ListScope::Nodes, "Node", &node(), &Detail::default()) {
        assert!(events.is_empty(), "{wire}: {events:?}");
    }
}

#[test]
fn what_a_node_does_not_say_is_empty() {
    for node in [json!({"metadata": {"name": "n1"}}), json!({"metadata": {"name": "n1"}, "status": {"nodeInfo": {}}})] {
        for (wire, events) in from_every_wire(&ListScope::Nodes, "Node", &node, &everything()) {
            let expected = NodeRecord { name: "n1".into(), ..NodeRecord::default() };
            assert_eq!(only_node(wire, events), expected, "{wire}");
        }
    }
    let odd =
        r#"{"kind":"NodeList","items":[{"metadata":{"name":"n1","uid":5},"status":{"nodeInfo":{"architecture":7}}}]}"#;
    let events = list_events(&ListScope::Nodes, Encoding::Json, odd.as_bytes(), &everything());
    assert_eq!(only_node("odd", events), NodeRecord { name: "n1".into(), ..NodeRecord::default() });
}

/// What each event of a dump is, in a word or two.
fn words(events: &[Event]) -> Vec<String> {
    let word = |event: &Event| match event {
        Event::Applied(Object::Pod(pod)) => format!("pod {}", pod.name),
        Event::Applied(Object::Namespace(namespace)) => format!("namespace {}", namespace.name),
        Event::Applied(Object::Node(node)) => format!("node {}", node.name),
        Event::Skipped(item) => format!("skipped of {:?}: {}: {}", item.scope, item.item, item.problem),
        other => panic!("{other:?}"),
    };
    events.iter().map(word).collect()
}

/// A dump of nodes, namespaces and pods in one list, as kubectl writes it.
fn mixed(nodes: &[Value]) -> [String; 2] {
    let mut items = nodes.to_vec();
    items.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}));
    items.push(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "shop"}}));
    [json!({"apiVersion": "v1", "items": items, "kind": "List"}).to_string(), yaml_list(&items)]
}

fn typed(mut node: Value, api_version: &str) -> Value {
    (node["apiVersion"], node["kind"]) = (json!(api_version), json!("Node"));
    node
}

#[test]
fn nodes_of_a_dump_are_read_when_they_are_kept() {
    let broken = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": 7}});
    let nameless = json!({"apiVersion": "v1", "kind": "Node", "metadata": {}});
    let foreign = typed(node(), "fleet.example/v1");
    for text in mixed(&[typed(node(), "v1"), broken, nameless, foreign]) {
        let [first, second, third, rest @ ..] = &words(&dump_events(&text, &everything()))[..] else {
            panic!("{text}")
        };
        assert_eq!((first.as_str(), rest), ("node n1", &owned(&["namespace shop", "pod a"])[..]));
        assert!(second.starts_with("skipped of Nodes: item 2: metadata.name: "), "{second}");
        assert_eq!(third, "skipped of Nodes: item 3: metadata.name: missing");
        assert_eq!(words(&dump_events(&text, &Detail::default())), ["namespace shop", "pod a"]);
    }
}

#[test]
fn a_list_of_nodes_alone_among_others_is_read_by_what_it_calls_itself() {
    let nodes =
        format!(r#"{{"kind":"NodeList","apiVersion":"v1","items":[{},{{"metadata":{{"name":["odd"]}}}}]}}"#, node());
    let pods = json!({"kind": "PodList", "items": [{"metadata": {"name": "a", "namespace": "shop"}}]});
    let text = format!("{nodes}\n{pods}\n");
    let read = words(&dump_events(&text, &everything()));
    assert_eq!((read[0].as_str(), read[2].as_str(), read.len()), ("node n1", "pod a", 3));
    assert!(read[1].starts_with("skipped of Nodes: "), "{}", read[1]);
    assert_eq!(words(&dump_events(&text, &Detail::default())), ["pod a"]);

    // Sorted by key: the list says only at its end what it is.
    let text = format!("{}\n{pods}\n", json!({"items": [node()], "kind": "NodeList"}));
    assert_eq!(words(&dump_events(&text, &everything())), ["node n1", "pod a"]);
    assert_eq!(words(&dump_events(&text, &Detail::default())), ["pod a"]);
}

#[test]
fn nodes_alone_are_no_dump() {
    let text = typed(node(), "v1").to_string();
    for detail in [Detail::default(), everything()] {
        let read = read_dump(&mut text.as_bytes(), &mut Records::new(detail), &mut |_| ControlFlow::Continue(()));
        let end = read.expect("objects");
        assert_eq!((end.is_recognised, end.other_kinds.get("Node")), (false, Some(&1)));
    }
}

#[test]
fn a_broken_node_of_a_list_is_told_by_its_list() {
    let body = json!({"kind": "NodeList", "items": [{"metadata": {}}, node()]});
    for (encoding, body) in
        [(Encoding::Json, body.to_string().into_bytes()), (Encoding::Protobuf, crate::protobuf::list_of(&body))]
    {
        let read = words(&list_events(&ListScope::Nodes, encoding, &body, &everything()));
        assert_eq!(read, ["skipped of Nodes: item 1: metadata.name: missing", "node n1"]);
    }
}

#[test]
fn keys_are_sorted_whatever_their_order_was() {
    let keys: BTreeMap<String, String> = (0..40).map(|at| (format!("k{}", at * 17 % 40), at.to_string())).collect();
    let reversed: Vec<String> = keys.iter().rev().map(|(key, value)| format!("\"{key}\":\"{value}\"")).collect();
    let pod =
        format!(r#"{{"kind":"Pod","metadata":{{"name":"a","namespace":"x","labels":{{{}}}}}}}"#, reversed.join(","));
    let metadata = only_pod("dump", dump_events(&pod, &everything())).metadata.expect("labels");
    assert_eq!(shown(&metadata.labels), keys.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>());
    assert_eq!(metadata.label("k17").map(|value| &**value), keys.get("k17").map(String::as_str));
}
