//! `kai images`, `kai containers`, `kai where` and `kai diff`: what they print, and how they end.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::one_shot::{DEMO, kai, run, run_with_input, status, stderr, stdout};
use rstest::rstest;
use serde_json::{Value, json};

const NGINX: &str = "sha256:db071cd44c25b74f15f89a9c4920c056bd830940573c6ad759b577edbbed743c";

fn demo(arguments: &[&str]) -> (i32, String, String) {
    let output = run(&[arguments, &["--input", DEMO]].concat());
    (status(&output), stdout(&output), stderr(&output))
}

fn document(arguments: &[&str]) -> Value {
    let (status, out, err) = demo(&[arguments, &["-o", "json"]].concat());
    assert_eq!((status, &*err), (0, ""));
    serde_json::from_str(&out).expect("JSON")
}

/// A kai that serves the demo cluster; ended when dropped.
struct Running(Child, String);

impl Running {
    fn start() -> Self {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--input", DEMO];
        let mut child = kai(&arguments).stderr(Stdio::piped()).spawn().expect("kai runs");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("listening on ").map(|(_, address)| address.trim().to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        Self(child, address.expect("an address"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to end.
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}

#[test]
fn where_names_namespace_workload_image_and_digest() {
    let (status, out, _) = demo(&["where", "nginx"]);
    let lines: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(status, 0);
    assert_eq!(lines[0][..6], ["NAMESPACE", "WORKLOAD", "IMAGE", "DIGEST", "KIND", "PODS"]);
    let expected = ["ingress", "Deployment/maintenance-page", "docker.io/nginx:1.29-alpine", NGINX, "container", "1"];
    assert_eq!(lines[1][..6], expected, "into a pipe nothing is cut: {out}");
}

#[rstest]
#[case::in_full("docker.io/library/nginx")]
#[case::with_tag("nginx:1.29-alpine")]
#[case::digest(NGINX)]
#[case::beginning_of_a_digest("db071cd44c25")]
#[case::package_url("pkg:oci/nginx@sha256%3Adb071cd44c25b74f15f89a9c4920c056bd830940573c6ad759b577edbbed743c")]
fn an_image_is_found_however_it_is_named(#[case] asked: &str) {
    let answer = document(&["where", asked]);
    assert_eq!((&answer["total"], &answer["not_found"]), (&json!(1), &json!([])));
    let row = &answer["containers"][0];
    assert_eq!(
        (&row["asked"], &row["digest"], &row["owner_name"]),
        (&json!(asked), &json!(NGINX), &json!("maintenance-page"))
    );
}

#[rstest]
#[case::image("nosuch:1", "no pod has this image: nosuch:1")]
#[case::digest(&format!("sha256:{}", "0".repeat(64)), "no pod reports this digest: sha256:0000")]
fn without_a_hit_where_fails_and_says_what_it_knows(#[case] asked: &str, #[case] message: &str) {
    let (status, out, err) = demo(&["where", asked]);
    assert_eq!((status, &*out), (1, ""));
    assert!(err.contains(message), "{err}");
}

#[test]
fn several_things_are_told_apart_and_those_that_are_missing_are_named() {
    let (status, out, err) = demo(&["where", "nginx", "redis", "nosuch"]);
    assert_eq!(status, 0);
    let first: Vec<&str> = out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(first, ["ASKED", "nginx", "redis"]);
    assert!(err.contains("no pod has this image: nosuch"), "{err}");
}

#[test]
fn a_report_of_a_scanner_is_joined_by_its_digests() {
    let trivy = json!({"SchemaVersion": 2, "ArtifactName": "mirror/nginx:old", "ArtifactType": "container_image",
        "Metadata": {"ImageID": "sha256:0000", "RepoDigests": [format!("mirror/nginx@{NGINX}")]}, "Results": []});
    let output = run_with_input(&["where", "-f", "-", "--input", DEMO, "-o", "json"], trivy.to_string().as_bytes());
    let answer: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!((status(&output), &answer["containers"][0]["asked"]), (0, &json!("mirror/nginx:old")), "{answer}");
}

#[rstest]
#[case::empty("", "is empty")]
#[case::other_json("{\"a\": 1}", "is JSON, but no report that kai reads: its keys are a")]
#[case::broken_json("{\"a\"", "is JSON, but no report that kai reads: it is broken")]
#[case::no_image("{\"bomFormat\": \"CycloneDX\", \"components\": []}", "has no component of type container")]
#[case::a_line("nginx\nNot An Image\n", "line 2: \"Not An Image\" is no digest, image reference or package URL")]
fn a_file_that_asks_for_nothing_is_wrong_usage(#[case] text: &str, #[case] message: &str) {
    let output = run_with_input(&["where", "-f", "-", "--input", DEMO], text.as_bytes());
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains(message), "{}", stderr(&output));
}

#[test]
fn images_are_those_of_a_pattern_and_of_filters() {
    let answer = document(&["images", "docker.io*nginx*"]);
    assert_eq!((&answer["total"], &answer["images"][0]["digest"]), (&json!(1), &json!(NGINX)));
    assert!(answer["pin"].is_null(), "a snapshot that is read once is kept by nobody");
    let (_, names, _) = demo(&["images", "--flag", "unreadable-reference", "-o", "name"]);
    assert!(names.lines().any(|line| line == "Batch/Mail:1"), "{names}");
    let sorted = document(&["images", "--sort-by=-pods"]);
    let pods: Vec<u64> =
        sorted["images"].as_array().expect("rows").iter().filter_map(|row| row["pods"].as_u64()).collect();
    assert!(pods.is_sorted_by(|a, b| a >= b), "{pods:?}");
}

#[test]
fn containers_of_a_workload_are_one_line_and_each_is_one_with_wide() {
    let arguments = ["containers", "-n", "shop", "--owner", "StatefulSet/sessions"];
    let (_, out, _) = demo(&[&arguments[..], &["--no-headers"]].concat());
    assert_eq!(out.lines().count(), 1, "{out}");
    let (_, wide, _) = demo(&[&arguments[..], &["-o", "wide"]].concat());
    assert!(wide.starts_with("NAMESPACE  WORKLOAD") && wide.contains("running"), "{wide}");
    let (_, yaml, _) = demo(&[&arguments[..], &["-o", "yaml"]].concat());
    assert!(yaml.contains("owner_name: sessions"), "{yaml}");
}

#[rstest]
#[case::output(&["images", "-o", "xml"], "--output xml: it must be table or wide or json or yaml or name or csv or text or cyclonedx")]
#[case::digest(&["images", "--digest", "sha256:abc"], "--digest \"sha256:abc\": it must be a manifest digest")]
#[case::sort(&["images", "--sort-by", "size"], "--sort-by \"size\": it must be image or containers or pods")]
#[case::all_and_some(&["images", "-A", "-n", "shop"], "-A is every namespace and -n some")]
#[case::server(&["images", "--server", "localhost:8080"], "write it as http://127.0.0.1:8080")]
#[case::flag(&["images", "--flag", "odd"], "possible values: floating-tag, no-digest")]
#[case::nothing(&["where"], "IMAGE|DIGEST")]
#[case::history(&["history", "nginx"], "a history is what a running kai keeps; name it with --server")]
#[case::ever(&["where", "--ever", "nginx"], "a history is what a running kai keeps; name it with --server")]
#[case::window(&["images", "--at", "3d"], "a history is what a running kai keeps; name it with --server")]
#[case::no_path(&["history", "export"], "history.path is not set; name the file with --path")]
fn wrong_usage_names_the_flag_and_what_is_allowed(#[case] arguments: &[&str], #[case] message: &str) {
    let output = run(arguments);
    assert_eq!(status(&output), 2, "{}", stderr(&output));
    assert!(stderr(&output).contains(message), "{}", stderr(&output));
}

/// Only a running kai knows since when images are there.
fn forget_times(answer: &mut Value) {
    for name in ["images", "containers"] {
        for row in answer.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten() {
            row["first_seen"].take();
        }
    }
}

#[test]
fn a_running_kai_answers_as_its_cluster_does() {
    let running = Running::start();
    for arguments in
        [&["images"] as &[&str], &["containers", "-n", "shop"], &["where", "redis"], &["images", "--sort-by=-pods"]]
    {
        let mut local = document(arguments);
        let output = run(&[arguments, &["-o", "json", "--server", &running.1]].concat());
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        let mut remote: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        for answer in [&mut local, &mut remote] {
            answer["pin"].take();
            forget_times(answer);
        }
        assert_eq!(local, remote, "{arguments:?}");
    }
    let refused = run(&["images", "--exclude", "shop", "--server", &running.1]);
    assert_eq!(status(&refused), 2);
    assert_eq!(status(&run(&["where", "nosuch", "--server", &running.1])), 1);
}

#[test]
fn a_running_kai_tells_since_when_images_are_there() {
    let running = Running::start();
    let server = ["--server", &*running.1];
    let ask = |arguments: &[&str]| run(&[arguments, &server].concat());
    let images = ask(&["images", "nginx"]);
    let header: Vec<_> = stdout(&images).lines().next().unwrap_or_default().split("  ").map(str::to_owned).collect();
    assert!(header.iter().any(|column| column.trim() == "FIRST SEEN"), "{header:?}");
    // Nobody looked before the dump was written.
    let window = ask(&["images", "--since", "3650d"]);
    assert_eq!(status(&window), 3);
    assert!(stderr(&window).contains("kai was not there yet"), "{}", stderr(&window));
    for command in [&["history", "nginx"] as &[&str], &["where", "--ever", "nginx"]] {
        let table = ask(command);
        let out = stdout(&table);
        assert_eq!(status(&table), 0, "{}", stderr(&table));
        let row = out.lines().nth(1).unwrap_or_default();
        assert!(
            row.starts_with("ingress ") && row.contains("there") && row.contains("Deployment/maintenance-page"),
            "{out}"
        );
        assert!(stderr(&table).contains("nobody looked at ingress until"), "{}", stderr(&table));
        let answer: Value = serde_json::from_str(&stdout(&ask(&[command, &["-o", "json"]].concat()))).expect("JSON");
        assert_eq!(answer[0]["history"]["namespaces"][0]["images"][0]["running"], true, "{answer}");
    }
    let unseen = ask(&["history", "nosuch", "sha256:000000000000"]);
    assert_eq!((status(&unseen), stdout(&unseen)), (1, String::new()));
    assert!(stderr(&unseen).contains("kai never saw this: nosuch"), "{}", stderr(&unseen));
}

#[test]
fn a_history_moves_from_file_to_file_as_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let image = r#"{"kind":"image","namespace":"shop","image":"nginx:1","digest":null,"first_seen":"2026-11-24T09:00:00Z",
        "first_seen_exact":true,"last_seen":LAST,"started_at":null,"workloads":["Deployment/web"],"more_workloads":0}"#;
    let image = image.replace("\n        ", "");
    let looking =
        r#"{"kind":"looking","from":"2026-11-24T08:00:00Z","until":"2026-11-25T08:00:00Z","missing":[],"ended":null}"#;
    let first = [looking, &image.replace("LAST", "null"), ""].join("\n");
    let import = |lines: &str| run_with_input(&["history", "import", "-", "--path", &path("a.db")], lines.as_bytes());
    assert_eq!(status(&import(&first)), 0, "{}", stderr(&import(&first)));
    let exported = || stdout(&run(&["history", "export", "--path", &path("a.db")]));
    let closed = image.replace("LAST", "\"2026-11-25T08:00:00Z\"");
    assert_eq!(exported(), [looking, &closed, ""].join("\n"), "it was last seen when kai looked last");
    // What is known to be later stays.
    assert_eq!(status(&import(&image.replace("LAST", "\"2026-11-24T10:00:00Z\""))), 0);
    assert_eq!(exported(), [looking, &closed, ""].join("\n"));
    let refused = import(&[looking, "{\"kind\":\"image\"}"].join("\n"));
    assert_eq!(status(&refused), 1);
    assert!(
        stderr(&refused).contains("standard input: line 2 is no line of a history: missing field"),
        "{}",
        stderr(&refused)
    );
    let backwards = import(&image.replace("LAST", "\"2020-01-01T00:00:00Z\""));
    assert!(stderr(&backwards).contains("is earlier than"), "{}", stderr(&backwards));
    let missing = run(&["history", "export", "--path", &path("none.db")]);
    assert_eq!(status(&missing), 1);
    assert!(stderr(&missing).contains("there is no history at"), "{}", stderr(&missing));
}

#[test]
fn diff_says_by_its_status_whether_two_sides_are_equal() {
    let folder = tempfile::tempdir().expect("a folder");
    let changed = folder.path().join("changed.json");
    let text = std::fs::read_to_string(DEMO).expect("the demo");
    std::fs::write(&changed, text.replace("nginx:1.29-alpine", "nginx:1.30-alpine")).expect("written");
    let changed = changed.to_str().expect("UTF-8");
    let equal = run(&["diff", DEMO, DEMO]);
    assert_eq!((status(&equal), stdout(&equal)), (0, String::new()));
    let different = run(&["diff", DEMO, changed]);
    let out = stdout(&different);
    assert_eq!(status(&different), 1);
    let lines: Vec<Vec<&str>> = out.lines().skip(1).map(|line| line.split_whitespace().take(3).collect()).collect();
    let expected = [["-", "ingress", "docker.io/nginx:1.29-alpine"], ["+", "ingress", "docker.io/nginx:1.30-alpine"]];
    assert_eq!(lines, expected, "{out}");
    let missing = run(&["diff", DEMO, "/nonexistent/dump.json"]);
    assert_eq!(status(&missing), 2);
    assert!(stderr(&missing).contains("/nonexistent/dump.json"), "{}", stderr(&missing));
}

#[test]
fn no_name_from_a_cluster_moves_a_terminal() {
    let pod = json!({"kind": "List", "items": [{"kind": "Pod", "metadata": {"name": "p\u{1b}[2J", "namespace": "shop"},
        "spec": {"containers": [{"name": "a", "image": "evil\u{1b}]0;x\u{7}:1"}]}, "status": {"phase": "Running"}}]});
    for command in ["images", "containers"] {
        for output in ["table", "wide", "name"] {
            let shown = run_with_input(&[command, "--input", "-", "-o", output], pod.to_string().as_bytes());
            assert!(!stdout(&shown).contains(['\u{1b}', '\u{7}']), "{command} {output}: {:?}", stdout(&shown));
        }
    }
}

#[rstest]
#[case(&["images", "-o", "csv"])]
#[case(&["images", "-o", "text"])]
#[case(&["images", "-o", "text", "--reference", "pinned", "--registry", "docker.io"])]
#[case(&["images", "-o", "cyclonedx", "--spec-version", "1.7"])]
#[case(&["images", "-o", "skopeo"])]
#[case(&["images", "-o", "hauler", "--reference", "canonical"])]
#[case(&["images", "-o", "zarf", "-n", "shop"])]
#[case(&["containers", "-o", "csv", "--sort-by=-image"])]
fn lists_are_those_of_a_running_kai(#[case] arguments: &[&str]) {
    let running = Running::start();
    let (status_, local, err) = demo(arguments);
    assert_eq!((status_, &*err), (0, ""));
    let remote = run(&[arguments, &["--server", &running.1]].concat());
    assert_eq!((status(&remote), local.len() > 100), (0, true), "{}", stderr(&remote));
    // Only a running kai knows since when images are there.
    let time = regex::Regex::new(r",\d{4}-\d\d-\d\dT[0-9:.]+Z(,,false,true|,false)\n").expect("a pattern");
    let forget = |text: &str| time.replace_all(text, ",$1\n").into_owned();
    assert_eq!(forget(&stdout(&remote)), local);
}

#[test]
fn a_bill_of_materials_of_kai_finds_its_own_images() {
    let (_, bom, _) = demo(&["images", "-o", "cyclonedx", "-n", "ingress"]);
    let output = run_with_input(&["where", "-f", "-", "--input", DEMO, "-n", "ingress", "-o", "json"], bom.as_bytes());
    let answer: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let (_, names, _) = demo(&["images", "-n", "ingress", "-o", "name"]);
    let found: std::collections::BTreeSet<_> =
        answer["containers"].as_array().expect("rows").iter().map(|row| row["image"].as_str().expect("text")).collect();
    assert_eq!(found, names.lines().collect(), "{answer}");
    assert_eq!((status(&output), &answer["not_found"]), (0, &json!([])));
}

#[rstest]
#[case::pattern(&["images", "nginx", "-o", "csv"], "-o csv has no place for a PATTERN")]
#[case::reference(&["images", "-o", "csv", "--reference", "pinned"], "--reference has no meaning with -o csv")]
#[case::version(&["images", "-o", "cyclonedx", "--spec-version", "1.5"], "--spec-version \"1.5\": it must be 1.6 or 1.7")]
#[case::of_images(&["containers", "-o", "zarf"], "--output zarf: it must be table or wide or json or yaml or name or csv")]
fn a_list_takes_what_belongs_to_it(#[case] arguments: &[&str], #[case] message: &str) {
    let (status, _, err) = demo(arguments);
    assert_eq!(status, 2);
    assert!(err.contains(message), "{err}");
}

#[test]
fn a_list_of_several_says_what_each_row_was_found_by() {
    let (status, csv, _) = demo(&["where", "nginx", "redis", "-o", "csv"]);
    let first: Vec<&str> = csv.lines().filter_map(|line| line.split(',').next()).collect();
    assert_eq!((status, first), (0, vec!["asked", "nginx", "redis"]), "{csv}");
}

#[test]
fn what_could_not_be_read_may_have_what_is_not_found() {
    let broken = json!({"kind": "List", "items": [{"kind": "Pod", "metadata": {"name": "bad", "namespace": "shop"},
        "spec": {"containers": [{"name": "a", "image": 5}]}, "status": {"phase": "Running"}}]});
    let ask = |more: &[&str]| {
        run_with_input(&[&["where", "nginx", "--input", "-"], more].concat(), broken.to_string().as_bytes())
    };
    let uncertain = ask(&[]);
    assert_eq!(status(&uncertain), 3);
    for part in ["no pod has this image: nginx", "the answer is incomplete"] {
        assert!(stderr(&uncertain).contains(part), "{}", stderr(&uncertain));
    }
    assert_eq!(status(&ask(&["--allow-incomplete"])), 1);
}
