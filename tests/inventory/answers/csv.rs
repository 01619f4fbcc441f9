//! The report as comma-separated values: texts from manifests cannot break a row.

use kai::inventory::ReportPolicy;
use kai::snapshot::Event;
use kai::testing::namespace;
use kai::views::{Format, KaiReport, Layout};
use proptest::prelude::*;
use rstest::rstest;

use super::cluster::{DIGEST, pod, snapshot};

fn rendered(events: impl IntoIterator<Item = Event>) -> String {
    let snapshot = snapshot(events);
    let report = KaiReport::of(&snapshot, &ReportPolicy::default(), |_| true);
    let mut bytes = Vec::new();
    Format::Csv.write(&report, Layout::Compact, &mut bytes).expect("a vector takes all");
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn one_row_for_each_namespace_and_image() {
    let csv = rendered([
        namespace("empty"),
        Event::from(pod("apps", "api", "api", "")),
        Event::from(pod("apps", "web", "nginx:1", &format!("nginx@{DIGEST}"))),
    ]);
    assert_eq!(csv, format!("namespace,tag,repo_digest\napps,api:latest,\napps,nginx:1,{DIGEST}\n"));
}

#[test]
fn a_cluster_without_images_is_a_header() {
    assert_eq!(rendered([namespace("empty")]), "namespace,tag,repo_digest\n");
}

#[rstest]
#[case::comma("a,b", "\"a,b\"")]
#[case::quote("a\"b", "\"a\"\"b\"")]
#[case::line_feed("a\nb", "a\\nb")]
#[case::carriage_return("a\rb", "a\\rb")]
#[case::escape("a\u{1b}[2Jb", "a\\u{1b}[2Jb")]
#[case::nul("a\0b", "a\\u{0}b")]
#[case::direction_mark("a\u{202e}b", "a\\u{202e}b")]
#[case::letters_stay("é 中", "é 中")]
fn odd_texts_are_quoted_and_escaped(#[case] image: &str, #[case] cell: &str) {
    let csv = rendered([Event::from(pod("apps", "web", image, ""))]);
    assert_eq!(csv, format!("namespace,tag,repo_digest\napps,{cell},\n"));
}

#[test]
fn a_namespace_from_a_dump_is_escaped_too() {
    let csv = rendered([Event::from(pod("a\u{1b}\n,b", "web", "nginx:1", ""))]);
    assert_eq!(csv, "namespace,tag,repo_digest\n\"a\\u{1b}\\n,b\",nginx:1,\n");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn any_text_is_one_row_of_three_cells(namespace in "\\PC{1,10}|[\\x00-\\x20,\"]{1,5}", image in any::<String>()) {
        let csv = rendered([Event::from(pod(&namespace, "web", &image, ""))]);
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let rows = reader.records().collect::<Result<Vec<_>, _>>().expect("rows of equal length");
        prop_assert_eq!(rows.len(), 1);
        prop_assert_eq!(rows[0].len(), 3);
        prop_assert_eq!(csv.lines().count(), 2);
        prop_assert!(!csv.trim_end_matches('\n').replace('\n', "").contains(|character: char| character.is_control()));
    }
}
