//! Equal content has an equal hash, and whatever is content counts.

use kai::inventory::{
    ContainerKind, ContainerRecord, ContainerState, OwnerRef, Phase, PodRecord, ReportPolicy, StartTime,
};
use kai::snapshot::{ContentHash, Event, Observation, PodIndex, ServerVersion};
use kai::testing::{namespace, refused, skipped};
use kai::views::KaiReport;
use rstest::rstest;

use super::cluster::{DIGEST, end_at, index, pod, relist, selection};

fn web() -> PodRecord {
    pod("apps", "web", "nginx:1", &format!("nginx@{DIGEST}"))
}

fn hash_of(pod: PodRecord) -> ContentHash {
    relist(&mut index(), [Event::from(pod)]).content_hash()
}

#[test]
fn time_and_generation_are_no_content() {
    let hashes = [0, 1_000_000].map(|seconds| {
        let mut index = index();
        index.apply(Event::from(web()));
        let snapshot = end_at(seconds, &mut index, []);
        let report = KaiReport::of(&snapshot, &ReportPolicy::default(), |_| true);
        (snapshot.content_hash(), report.content_hash())
    });
    assert_eq!(hashes[0], hashes[1]);
}

/// An ETag outlives the process that gave it. The value changes when a field is added to what is hashed, and only then.
#[test]
fn a_hash_is_the_same_in_every_process() {
    assert_eq!(hash_of(web()).to_string(), "0343ff2eddd359b5747e8106b300c42c");
}

#[rstest]
#[case::namespace(|pod: &mut PodRecord| pod.namespace = "shop".into())]
#[case::name(|pod: &mut PodRecord| pod.name = "api".into())]
#[case::uid(|pod: &mut PodRecord| pod.uid = Some("1f".into()))]
#[case::phase(|pod: &mut PodRecord| pod.phase = Phase::Failed)]
#[case::node(|pod: &mut PodRecord| pod.node = None)]
#[case::owner(|pod: &mut PodRecord| pod.owner = Some(OwnerRef::new("Job".into(), "j".into(), |_| None)))]
#[case::containers(|pod: &mut PodRecord| pod.containers = Box::new([]))]
#[case::stray_statuses(|pod: &mut PodRecord| pod.stray_statuses = Box::new(["x".into()]))]
fn every_field_of_a_pod_counts(#[case] change: fn(&mut PodRecord)) {
    let mut pod = web();
    change(&mut pod);
    assert_ne!(hash_of(pod), hash_of(web()));
}

#[rstest]
#[case::name(|container: &mut ContainerRecord| container.name = "x".into())]
#[case::kind(|container: &mut ContainerRecord| container.kind = ContainerKind::Init)]
#[case::image(|container: &mut ContainerRecord| container.image = pod("", "", "nginx:2", "").containers[0].image.clone())]
#[case::running(|container: &mut ContainerRecord| container.running = None)]
#[case::started_at(|container: &mut ContainerRecord| container.started_at = StartTime::from_second(7))]
#[case::image_id(|container: &mut ContainerRecord| container.image_id = Some("sha256:c".into()))]
#[case::resolved_repository(|container: &mut ContainerRecord| container.resolved_repository = Some("x".into()))]
#[case::updating_from(|container: &mut ContainerRecord| container.updating_from = Some(container.image.clone()))]
#[case::state(|container: &mut ContainerRecord| container.state = ContainerState::Waiting)]
#[case::reason(|container: &mut ContainerRecord| container.reason = Some("Error".into()))]
#[case::digest_mismatch(|container: &mut ContainerRecord| container.flags.digest_mismatch = true)]
#[case::unknown_prefix(|container: &mut ContainerRecord| container.flags.unknown_prefix = true)]
#[case::ambiguous_tag(|container: &mut ContainerRecord| container.flags.ambiguous_tag = true)]
fn every_field_of_a_container_counts(#[case] change: fn(&mut ContainerRecord)) {
    let mut pod = web();
    change(&mut pod.containers[0]);
    assert_ne!(hash_of(pod), hash_of(web()));
}

#[test]
fn what_is_missing_counts() {
    let plain = || [namespace("apps"), Event::from(web())];
    let whole = relist(&mut index(), plain()).content_hash();
    let scope = kai::snapshot::ListScope::Namespaces;
    let forbidden = relist(&mut index(), plain().into_iter().chain([refused(scope.clone(), "forbidden")]));
    let otherwise = relist(&mut index(), plain().into_iter().chain([refused(scope, "expired")]));
    let broken = relist(&mut index(), plain().into_iter().chain([skipped(None, "item 2")]));
    let empty = relist(&mut index(), plain().into_iter().chain([namespace("empty")]));
    let mut hashes =
        vec![whole, forbidden.content_hash(), otherwise.content_hash(), broken.content_hash(), empty.content_hash()];
    hashes.sort_by_key(ToString::to_string);
    hashes.dedup();
    assert_eq!(hashes.len(), 5);
}

#[test]
fn cluster_name_and_server_version_count() {
    let named = |name: &str, version: &str| {
        let mut index = PodIndex::new(name, selection(&[], &[]));
        let server_version = ServerVersion { platform: version.into(), ..ServerVersion::default() };
        index.apply(Event::Observed(Observation { server_version, ..Observation::at(jiff::Timestamp::UNIX_EPOCH) }));
        let snapshot = index.publish().expect("a snapshot").snapshot;
        let report = KaiReport::of(&snapshot, &ReportPolicy::default(), |_| true);
        (snapshot.content_hash(), report.content_hash())
    };
    let (plain, renamed, upgraded) = (named("a", "linux"), named("b", "linux"), named("a", "windows"));
    assert!(plain.0 != renamed.0 && plain.0 != upgraded.0);
    assert!(plain.1 != renamed.1 && plain.1 != upgraded.1);
}
