//! `--input` as a user meets it: what people have at hand, what is missing, and what is said about it.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, UNIX_EPOCH};

use crate::one_shot::{DEMO, kai, run, run_with_input, status, stderr, stdout};

fn pod(namespace: &str, name: &str, image: &str, phase: &str) -> String {
    let metadata = format!(r#""metadata":{{"namespace":"{namespace}","name":"{name}","uid":"{namespace}-{name}"}}"#);
    let spec = format!(r#""spec":{{"containers":[{{"name":"c","image":"{image}"}}]}}"#);
    format!(r#"{{"kind":"Pod",{metadata},{spec},"status":{{"phase":"{phase}"}}}}"#)
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    folder
}

fn path(folder: &tempfile::TempDir) -> &str {
    folder.path().to_str().expect("UTF-8")
}

#[test]
fn a_folder_is_read_and_what_is_no_part_of_it_is_counted() {
    let (one, two) = (pod("shop", "one", "one:1", "Running"), pod("shop", "two", "two:2", "Running"));
    let folder =
        folder(&[("shop/pods.json", &one), ("a.json", &two), ("logs.txt", &one), ("other.json", "{\"a\": 1}")]);
    let output = run(&["--input", path(&folder), "-o", "csv"]);
    assert_eq!(stdout(&output), "namespace,tag,repo_digest\nshop,one:1,\nshop,two:2,\n");
    let log = stderr(&output);
    assert_eq!((status(&output), log.lines().count()), (0, 1), "{log}");
    assert!(log.contains("passed over files without pods, namespaces or nodes: 2"), "{log}");
}

#[test]
fn a_broken_file_of_a_folder_is_named_with_status_3() {
    let folder = folder(&[("a.json", &pod("shop", "one", "one:1", "Running")), ("b.json", "{\"kind\": ]")]);
    let output = run(&["--input", path(&folder), "-q", "-o", "csv"]);
    assert_eq!(stdout(&output), "namespace,tag,repo_digest\nshop,one:1,\n");
    let expected = format!("error: the report is incomplete: {}/b.json: line 1: ", path(&folder));
    assert_eq!(status(&output), 3);
    assert!(stderr(&output).starts_with(&expected), "{}", stderr(&output));
}

#[test]
fn the_same_pod_in_two_files_counts_once() {
    let one = pod("shop", "one", "one:1", "Running");
    let folder = folder(&[("a.json", &one), ("b.json", &one)]);
    let (a, b) = (folder.path().join("a.json"), folder.path().join("b.json"));
    let output = run(&["--input", a.to_str().unwrap(), "--input", b.to_str().unwrap(), "-o", "csv"]);
    assert_eq!((status(&output), stdout(&output).as_str()), (0, "namespace,tag,repo_digest\nshop,one:1,\n"));
}

#[test]
fn the_report_of_a_file_is_as_old_as_the_file() {
    let folder = folder(&[("a.json", &pod("shop", "one", "one:1", "Running"))]);
    let file = folder.path().join("a.json");
    let times = fs::FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    fs::File::options().write(true).open(&file).expect("a file").set_times(times).expect("set");
    let report: serde_json::Value = serde_json::from_str(&stdout(&run(&["--input", file.to_str().unwrap()]))).unwrap();
    assert_eq!(report["timestamp"], "2023-11-14T22:13:20Z");
}

/// As `kubectl get pods -A -w -o json --output-watch-events` prints them.
fn watched(kind: &str, object: &str) -> String {
    let object: serde_json::Value = serde_json::from_str(object).expect("JSON");
    format!("{:#}\n", serde_json::json!({"type": kind, "object": object}))
}

#[test]
fn what_a_watch_saw_deleted_is_no_part_of_the_report() {
    let (old, other) = (pod("shop", "web", "old:1", "Running"), pod("shop", "other", "other:1", "Running"));
    let new = pod("shop", "web", "new:1", "Running").replace("shop-web", "its-successor");
    let namespace = |name: &str| format!(r#"{{"kind":"Namespace","metadata":{{"name":"{name}"}}}}"#);
    let events = [
        ("ADDED", &old),
        ("ADDED", &namespace("shop")),
        ("ADDED", &namespace("gone")),
        ("ADDED", &other),
        ("ADDED", &new),
        ("DELETED", &old),
        ("DELETED", &other),
        ("DELETED", &namespace("gone")),
    ];
    let events: String = events.iter().map(|(kind, object)| watched(kind, object)).collect();
    let output = run_with_input(&["--input", "-"], events.as_bytes());
    assert_eq!((status(&output), stderr(&output).as_str()), (0, ""));
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("a report");
    let expected = serde_json::json!([{"namespace": "shop", "images": [{"tag": "new:1"}]}]);
    assert_eq!(report["results"], expected);
}

#[test]
fn an_archive_is_refused_with_what_to_do() {
    let output = run_with_input(&["--input", "-"], b"PK\x03\x04\x14\0\0\0");
    let expected = "error: --input -: it is a zip archive; unpack it and give the folder that comes out\n";
    assert_eq!((status(&output), stderr(&output).as_str()), (1, expected));
}

#[test]
fn a_namespace_that_was_typed_wrong_is_an_error_behind_the_report() {
    let output = run(&["--input", DEMO, "-n", "ingres", "-n", "shop", "-o", "table"]);
    assert!(stdout(&output).starts_with("IMAGE TAG"), "{}", stdout(&output));
    let expected = "error: the namespace \"ingres\" of -n is not in the input; did you mean \"ingress\"?\n";
    assert_eq!((status(&output), stderr(&output).as_str()), (3, expected));
    let output = run(&["--input", DEMO, "-n", "ingres", "--allow-incomplete"]);
    assert_eq!(status(&output), 0);
}

#[test]
fn a_namespace_of_a_variable_that_does_not_exist_is_a_warning() {
    let output = kai(&["--input", DEMO]).env("KAI_NAMESPACE_SELECTORS_INCLUDE", "ingres").output().expect("kai runs");
    let log = stderr(&output);
    assert_eq!((status(&output), log.lines().count()), (0, 1), "{log}");
    assert!(log.contains("WARN") && log.contains("namespace ingres is included by name"), "{log}");
}

#[test]
fn a_quiet_run_says_that_its_report_is_incomplete() {
    let broken = pod("shop", "bad", "x", "Running").replace("\"image\":\"x\"", "\"image\":5");
    let text = [pod("shop", "good", "nginx:1", "Running"), broken].concat();
    let output = run_with_input(&["--input", "-", "-q"], text.as_bytes());
    let said = stderr(&output);
    assert_eq!((status(&output), said.lines().count()), (3, 1), "{said}");
    assert!(said.starts_with("error: the report is incomplete: pod shop/bad: "), "{said}");
    let output = run_with_input(&["--input", "-", "-q", "--allow-incomplete"], text.as_bytes());
    assert_eq!((status(&output), stderr(&output).as_str()), (0, ""));
}

#[test]
fn pods_of_which_none_runs_are_counted_and_the_setting_is_named() {
    let text = [pod("shop", "a", "a:1", "Succeeded"), pod("shop", "b", "b:1", "Pending")].concat();
    let output = run_with_input(&["--input", "-", "-o", "table"], text.as_bytes());
    assert_eq!((status(&output), stdout(&output).as_str()), (0, "No Images found\n"));
    assert!(stderr(&output).contains("ignore-not-running leaves out every pod (2)"), "{}", stderr(&output));
    let text = pod("shop", "c", "c:1", "Running") + &text;
    let output = run_with_input(&["--input", "-", "-o", "table"], text.as_bytes());
    assert_eq!((status(&output), stderr(&output).as_str()), (0, ""));
}

#[test]
fn what_was_piped_without_being_asked_for_is_mentioned_when_no_cluster_is_found() {
    let hint = "; to read the objects on standard input, use `--input -`\n";
    let output = run_with_input(&[], pod("shop", "a", "a:1", "Running").as_bytes());
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).ends_with(hint), "{}", stderr(&output));
    let output = kai(&[]).stdin(fs::File::open(DEMO).expect("a file")).output().expect("kai runs");
    assert!(stderr(&output).ends_with(hint), "{}", stderr(&output));
    let output = kai(&[]).stdin(Stdio::null()).output().expect("kai runs");
    assert!(!stderr(&output).contains("--input"), "{}", stderr(&output));
}

#[test]
fn no_push_belongs_to_a_plain_run() {
    for arguments in [["--no-push", "push"], ["--no-push", "serve"]] {
        let output = run(&arguments);
        assert_eq!(status(&output), 2);
        assert!(stderr(&output).contains("--no-push is for kai without a subcommand"), "{}", stderr(&output));
    }
}

#[test]
fn objects_of_other_kinds_are_counted_in_one_line() {
    let others = r#"{"kind":"Service","metadata":{"name":"a"}}{"kind":"Secret","metadata":{"name":"b"}}{"kind":"Secret","metadata":{"name":"c"}}"#;
    let output =
        run_with_input(&["--input", "-", "-o", "csv"], (pod("shop", "a", "a:1", "Running") + others).as_bytes());
    let log = stderr(&output);
    assert_eq!((status(&output), log.lines().count()), (0, 1), "{log}");
    assert!(log.contains("INFO") && log.contains("passed over objects of other kinds: 2 Secret, 1 Service"), "{log}");
    let output = run_with_input(&["--input", "-"], others.as_bytes());
    let said = stderr(&output);
    assert_eq!((status(&output), stdout(&output).as_str()), (1, ""), "{said}");
    assert!(
        said.starts_with("error: --input -: no pod and no namespace in the input, only 2 Secret, 1 Service; "),
        "{said}"
    );
}

#[test]
fn workloads_without_any_pod_are_incomplete() {
    let namespace = r#"{"kind":"Namespace","metadata":{"name":"shop"}}"#;
    let deployment = r#"{"kind":"Deployment","metadata":{"name":"a","namespace":"shop"}}"#;
    let output = run_with_input(&["--input", "-", "-q"], [namespace, deployment].concat().as_bytes());
    let expected = "error: the report is incomplete: the input has no pods, only what makes them (1 Deployment); save it \
                    with `kubectl get namespaces,pods`\n";
    assert_eq!((status(&output), stderr(&output).as_str()), (3, expected));
    // A list of pods that is empty says that there are none.
    let folder = folder(&[("deployments.json", deployment), ("pods.json", r#"{"kind":"PodList","items":[]}"#)]);
    let output = run(&["--input", path(&folder), "-q"]);
    assert_eq!((status(&output), stderr(&output).as_str()), (0, ""));
}

#[test]
fn one_page_of_a_list_is_incomplete() {
    let pod = pod("shop", "a", "a:1", "Running");
    let page = format!(r#"{{"kind":"PodList","metadata":{{"continue":"x","remainingItemCount":7}},"items":[{pod}]}}"#);
    let output = run_with_input(&["--input", "-", "-q"], page.as_bytes());
    let said = stderr(&output);
    assert_eq!((status(&output), said.lines().count()), (3, 1), "{said}");
    assert!(said.starts_with("error: the report is incomplete: ") && said.contains('7'), "{said}");
}
