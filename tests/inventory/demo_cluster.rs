//! `config/demo-cluster.json`, the invented cluster that `make demo` serves: it has whatever kai has an answer for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kai::inventory::{
    ContainerKind, ContainerRecord, ContainerState, Digest, DigestAlgorithm, ImageRef, NamespaceSelection, Phase,
    ReferenceError, ReportPolicy,
};
use kai::snapshot::Snapshot;
use kai::views::KaiReport;
use rstest::rstest;
use serde_json::Value;

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo-cluster.json")
}

fn snapshot() -> Arc<Snapshot> {
    crate::reading::snapshot_of(&demo(), NamespaceSelection::default())
}

fn containers(snapshot: &Snapshot) -> impl Iterator<Item = &ContainerRecord> {
    snapshot.namespaces().iter().flat_map(|part| part.pods()).flat_map(|pod| &pod.containers)
}

fn images_by_namespace(policy: &ReportPolicy) -> BTreeMap<String, usize> {
    let snapshot = snapshot();
    let results = KaiReport::of(&snapshot, policy, |_| true).results;
    results.into_iter().map(|namespace| (namespace.namespace.to_string(), namespace.images.len())).collect()
}

/// Namespace, pods, images of the running ones, images of all.
const COUNTS: [(&str, usize, usize, usize); 12] = [
    ("batch", 5, 0, 5),
    ("ci", 8, 3, 7),
    ("data", 5, 4, 4),
    ("default", 2, 1, 2),
    ("ingress", 4, 3, 3),
    ("kube-system", 6, 5, 5),
    ("ml", 4, 5, 5),
    ("monitoring", 9, 6, 7),
    ("payments", 7, 8, 9),
    ("sandbox", 0, 0, 0),
    ("search", 5, 4, 5),
    ("shop", 8, 10, 10),
];

#[test]
fn it_is_a_cluster_of_about_sixty_pods_in_twelve_namespaces() {
    let snapshot = snapshot();
    let pods: Vec<(&str, usize)> =
        snapshot.namespaces().iter().map(|part| (&**part.name(), part.pod_count())).collect();
    assert_eq!(pods, COUNTS.map(|(namespace, pods, ..)| (namespace, pods)));
}

#[test]
fn its_report_has_an_entry_for_each_image_and_digest() {
    let running = images_by_namespace(&ReportPolicy::default());
    let all = images_by_namespace(&ReportPolicy { ignore_not_running: false, ..ReportPolicy::default() });
    assert_eq!(running, COUNTS.map(|(namespace, _, running, _)| (namespace.to_owned(), running)).into());
    assert_eq!(all, COUNTS.map(|(namespace, .., all)| (namespace.to_owned(), all)).into());
}

#[test]
fn it_has_every_kind_phase_and_state() {
    let snapshot = snapshot();
    for kind in [
        ContainerKind::Container,
        ContainerKind::Init,
        ContainerKind::Sidecar,
        ContainerKind::Ephemeral,
        ContainerKind::Volume,
    ] {
        assert!(containers(&snapshot).any(|container| container.kind == kind), "{kind:?}");
    }
    for state in [ContainerState::Pending, ContainerState::Waiting, ContainerState::Running, ContainerState::Terminated]
    {
        assert!(containers(&snapshot).any(|container| container.state == state), "{state:?}");
    }
    let pods = || snapshot.namespaces().iter().flat_map(|part| part.pods());
    for phase in [Phase::Pending, Phase::Running, Phase::Succeeded, Phase::Failed, Phase::Unknown] {
        assert!(pods().any(|pod| pod.phase == phase), "{phase:?}");
    }
    for owner in ["ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Node"] {
        assert!(pods().any(|pod| pod.owner.as_ref().is_some_and(|known| &*known.kind == owner)), "{owner}");
    }
    for reason in [
        "Completed",
        "ContainerStatusUnknown",
        "CrashLoopBackOff",
        "Error",
        "Evicted",
        "ImagePullBackOff",
        "InvalidImageName",
    ] {
        assert!(containers(&snapshot).any(|container| container.reason.as_deref() == Some(reason)), "{reason}");
    }
}

fn has_sha512(container: &ContainerRecord) -> bool {
    container.running.as_ref().is_some_and(|digest| digest.algorithm() == DigestAlgorithm::Sha512)
}

fn is_named(image: &ImageRef, registry: &str) -> bool {
    image.registry() == Some(registry)
}

/// What is odd about a reference, or about what the node says of it, by the row of the rules' table.
#[rstest]
#[case::e02_implied_latest(|one: &ContainerRecord| one.image.is_tag_implied() && one.running.is_some())]
#[case::e06_hub_alias(|one: &ContainerRecord| one.image.written().starts_with("index.docker.io/"))]
#[case::e07_tag_and_digest(|one: &ContainerRecord| one.image.tag().is_some() && one.image.digest().is_some() && one.running.is_some())]
#[case::e08_digest_only(|one: &ContainerRecord| one.image.tag().is_none() && one.image.digest() == one.running.as_ref() && one.running.is_some())]
#[case::e10_sideloaded(|one: &ContainerRecord| one.image_id.is_some() && one.image.name() == "runner")]
#[case::e12_kind_load(|one: &ContainerRecord| one.resolved_repository.as_ref().is_some_and(|name| name.contains("/import-")))]
#[case::e16_port(|one: &ContainerRecord| one.image.registry().is_some_and(|registry| registry.ends_with(":5000")))]
#[case::e18_localhost(|one: &ContainerRecord| is_named(&one.image, "localhost"))]
#[case::e19_two_tags_of_one_content(|one: &ContainerRecord| one.flags.ambiguous_tag)]
#[case::e20_two_repositories_of_one_content(|one: &ContainerRecord| one.resolved_repository.as_deref() == Some("mirror.example.com/platform/cdc"))]
#[case::e22_upper_case_registry(|one: &ContainerRecord| is_named(&one.image, "HUB"))]
#[case::e23_unexpanded_variable(|one: &ContainerRecord| one.image.written().contains("${"))]
#[case::e23_upper_case(|one: &ContainerRecord| one.image.problem() == Some(ReferenceError::Uppercase))]
#[case::e24_ipv6(|one: &ContainerRecord| one.image.written().starts_with('['))]
#[case::e25_tag_too_long(|one: &ContainerRecord| one.image.problem() == Some(ReferenceError::TagTooLong))]
#[case::e26_hex_identifier(|one: &ContainerRecord| one.image.problem() == Some(ReferenceError::HexIdentifier))]
#[case::e27_sha512(has_sha512)]
#[case::e28_foreign_algorithm(|one: &ContainerRecord| one.image.is_digest_unsupported())]
#[case::e29_mismatch(|one: &ContainerRecord| one.flags.digest_mismatch)]
#[case::e35_update_in_place(|one: &ContainerRecord| one.updating_from.is_some())]
#[case::e38_image_volume_with_digest(|one: &ContainerRecord| one.kind == ContainerKind::Volume && one.running.is_some())]
#[case::e38_image_volume_without_digest(|one: &ContainerRecord| one.kind == ContainerKind::Volume && one.running.is_none())]
#[case::e41_unknown_prefix(|one: &ContainerRecord| one.flags.unknown_prefix)]
#[case::e42_arn(|one: &ContainerRecord| one.image.written().starts_with("arn:"))]
#[case::e50_waits_but_has_run(|one: &ContainerRecord| one.state == ContainerState::Waiting && one.running.is_some())]
#[case::e51_runs_without_image_id(|one: &ContainerRecord| one.state == ContainerState::Running && one.kind != ContainerKind::Volume && one.running.is_none() && one.image_id.is_none())]
fn it_has_an_example_of(#[case] is_example: fn(&ContainerRecord) -> bool) {
    assert!(containers(&snapshot()).any(is_example));
}

/// What each kind of runtime writes as `imageID`, seen in the file itself.
#[test]
fn it_has_every_style_of_runtime() {
    let document: Value = serde_json::from_slice(&std::fs::read(demo()).expect("the demo")).expect("JSON");
    let pods = document["items"].as_array().expect("a List").iter().filter(|item| item["kind"] == "Pod");
    let statuses = pods.flat_map(|pod| pod["status"]["containerStatuses"].as_array().into_iter().flatten());
    let mut styles = BTreeSet::new();
    for status in statuses {
        let id = status["imageID"].as_str().unwrap_or_default();
        let runs = !status["state"]["running"].is_null();
        styles.insert(match id {
            "" if runs => "virtual kubelet",
            "" => "not there yet",
            _ if id.starts_with("docker-pullable://") => "docker",
            _ if id.starts_with("docker://sha256:") => "docker, preloaded",
            _ if id.starts_with("sha256:") => "containerd, preloaded",
            _ if id.contains("://") => "unknown prefix",
            _ if id.contains('@') => "containerd or CRI-O",
            _ => "CRI-O, bare hash",
        });
    }
    let all = [
        "CRI-O, bare hash",
        "containerd or CRI-O",
        "containerd, preloaded",
        "docker",
        "docker, preloaded",
        "not there yet",
        "unknown prefix",
        "virtual kubelet",
    ];
    assert_eq!(styles, all.into());
}

#[test]
fn its_hosts_are_invented_or_public() {
    for container in containers(&snapshot()) {
        let registry = container.image.registry().unwrap_or("");
        let invented = registry.split(':').next().is_some_and(|host| host.ends_with(".example.com"));
        let known = ["", "docker.io", "registry.k8s.io", "localhost", "localhost:5000", "HUB"].contains(&registry);
        assert!(invented || known || registry.starts_with("[fd"), "{registry}");
    }
}

#[test]
fn its_digests_are_no_digest_of_nothing() {
    let snapshot = snapshot();
    let digests: BTreeSet<&str> =
        containers(&snapshot).filter_map(|container| container.running.as_ref()).map(Digest::as_str).collect();
    assert!(digests.len() > 30, "{} digests", digests.len());
}
