//! What a relist replaces, and what it leaves as it was.

use std::sync::Arc;

use jiff::Timestamp;
use kai::snapshot::{Event, ListScope, RelistEnd, SKIPPED_SAMPLES, ServerVersion, Snapshot};

use super::cluster::{ended_at, index, namespace, pod, pods_of, refused, relist, selection, skipped, snapshot};

fn names(snapshot: &Snapshot) -> Vec<String> {
    let pods = snapshot.namespaces().iter().flat_map(|part| part.pods());
    pods.map(|pod| format!("{}/{}", pod.namespace, pod.name)).collect()
}

fn two_namespaces() -> [Event; 4] {
    [
        namespace("apps"),
        namespace("shop"),
        Event::Pod(pod("apps", "web", "nginx:1", "")),
        Event::Pod(pod("shop", "cart", "cart:1", "")),
    ]
}

#[test]
fn relist_drops_pods_that_vanished() {
    let mut index = index();
    assert_eq!(names(&relist(&mut index, two_namespaces())), ["apps/web", "shop/cart"]);
    let after = relist(&mut index, [namespace("apps"), Event::Pod(pod("apps", "api", "api:1", ""))]);
    assert_eq!(names(&after), ["apps/api"]);
    assert!(after.namespace("shop").is_none());
}

#[test]
fn relist_that_was_cut_short_replaces_nothing() {
    let mut index = index();
    relist(&mut index, two_namespaces());
    index.apply(Event::RelistBegun);
    index.apply(Event::ListBegun(ListScope::AllPods));
    index.apply(Event::Pod(pod("apps", "half-read", "nginx:2", "")));
    // Nothing more comes from it; the next one begins anew.
    let after = relist(&mut index, two_namespaces());
    assert_eq!(names(&after), ["apps/web", "shop/cart"]);
    assert_eq!(after.generation(), 2, "a relist that was cut short is no generation");
}

#[test]
fn list_that_begins_again_drops_what_it_gave() {
    let mut index = index();
    index.apply(Event::RelistBegun);
    for event in [
        Event::ListBegun(ListScope::Namespaces),
        namespace("apps"),
        namespace("gone"),
        Event::ListBegun(ListScope::AllPods),
        Event::Pod(pod("apps", "old", "nginx:1", "")),
        skipped(None, "item 2"),
        // 410: the continue token has expired.
        Event::ListBegun(ListScope::AllPods),
        Event::Pod(pod("apps", "new", "nginx:1", "")),
        Event::ListBegun(ListScope::Namespaces),
        namespace("apps"),
    ] {
        index.apply(event);
    }
    let after = index.apply(ended_at(0)).expect("a snapshot");
    assert_eq!(names(&after), ["apps/new"]);
    assert!(after.namespace("gone").is_none());
    assert!(after.is_complete(), "the item was skipped in the list that was dropped");
}

#[test]
fn list_of_one_namespace_that_begins_again_leaves_the_others() {
    let mut index = kai::snapshot::PodIndex::new("", selection(&["apps", "shop"], &[]));
    index.apply(Event::RelistBegun);
    for event in [
        Event::ListBegun(pods_of("apps")),
        Event::Pod(pod("apps", "web", "nginx:1", "")),
        Event::ListBegun(pods_of("shop")),
        Event::Pod(pod("shop", "old", "cart:1", "")),
        Event::ListBegun(pods_of("shop")),
        Event::Pod(pod("shop", "new", "cart:1", "")),
    ] {
        index.apply(event);
    }
    assert_eq!(names(&index.apply(ended_at(0)).expect("a snapshot")), ["apps/web", "shop/new"]);
}

#[test]
fn list_that_is_refused_half_way_leaves_nothing_of_itself() {
    let mut index = kai::snapshot::PodIndex::new("", selection(&["apps", "shop"], &[]));
    index.apply(Event::RelistBegun);
    for event in [
        Event::ListBegun(pods_of("apps")),
        Event::Pod(pod("apps", "web", "nginx:1", "")),
        refused(pods_of("apps"), "no right to list pods"),
        Event::ListBegun(pods_of("shop")),
        Event::Pod(pod("shop", "cart", "cart:1", "")),
    ] {
        index.apply(event);
    }
    let after = index.apply(ended_at(0)).expect("a snapshot");
    assert_eq!(names(&after), ["shop/cart"]);
    assert_eq!(after.namespace("apps").and_then(|part| part.reason()), Some("no right to list pods"));
}

#[test]
fn list_that_is_granted_when_asked_again_is_not_refused() {
    let mut index = index();
    index.apply(Event::RelistBegun);
    for event in [
        Event::ListBegun(ListScope::AllPods),
        refused(ListScope::AllPods, "no right to list pods"),
        Event::ListBegun(ListScope::AllPods),
        Event::Pod(pod("apps", "web", "nginx:1", "")),
    ] {
        index.apply(event);
    }
    let after = index.apply(ended_at(0)).expect("a snapshot");
    assert_eq!((names(&after), after.is_complete()), (vec!["apps/web".into()], true));
}

#[test]
fn events_outside_a_relist_change_nothing() {
    let mut index = index();
    assert!(index.apply(Event::Pod(pod("apps", "web", "nginx:1", ""))).is_none());
    assert!(index.apply(ended_at(0)).is_none(), "the end of no relist is no snapshot");
    assert_eq!(names(&relist(&mut index, [])), Vec::<String>::new());
}

#[test]
fn generations_count_from_one_whether_or_not_anything_changed() {
    let mut index = index();
    let generations = [(), (), ()].map(|()| relist(&mut index, two_namespaces()).generation());
    assert_eq!(generations, [1, 2, 3]);
}

#[test]
fn what_did_not_change_is_shared_with_the_snapshot_before() {
    let mut index = index();
    let before = relist(&mut index, two_namespaces());
    let mut events: Vec<Event> = two_namespaces().into();
    events.push(Event::Pod(pod("shop", "pay", "pay:1", "")));
    let after = relist(&mut index, events);

    let part = |snapshot: &Snapshot, name: &str| Arc::clone(snapshot.namespace(name).expect("a namespace"));
    assert!(Arc::ptr_eq(&part(&before, "apps"), &part(&after, "apps")));
    assert!(!Arc::ptr_eq(&part(&before, "shop"), &part(&after, "shop")));
    assert!(
        part(&before, "shop").pods().zip(part(&after, "shop").pods()).all(|(before, after)| Arc::ptr_eq(before, after)),
        "the cart did not change"
    );
    assert_eq!(names(&before), ["apps/web", "shop/cart"], "a snapshot never changes");
}

#[test]
fn a_namespace_whose_state_changed_is_rebuilt() {
    let mut index = index();
    let before = relist(&mut index, two_namespaces());
    let after = relist(&mut index, [namespace("apps"), refused(ListScope::AllPods, "no right")]);
    let (before, after) = (before.namespace("apps").expect("apps"), after.namespace("apps").expect("apps"));
    assert!(!Arc::ptr_eq(before, after));
    assert_ne!(before.content_hash(), after.content_hash());
}

#[test]
fn a_dump_that_ended_too_early_is_served_and_incomplete() {
    let mut index = index();
    index.apply(Event::RelistBegun);
    index.apply(Event::ListBegun(ListScope::AllPods));
    index.apply(Event::Pod(pod("apps", "web", "nginx:1", "")));
    let end = RelistEnd {
        observed_at: Timestamp::UNIX_EPOCH,
        server_version: ServerVersion::default(),
        cut_short: Some("the file ends within item 2".into()),
    };
    let snapshot = index.apply(Event::RelistEnded(end)).expect("a snapshot");
    assert_eq!(names(&snapshot), ["apps/web"]);
    let missing: Vec<_> =
        snapshot.completeness().missing.iter().map(|missing| (&missing.namespace, &*missing.reason)).collect();
    assert_eq!(missing, [(&None, "the file ends within item 2")]);
    assert!(!snapshot.is_complete());
}

#[test]
fn skipped_items_are_counted_and_the_first_ones_named() {
    let snapshot = snapshot((0..30).map(|number| skipped(None, &format!("item {number}"))));
    let completeness = snapshot.completeness();
    assert_eq!((completeness.skipped, completeness.skipped_samples.len()), (30, SKIPPED_SAMPLES));
    assert_eq!(&*completeness.skipped_samples[0].item, "item 0");
    assert!(!snapshot.is_complete());
}

#[test]
fn an_item_of_a_namespace_that_nobody_asked_for_takes_nothing_away() {
    let mut index = kai::snapshot::PodIndex::new("", selection(&[], &["kube-system"]));
    let snapshot = relist(&mut index, [skipped(Some("kube-system"), "pod kube-system/dns")]);
    assert!(snapshot.is_complete());
    let snapshot = relist(&mut index, [skipped(Some("apps"), "pod apps/web")]);
    assert_eq!(snapshot.completeness().skipped, 1);
}
