//! Alerts, dashboard and runbook speak of what kai tells, and of each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::http_support::{Cluster, OBSERVED, PODS, Server};
use crate::openmetrics::Text;
use kai::config::MetricsSettings;
use kai::health::{Health, HistoryState, PushBoard, PushOutcome, PushRecord};
use kai::inventory::ReportPolicy;
use kai::metrics::{Exposition, Metrics, Serving};
use regex::Regex;
use serde_json::Value;

const ALERTS: &str = "charts/kai/files/alerts.yaml";
const DASHBOARD: &str = "charts/kai/files/dashboard.json";
const RUNBOOK: &str = "docs/RUNBOOK.md";
/// Of the scraper, not of kai.
const OF_THE_SCRAPER: [&str; 1] = ["up"];
const LABELS_OF_THE_SCRAPER: [&str; 2] = ["job", "instance"];

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A text in which every family has a series, so that every label is in it.
fn everything() -> Text {
    let server = Server::with(|_| {}, Some(Cluster::new().relist(OBSERVED, &PODS)));
    let (metrics, board) = (Metrics::default(), PushBoard::default());
    let at = OBSERVED.parse().expect("a time");
    let account = "team".into();
    let record = PushRecord {
        at,
        generation: 1,
        observed_at: at,
        user: "me".into(),
        payloads: Vec::new(),
        containers: 1,
        bytes: 1,
        outcome: PushOutcome::Accepted,
        detail: String::new(),
    };
    board.record(Some(&account), record, None);
    metrics.push().accepted(&account, 1);
    metrics.polls().failed("dump", Duration::ZERO);
    metrics.polls().every(Duration::from_mins(5));
    metrics.api().requested("/version", Some(200));
    metrics.watch().restarted("ended");
    metrics.watch().came("bookmark");
    metrics.watch().published(Duration::from_millis(3));
    metrics.http().answered("/", &http::Method::GET, http::StatusCode::OK, Duration::ZERO);
    let health = Health::new(server.deps.reader.clone(), None, Duration::from_mins(1), board);
    metrics.history().wrote(Duration::from_millis(3));
    health.history().show(HistoryState { store: "memory", ..HistoryState::default() });
    let settings = MetricsSettings { image_info_limit: 10 };
    let exposition = Exposition::new(metrics, health, &ReportPolicy::default(), &settings);
    let text = Text::read(&exposition.text(Serving::default()).expect("a text"));
    let empty: Vec<_> =
        text.families.iter().filter(|(_, family)| family.samples.is_empty()).map(|(name, _)| name).collect();
    assert!(empty.is_empty(), "{empty:?} have no series, so that their labels are not known");
    text
}

/// Alerts in their order: name, expression, severity, link to the runbook.
fn alerts() -> Vec<[String; 4]> {
    let rules: Value = serde_saphyr::from_str(&file(ALERTS)).expect("YAML");
    let groups = rules["groups"].as_array().expect("groups").iter();
    let rules: Vec<Value> = groups.flat_map(|group| group["rules"].as_array().expect("rules").clone()).collect();
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned();
    rules
        .iter()
        .map(|rule| {
            let annotations = &rule["annotations"];
            for words in [&annotations["summary"], &annotations["description"], &rule["for"]] {
                assert!(!text(words).is_empty());
            }
            [&rule["alert"], &rule["expr"], &rule["labels"]["severity"], &annotations["runbook_url"]].map(text)
        })
        .collect()
}

/// Every query of the dashboard, those of its variables included.
fn queries() -> Vec<String> {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match (name.as_str(), value) {
                        ("expr" | "definition", Value::String(query)) => found.push(query.clone()),
                        (_, value) => walk(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(&serde_json::from_str(&file(DASHBOARD)).expect("JSON"), &mut found);
    found
}

/// What an expression names: metrics, and labels (of matchers, of `by`, of `on`, of `label_values`).
fn named(expression: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let pattern = |text: &str| Regex::new(text).expect("a pattern");
    let texts = pattern(r#""[^"]*""#).replace_all(expression, "\"\"").into_owned();
    let all = |text: &str, pattern: &Regex| -> BTreeSet<String> {
        pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
    };
    let mut labels = all(&texts, &pattern(r"(\w+)\s*(?:=~|!~|!=|=)\s*\x22"));
    for list in all(&texts, &pattern(r"\b(?:by|on)\s*\(([^)]*)\)")) {
        labels.extend(list.split(',').map(|label| label.trim().to_owned()));
    }
    labels.extend(all(&texts, &pattern(r"label_values\(.*,\s*(\w+)\)")));
    let metrics = all(&texts, &pattern(r"\b((?:kai|process)_\w+|up)\b"));
    (metrics, labels)
}

fn holds_only_what_is_told(expressions: &[String]) {
    let text = everything();
    let (names, labels) = (text.names(), text.labels());
    for expression in expressions {
        let (metrics, used) = named(expression);
        assert!(!metrics.is_empty(), "no metric in {expression}");
        for metric in metrics {
            assert!(names.contains(&metric) || OF_THE_SCRAPER.contains(&&*metric), "{metric} in {expression}");
        }
        for label in used {
            assert!(labels.contains(&label) || LABELS_OF_THE_SCRAPER.contains(&&*label), "{label} in {expression}");
        }
    }
}

#[test]
fn an_expression_is_taken_apart() {
    let (metrics, labels) = named(
        r#"sum by (le, route) (rate(kai_a_bucket{job=~"kai_x",outcome!="up"}[5m])) / process_b and on (job) kai_c * up"#,
    );
    assert_eq!(metrics, ["kai_a_bucket", "kai_c", "process_b", "up"].map(String::from).into());
    assert_eq!(labels, ["job", "le", "outcome", "route"].map(String::from).into());
    assert_eq!(named("label_values(kai_a{x=\"1\"}, namespace)").1, ["namespace", "x"].map(String::from).into());
}

#[test]
fn alerts_ask_only_for_what_is_told() {
    let expressions: Vec<_> = alerts().into_iter().map(|[_, expression, ..]| expression).collect();
    holds_only_what_is_told(&expressions);
}

#[test]
fn the_dashboard_asks_only_for_what_is_told_and_shows_the_inventory() {
    let queries = queries();
    assert!(queries.len() > 20, "the queries were not found");
    holds_only_what_is_told(&queries);
    assert!(queries.iter().any(|query| query.contains("kai_image_info{")), "no table of the inventory");
}

#[test]
fn the_words_that_alerts_and_dashboard_match_are_told() {
    let text = everything();
    let matcher = Regex::new(r#"(outcome|state)(?:=~|=)"([a-z|]+)""#).expect("a pattern");
    let expressions = alerts().into_iter().map(|[_, expression, ..]| expression).chain(queries());
    let mut found_words = 0;
    for expression in expressions {
        for found in matcher.captures_iter(&expression) {
            for word in found[2].split('|') {
                found_words += 1;
                let is_told = text
                    .families
                    .values()
                    .flat_map(|family| &family.samples)
                    .any(|one| one.labels.get(&found[1]).is_some_and(|value| value == word));
                assert!(is_told, "{word} in {expression}");
            }
        }
    }
    assert!(found_words >= 4, "{found_words}");
}

#[test]
fn every_alert_has_an_entry_in_the_runbook_and_every_entry_an_alert() {
    let alerts = alerts();
    let names: BTreeSet<_> = alerts.iter().map(|[name, ..]| name.clone()).collect();
    let expected = [
        "KaiDown",
        "KaiHistoryNotWritten",
        "KaiHistoryIncomplete",
        "KaiWatchMissedChanges",
        "KaiImageInfoOmitted",
        "KaiInventoryIncomplete",
        "KaiInventoryStale",
        "KaiPushFailing",
        "KaiPushWithheld",
        "KaiUnapprovedRegistry",
    ];
    assert_eq!(names, expected.map(String::from).into());
    let runbook = file(RUNBOOK);
    let entries: BTreeSet<_> = runbook.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_owned).collect();
    assert_eq!(entries, names);
    for entry in runbook.split("\n## ").skip(1) {
        for part in ["**Means**", "**Look at**", "**Do**"] {
            assert!(entry.contains(part), "{part} in {entry}");
        }
    }
    for [name, _, severity, link] in alerts {
        assert!(matches!(&*severity, "warning" | "critical"), "{name}: {severity}");
        assert_eq!(link, format!("{RUNBOOK}#{}", name.to_lowercase()));
    }
}

#[test]
fn the_runbook_names_only_metrics_that_are_told() {
    let names = everything().names();
    let runbook = file(RUNBOOK);
    let quoted = runbook.split('`').skip(1).step_by(2).filter(|word| word.starts_with("kai_"));
    let metrics: Vec<_> = quoted.collect();
    assert!(metrics.len() > 5, "{metrics:?}");
    for metric in metrics {
        let is_told = names.contains(metric) || names.contains(&format!("{metric}_count"));
        assert!(is_told, "{metric}");
    }
}
