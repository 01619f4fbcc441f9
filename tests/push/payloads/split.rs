//! Where payloads are cut, in examples; `properties.rs` holds the rules for any cluster.

use kai::snapshot::Event;
use kai::testing::namespace;
use kai::views::{PayloadForm, PayloadRequest};
use rstest::rstest;
use serde_json::Value;

use super::cluster::{limits, list, request, sent, snapshot, web};

use PayloadForm::{Inventories, KubernetesInventory};

fn names<'a>(body: &'a Value, list_name: &str, key: &str) -> Vec<&'a str> {
    list(body, list_name).iter().filter_map(|element| element[key].as_str()).collect()
}

#[rstest]
fn no_payload_has_more_namespaces_than_it_may(#[values(Inventories, KubernetesInventory)] form: PayloadForm) {
    let snapshot = snapshot(["a", "b", "c", "d", "e"].map(namespace));
    let counts = |most: usize| -> Vec<usize> {
        let limits = limits(Some(most), None);
        sent(PayloadRequest { limits, ..request(&snapshot, form) })
            .iter()
            .map(|(payload, _)| payload.namespaces)
            .collect()
    };
    assert_eq!(counts(2), [2, 2, 1]);
    assert_eq!(counts(5), [5]);
    assert_eq!(counts(0), [1; 5], "none at all is no limit that can be kept");
}

#[test]
fn a_namespace_that_fits_is_not_torn_and_one_that_does_not_is_cut_between_pods() {
    let pods = [("a", "1"), ("b", "1"), ("b", "2"), ("b", "3"), ("b", "4"), ("c", "1")];
    let snapshot = snapshot(pods.map(|(namespace, name)| Event::from(web(namespace, name))));
    let [_, b, _] = snapshot.namespaces().iter().collect::<Vec<_>>()[..] else { panic!("three namespaces") };
    let alone = PayloadRequest { namespaces: vec![b.clone()], ..request(&snapshot, KubernetesInventory) };
    let bytes = alone.payloads().next().expect("a payload").body.length();
    let cut = |bytes: u64| -> Vec<(String, String)> {
        let sent =
            sent(PayloadRequest { limits: limits(None, Some(bytes)), ..request(&snapshot, KubernetesInventory) });
        let said = |body: &Value| (names(body, "namespaces", "name").concat(), names(body, "pods", "name").concat());
        sent.iter().map(|(_, body)| said(body)).collect()
    };
    let said = |payloads: &[(&str, &str)]| -> Vec<(String, String)> {
        payloads.iter().map(|(namespaces, pods)| ((*namespaces).into(), (*pods).into())).collect()
    };
    assert_eq!(cut(bytes), said(&[("a", "1"), ("b", "1234"), ("c", "1")]));
    assert_eq!(cut(bytes - 1), said(&[("a", "1"), ("b", "123"), ("bc", "41")]));
    assert_eq!(cut(1), said(&[("a", "1"), ("b", "1"), ("b", "2"), ("b", "3"), ("b", "4"), ("c", "1")]));
}

/// What a client holds while it waits for an answer, another thread may go on with.
#[test]
fn payloads_can_be_sent_between_threads() {
    fn assert_send<T: Send + 'static>(_: &T) {}
    assert_send(&request(&snapshot([]), KubernetesInventory).payloads());
}

/// A body of several chunks of the buffer: a value that lies across the end of one is whole.
#[rstest]
fn long_bodies_are_whole(#[values(Inventories, KubernetesInventory)] form: PayloadForm) {
    let pods = (0..2_000).map(|at| Event::from(web(&format!("n{}", at % 97), &format!("web-{at}"))));
    let snapshot = snapshot(pods);
    let bodies = |bytes: Option<u64>| sent(PayloadRequest { limits: limits(None, bytes), ..request(&snapshot, form) });
    let (payload, whole) = bodies(None).remove(0);
    let (list_name, key) = match form {
        Inventories => ("results", "namespace"),
        KubernetesInventory => ("pods", "name"),
    };
    let parts = bodies(Some(payload.body.length() / 3));
    let split: Vec<&str> = parts.iter().flat_map(|(_, body)| names(body, list_name, key)).collect();
    assert_eq!(split, names(&whole, list_name, key));
    assert!(parts.len() >= 3, "{} payloads", parts.len());
}
