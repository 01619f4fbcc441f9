//! The KAI report under every policy.

use kai::inventory::{MissingTagPolicy, Phase, ReportPolicy};
use kai::snapshot::Event;
use kai::testing::namespace;
use kai::views::KaiReport;
use rstest::rstest;
use serde_json::json;

use super::cluster::{DIGEST, in_phase, pod, snapshot};

const HEX: &str = "b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628";

/// The only entry of a pod with that image, as `tag digest`, or nothing.
fn entry(image: &str, running: &str, policy: &ReportPolicy) -> String {
    let snapshot =
        snapshot([Event::from(pod("apps", "web", &image.replace("{H}", HEX), &running.replace("{H}", HEX)))]);
    let report = KaiReport::of(&snapshot, policy, |_| true);
    let images = report.results.into_iter().flat_map(|namespace| namespace.images);
    let lines: Vec<String> = images
        .map(|image| format!("{} {}", image.tag, image.repo_digest.map_or("-".into(), ToString::to_string)))
        .collect();
    lines.join("\n").replace(HEX, "{H}")
}

#[rstest]
#[case::digest(MissingTagPolicy::Digest, "a:{H} sha256:{H}")]
#[case::insert(MissingTagPolicy::Insert("NO-TAG".into()), "a:NO-TAG sha256:{H}")]
#[case::drop(MissingTagPolicy::Drop, "")]
fn missing_tags_follow_the_policy(#[case] missing_tag: MissingTagPolicy, #[case] expected: &str) {
    let policy = ReportPolicy { missing_tag, ..ReportPolicy::default() };
    assert_eq!(entry("a@sha256:{H}", "docker.io/library/a@sha256:{H}", &policy), expected);
    assert_eq!(entry("a@sha256:{H}", "", &policy), expected, "a declared digest serves as well");
}

#[rstest]
#[case::implied_latest("a", "a@sha256:{H}", "a:latest sha256:{H}")]
#[case::written_tag("a:1", "", "a:1 -")]
#[case::tag_and_digest("a:1@sha256:{H}", "", "a:1 sha256:{H}")]
#[case::raw("${IMG}", "", "${IMG} -")]
#[case::raw_that_runs("${IMG}", "a@sha256:{H}", "${IMG} sha256:{H}")]
#[case::raw_with_a_digest_inside("A@sha256:{H}", "", "A@sha256:{H} -")]
fn no_policy_touches_what_has_a_tag_or_is_raw(
    #[case] image: &str,
    #[case] running: &str,
    #[case] expected: &str,
    #[values(MissingTagPolicy::Digest, MissingTagPolicy::Insert("X".into()), MissingTagPolicy::Drop)]
    missing_tag: MissingTagPolicy,
) {
    let policy = ReportPolicy { missing_tag, ..ReportPolicy::default() };
    assert_eq!(entry(image, running, &policy), expected);
}

#[rstest]
#[case::official("nginx:1", "reg.example.com/nginx:1 -")]
#[case::of_a_user("acme/cart", "reg.example.com/acme/cart:latest -")]
#[case::by_digest("cart@sha256:{H}", "reg.example.com/cart:{H} sha256:{H}")]
#[case::foreign_digest("cart:1@blake3:{H}", "reg.example.com/cart:1 blake3:{H}")]
#[case::host("quay.io/a/b:1", "quay.io/a/b:1 -")]
#[case::hub_by_name("docker.io/nginx:1", "docker.io/nginx:1 -")]
#[case::port("reg:5000/a:1", "reg:5000/a:1 -")]
#[case::localhost("localhost/a:1", "localhost/a:1 -")]
#[case::upper_case_host("REG/a:1", "REG/a:1 -")]
#[case::ipv6("[::1]/a:1", "[::1]/a:1 -")]
#[case::number_that_is_a_tag("reg:5000", "reg.example.com/reg:5000 -")]
#[case::raw("${IMG}", "${IMG} -")]
fn a_missing_registry_is_put_before_names_that_have_none(#[case] image: &str, #[case] expected: &str) {
    let policy = ReportPolicy { missing_registry_override: Some("reg.example.com".into()), ..ReportPolicy::default() };
    assert_eq!(entry(image, "", &policy), expected);
}

#[rstest]
#[case::defaults(true, false, &["empty", "run", "wait"], 1)]
#[case::all_phases(false, false, &["empty", "run", "wait"], 2)]
#[case::no_empty(true, true, &["run"], 1)]
#[case::all_phases_no_empty(false, true, &["run", "wait"], 2)]
fn phases_and_empty_namespaces_follow_their_settings(
    #[case] ignore_not_running: bool,
    #[case] ignore_empty: bool,
    #[case] namespaces: &[&str],
    #[case] images: usize,
) {
    let policy = ReportPolicy { ignore_not_running, ignore_empty, ..ReportPolicy::default() };
    let snapshot = snapshot([
        namespace("empty"),
        Event::from(pod("run", "web", "a:1", "")),
        Event::from(in_phase(Phase::Pending, pod("wait", "web", "a:1", ""))),
    ]);
    let report = KaiReport::of(&snapshot, &policy, |_| true);
    assert_eq!(report.results.iter().map(|namespace| namespace.namespace).collect::<Vec<_>>(), namespaces);
    assert_eq!(report.results.iter().map(|namespace| namespace.images.len()).sum::<usize>(), images);
}

#[test]
fn the_report_has_the_shape_of_kai() {
    let running = format!("nginx@{DIGEST}");
    let snapshot = snapshot([
        namespace("empty"),
        Event::from(pod("apps", "web-1", "nginx:1", &running)),
        Event::from(pod("apps", "web-2", "nginx:1", &running)),
        Event::from(pod("apps", "web-3", "nginx:1", "")),
    ]);
    let report = KaiReport::of(&snapshot, &ReportPolicy::default(), |_| true);
    let text = serde_json::to_string(&report).expect("JSON");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        value,
        json!({
            "timestamp": "2027-01-15T08:00:00Z",
            "results": [
                {"namespace": "apps", "images": [{"tag": "nginx:1"}, {"tag": "nginx:1", "repoDigest": DIGEST}]},
                {"namespace": "empty", "images": []},
            ],
            "serverVersionMetadata": {
                "major": "", "minor": "", "gitVersion": "v1.37.2", "gitCommit": "", "gitTreeState": "",
                "buildDate": "", "goVersion": "", "compiler": "", "platform": "",
            },
            "cluster_name": "prod-eu-1",
            "inventory_type": "kubernetes",
        })
    );
    let keys = ["\"timestamp\"", "\"results\"", "\"serverVersionMetadata\"", "\"cluster_name\"", "\"inventory_type\""];
    let positions = keys.map(|key| text.find(key).expect("a key"));
    assert!(positions.is_sorted(), "the keys stand in KAI's order: {text}");
}

#[test]
fn only_wanted_namespaces_are_reported() {
    let snapshot = snapshot([namespace("apps"), namespace("shop")]);
    let report = KaiReport::of(&snapshot, &ReportPolicy::default(), |name| name == "shop");
    assert_eq!(report.results.iter().map(|namespace| namespace.namespace).collect::<Vec<_>>(), ["shop"]);
}
