//! Eight invented clusters of every kind of case, with the report that each must give under its configuration.
//!
//! `tests/cases/kai/<name>/` holds a dump, a configuration, and the results by the rules. `kai-0.5.0.json` beside them is
//! what the original KAI printed; `differences.md` has a line for each pod where kai is right and KAI is not.

use std::fs;
use std::path::{Path, PathBuf};

use kai::config::{Environment, Flags, Settings, load};
use kai::views::KaiReport;
use rstest::rstest;
use serde_json::Value;

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/kai").join(name)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("a file of the case")).expect("JSON")
}

fn settings(case: &Path) -> Settings {
    let flags = Flags { config: Some(case.join("config.yaml")), input: true, ..Flags::default() };
    load(&flags, &Environment::default()).expect("a valid configuration").settings
}

#[rstest]
#[case::container_kinds("container-kinds")]
#[case::containerd_runtime("containerd-runtime")]
#[case::crio_and_static_pods("crio-and-static-pods")]
#[case::docker_runtime("docker-runtime")]
#[case::not_running("not-running")]
#[case::pinned_by_digest("pinned-by-digest")]
#[case::pinned_drop("pinned-drop")]
#[case::pinned_insert("pinned-insert")]
fn results_are_those_of_the_rules(#[case] name: &str) {
    let case = case(name);
    let settings = settings(&case);
    let snapshot = crate::reading::snapshot_of(&case.join("input.json"), settings.selection.clone());
    let results = KaiReport::of(&snapshot, &settings.report, |_| true).results;
    let results = serde_json::to_value(results).expect("JSON");
    assert_results(&results, &json(&case.join("expected.json")));
}

/// Compares namespace by namespace: a whole report is too long to be read in one message.
fn assert_results(results: &Value, expected: &Value) {
    let (results, expected) = (results.as_array().expect("an array"), expected.as_array().expect("an array"));
    let names = |namespaces: &[Value]| namespaces.iter().map(|item| item["namespace"].clone()).collect::<Vec<_>>();
    assert_eq!(names(results), names(expected));
    for (ours, theirs) in results.iter().zip(expected) {
        let entries = |namespace: &Value| {
            let images = namespace["images"].as_array().expect("an array");
            images.iter().map(Value::to_string).collect::<Vec<_>>()
        };
        let (ours, theirs, name) = (entries(ours), entries(theirs), &ours["namespace"]);
        let extra: Vec<_> = ours.iter().filter(|entry| !theirs.contains(entry)).collect();
        let lost: Vec<_> = theirs.iter().filter(|entry| !ours.contains(entry)).collect();
        assert!(extra.is_empty() && lost.is_empty(), "{name}: not expected {extra:#?}, not found {lost:#?}");
        assert_eq!(ours, theirs, "{name}: the order differs");
    }
    assert_eq!(results, expected);
}

/// The comparison above would prove nothing against a file that has nothing in it.
#[test]
fn the_cases_differ_from_kai_where_their_notes_say_so() {
    for entry in fs::read_dir(case("")).expect("the cases") {
        let case = entry.expect("a case").path();
        let (expected, kai) = (json(&case.join("expected.json")), json(&case.join("kai-0.5.0.json")));
        let notes = fs::read_to_string(case.join("differences.md")).expect("the notes");
        assert_eq!(expected == kai, notes.trim().is_empty(), "{}", case.display());
        assert!(expected.as_array().is_some_and(|namespaces| !namespaces.is_empty()), "{}", case.display());
    }
}
