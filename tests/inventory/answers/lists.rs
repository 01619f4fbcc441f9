//! Whole lists for programs: text, mirror lists, CSV and CycloneDX, and what a name from a cluster cannot do in them.

use kai::inventory::{ContainerRecord, ContainerState};
use kai::snapshot::Snapshot;
use kai::testing::{cluster, container, pod_of};
use kai::views::{CycloneDxVersion, Filter, Format, List, ListOptions, PageRequest, Reference};
use rstest::rstest;
use serde_json::Value;

const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
/// A config digest: what some nodes report in place of a manifest digest.
const C: &str = "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

fn runs(name: &str, image: &str, digest: &str) -> ContainerRecord {
    container(name, image, &format!("docker.io/library/x@{digest}"))
}

/// Each kind of reference: a short one, one with tag and digest, one of which the node reports a config digest, a text that
/// is none.
fn demo() -> std::sync::Arc<Snapshot> {
    let pinned = format!("quay.io/acme/app:1@{B}");
    let waiting = ContainerRecord { state: ContainerState::Waiting, ..container("d", "Not An Image", "") };
    cluster()
        .with([
            pod_of("apps", "one", [runs("a", "nginx", A), runs("b", &pinned, B)]),
            pod_of("shop", "two", [container("c", "localhost:5000/Tools/cart:1.2", C), waiting, runs("e", "nginx", A)]),
        ])
        .snapshot()
}

fn written(snapshot: &Snapshot, format: Format, options: ListOptions) -> String {
    let mut bytes = Vec::new();
    let list = List::Images(PageRequest::first(usize::MAX));
    list.write(snapshot, &Filter::default(), format, options, &mut bytes).expect("a vector takes all");
    String::from_utf8(bytes).expect("UTF-8")
}

fn named(reference: Reference) -> ListOptions {
    ListOptions { reference, ..ListOptions::default() }
}

fn all(format: Format, reference: Reference) -> String {
    let cart = pod_of("shop", "three", [container("c", "localhost:5000/tools/cart:1.2", C)]);
    let pods = [
        pod_of("apps", "one", [runs("a", "nginx", A), runs("b", &format!("quay.io/acme/app:1@{B}"), B)]),
        pod_of("shop", "two", [container("d", "Not An Image", ""), runs("e", "nginx", A)]),
        cart,
    ];
    written(&cluster().with(pods).snapshot(), format, named(reference))
}

#[test]
fn text_has_each_reference_once_in_three_ways() {
    assert_eq!(
        all(Format::Text, Reference::Written),
        format!("Not An Image\nlocalhost:5000/tools/cart:1.2\nnginx\nquay.io/acme/app:1@{B}\n")
    );
    assert_eq!(
        all(Format::Text, Reference::Canonical),
        format!(
            "Not An Image\ndocker.io/library/nginx:latest\nlocalhost:5000/tools/cart:1.2\nquay.io/acme/app:1@{B}\n"
        )
    );
    assert_eq!(
        all(Format::Text, Reference::Pinned),
        format!("docker.io/library/nginx@{A}\nquay.io/acme/app@{B}\n"),
        "a config digest pins nothing"
    );
}

#[test]
fn skopeo_gets_tags_or_digests_and_never_both_together() {
    let text = all(Format::Skopeo, Reference::Written);
    let lists: Value = serde_saphyr::from_str(&text).expect("YAML");
    assert_eq!(lists["docker.io"]["images"]["library/nginx"], serde_json::json!(["latest"]), "{text}");
    assert_eq!(lists["quay.io"]["images"]["acme/app"], serde_json::json!([B]));
    assert_eq!(lists["localhost:5000"]["images"]["tools/cart"], serde_json::json!(["1.2"]));
    assert_eq!(lists.as_object().expect("a map").len(), 3, "what is no reference cannot be copied");
    let pinned: Value = serde_saphyr::from_str(&all(Format::Skopeo, Reference::Pinned)).expect("YAML");
    assert_eq!(pinned["docker.io"]["images"]["library/nginx"], serde_json::json!([A]));
    assert!(pinned["localhost:5000"].is_null(), "{pinned}");
}

#[rstest]
#[case::hauler(Format::Hauler, &["spec", "images"])]
#[case::zarf(Format::Zarf, &["components", "images"])]
fn hauler_and_zarf_get_one_list(#[case] format: Format, #[case] path: &[&str]) {
    let text = all(format, Reference::Canonical);
    let mut value: &Value = &serde_saphyr::from_str(&text).expect("YAML");
    for key in path {
        value = if value.is_array() { &value[0][*key] } else { &value[*key] };
    }
    let names: Vec<&str> =
        value.as_array().expect("a list").iter().filter_map(|it| it.as_str().or(it["name"].as_str())).collect();
    let expected =
        ["docker.io/library/nginx:latest", "localhost:5000/tools/cart:1.2", &format!("quay.io/acme/app:1@{B}")];
    assert_eq!(names, expected, "{text}");
    assert!(text.starts_with("# Written by kai. Observed at 20"), "{text}");
}

#[rstest]
#[case::v1_6(CycloneDxVersion::V1_6, "1.6")]
#[case::v1_7(CycloneDxVersion::V1_7, "1.7")]
fn cyclonedx_has_a_component_for_each_image_with_where_it_runs(
    #[case] version: CycloneDxVersion,
    #[case] number: &str,
) {
    let snapshot = demo();
    let options = ListOptions { version, ..ListOptions::default() };
    let text = written(&snapshot, Format::CycloneDx, options);
    let bom: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&bom["specVersion"], &bom["compositions"][0]["aggregate"]), (&number.into(), &"complete".into()));
    let components = bom["components"].as_array().expect("components");
    let of = |image: &str| {
        let has = |component: &&Value| component["properties"][0]["value"] == image;
        components.iter().find(has).unwrap_or_else(|| panic!("no {image}: {text}"))
    };
    let nginx = of("nginx");
    let purl = format!("pkg:oci/nginx@{}?repository_url=docker.io/library/nginx&tag=latest", A.replace(':', "%3A"));
    assert_eq!(nginx["purl"], purl);
    let places: Vec<_> =
        nginx["evidence"]["occurrences"].as_array().expect("places").iter().map(|it| &it["location"]).collect();
    assert_eq!(places, ["apps", "shop"], "a pod without an owner is in its namespace");
    assert!(of("Not An Image")["purl"].is_null());
    assert!(!text.contains(C), "a config digest is no version");
    let references: std::collections::BTreeSet<_> = components.iter().map(|it| it["bom-ref"].as_str()).collect();
    assert_eq!(references.len(), components.len());
    assert_eq!(written(&snapshot, Format::CycloneDx, options), text, "the same content is the same document");
}

#[test]
fn no_name_from_a_cluster_leaves_its_place_in_a_list() {
    let names = ["evil\n  - x: y", "\"quoted\": #", "=HYPERLINK(1)", "a\u{1b}[2J", "-rf"];
    let containers = names.iter().enumerate().map(|(at, name)| container(&format!("c{at}"), name, ""));
    let snapshot = cluster().with([pod_of("shop", "web", containers.collect::<Vec<_>>())]).snapshot();
    for format in [Format::Skopeo, Format::Hauler, Format::Zarf] {
        let text = written(&snapshot, format, named(Reference::Written));
        let value: Value = serde_saphyr::from_str(&text).expect("YAML");
        assert!(!value.to_string().contains("evil") && !value.to_string().contains("quoted"), "{text}");
    }
    let text = written(&snapshot, Format::Text, named(Reference::Written));
    assert_eq!((text.lines().count(), text.contains('\u{1b}')), (names.len(), false), "{text:?}");
    let csv = written(&snapshot, Format::Csv, ListOptions::default());
    assert!(csv.contains("'=HYPERLINK(1)") && csv.contains("'-rf") && csv.lines().count() == 1 + names.len(), "{csv}");
}
