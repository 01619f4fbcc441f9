//! The KAI report as it is sent.

use kai::inventory::ReportPolicy;
use kai::snapshot::Event;
use kai::testing::namespace;
use kai::views::{KaiReport, PayloadForm, PayloadRequest};
use serde_json::json;

use super::cluster::{Container, body, limits, pod, request, sent, snapshot, snapshot_including, text, web};

const FORM: PayloadForm = PayloadForm::Inventories;

#[test]
fn a_whole_report_is_the_report_byte_for_byte() {
    let odd = Container::new("app", "\"results\":[]\u{1}\\\u{7f}ü", "r/a@sha256:{H}", "");
    let snapshot =
        snapshot([namespace("empty"), Event::from(pod("apps", "odd", &[odd])), Event::from(web("apps", "web"))]);
    let mut payloads = request(&snapshot, FORM).payloads();
    let payload = payloads.next().expect("one payload");
    assert!(payloads.next().is_none());
    let report = KaiReport::of(&snapshot, &ReportPolicy::default(), |_| true);
    assert_eq!(text(&payload), serde_json::to_string(&report).expect("JSON"));
    assert_eq!((payload.namespaces, payload.pods, payload.containers), (2, 0, 2));
}

/// More than are remembered, and more than are kept once.
#[test]
fn a_report_of_more_different_images_than_are_kept_is_the_report_too() {
    let different = |namespace: &str, images: std::ops::Range<u32>| {
        let images: Vec<Container> =
            images.map(|number| Container::new("app", &format!("shop/cart:{number}"), "", "")).collect();
        Event::from(pod(namespace, "web", &images))
    };
    let snapshot = snapshot([different("a", 0..40_000), different("b", 39_000..70_000), different("c", 0..10)]);
    let payload = request(&snapshot, FORM).payloads().next().expect("a payload");
    let report = KaiReport::of(&snapshot, &ReportPolicy::default(), |_| true);
    assert!(text(&payload) == serde_json::to_string(&report).expect("JSON"), "the payload is another text");
    assert_eq!(payload.containers, 71_010);
}

#[test]
fn a_namespace_that_does_not_exist_is_sent_as_empty() {
    let snapshot = snapshot_including(&["apps", "gone"], [namespace("apps"), Event::from(web("apps", "web"))]);
    let body = body(request(&snapshot, FORM));
    assert_eq!(
        body["results"],
        json!([{"namespace": "apps", "images": [{"tag": "nginx:1"}]}, {"namespace": "gone", "images": []}])
    );
}

#[test]
fn only_the_namespaces_of_the_request_are_sent_once_and_in_order() {
    let snapshot = snapshot(["a", "b", "c"].map(namespace));
    let [a, _, c] = snapshot.namespaces().iter().collect::<Vec<_>>()[..] else { panic!("three namespaces") };
    let namespaces = vec![c.clone(), a.clone(), c.clone()];
    let body = body(PayloadRequest { namespaces, ..request(&snapshot, FORM) });
    assert_eq!(body["results"], json!([{"namespace": "a", "images": []}, {"namespace": "c", "images": []}]));
}

#[test]
fn a_namespace_too_large_for_one_payload_is_continued_in_the_next() {
    let images: Vec<Container> =
        (0..5).map(|at| Container::new(&format!("c{at}"), &format!("registry.example.com/a:{at}"), "", "")).collect();
    let snapshot = snapshot([namespace("a"), Event::from(pod("big", "web", &images)), namespace("z")]);
    let whole = request(&snapshot, FORM).payloads().next().expect("a payload").body.length();
    let sent = sent(PayloadRequest { limits: limits(None, Some(whole - 90)), ..request(&snapshot, FORM) });
    let entries = |from: usize, to: usize| -> Vec<_> {
        (from..to).map(|at| json!({"tag": format!("registry.example.com/a:{at}")})).collect()
    };
    let results: Vec<_> = sent.iter().map(|(_, body)| body["results"].clone()).collect();
    assert_eq!(
        results,
        [
            json!([{"namespace": "a", "images": []}]),
            json!([{"namespace": "big", "images": entries(0, 4)}]),
            json!([{"namespace": "big", "images": entries(4, 5)}, {"namespace": "z", "images": []}]),
        ]
    );
}

#[test]
fn an_entry_that_is_larger_than_a_payload_may_be_is_sent_alone() {
    let names = ["a", "b", "c"].map(|tag| Container::new(tag, &format!("nginx:{tag}"), "", ""));
    let snapshot = snapshot([Event::from(pod("apps", "web", &names))]);
    let sent = sent(PayloadRequest { limits: limits(None, Some(1)), ..request(&snapshot, FORM) });
    let results: Vec<_> = sent.into_iter().map(|(_, body)| body["results"].clone()).collect();
    let alone = |tag: &str| json!([{"namespace": "apps", "images": [{"tag": format!("nginx:{tag}")}]}]);
    assert_eq!(results, ["a", "b", "c"].map(alone));
}

#[test]
fn no_namespaces_give_no_payload_or_an_empty_one_where_one_is_wanted() {
    let snapshot = snapshot([]);
    assert!(sent(request(&snapshot, FORM)).is_empty());
    let body = body(PayloadRequest { at_least_one: true, ..request(&snapshot, FORM) });
    assert_eq!(body["results"], json!([]));
}
