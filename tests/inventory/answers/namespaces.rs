//! How each namespace stands in the answers: read, empty, refused, excluded, unknown.

use kai::inventory::ReportPolicy;
use kai::snapshot::{Event, ListScope, PodIndex, Snapshot};
use kai::testing::{namespace, pods_of, refused};
use kai::views::{KaiReport, NamespaceImages, NamespaceList};
use rstest::rstest;
use serde_json::json;

use super::cluster::{begin, end, pod, relist, selection};

/// One line on a namespace: its state in the list, and what the report has of it.
fn standing(snapshot: &Snapshot, name: &str, policy: &ReportPolicy) -> String {
    let list = NamespaceList::of(snapshot, policy);
    let Some(summary) = list.namespaces.iter().find(|summary| &*summary.name == name) else { return "absent".into() };
    let state = serde_json::to_value(summary.state).expect("a word");
    let report = KaiReport::of(snapshot, policy, |_| true);
    let images = match report.results.iter().find(|namespace| namespace.namespace == name) {
        Some(namespace) => format!("{} images", namespace.images.len()),
        None => "not in results".into(),
    };
    format!("{}, {images}", state.as_str().unwrap_or_default())
}

#[rstest]
#[case::read("apps", &[], &[], "read, 1 images")]
#[case::read_and_empty("empty", &[], &[], "read, 0 images")]
#[case::included("apps", &["apps"], &[], "read, 1 images")]
#[case::not_included("empty", &["apps"], &[], "excluded, not in results")]
#[case::excluded("apps", &[], &["apps"], "excluded, not in results")]
#[case::excluded_by_expression("apps", &[], &["^ap"], "excluded, not in results")]
#[case::included_and_excluded("apps", &["apps"], &["apps"], "excluded, not in results")]
#[case::included_and_unknown("gone", &["apps", "gone"], &[], "unknown, 0 images")]
#[case::included_unknown_and_excluded("gone", &["gone"], &["gone"], "excluded, not in results")]
#[case::unknown("gone", &[], &[], "absent")]
fn a_namespace_stands(#[case] name: &str, #[case] include: &[&str], #[case] exclude: &[&str], #[case] expected: &str) {
    let mut index = PodIndex::new("", selection(include, exclude));
    let events = [namespace("apps"), namespace("empty"), Event::from(pod("apps", "web", "nginx:1", ""))];
    let snapshot = relist(&mut index, events);
    assert_eq!(standing(&snapshot, name, &ReportPolicy::default()), expected);
    assert!(snapshot.is_complete());
}

#[test]
fn ignore_empty_leaves_only_empty_namespaces_out_of_the_results() {
    let policy = ReportPolicy { ignore_empty: true, ..ReportPolicy::default() };
    let mut index = PodIndex::new("", selection(&["apps", "empty", "gone"], &[]));
    let events = [namespace("apps"), namespace("empty"), Event::from(pod("apps", "web", "nginx:1", ""))];
    let snapshot = relist(&mut index, events);
    let standings = ["apps", "empty", "gone"].map(|name| standing(&snapshot, name, &policy));
    assert_eq!(standings, ["read, 1 images", "read, not in results", "unknown, not in results"]);
    let alone = NamespaceImages::of(snapshot.namespace("empty").expect("empty"), &policy);
    assert!(alone.images.is_empty(), "asked for by name it is there, with no images");
}

#[test]
fn a_refused_namespace_is_missing_and_never_an_empty_list() {
    let mut index = PodIndex::new("", selection(&["apps", "shop"], &[]));
    for event in [
        Event::RelistBegun(pods_of("apps")),
        Event::from(pod("apps", "web", "nginx:1", "")),
        Event::RelistBegun(pods_of("shop")),
        refused(pods_of("shop"), "pods is forbidden in shop"),
    ] {
        index.apply(event);
    }
    let snapshot = end(&mut index, [pods_of("apps")]);
    let policy = ReportPolicy::default();
    assert_eq!(standing(&snapshot, "apps", &policy), "read, 1 images");
    assert_eq!(standing(&snapshot, "shop", &policy), "refused, not in results");
    let missing = &snapshot.completeness().missing;
    assert_eq!((missing.len(), missing[0].namespace.as_deref()), (1, Some("shop")));
    assert_eq!(&*missing[0].reason, "pods is forbidden in shop");
    let list = NamespaceList::of(&snapshot, &policy);
    assert_eq!(list.namespaces[1].reason.as_deref(), Some("pods is forbidden in shop"));
    assert!(!list.complete);
}

#[test]
fn namespaces_that_may_not_be_listed_are_those_of_the_pods() {
    let mut index = PodIndex::new("", selection(&[], &[]));
    let events =
        [refused(ListScope::Namespaces, "namespaces is forbidden"), Event::from(pod("apps", "web", "nginx:1", ""))];
    let snapshot = relist(&mut index, events);
    assert_eq!(standing(&snapshot, "apps", &ReportPolicy::default()), "read, 1 images");
    let missing = &snapshot.completeness().missing;
    assert_eq!((missing[0].namespace.as_deref(), &*missing[0].reason), (None, "namespaces is forbidden"));
}

#[test]
fn pods_that_may_not_be_listed_leave_every_namespace_refused() {
    let mut index = PodIndex::new("", selection(&[], &["kube-system"]));
    let events = [namespace("apps"), namespace("kube-system"), refused(ListScope::AllPods, "pods is forbidden")];
    let snapshot = relist(&mut index, events);
    let standings = ["apps", "kube-system"].map(|name| standing(&snapshot, name, &ReportPolicy::default()));
    assert_eq!(standings, ["refused, not in results", "excluded, not in results"]);
}

#[rstest]
#[case::as_the_source_says(Some("gone"), "unknown, 0 images")]
#[case::not_as_far_as_kai_may_know(None, "read, 0 images")]
fn an_included_namespace_without_pods_is_unknown_only_when_kai_may_know(
    #[case] unknown: Option<&str>,
    #[case] expected: &str,
) {
    let mut index = PodIndex::new("", selection(&["gone"], &[]));
    begin(&mut index, [pods_of("gone")]);
    if let Some(name) = unknown {
        index.apply(Event::NamespaceUnknown(name.into()));
    }
    let snapshot = end(&mut index, [pods_of("gone")]);
    assert_eq!(standing(&snapshot, "gone", &ReportPolicy::default()), expected);
    assert!(snapshot.is_complete());
}

#[test]
fn the_list_counts_every_pod_and_the_images_of_those_that_run() {
    use kai::inventory::Phase;
    let waits = super::cluster::in_phase(Phase::Pending, pod("apps", "job", "job:1", ""));
    let events = [namespace("apps"), Event::from(pod("apps", "web", "nginx:1", "")), Event::from(waits)];
    let list = NamespaceList::of(&super::cluster::snapshot(events), &ReportPolicy::default());
    assert_eq!(
        serde_json::to_value(&list).expect("JSON"),
        json!({
            "generation": 1,
            "observed_at": "2027-01-15T08:00:00Z",
            "complete": true,
            "namespaces": [
                {"name": "apps", "state": "read", "reason": null, "pods": 2, "containers": 2, "images": 1},
            ],
        })
    );
}
