//! What a relist replaces, and what it leaves as it was.

use std::sync::Arc;

use jiff::Timestamp;
use kai::snapshot::{Event, ListScope, ObjectKey, PodIdentity, PodKey, SKIPPED_SAMPLES, Snapshot};
use kai::testing::{cluster, namespace, pods_of, refused, skipped};

use super::cluster::{begin, end, index, observed_at, pod, relist, selection, snapshot};

fn names(snapshot: &Snapshot) -> Vec<String> {
    let pods = snapshot.namespaces().iter().flat_map(|part| part.pods());
    pods.map(|pod| format!("{}/{}", pod.namespace, pod.name)).collect()
}

fn two_namespaces() -> [Event; 4] {
    [
        namespace("apps"),
        namespace("shop"),
        Event::from(pod("apps", "web", "nginx:1", "")),
        Event::from(pod("shop", "cart", "cart:1", "")),
    ]
}

#[test]
fn relist_drops_pods_that_vanished() {
    let mut index = index();
    assert_eq!(names(&relist(&mut index, two_namespaces())), ["apps/web", "shop/cart"]);
    let after = relist(&mut index, [namespace("apps"), Event::from(pod("apps", "api", "api:1", ""))]);
    assert_eq!(names(&after), ["apps/api"]);
    assert!(after.namespace("shop").is_none());
}

#[test]
fn relist_that_was_cut_short_replaces_nothing() {
    let mut index = index();
    relist(&mut index, two_namespaces());
    begin(&mut index, [ListScope::AllPods]);
    index.apply(Event::from(pod("apps", "half-read", "nginx:2", "")));
    // Nothing more comes from it; the next one begins anew.
    let after = relist(&mut index, two_namespaces());
    assert_eq!(names(&after), ["apps/web", "shop/cart"]);
    assert_eq!(after.generation(), 1, "nothing changed");
}

#[test]
fn list_that_begins_again_drops_what_it_gave() {
    let mut index = index();
    for event in [
        Event::RelistBegun(ListScope::Namespaces),
        namespace("apps"),
        namespace("gone"),
        Event::RelistBegun(ListScope::AllPods),
        Event::from(pod("apps", "old", "nginx:1", "")),
        skipped(None, "item 2"),
        // 410: the continue token has expired.
        Event::RelistBegun(ListScope::AllPods),
        Event::from(pod("apps", "new", "nginx:1", "")),
        Event::RelistBegun(ListScope::Namespaces),
        namespace("apps"),
    ] {
        index.apply(event);
    }
    let after = end(&mut index, [ListScope::Namespaces, ListScope::AllPods]);
    assert_eq!(names(&after), ["apps/new"]);
    assert!(after.namespace("gone").is_none());
    assert!(after.is_complete(), "the item was skipped in the list that was dropped");
}

#[test]
fn list_of_one_namespace_that_begins_again_leaves_the_others() {
    let mut index = kai::snapshot::PodIndex::new("", selection(&["apps", "shop"], &[]));
    for event in [
        Event::RelistBegun(pods_of("apps")),
        Event::from(pod("apps", "web", "nginx:1", "")),
        Event::RelistBegun(pods_of("shop")),
        Event::from(pod("shop", "old", "cart:1", "")),
        Event::RelistBegun(pods_of("shop")),
        Event::from(pod("shop", "new", "cart:1", "")),
    ] {
        index.apply(event);
    }
    assert_eq!(names(&end(&mut index, ["apps", "shop"].map(pods_of))), ["apps/web", "shop/new"]);
}

#[test]
fn list_that_is_refused_half_way_leaves_nothing_of_itself() {
    let mut index = kai::snapshot::PodIndex::new("", selection(&["apps", "shop"], &[]));
    for event in [
        Event::RelistBegun(pods_of("apps")),
        Event::from(pod("apps", "web", "nginx:1", "")),
        refused(pods_of("apps"), "no right to list pods"),
        Event::RelistBegun(pods_of("shop")),
        Event::from(pod("shop", "cart", "cart:1", "")),
    ] {
        index.apply(event);
    }
    let after = end(&mut index, [pods_of("shop")]);
    assert_eq!(names(&after), ["shop/cart"]);
    assert_eq!(after.namespace("apps").and_then(|part| part.reason()), Some("no right to list pods"));
}

#[test]
fn list_that_is_granted_when_asked_again_is_not_refused() {
    let mut index = index();
    for event in [
        Event::RelistBegun(ListScope::AllPods),
        refused(ListScope::AllPods, "no right to list pods"),
        Event::RelistBegun(ListScope::AllPods),
        Event::from(pod("apps", "web", "nginx:1", "")),
    ] {
        index.apply(event);
    }
    let after = end(&mut index, [ListScope::AllPods]);
    assert_eq!((names(&after), after.is_complete()), (vec!["apps/web".into()], true));
}

#[test]
fn a_list_that_did_not_end_replaces_nothing() {
    let mut index = index();
    relist(&mut index, two_namespaces());
    begin(&mut index, [ListScope::AllPods]);
    assert_eq!(names(&end(&mut index, [])), ["apps/web", "shop/cart"]);
}

#[test]
fn a_single_event_counts_at_once_and_is_replaced_by_the_next_list() {
    let mut index = index();
    index.apply(Event::from(pod("apps", "early", "nginx:1", "")));
    assert!(index.publish().is_none(), "nothing was observed yet");
    relist(&mut index, two_namespaces());
    index.apply(Event::from(pod("apps", "web", "nginx:2", "")));
    index.apply(Event::from(pod("new", "web", "nginx:2", "")));
    index.apply(Event::Deleted(pod_key("shop", "cart", None)));
    let published = index.publish().expect("three changes");
    assert_eq!(names(&published.snapshot), ["apps/web", "new/web"]);
    let changes = "namespaces +1 (new); pods +1 -1 ~1; \
                   images +2 (nginx:2 in apps, nginx:2 in new) -2 (nginx:1 in apps, cart:1 in shop)";
    assert_eq!(published.changes().expect("not the first").to_string(), changes);
    assert!(published.snapshot.namespace("shop").is_some_and(|part| part.is_empty()), "it is listed");
    assert_eq!(names(&relist(&mut index, two_namespaces())), ["apps/web", "shop/cart"]);
}

#[test]
fn a_relist_of_one_namespace_leaves_the_others() {
    let mut index = index();
    relist(&mut index, two_namespaces());
    begin(&mut index, [pods_of("shop")]);
    index.apply(Event::from(pod("shop", "pay", "pay:1", "")));
    index.apply(Event::from(pod("apps", "api", "api:1", "")));
    assert_eq!(names(&end(&mut index, [pods_of("shop")])), ["apps/api", "apps/web", "shop/pay"]);
}

#[test]
fn nothing_is_published_when_nothing_changed() {
    let mut index = index();
    let generations = [(), (), ()].map(|()| relist(&mut index, two_namespaces()).generation());
    assert_eq!(generations, [1, 1, 1]);
    index.apply(Event::from(pod("apps", "web", "nginx:2", "")));
    index.apply(Event::from(pod("apps", "web", "nginx:1", "")));
    index.apply(observed_at(2_000_000_000));
    assert!(index.publish().is_none(), "it is again what it was");
    assert_eq!(index.observed_at().map(Timestamp::as_second), Some(2_000_000_000));
    let snapshot = index.snapshot().expect("the first");
    assert_eq!(snapshot.observed_at().as_second(), 1_800_000_000, "when this content first appeared");
}

fn pod_key(namespace: &str, name: &str, uid: Option<&str>) -> ObjectKey {
    ObjectKey::Pod(PodKey { namespace: namespace.into(), name: name.into(), uid: uid.map(Into::into) })
}

/// A state of the pod `apps/web`.
fn web(uid: &str, image: &str) -> Event {
    Event::from(kai::inventory::PodRecord { uid: Some(uid.into()), ..pod("apps", "web", image, "") })
}

#[rstest::rstest]
#[case::a_successor_from_the_api(PodIdentity::Name, &["b:1"])]
#[case::two_pods_of_a_file(PodIdentity::NameAndUid, &["a:2", "b:1"])]
fn pods_of_one_name_and_two_uids(#[case] identity: PodIdentity, #[case] expected: &[&str]) {
    let mut index = index().with_identity(identity);
    let snapshot = relist(&mut index, [web("a", "a:1"), web("a", "a:2"), web("b", "b:1")]);
    let part = snapshot.namespace("apps").expect("apps");
    let images: Vec<&str> = part.images(false).map(|each| each.image.written()).collect();
    assert_eq!((images.as_slice(), part.pod_count()), (expected, expected.len()), "the later state of a uid wins");
    index.apply(Event::Deleted(pod_key("apps", "web", Some("a"))));
    index.publish();
    let part = index.snapshot().and_then(|snapshot| snapshot.namespace("apps")).expect("apps");
    assert_eq!(part.pod_count(), 1, "the pod with the other uid stays");
}

#[test]
fn what_did_not_change_is_shared_with_the_snapshot_before() {
    let mut index = index();
    let before = relist(&mut index, two_namespaces());
    let mut events: Vec<Event> = two_namespaces().into();
    events.push(Event::from(pod("shop", "pay", "pay:1", "")));
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
    let after = relist(&mut index, [namespace("apps"), refused(pods_of("apps"), "no right")]);
    let (before, after) = (before.namespace("apps").expect("apps"), after.namespace("apps").expect("apps"));
    assert!(!Arc::ptr_eq(before, after));
    assert_ne!(before.content_hash(), after.content_hash());
}

#[test]
fn a_dump_that_ended_too_early_is_served_and_incomplete() {
    let cut_short = Some("the file ends within item 2".into());
    let snapshot = cluster().pod("apps/web", "nginx:1").cut_short(cut_short).snapshot();
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
