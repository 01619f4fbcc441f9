//! Nodes: each payload has those that its pods run on, once; the others go ahead of everything, where they are wanted.

use kai::inventory::{Metadata, NodeRecord, Phase, PodRecord};
use kai::snapshot::Event;
use kai::views::{PayloadForm, PayloadRequest};
use serde_json::Value;

use super::cluster::{limits, list, node, request, sent, snapshot, values, web};

const FORM: PayloadForm = PayloadForm::KubernetesInventory;

fn on(node: &str, pod: PodRecord) -> Event {
    Event::from(PodRecord { node: Some(node.into()), ..pod })
}

fn names(body: &Value) -> Vec<&str> {
    list(body, "nodes").iter().filter_map(|node| node["name"].as_str()).collect()
}

#[test]
fn idle_nodes_are_sent_first_and_only_where_they_are_wanted() {
    let ended = PodRecord { phase: Phase::Succeeded, ..web("a", "job") };
    let events = [on("n1", web("a", "web")), on("n2", ended), on("n3", web("b", "web")), on("gone", web("b", "x"))];
    let snapshot = snapshot(events.into_iter().chain(["n1", "n2", "n3", "n4"].map(|name| Event::from(node(name)))));
    let of_a = |with_idle_nodes: bool| {
        let namespaces = snapshot.namespaces().iter().take(1).cloned().collect();
        let mut sent = sent(PayloadRequest { namespaces, with_idle_nodes, ..request(&snapshot, FORM) });
        sent.remove(0).1
    };
    assert_eq!(names(&of_a(false)), ["n1"]);
    assert_eq!(names(&of_a(true)), ["n2", "n4", "n1"], "n3 runs a pod of another's namespace");
}

#[test]
fn idle_nodes_alone_are_worth_a_payload() {
    let snapshot = snapshot([Event::from(node("n1"))]);
    assert!(sent(request(&snapshot, FORM)).is_empty());
    let sent = sent(PayloadRequest { with_idle_nodes: true, ..request(&snapshot, FORM) });
    assert_eq!(sent.iter().map(|(_, body)| names(body)).collect::<Vec<_>>(), [["n1"]]);
}

#[test]
fn idle_nodes_keep_to_the_limit_too() {
    let labels = Metadata { labels: values(&[("note", &"x".repeat(500))]), ..Metadata::default() };
    let nodes = ["n1", "n2", "n3"].map(|name| Event::from(NodeRecord { metadata: labels.clone(), ..node(name) }));
    let snapshot = snapshot(nodes.into_iter().chain([on("n2", web("a", "web"))]));
    let limits = limits(None, Some(1_000));
    let sent = sent(PayloadRequest { with_idle_nodes: true, limits, ..request(&snapshot, FORM) });
    assert_eq!(sent.iter().map(|(_, body)| names(body)).collect::<Vec<_>>(), [["n1"], ["n3"], ["n2"]]);
}

/// A node that the namespace before it needed is written again, and not left behind.
#[test]
fn a_namespace_that_moves_takes_its_nodes_along() {
    let snapshot = snapshot([
        on("n1", web("a", "web")),
        on("n1", web("b", "web-1")),
        on("n2", web("b", "web-2")),
        Event::from(node("n1")),
        Event::from(node("n2")),
    ]);
    let whole = request(&snapshot, FORM).payloads().next().expect("a payload").body.length();
    let sent = sent(PayloadRequest { limits: limits(None, Some(whole - 1)), ..request(&snapshot, FORM) });
    assert_eq!(sent.iter().map(|(_, body)| names(body)).collect::<Vec<_>>(), [vec!["n1"], vec!["n1", "n2"]]);
}

/// It moves, is still too large, and is then cut before the one pod whose node it brought itself.
#[test]
fn a_namespace_that_moves_and_is_cut_leaves_each_node_where_its_pods_are() {
    let snapshot = snapshot([
        on("n1", web("a", "web")),
        on("n1", web("b", "web-1")),
        on("n2", web("b", "web-2")),
        Event::from(node("n1")),
        Event::from(node("n2")),
    ]);
    let alone = PayloadRequest {
        namespaces: snapshot.namespaces().iter().skip(1).cloned().collect(),
        ..request(&snapshot, FORM)
    };
    let bytes = alone.payloads().next().expect("a payload").body.length();
    let sent = sent(PayloadRequest { limits: limits(None, Some(bytes - 1)), ..request(&snapshot, FORM) });
    assert_eq!(sent.iter().map(|(_, body)| names(body)).collect::<Vec<_>>(), [["n1"], ["n1"], ["n2"]]);
}
