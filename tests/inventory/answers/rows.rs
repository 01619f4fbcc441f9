//! Rows of images and containers: what each flag means, what filters leave, what is counted, and how pages follow each other.

use std::collections::BTreeSet;

use kai::inventory::{
    ContainerKind, ContainerRecord, ContainerState, Digest, ImageRef, Interner, OwnerRef, PodGenerations, PodRecord,
    SpecEntry, StatusEntry, read_container,
};
use kai::snapshot::Snapshot;
use kai::testing::{cluster, container, pod_of};
use kai::views::{
    ContainerSort, Containers, DigestPrefix, Filter, Flag, ImageSort, PageRequest, Place, RepositoryName, Sort, images,
};
use proptest::prelude::*;
use rstest::rstest;

const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn running(name: &str, image: &str, digest: &str) -> ContainerRecord {
    container(name, image, &format!("docker.io/library/x@{digest}"))
}

/// One that the node has not brought up to date.
fn updating(image: &str, node_image: &str, digest: &str) -> ContainerRecord {
    let spec = SpecEntry { name: "app", kind: ContainerKind::Container, image };
    let image_id = format!("x@{digest}");
    let status = StatusEntry {
        image: node_image,
        image_id: &image_id,
        state: ContainerState::Running,
        ..StatusEntry::default()
    };
    read_container(spec, status, PodGenerations { generation: Some(2), observed: Some(1) }, &mut Interner::default())
}

fn waiting(image: &str) -> ContainerRecord {
    ContainerRecord { state: ContainerState::Waiting, ..container("app", image, "") }
}

fn all<S: Sort>() -> PageRequest<S> {
    PageRequest { sort: S::default(), descending: false, after: None, limit: usize::MAX - 2 }
}

fn of(pods: impl IntoIterator<Item = PodRecord>) -> std::sync::Arc<Snapshot> {
    cluster().with(pods).snapshot()
}

#[rstest]
#[case::version(running("app", "nginx:1.27", A), &[])]
#[case::latest(running("app", "nginx", A), &["floating-tag"])]
#[case::word(running("app", "nginx:stable", A), &["floating-tag"])]
#[case::pinned(running("app", &format!("nginx:stable@{A}"), A), &["pinned"])]
#[case::pinned_alone(running("app", &format!("nginx@{A}"), A), &["pinned"])]
#[case::drift(running("app", &format!("nginx:1.27@{A}"), B), &["pinned", "drift"])]
#[case::no_digest(container("app", "nginx:1.27", ""), &["no-digest"])]
#[case::config_digest_is_none(container("app", "nginx:1.27", A), &["no-digest"])]
#[case::unreadable(container("app", "Not An Image", ""), &["no-digest", "unreadable-reference"])]
#[case::waits(waiting("nginx:1.27"), &["no-digest", "not-running"])]
#[case::waits_for_a_pinned_one(waiting(&format!("nginx:1.27@{A}")), &["pinned", "not-running"])]
#[case::updating(updating("nginx:1.28", "nginx:1.27", A), &["updating"])]
fn each_flag_has_its_reason(#[case] container: ContainerRecord, #[case] flags: &[&str]) {
    let snapshot = of([pod_of("shop", "web", [container])]);
    let filter = Filter::default();
    let rows = Containers::of(&snapshot, &filter).iter();
    assert_eq!(rows.map(|row| row.flags.words().collect::<Vec<_>>()).collect::<Vec<_>>(), [flags]);
}

#[test]
fn one_tag_with_several_digests_is_flagged_however_it_is_spelled() {
    let snapshot = of([
        pod_of("a", "one", [running("app", "nginx:1.27", A), running("side", "redis:7", A)]),
        pod_of("b", "two", [running("app", "docker.io/library/nginx:1.27", B), running("side", "redis:8", B)]),
    ]);
    let page = images(&snapshot, &Filter::default(), &all());
    let several = page.rows.iter().filter(|row| row.flags.has(Flag::SeveralDigests)).map(|row| &*row.image);
    assert_eq!(several.collect::<Vec<_>>(), ["docker.io/library/nginx:1.27", "nginx:1.27"]);
}

#[test]
fn an_image_that_is_updated_is_two_rows() {
    let snapshot = of([pod_of("shop", "web", [updating(&format!("nginx:1.28@{B}"), "nginx:1.27", A)])]);
    let page = images(&snapshot, &Filter::default(), &all());
    let rows: Vec<_> = page.rows.iter().map(|row| (&*row.image, row.digest.as_deref().map(Digest::as_str))).collect();
    assert_eq!(rows, [("nginx:1.27", Some(A)), (&*format!("nginx:1.28@{B}"), Some(B))]);
}

#[test]
fn containers_pods_namespaces_and_workloads_of_an_image_are_counted_once_each() {
    let owned = |pod: PodRecord, name: &str| PodRecord {
        owner: Some(OwnerRef::new("DaemonSet".into(), name.into(), |_| None)),
        ..pod
    };
    let two = || [running("app", "nginx:1.27", A), running("side", "nginx:1.27", A)];
    let snapshot = of([
        owned(pod_of("a", "one", two()), "web"),
        owned(pod_of("a", "two", two()), "web"),
        owned(pod_of("a", "three", two()), "api"),
        owned(pod_of("b", "one", two()), "web"),
        pod_of("b", "bare", [running("app", "nginx:1.27", B)]),
    ]);
    let page = images(&snapshot, &Filter::default(), &all());
    let counts: Vec<_> = page.rows.iter().map(|row| (row.containers, row.pods, row.namespaces, row.owners)).collect();
    assert_eq!(counts, [(8, 4, 2, 3), (1, 1, 1, 0)]);
}

fn images_of(filter: &Filter) -> Vec<String> {
    let node = |pod: PodRecord| PodRecord { node: Some("n1".into()), ..pod };
    let snapshot = of([
        node(pod_of("a", "one", [running("app", "nginx:1.27", A)])),
        pod_of("a", "two", [running("app", "quay.io/acme/nginx:1.28", B)]),
        pod_of("b", "three", [waiting("docker.io/library/nginx:1.27")]),
    ]);
    images(&snapshot, filter, &all()).rows.iter().map(|row| row.image.to_string()).collect()
}

const NGINX: &str = "nginx:1.27";
const HUB: &str = "docker.io/library/nginx:1.27";
const QUAY: &str = "quay.io/acme/nginx:1.28";

#[rstest]
#[case::everything(Filter::default(), &[HUB, NGINX, QUAY])]
#[case::namespace(Filter { namespaces: ["b".to_owned()].into(), ..Filter::default() }, &[HUB])]
#[case::namespaces(Filter { namespaces: ["a", "b"].map(str::to_owned).into(), ..Filter::default() }, &[HUB, NGINX, QUAY])]
#[case::registry(Filter { registries: ["docker.io".to_owned()].into(), ..Filter::default() }, &[HUB, NGINX])]
#[case::official(Filter { repositories: [RepositoryName::parse("nginx").expect("one")].into(), ..Filter::default() }, &[HUB, NGINX])]
#[case::repository(Filter { repositories: [RepositoryName::parse("acme/nginx").expect("one")].into(), ..Filter::default() }, &[QUAY])]
#[case::whole_name(Filter { repositories: [RepositoryName::parse("quay.io/acme/nginx").expect("one")].into(), ..Filter::default() }, &[QUAY])]
#[case::tag(Filter { tags: ["1.27".to_owned()].into(), ..Filter::default() }, &[HUB, NGINX])]
#[case::digest(Filter { digests: [DigestPrefix::parse(&A[..19]).expect("one")].into(), ..Filter::default() }, &[NGINX])]
#[case::image(Filter { images: [ImageRef::parse("docker.io/nginx:1.27")].into(), ..Filter::default() }, &[HUB, NGINX])]
#[case::name_alone(Filter { images: [ImageRef::parse("nginx")].into(), ..Filter::default() }, &[HUB, NGINX])]
#[case::other_tag(Filter { images: [ImageRef::parse("nginx:1.28")].into(), ..Filter::default() }, &[])]
#[case::image_and_digest(Filter { images: [ImageRef::parse(&format!("nginx@{A}"))].into(), ..Filter::default() }, &[NGINX])]
#[case::state(Filter { states: [ContainerState::Waiting].into(), ..Filter::default() }, &[HUB])]
#[case::kind(Filter { kinds: [ContainerKind::Init].into(), ..Filter::default() }, &[])]
#[case::node(Filter { nodes: ["n1".to_owned()].into(), ..Filter::default() }, &[NGINX])]
#[case::flag(Filter { flags: [Flag::NotRunning].into(), ..Filter::default() }, &[HUB])]
#[case::both_must_hold(Filter { flags: [Flag::NotRunning].into(), tags: ["1.28".to_owned()].into(), ..Filter::default() }, &[])]
fn a_filter_leaves_what_it_names(#[case] filter: Filter, #[case] expected: &[&str]) {
    assert_eq!(images_of(&filter), expected);
}

#[rstest]
#[case::short("sha256:aaaaaaaaaaa", false)]
#[case::twelve("sha256:aaaaaaaaaaaa", true)]
#[case::bare("aaaaaaaaaaaa", true)]
#[case::upper("SHA256:AAAAAAAAAAAA", true)]
#[case::whole(A, true)]
#[case::long("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
#[case::no_hex("sha256:aaaaaaaaaaag", false)]
#[case::empty("", false)]
fn a_digest_is_known_by_twelve_digits(#[case] text: &str, #[case] is_one: bool) {
    assert_eq!(DigestPrefix::parse(text).is_some(), is_one);
}

/// A few pods, so that many are in both of two clusters.
fn pods() -> impl Strategy<Value = Vec<PodRecord>> {
    let one = (0..3_u8, 0..6_u8, 0..4_u8, 1..4_usize).prop_map(|(namespace, name, image, containers)| {
        let containers = (0..containers).map(|number| {
            running(&format!("c{number}"), &format!("app-{image}:{number}"), if image % 2 == 0 { A } else { B })
        });
        pod_of(&format!("ns-{namespace}"), &format!("pod-{name}"), containers.collect::<Vec<_>>())
    });
    prop::collection::vec(one, 0..25)
}

/// All pages, the first ones of one snapshot and the rest of another.
fn paged<S: Sort, R>(
    sort: S,
    descending: bool,
    limit: usize,
    mut page: impl FnMut(usize, &PageRequest<S>) -> (Vec<R>, usize, Option<Place>),
) -> (Vec<R>, Vec<usize>) {
    let (mut rows, mut totals, mut after) = (Vec::new(), Vec::new(), None);
    for number in 0.. {
        let (some, total, next) = page(number, &PageRequest { sort, descending, after, limit });
        assert!(some.len() <= limit && (next.is_none() || some.len() == limit));
        rows.extend(some);
        totals.push(total);
        after = next;
        if after.is_none() {
            break;
        }
    }
    (rows, totals)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn pages_are_all_rows_in_their_order(
        pods in pods(), limit in 1..9_usize, descending: bool, sort in prop::sample::select(ImageSort::ALL),
        column in prop::sample::select(ContainerSort::ALL),
    ) {
        let (snapshot, filter) = (of(pods), Filter::default());
        let (rows, totals) = paged(sort, descending, limit, |_, request| {
            let page = images(&snapshot, &filter, request);
            (page.rows.iter().map(|row| (row.image.to_string(), row.digest.as_deref().cloned(), row.pods)).collect(), page.total, page.next)
        });
        prop_assert!(totals.iter().all(|total| *total == rows.len()));
        let whole = images(&snapshot, &filter, &PageRequest { sort, descending, after: None, limit: 1_000 });
        let whole: Vec<_> = whole.rows.iter().map(|row| (row.image.to_string(), row.digest.as_deref().cloned(), row.pods)).collect();
        prop_assert_eq!(&rows, &whole);
        if sort == ImageSort::Pods {
            let is_sorted = rows.is_sorted_by(|a, b| if descending { a.2 >= b.2 } else { a.2 <= b.2 });
            prop_assert!(is_sorted);
        }
        let named = |row: &kai::views::ContainerRow<'_>| [&*row.namespace, &*row.pod, &*row.container].join("/");
        let (rows, totals) = paged(column, descending, limit, |_, request| {
            let containers = Containers::of(&snapshot, &filter);
            let page = containers.page(request, || containers.count());
            (page.rows.iter().map(named).collect(), page.total, page.next)
        });
        let all: BTreeSet<String> = Containers::of(&snapshot, &filter).iter().map(|row| named(&row)).collect();
        prop_assert!(totals.iter().all(|total| *total == all.len()));
        prop_assert_eq!(rows.len(), all.len());
        prop_assert_eq!(rows.iter().cloned().collect::<BTreeSet<_>>(), all);
        if column == ContainerSort::Namespace && !descending {
            prop_assert!(rows.is_sorted());
        }
    }

    #[test]
    fn a_digest_is_found_in_the_pods_that_have_it_and_in_no_other(
        pods in pods(), updated in any::<bool>(), beginnings in prop::sample::subsequence(vec![&A[..19], B, &A[..40]], 1..4), limit in 1..6_usize,
    ) {
        let more = updated.then(|| pod_of("ns-1", "updating", [updating(&format!("app:2@{B}"), "app:1", A), ContainerRecord { name: "side".into(), ..waiting(&format!("x@{B}")) }]));
        let snapshot = of(pods.into_iter().chain(more));
        let digests: BTreeSet<_> = beginnings.iter().map(|text| DigestPrefix::parse(text).expect("a digest")).collect();
        let (every, filter) = (Filter::default(), Filter { digests: digests.clone(), ..Filter::default() });
        let named = |row: &kai::views::ContainerRow<'_>| [&*row.namespace, &*row.pod, &*row.container].join("/");
        let has = |text: &str| digests.iter().any(|digest| Digest::parse(text).is_some_and(|it| digest.matches(&it)));
        // What is requested counts too: a row says what runs.
        let expected: Vec<String> = Containers::of(&snapshot, &every).iter()
            .filter(|row| row.digest.as_deref().is_some_and(|digest| has(digest.as_str()))
                || row.image.split_once('@').is_some_and(|(_, pinned)| has(pinned)))
            .map(|row| named(&row)).collect();
        let (rows, _) = paged(ContainerSort::Namespace, false, limit, |_, request| {
            let containers = Containers::of(&snapshot, &filter);
            let page = containers.page(request, || containers.count());
            (page.rows.iter().map(named).collect(), page.total, page.next)
        });
        prop_assert_eq!(rows, expected);
    }

    #[test]
    fn rows_that_stay_are_neither_skipped_nor_repeated(before in pods(), after in pods(), limit in 1..6_usize, turn in 1..4_usize) {
        let (snapshots, filter) = ([of(before), of(after)], Filter::default());
        let named = |row: &kai::views::ContainerRow<'_>| [&*row.namespace, &*row.pod, &*row.container].join("/");
        let (rows, _) = paged(ContainerSort::Namespace, false, limit, |number, request| {
            let containers = Containers::of(&snapshots[usize::from(number >= turn)], &filter);
            let page = containers.page(request, || containers.count());
            (page.rows.iter().map(named).collect(), page.total, page.next)
        });
        let [before, after] =
            [0, 1].map(|number| Containers::of(&snapshots[number], &filter).iter().map(|row| named(&row)).collect::<BTreeSet<_>>());
        let seen: BTreeSet<_> = rows.iter().cloned().collect();
        prop_assert_eq!(seen.len(), rows.len(), "none comes twice");
        // Unless the last page was full before the cluster changed, what is in both is seen.
        if rows.len() > turn * limit || before == after {
            prop_assert!(before.intersection(&after).all(|row| seen.contains(row)));
        }
    }
}
