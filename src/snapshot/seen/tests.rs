use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::inventory::{NamespaceSelection, OwnerRef, PodRecord};
use crate::snapshot::{Event, ListScope, ObjectKey, Observation, PodIndex, PodKey};
use crate::testing::{container, pod_of};

const DIGEST: &str = "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn pod(name: &str, image: &str, digest: &str) -> PodRecord {
    let image_id = if digest.is_empty() { String::new() } else { format!("registry.test/x@{digest}") };
    pod_of("shop", name, [container("main", image, &image_id)])
}

fn index() -> PodIndex {
    let mut index = PodIndex::new("demo", NamespaceSelection::default());
    index.learn(Past::default());
    index
}

fn list(index: &mut PodIndex, second: i64, pods: impl IntoIterator<Item = PodRecord>) {
    index.apply(Event::RelistBegun(ListScope::AllPods));
    pods.into_iter().for_each(|pod| index.apply(pod.into()));
    index.apply(Event::RelistEnded(ListScope::AllPods));
    index.apply(Event::Observed(Observation::at(at(second))));
    index.publish();
}

fn live(index: &mut PodIndex, second: i64, event: impl Into<Event>) {
    index.apply(event.into());
    index.set_now(at(second));
    index.publish();
}

fn gone(name: &str) -> Event {
    Event::Deleted(ObjectKey::Pod(PodKey { namespace: "shop".into(), name: name.into(), uid: None }))
}

/// `image digest first exact last`, sorted by nothing.
fn told(index: &mut PodIndex) -> Vec<String> {
    let line = |sighting: Sighting| {
        let digest = sighting.key.digest.as_ref().map_or("-", |digest| &digest.as_str()[..11]);
        let last = sighting.last.map_or("-".to_owned(), |last| last.as_second().to_string());
        let FirstSeen { at, is_exact } = sighting.first;
        format!("{} {digest} {} {is_exact} {last}", sighting.key.image.written(), at.as_second())
    };
    index.take_sightings().into_iter().map(line).collect()
}

fn shown(index: &PodIndex, image: &str, digest: Option<&str>) -> Option<(i64, bool)> {
    let digest = digest.map(|text| Digest::parse(text).unwrap());
    let first = index.snapshot()?.namespace("shop")?.first_seen(&ImageRef::parse(image), digest.as_ref())?;
    Some((first.at.as_second(), first.is_exact))
}

#[test]
fn what_a_list_finds_was_there_at_the_latest_then() {
    let mut index = index();
    list(&mut index, 100, [pod("a", "nginx:1", DIGEST)]);
    assert_eq!(told(&mut index), ["nginx:1 sha256:b9b4 100 false -"]);
    assert_eq!(shown(&index, "nginx:1", Some(DIGEST)), Some((100, false)));
    list(&mut index, 200, [pod("b", "nginx:1", DIGEST), pod("c", "redis:7", "")]);
    assert_eq!(told(&mut index), ["redis:7 - 200 false -"]);
    assert_eq!(shown(&index, "nginx:1", Some(DIGEST)), Some((100, false)), "it stays");
    list(&mut index, 300, [pod("c", "redis:7", "")]);
    assert_eq!(told(&mut index), ["nginx:1 sha256:b9b4 100 false 200"], "last seen by the list before");
}

#[test]
fn what_was_listed_before_a_history_is_there_is_no_more_exact() {
    let mut index = PodIndex::new("demo", NamespaceSelection::default());
    index.apply(Event::RelistBegun(ListScope::AllPods));
    index.apply(pod("a", "nginx:1", DIGEST).into());
    index.apply(Event::RelistEnded(ListScope::AllPods));
    index.apply(Event::Observed(Observation::at(at(100))));
    index.learn(Past::default());
    index.publish();
    assert_eq!(told(&mut index), ["nginx:1 sha256:b9b4 100 false -"]);
}

#[test]
fn what_a_watch_tells_is_exact() {
    let mut index = index();
    list(&mut index, 100, [pod("a", "nginx:1", DIGEST)]);
    told(&mut index);
    live(&mut index, 107, pod("b", "redis:7", ""));
    assert_eq!(told(&mut index), ["redis:7 - 107 true -"]);
    live(&mut index, 109, pod("b", "redis:7", DIGEST));
    assert_eq!(told(&mut index), ["redis:7 - 107 true 109", "redis:7 sha256:b9b4 109 true -"]);
    live(&mut index, 111, gone("b"));
    assert_eq!(told(&mut index), ["redis:7 sha256:b9b4 109 true 111"]);
    live(&mut index, 120, pod("b", "redis:7", DIGEST));
    assert_eq!(told(&mut index), ["redis:7 sha256:b9b4 109 true -"], "it comes back");
    assert_eq!(shown(&index, "redis:7", Some(DIGEST)), Some((109, true)));
}

#[test]
fn what_comes_and_goes_between_two_snapshots_is_told() {
    let mut index = index();
    list(&mut index, 100, [pod("a", "nginx:1", DIGEST)]);
    told(&mut index);
    let generation = index.snapshot().unwrap().generation();
    let owner = OwnerRef::new("Job".into(), "backup-29401230".into(), |_| None);
    index.apply(PodRecord { owner: Some(owner), ..pod("job", "backup:2", DIGEST) }.into());
    // Another pod of an image that stays is nothing new.
    index.apply(pod("b", "nginx:1", DIGEST).into());
    live(&mut index, 103, gone("job"));
    index.apply(gone("b"));
    index.publish();
    assert_eq!(index.snapshot().unwrap().generation(), generation + 2, "the pod b came and went");
    let sightings = index.take_sightings();
    let [backup] = sightings.as_slice() else { panic!("{sightings:?}") };
    assert_eq!((backup.first.at, backup.last, backup.first.is_exact), (at(103), Some(at(103)), true));
    assert_eq!(backup.workloads.names, ["CronJob/backup".into()]);
    live(&mut index, 110, pod("job", "backup:2", DIGEST));
    assert_eq!(told(&mut index), ["backup:2 sha256:b9b4 103 true -"], "the past knows it");
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_end_before_it_began() {
    let mut index = index();
    list(&mut index, 10_000, [pod("a", "nginx:1", DIGEST)]);
    told(&mut index);
    live(&mut index, 10_100, pod("b", "redis:7", DIGEST));
    // An hour back.
    live(&mut index, 6_500, gone("b"));
    live(&mut index, 6_510, pod("c", "box:1", DIGEST));
    live(&mut index, 6_520, gone("a"));
    let told = told(&mut index);
    let expected = [
        "redis:7 sha256:b9b4 10100 true -",
        "redis:7 sha256:b9b4 10100 true 10100",
        "box:1 sha256:b9b4 6510 true -",
        "nginx:1 sha256:b9b4 10000 false 10000",
    ];
    assert_eq!(told, expected);
}

#[test]
fn who_comes_to_have_an_image_that_is_there_adds_a_name_and_no_news() {
    let mut index = index();
    let owned = |name: &str, owner: &str| PodRecord {
        owner: Some(OwnerRef::new("DaemonSet".into(), owner.into(), |_| None)),
        ..pod(name, "nginx:1", DIGEST)
    };
    list(&mut index, 100, [owned("a", "first")]);
    told(&mut index);
    assert!(index.take_workloads().is_empty(), "the list has told it");
    live(&mut index, 105, owned("b", "second"));
    assert_eq!(told(&mut index), [] as [&str; 0]);
    let [update] = index.take_workloads().try_into().unwrap();
    assert_eq!(
        (update.first.at, update.last, update.workloads.names),
        (at(100), None, vec!["DaemonSet/second".into()])
    );
    live(&mut index, 110, PodRecord { node: Some("node-2".into()), ..owned("b", "second") });
    assert!(index.take_workloads().is_empty(), "a pod that is known is nothing new");
}

#[rstest]
#[case::before_its_node_reported_it((100, Some(103)), (103, None), false)]
#[case::and_then_both_went((100, Some(103)), (103, Some(109)), false)]
#[case::another_pod_of_what_is_known((100, Some(103)), (50, None), false)]
#[case::never_reported((100, Some(103)), (110, None), true)]
#[case::gone_when_it_was_last_reported((100, Some(103)), (50, Some(90)), true)]
#[case::still_waiting((100, None), (50, None), true)]
fn a_reference_without_digest_is_left_out_while_it_was_the_reported_image(
    #[case] unreported: (i64, Option<i64>),
    #[case] reported: (i64, Option<i64>),
    #[case] stays: bool,
) {
    let row = |digest: Option<&str>, (first, last): (i64, Option<i64>)| {
        let digest = digest.map(|digest| Digest::parse(digest).unwrap());
        let key = SightingKey { namespace: "shop".into(), image: Arc::new(ImageRef::parse("redis:7")), digest };
        Sighting::new(key, FirstSeen { at: at(first), is_exact: true }, last.map(at))
    };
    let mut rows = vec![row(None, unreported), row(Some(DIGEST), reported)];
    leave_out_unreported(&mut rows);
    assert_eq!(rows.len() == 2, stays, "{rows:?}");
}

#[test]
fn what_is_there_can_be_told_again() {
    let mut index = index();
    let owner = OwnerRef::new("ReplicaSet".into(), "web-5d4f8c7b9".into(), |_| None);
    let web = PodRecord { owner: Some(owner), ..pod("a", "nginx:1", DIGEST) };
    list(&mut index, 100, [web, pod("b", "redis:7", "")]);
    live(&mut index, 105, gone("b"));
    told(&mut index);
    index.tell_again();
    let sightings = index.take_sightings();
    let [nginx] = sightings.as_slice() else { panic!("{sightings:?}") };
    let first = FirstSeen { at: at(100), is_exact: false };
    assert_eq!((nginx.key.image.written(), nginx.first, nginx.last), ("nginx:1", first, None));
    assert_eq!(nginx.workloads.names, ["ReplicaSet/web-5d4f8c7b9".into()]);
}

#[test]
fn an_update_in_place_keeps_both_images_apart() {
    let mut index = index();
    list(
        &mut index,
        100,
        [pod("a", "nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "")],
    );
    assert_eq!(told(&mut index).len(), 1);
    let pinned = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let shown = shown(&index, &format!("nginx@{pinned}"), Some(pinned));
    assert_eq!(shown, Some((100, false)), "what nobody reports has the digest that is pinned");
}

#[test]
fn a_past_that_comes_late_is_shown_in_a_snapshot_of_its_own() {
    let mut index = index();
    list(&mut index, 1_000, [pod("a", "nginx:1", DIGEST)]);
    let first = index.snapshot().unwrap().clone();
    let mut past = Past::default();
    let key = |image: &str| SightingKey {
        namespace: "shop".into(),
        image: Arc::new(ImageRef::parse(image)),
        digest: Digest::parse(DIGEST),
    };
    past.insert(&key("nginx:1"), FirstSeen { at: at(10), is_exact: true });
    past.insert(&key("redis:7"), FirstSeen { at: at(20), is_exact: false });
    index.learn(past);
    assert!(index.publish().is_some());
    assert_eq!(shown(&index, "nginx:1", Some(DIGEST)), Some((10, true)));
    let next = index.snapshot().unwrap().clone();
    assert_eq!((next.generation(), next.content_hash()), (first.generation() + 1, first.content_hash()));
    assert!(index.publish().is_none(), "once");
    live(&mut index, 1_001, pod("b", "redis:7", DIGEST));
    assert_eq!(shown(&index, "redis:7", Some(DIGEST)), Some((20, false)));
    index.forget(&[key("redis:7")]);
    live(&mut index, 1_002, gone("b"));
    live(&mut index, 1_003, pod("b", "redis:7", DIGEST));
    assert_eq!(shown(&index, "redis:7", Some(DIGEST)), Some((1_003, true)), "nobody knows it any more");
}

#[test]
fn a_clock_that_was_set_back_turns_no_times_round() {
    let mut index = index();
    list(&mut index, 1_000, []);
    live(&mut index, 1_010, pod("a", "nginx:1", DIGEST));
    live(&mut index, 500, gone("a"));
    assert_eq!(told(&mut index), ["nginx:1 sha256:b9b4 1010 true -", "nginx:1 sha256:b9b4 1010 true 1010"]);
}

#[test]
fn without_a_history_nothing_is_kept() {
    let mut index = PodIndex::new("demo", NamespaceSelection::default());
    list(&mut index, 100, [pod("a", "nginx:1", DIGEST)]);
    live(&mut index, 101, gone("a"));
    assert_eq!((told(&mut index), shown(&index, "nginx:1", Some(DIGEST))), (vec![], None));
}

#[test]
fn the_newest_workloads_are_named() {
    let mut workloads = Workloads::default();
    (0..25).for_each(|number| workloads.add(&format!("Job/{number}")));
    workloads.add("Job/10");
    assert_eq!((workloads.names.len(), workloads.dropped), (WORKLOADS_MAX, 5));
    assert_eq!((&*workloads.names[0], &**workloads.names.last().unwrap()), ("Job/5", "Job/10"));
}

fn period(start: i64, end: i64, missing: &[&str], ended: Option<&str>) -> Period {
    let missing = missing.iter().map(|name| Box::from(*name)).collect();
    Period { start: at(start), end: at(end), missing, ended: ended.map(Box::from) }
}

#[rstest]
#[case::none(&[], 10, 20, None, &["10-20 kai was not there yet"])]
#[case::whole(&[period(0, 100, &[], None)], 10, 20, None, &[])]
#[case::before(&[period(15, 100, &[], None)], 10, 20, None, &["10-15 kai was not there yet"])]
#[case::stopped(&[period(0, 12, &[], Some("kai was stopped")), period(18, 30, &[], None)], 10, 20, None, &["12-18 kai was stopped"])]
#[case::killed(&[period(0, 12, &[], None), period(18, 30, &[], None)], 10, 20, None, &["12-18 kai ended without a word"])]
#[case::refused(&[period(0, 30, &["ops"], None)], 10, 20, None, &["10-20 the namespace ops could not be read"])]
#[case::of_another(&[period(0, 30, &["ops"], None)], 10, 20, Some("shop"), &[])]
#[case::of_this(&[period(0, 30, &["ops"], None)], 10, 20, Some("ops"), &["10-20 the namespace ops could not be read"])]
#[case::of_any(&[period(0, 30, &["*"], None)], 10, 20, Some("shop"), &["10-20 pods could not be read"])]
#[case::touching(&[period(0, 15, &[], Some("x")), period(15, 30, &[], None)], 10, 20, None, &[])]
fn gaps_are_what_nobody_saw(
    #[case] periods: &[Period],
    #[case] since: i64,
    #[case] until: i64,
    #[case] namespace: Option<&str>,
    #[case] expected: &[&str],
) {
    let found = gaps(periods, at(since), at(until), namespace);
    let line = |gap: &Gap| format!("{}-{} {}", gap.from.as_second(), gap.to.as_second(), gap.reason);
    assert_eq!(found.iter().map(line).collect::<Vec<_>>(), expected);
}

#[derive(Debug, Clone)]
enum Step {
    Apply(u8, u8),
    Delete(u8),
    Publish,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..5_u8, 0..4_u8).prop_map(|(name, image)| Step::Apply(name, image)),
        2 => (0..5_u8).prop_map(Step::Delete),
        3 => Just(Step::Publish),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    /// Every image that a pod ever had is told, with the first and the last moment; and what is there is shown.
    #[test]
    fn no_image_is_missed(steps in prop::collection::vec(any_step(), 0..60)) {
        let mut index = index();
        list(&mut index, 0, []);
        let (mut pods, mut ever) = (std::collections::BTreeMap::new(), std::collections::BTreeSet::new());
        let mut rows = std::collections::BTreeMap::<String, Sighting>::new();
        for (second, step) in (1..).zip(steps.into_iter().chain([Step::Publish])) {
            match step {
                Step::Apply(name, image) => {
                    let image = format!("image-{image}:1");
                    index.apply(pod(&format!("pod-{name}"), &image, "").into());
                    ever.insert(image.clone());
                    pods.insert(name, image);
                }
                Step::Delete(name) => {
                    pods.remove(&name);
                    index.apply(gone(&format!("pod-{name}")));
                }
                Step::Publish => {
                    index.set_now(at(second));
                    index.publish();
                    for sighting in index.take_sightings() {
                        let row = rows.entry(sighting.key.image.written().to_owned()).or_insert_with(|| sighting.clone());
                        row.merge(&sighting);
                    }
                    let there: std::collections::BTreeSet<_> = pods.values().cloned().collect();
                    prop_assert_eq!(rows.keys().cloned().collect::<std::collections::BTreeSet<_>>(), ever.clone());
                    for (image, row) in &rows {
                        prop_assert_eq!(row.last.is_none(), there.contains(image), "{}", image);
                        prop_assert!(row.last.is_none_or(|last| last >= row.first.at));
                        let first = shown(&index, image, None);
                        prop_assert_eq!(first, there.contains(image).then_some((row.first.at.as_second(), true)));
                    }
                }
            }
        }
    }
}
