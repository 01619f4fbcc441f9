//! Since when images are there, and what was there, however short.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::watching::{BACK, watching};
use crate::harness::{Containers, Namespace, Service, digest, pod, shared};

super::claims! {
    AnyCluster: a_pod_that_lived_three_seconds_is_in_the_history,
        what_was_seen_is_known_after_a_restart;
}

/// How exact times are: what the cluster, and two clocks that are one, may take.
const NEAR: SignedDuration = SignedDuration::from_secs(1);

/// The rows of the namespace in the last hour.
fn rows(service: &Service, namespace: &Namespace<'_>) -> Vec<Value> {
    let answer = service.get(&format!("/v1/images?since=1h&namespace={}", namespace.name));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["images"].as_array().expect("rows").clone()
}

fn time(row: &Value, name: &str) -> Timestamp {
    row[name].as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no {name}: {row}"))
}

#[track_caller]
fn assert_near(row: &Value, name: &str, expected: Timestamp) {
    assert!(time(row, name).duration_since(expected).abs() <= NEAR, "{name} {expected}: {row}");
}

fn a_pod_that_lived_three_seconds_is_in_the_history() {
    let cluster = shared();
    let namespace = cluster.namespace("short");
    let service = watching(cluster.kai());
    // The one was reported by a node, the other never ran.
    let reported = pod(&namespace.name, "reported", &Containers::running(&[("app", "short:1")]));
    let mut pending = pod(&namespace.name, "pending", &Containers::running(&[("app", "short:2")]));
    pending["status"] = json!({"phase": "Pending"});
    let came = Timestamp::now();
    cluster.create(&[reported, pending]);
    std::thread::sleep(Duration::from_secs(3));
    let went = Timestamp::now();
    cluster.kubectl(&["-n", &namespace.name, "delete", "pod", "reported", "pending", "--grace-period=0", "--force"]);
    let path = format!("/v1/images?namespace={}", namespace.name);
    service.get_until(&path, BACK, |answer| answer.json()["total"] == 0);
    let rows = rows(&service, &namespace);
    let images: Vec<_> = rows.iter().map(|row| (row["image"].as_str(), row["digest"].as_str())).collect();
    let known = digest("short:1");
    assert_eq!(images, [(Some("short:1"), Some(&*known)), (Some("short:2"), None)], "{rows:?}");
    for row in &rows {
        assert_near(row, "first_seen", came);
        assert_near(row, "last_seen", went);
        assert_eq!((&row["running"], &row["first_seen_exact"]), (&json!(false), &json!(true)), "{row}");
    }
    let timeline = service.get(&format!("/v1/history/{known}")).json();
    assert_eq!(timeline["namespaces"][0]["namespace"], namespace.name, "{timeline}");
}

fn what_was_seen_is_known_after_a_restart() {
    let cluster = shared();
    let namespace = cluster.namespace("since");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.db");
    let serve = || watching(cluster.kai().env("KAI_HISTORY_PATH", path.to_str().expect("UTF-8")));
    let service = serve();
    namespace.create_pod("stays", "stays:1");
    namespace.create_pod("goes", "goes:1");
    let image = format!("/v1/images?namespace={}", namespace.name);
    let has_digests =
        |page: &Value| page["images"].as_array().is_some_and(|rows| rows.iter().all(|row| !row["digest"].is_null()));
    service.get_until(&image, BACK, |answer| answer.json()["total"] == 2 && has_digests(&answer.json()));
    let before = rows(&service, &namespace);
    let ended = service.stop();
    assert!(ended.status.success(), "{ended:?}");
    cluster.kubectl(&["-n", &namespace.name, "delete", "pod", "goes", "--grace-period=0", "--force"]);
    let service = serve();
    let after = rows(&service, &namespace);
    let [goes, stays] = after.as_slice() else { panic!("{after:?}") };
    for (row, was) in [goes, stays].into_iter().zip(&before) {
        assert_eq!((&row["image"], &row["first_seen"]), (&was["image"], &was["first_seen"]));
        assert_eq!(row["first_seen_exact"], true, "{row}");
    }
    assert_eq!((&stays["running"], &goes["running"]), (&json!(true), &json!(false)));
    // Nobody looked while it went.
    let gap = format!("/v1/images?since=1h&namespace={}", namespace.name);
    let gaps = service.get(&gap).json()["gaps"].as_array().expect("gaps").clone();
    assert!(gaps.iter().any(|gap| gap["reason"] == "kai was stopped"), "{gaps:?}");
    assert!(time(goes, "last_seen") <= time(gaps.last().expect("a gap"), "to"), "{goes} {gaps:?}");
}
