//! What is told of each change: cases for every kind of event, and for what may only not have been read.

mod properties;

use std::fmt::Write as _;
use std::sync::Arc;

use rstest::rstest;

use super::*;
use crate::inventory::{ContainerRecord, ImageRef, NamespaceSelection, OwnerRef, PodRecord};
use crate::snapshot::{Event, PodIndex, Snapshot};
use crate::testing::{cluster, container, namespace, pod_of, pods_of, refused, skipped};
use crate::views::{Filter, Flag};

const NAMESPACES: [&str; 2] = ["apps", "shop"];

/// A digest that is told from others by its first digits.
fn digest(of: &str) -> String {
    format!("sha256:{of:0<64}")
}

/// `nginx:1`, of which no node has reported anything; `nginx:1 = a1`, which runs with such a digest; `nginx@a1`, which pins
/// one; `nginx:2 = a1 of nginx:1`, which is updated from what runs.
fn one_container(text: &str) -> ContainerRecord {
    let (text, old) = text.split_once(" of ").map_or((text, None), |(text, old)| (text, Some(old)));
    let (image, running) = text.split_once(" = ").unwrap_or((text, ""));
    let image = match image.split_once('@') {
        Some((name, pinned)) => format!("{name}@{}", digest(pinned)),
        None => image.to_owned(),
    };
    let image_id = if running.is_empty() { String::new() } else { format!("any@{}", digest(running)) };
    let updating_from = old.map(|old| Arc::new(ImageRef::parse(old)));
    ContainerRecord { updating_from, ..container("app", &image, &image_id) }
}

/// A pod of the Deployment that its name says, with an image.
fn pod((path, image): &(&str, &str)) -> PodRecord {
    let (namespace, name) = path.split_once('/').unwrap();
    let (workload, _) = name.split_once('-').unwrap_or((name, ""));
    let owner = OwnerRef::new("ReplicaSet".into(), format!("{workload}-abc").into(), |label| {
        (label == "pod-template-hash").then_some("abc")
    });
    PodRecord { owner: Some(owner), ..pod_of(namespace, name, [one_container(image)]) }
}

/// A cluster that is read again and again, and what is told of it.
struct Followed {
    index: PodIndex,
    told: Told,
}

impl Followed {
    fn new(pods: &[(&str, &str)]) -> Self {
        Self::in_namespaces(NamespaceSelection::new(NAMESPACES.map(Box::from), Vec::new()), &NAMESPACES, pods)
    }

    fn in_namespaces(selection: NamespaceSelection, namespaces: &[&str], pods: &[(&str, &str)]) -> Self {
        let mut index = PodIndex::new("demo", selection);
        let first = relist(&mut index, namespaces, pods, []);
        Self { index, told: Told::new(first) }
    }

    fn changes(&mut self, pods: &[(&str, &str)], more: impl IntoIterator<Item = Event>) -> Vec<Change> {
        let after = relist(&mut self.index, &NAMESPACES, pods, more);
        self.told.advance(&after).unwrap()
    }

    fn told(&mut self, pods: &[(&str, &str)]) -> Vec<String> {
        texts(&self.changes(pods, []))
    }

    fn told_with(&mut self, pods: &[(&str, &str)], more: Event) -> Vec<String> {
        texts(&self.changes(pods, [more]))
    }
}

fn relist(
    index: &mut PodIndex,
    namespaces: &[&str],
    pods: &[(&str, &str)],
    more: impl IntoIterator<Item = Event>,
) -> Arc<Snapshot> {
    let pods = pods.iter().map(pod);
    cluster().with(namespaces.iter().map(|name| namespace(name))).with(pods).with(more).relist_into(index)
}

fn short(digest: Option<&str>) -> &str {
    digest.map_or("-", |digest| digest["sha256:".len()..].trim_end_matches('0'))
}

/// As in `digest-changed apps nginx:1 b2 from a1 1/2 Deployment/web`, with the numbers of pods and containers.
fn texts(changes: &[Change]) -> Vec<String> {
    let snapshot = cluster().snapshot();
    let text = |change: &Change| {
        let row = ChangeRow::of(change, "", &snapshot);
        let mut text = format!("{} {}", row.kind, row.namespace.unwrap_or("-"));
        if let Some(image) = row.image {
            write!(text, " {} {}", image.replace("sha256:", "").replace("00", ""), short(row.digest)).unwrap();
        }
        if let Some(has_left) = row.old_digest_left {
            write!(text, " {} {}", if has_left { "from" } else { "beside" }, short(row.old_digest)).unwrap();
        }
        if let Some(complete) = row.complete {
            write!(text, " {complete}").unwrap();
        } else {
            write!(text, " {}/{} {}", row.pods, row.containers, row.workloads.join(" ")).unwrap();
        }
        text
    };
    changes.iter().map(text).collect()
}

const BEFORE: [(&str, &str); 3] =
    [("apps/web-1", "nginx:1 = a1"), ("apps/web-2", "nginx:1 = a1"), ("shop/cart-1", "cart:1 = c1")];

#[rstest]
#[case::nothing(&BEFORE, &[])]
#[case::another_pod(&[BEFORE[0], BEFORE[1], BEFORE[2], ("apps/web-3", "nginx:1")], &[])]
#[case::one_pod_less(&[BEFORE[0], BEFORE[2]], &[])]
#[case::another_image(
    &[BEFORE[0], BEFORE[1], BEFORE[2], ("apps/db-1", "redis:7")],
    &["image-appeared apps redis:7 - 1/1 Deployment/db"]
)]
#[case::with_a_digest(
    &[BEFORE[0], BEFORE[1], BEFORE[2], ("apps/db-1", "redis:7 = d1"), ("apps/db-2", "redis:7 = d1")],
    &["image-appeared apps redis:7 d1 2/2 Deployment/db"]
)]
#[case::with_two_digests(
    &[BEFORE[0], BEFORE[1], BEFORE[2], ("apps/a-1", "redis:7 = d1"), ("apps/b-2", "redis:7 = d2")],
    &["image-appeared apps redis:7 d1 1/1 Deployment/a", "image-appeared apps redis:7 d2 1/1 Deployment/b"]
)]
#[case::in_another_namespace(
    &[BEFORE[0], BEFORE[1], BEFORE[2], ("shop/web-1", "nginx:1 = a1")],
    &["image-appeared shop nginx:1 a1 1/1 Deployment/web"]
)]
#[case::gone(&[BEFORE[2]], &["image-left apps nginx:1 a1 2/2 Deployment/web"])]
#[case::update_in_one_step(
    &[("apps/web-3", "nginx:2 = b2"), ("apps/web-4", "nginx:2 = b2"), BEFORE[2]],
    &["image-left apps nginx:1 a1 2/2 Deployment/web", "image-appeared apps nginx:2 b2 2/2 Deployment/web"]
)]
#[case::digest_in_one_step(
    &[("apps/web-3", "nginx:1 = b2"), ("apps/web-4", "nginx:1 = b2"), BEFORE[2]],
    &["digest-changed apps nginx:1 b2 from a1 2/2 Deployment/web"]
)]
#[case::digest_beside(
    &[BEFORE[0], ("apps/web-4", "nginx:1 = b2"), BEFORE[2]],
    &["digest-changed apps nginx:1 b2 beside a1 1/1 Deployment/web"]
)]
#[case::two_digests_for_one(
    &[("apps/web-3", "nginx:1 = b2"), ("apps/web-4", "nginx:1 = b3"), BEFORE[2]],
    &["digest-changed apps nginx:1 b2 from a1 1/1 Deployment/web", "digest-changed apps nginx:1 b3 from a1 1/1 Deployment/web"]
)]
#[case::nothing_reported_any_more(
    &[("apps/web-3", "nginx:1"), BEFORE[2]],
    &["digest-changed apps nginx:1 - from a1 1/1 Deployment/web"]
)]
fn each_change_is_told_once(#[case] after: &[(&str, &str)], #[case] expected: &[&str]) {
    let mut followed = Followed::new(&BEFORE);
    // Sorted by their names in a namespace.
    let mut told = followed.told(after);
    told.sort_by_key(|text| expected.iter().position(|other| other == text));
    assert_eq!(told, expected);
    assert_eq!(followed.told(after), [""; 0], "and not again");
}

#[test]
fn a_rollout_of_a_tag_changes_the_digest_and_then_the_old_one_leaves() {
    let mut followed = Followed::new(&[("apps/web-1", "app:dev = a1"), ("apps/web-2", "app:dev = a1")]);
    let steps: [&[(&str, &str)]; 4] = [
        &[("apps/web-1", "app:dev = a1"), ("apps/web-2", "app:dev = a1"), ("apps/web-3", "app:dev")],
        &[("apps/web-1", "app:dev = a1"), ("apps/web-3", "app:dev = b2")],
        &[("apps/web-1", "app:dev = a1"), ("apps/web-3", "app:dev = b2"), ("apps/web-4", "app:dev = b2")],
        &[("apps/web-3", "app:dev = b2"), ("apps/web-4", "app:dev = b2")],
    ];
    let told: Vec<_> = steps.iter().flat_map(|pods| followed.told(pods)).collect();
    let expected = [
        "digest-changed apps app:dev b2 beside a1 1/1 Deployment/web",
        "image-left apps app:dev a1 1/1 Deployment/web",
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_the_node_reports_later_is_a_digest_from_none() {
    let mut followed = Followed::new(&[]);
    assert_eq!(followed.told(&[("apps/web-1", "app:1")]), ["image-appeared apps app:1 - 1/1 Deployment/web"]);
    let told = followed.told(&[("apps/web-1", "app:1 = a1"), ("apps/web-2", "app:1")]);
    assert_eq!(told, ["digest-changed apps app:1 a1 from - 1/1 Deployment/web"]);
    // The second pod counts again, though it did not change.
    let told = followed.told(&[("apps/web-2", "app:1")]);
    assert_eq!(told, ["digest-changed apps app:1 - from a1 1/1 Deployment/web"]);
}

#[test]
fn a_pinned_digest_that_runs_is_no_change() {
    let mut followed = Followed::new(&[("apps/web-1", "app@a1")]);
    assert_eq!(followed.told(&[("apps/web-1", "app@a1 = a1")]), [""; 0]);
    let told = followed.changes(&[("apps/web-1", "app@a1 = b2")], []);
    assert_eq!(
        (told.len(), told[0].kind),
        (1, ChangeKind::DigestChanged),
        "an index and one of its platforms: {told:?}"
    );
}

#[test]
fn an_update_in_place_has_both_images_until_it_is_done() {
    let mut followed = Followed::new(&[("apps/web-1", "app:1 = a1")]);
    let told = followed.told(&[("apps/web-1", "app:2 = a1 of app:1")]);
    assert_eq!(told, ["image-appeared apps app:2 - 1/1 Deployment/web"]);
    let told = followed.told(&[("apps/web-1", "app:2 = b2")]);
    let expected =
        ["image-left apps app:1 a1 1/1 Deployment/web", "digest-changed apps app:2 b2 from - 1/1 Deployment/web"];
    assert_eq!(told, expected);
}

#[test]
fn a_namespace_that_is_removed_loses_its_images() {
    let all = NamespaceSelection::default();
    let mut followed = Followed::in_namespaces(all, &NAMESPACES, &BEFORE);
    let after = relist(&mut followed.index, &["shop"], &[BEFORE[2]], []);
    let told = texts(&followed.told.advance(&after).unwrap());
    assert_eq!(told, ["image-left apps nginx:1 a1 2/2 Deployment/web"]);
}

#[test]
fn a_refused_namespace_keeps_its_images_until_it_is_read_again() {
    let mut followed = Followed::new(&BEFORE);
    let no = || refused(pods_of("apps"), "missing right");
    let told = followed.told_with(&BEFORE, no());
    assert_eq!(told, ["namespace-refused apps 2/2 Deployment/web", "complete-changed - false"]);
    assert_eq!(followed.told_with(&BEFORE, no()), [""; 0]);
    let told = followed.told(&[("apps/web-1", "nginx:2 = a1"), BEFORE[2]]);
    let expected = [
        "image-left apps nginx:1 a1 2/2 Deployment/web",
        "image-appeared apps nginx:2 a1 1/1 Deployment/web",
        "complete-changed - true",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_refused_namespace_that_is_as_it_was_is_told_of_no_image() {
    let mut followed = Followed::new(&BEFORE);
    followed.told_with(&BEFORE, refused(pods_of("apps"), "missing right"));
    assert_eq!(followed.told(&BEFORE), ["complete-changed - true"]);
}

#[test]
fn a_pod_that_could_not_be_read_takes_no_image_with_it() {
    let mut followed = Followed::new(&BEFORE);
    let broken = || skipped(Some("shop"), "pod shop/cart-1");
    assert_eq!(followed.told_with(&BEFORE[..2], broken()), ["complete-changed - false"]);
    assert_eq!(followed.told(&BEFORE), ["complete-changed - true"], "it was there all the time");
    followed.told_with(&BEFORE[..2], broken());
    let told = followed.told(&BEFORE[..2]);
    assert_eq!(told, ["image-left shop cart:1 c1 1/1 Deployment/cart", "complete-changed - true"]);
}

#[test]
fn while_pods_of_unknown_namespaces_may_be_missing_no_image_leaves() {
    let all = NamespaceSelection::default();
    let mut followed = Followed::in_namespaces(all, &NAMESPACES, &BEFORE);
    let after = relist(&mut followed.index, &["shop"], &[], [skipped(None, "item 3")]);
    assert_eq!(texts(&followed.told.advance(&after).unwrap()), ["complete-changed - false"]);
    let after = relist(&mut followed.index, &["shop"], &[], []);
    let told = texts(&followed.told.advance(&after).unwrap());
    let expected = [
        "image-left apps nginx:1 a1 2/2 Deployment/web",
        "image-left shop cart:1 c1 1/1 Deployment/cart",
        "complete-changed - true",
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_is_new_in_a_namespace_that_is_not_whole_is_told() {
    let mut followed = Followed::new(&BEFORE);
    let after = [BEFORE[0], BEFORE[1], BEFORE[2], ("shop/cart-2", "cart:2 = c2")];
    let told = followed.told_with(&after, skipped(Some("shop"), "pod shop/cart-9"));
    assert_eq!(told, ["image-appeared shop cart:2 c2 1/1 Deployment/cart", "complete-changed - false"]);
}

#[test]
fn snapshots_that_were_passed_over_are_told_together() {
    let mut followed = Followed::new(&BEFORE);
    relist(&mut followed.index, &NAMESPACES, &[BEFORE[0], ("apps/db-1", "redis:7")], []);
    let after = [BEFORE[0], ("apps/db-1", "redis:7 = d1"), BEFORE[2]];
    assert_eq!(followed.told(&after), ["image-appeared apps redis:7 d1 1/1 Deployment/db"]);
}

#[test]
fn more_than_can_be_remembered_makes_readers_begin_again() {
    let containers = (0..20_001).map(|at| one_container(&format!("app:{at}")));
    let mut followed = Followed::new(&[]);
    let first = pod_of("apps", "web-1", containers);
    followed.changes(&[], [first.into()]);
    let after = relist(&mut followed.index, &NAMESPACES, &[], [skipped(Some("apps"), "pod apps/web-1")]);
    assert_eq!(followed.told.advance(&after), None);
    assert_eq!(followed.told(&[]), ["complete-changed - true"]);
}

#[test]
fn workloads_are_named_up_to_a_bound_and_counted_beyond_it() {
    let names: Vec<_> = (0..150).map(|at| format!("apps/w{at:03}-1")).collect();
    let pods: Vec<_> = names.iter().map(|path| (&**path, "tool:1")).collect();
    let changes = Followed::new(&[]).changes(&pods, []);
    let row = ChangeRow::of(&changes[0], "", &cluster().snapshot()).clone();
    assert_eq!((row.owners, row.workloads.len(), &*row.workloads[99]), (150, 100, "Deployment/w099"));
    let owner = |name: &str| Filter { owners: [name.to_owned()].into(), ..Filter::default() };
    assert!(changes[0].is_wanted(&owner("w149")), "one that is not named may be it");
}

fn only(change: impl FnOnce(&mut Filter)) -> Filter {
    let mut filter = Filter::default();
    change(&mut filter);
    filter
}

#[rstest]
#[case::everything(only(|_| {}), &["apps", "shop", "shop refused", "complete"])]
#[case::namespace(only(|filter| filter.namespaces.extend(["shop".into()])), &["shop", "shop refused", "complete"])]
#[case::image(only(|filter| filter.images.extend([ImageRef::parse("docker.io/library/nginx")])), &["apps", "shop refused", "complete"])]
#[case::registry(only(|filter| filter.registries.extend(["quay.io".into()])), &["shop", "shop refused", "complete"])]
#[case::tag(only(|filter| filter.tags.extend(["9".into()])), &["shop refused", "complete"])]
#[case::old_digest(
    only(|filter| filter.digests.extend([crate::views::DigestPrefix::parse(&digest("a1")).unwrap()])),
    &["apps", "shop refused", "complete"]
)]
#[case::owner(only(|filter| filter.owners.extend(["deployment/cart".into()])), &["shop", "shop refused", "complete"])]
#[case::flag(only(|filter| filter.flags.extend([Flag::NoDigest])), &["shop", "shop refused", "complete"])]
fn filters_choose_events(#[case] filter: Filter, #[case] expected: &[&str]) {
    let mut followed = Followed::new(&BEFORE[..2]);
    let after = [("apps/web-1", "nginx:1 = b2"), ("shop/cart-1", "quay.io/acme/cart:1")];
    let mut changes = followed.changes(&after, []);
    changes.extend(followed.changes(&after, [refused(pods_of("shop"), "missing right")]));
    let name = |change: &Change| match change.kind {
        ChangeKind::NamespaceRefused => "shop refused".to_owned(),
        ChangeKind::CompleteChanged => "complete".to_owned(),
        _ => change.namespace.as_deref().unwrap().to_owned(),
    };
    let wanted: Vec<_> = changes.iter().filter(|change| change.is_wanted(&filter)).map(name).collect();
    assert_eq!(wanted, expected);
}

#[test]
fn texts_that_are_no_references_are_cut() {
    let image = format!("{}:1", "x".repeat(100_000));
    let changes = Followed::new(&[]).changes(&[("apps/web-1", &image)], []);
    let snapshot = cluster().snapshot();
    let row = ChangeRow::of(&changes[0], "", &snapshot);
    assert_eq!((row.image.unwrap().len(), row.registry), (4096, None));
    assert!(changes[0].size() > 100_000, "what it holds counts in full");
}
