//! What a user of the command line sees: reports, messages, exit statuses. The binary itself is run, without a cluster.

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

pub(crate) const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/demo-cluster.json");

/// kai in an empty folder and environment, so that no settings of the machine count.
pub(crate) fn kai(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kai"));
    command.env_clear().env("HOME", "/nonexistent").current_dir(std::env::temp_dir()).args(arguments);
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    kai(arguments).output().expect("kai runs")
}

pub(crate) fn run_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child =
        kai(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("kai runs");
    // A reader that stops early closes the pipe; what it says about that is the test's to judge.
    let _closed = child.stdin.take().expect("piped").write_all(input);
    child.wait_with_output().expect("kai ends")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

pub(crate) fn status(output: &Output) -> i32 {
    output.status.code().expect("no signal")
}

const BROKEN_AMONG_GOOD: &str = r#"{"kind":"List","items":[
  {"kind":"Pod","metadata":{"name":"good","namespace":"shop"},"spec":{"containers":[{"name":"a","image":"nginx:1"}]},"status":{"phase":"Running"}},
  {"kind":"Pod","metadata":{"name":"bad","namespace":"shop"},"spec":{"containers":[{"name":"a","image":5}]},"status":{"phase":"Running"}}]}"#;

#[test]
fn a_dump_gives_the_report_with_the_keys_of_kai_in_their_order() {
    let output = run(&["--input", DEMO, "--cluster-name", "demo"]);
    assert_eq!((status(&output), stderr(&output).as_str()), (0, ""));
    let text = stdout(&output);
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let keys = ["\"timestamp\"", "\"results\"", "\"serverVersionMetadata\"", "\"cluster_name\"", "\"inventory_type\""];
    let places: Vec<usize> = keys.iter().map(|key| text.find(key).expect("key")).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(text.starts_with("{\n  \"timestamp\": \"20"), "indented by two spaces");
    assert_eq!((&report["cluster_name"], &report["inventory_type"]), (&"demo".into(), &"kubernetes".into()));
    assert!(report["results"].as_array().expect("results").len() >= 12);
}

#[test]
fn a_dump_is_read_from_standard_input_too() {
    let bytes = std::fs::read(DEMO).expect("demo cluster");
    let piped: serde_json::Value = serde_json::from_str(&stdout(&run_with_input(&["--input", "-"], &bytes))).unwrap();
    let file: serde_json::Value = serde_json::from_str(&stdout(&run(&["--input", DEMO]))).unwrap();
    assert_eq!(piped["results"], file["results"]);
}

#[test]
fn the_table_and_csv_have_a_row_for_each_image_of_the_report() {
    let report: serde_json::Value = serde_json::from_str(&stdout(&run(&["--input", DEMO]))).unwrap();
    let images: usize = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|namespace| namespace["images"].as_array().unwrap().len())
        .sum();
    let table = stdout(&run(&["--input", DEMO, "-o", "table"]));
    assert!(table.starts_with("IMAGE TAG "), "{table}");
    assert_eq!(table.lines().count(), images + 1);
    assert!(table.lines().all(|line| !line.contains('\u{1b}')), "no colour off a terminal");
    let csv = stdout(&run(&["--input", DEMO, "-o", "csv"]));
    assert_eq!(csv.lines().next(), Some("namespace,tag,repo_digest"));
    assert_eq!(csv.lines().count(), images + 1);
}

#[test]
fn namespaces_are_selected_by_flag() {
    let output = run(&["--input", DEMO, "-n", "shop,no-such-namespace"]);
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let names: Vec<&str> = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|namespace| namespace["namespace"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["no-such-namespace", "shop"]);
    let expected = "error: the namespace \"no-such-namespace\" of -n is not in the input; known namespaces: ";
    assert!(stderr(&output).starts_with(expected), "{}", stderr(&output));
}

#[test]
fn a_broken_item_is_named_and_the_rest_printed_with_status_3() {
    let output = run_with_input(&["--input", "-"], BROKEN_AMONG_GOOD.as_bytes());
    assert_eq!(status(&output), 3);
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(report["results"], serde_json::json!([{"namespace": "shop", "images": [{"tag": "nginx:1"}]}]));
    let said = stderr(&output);
    assert!(said.contains("pod shop/bad") && said.contains("spec.containers[0].image"), "{said}");
    let allowed = run_with_input(&["--input", "-", "--allow-incomplete"], BROKEN_AMONG_GOOD.as_bytes());
    assert_eq!(status(&allowed), 0);
}

#[test]
fn an_empty_list_is_an_empty_report() {
    let output = run_with_input(&["--input", "-"], br#"{"kind":"List","apiVersion":"v1","items":[]}"#);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let table = run_with_input(&["--input", "-", "-o", "table"], br#"{"kind":"List","apiVersion":"v1","items":[]}"#);
    assert_eq!(stdout(&table), "No Images found\n");
}

#[test]
fn input_that_is_not_kubernetes_is_an_error_that_prints_nothing() {
    for input in ["", "hello\n", "[1,2]", "{\"a\":1}", "{\"kind\":\"List\",\"items\":[{\"kind\":\"Secret\"}]}"] {
        let output = run_with_input(&["--input", "-"], input.as_bytes());
        assert_eq!((status(&output), stdout(&output).as_str()), (1, ""), "{input}: {}", stderr(&output));
        assert!(stderr(&output).starts_with("error: "), "{input}: {}", stderr(&output));
    }
    let missing = run(&["--input", "/nonexistent/dump.json"]);
    assert_eq!(status(&missing), 1);
    assert!(stderr(&missing).contains("/nonexistent/dump.json"), "{}", stderr(&missing));
}

#[test]
fn usage_and_configuration_errors_have_status_2() {
    for arguments in [
        &["--no-such-flag"] as &[&str],
        &["--output", "xml", "--input", DEMO],
        &["--input", DEMO, "--context", "blue"],
        &["--input", DEMO, "--as", "jane", "--as-group", "dev", "--as-group", "ops", "--as-uid", "7"],
        &["--config", "/nonexistent/kai.yaml"],
        &["explain"],
        &["-m", "sometimes", "--input", DEMO],
    ] {
        let output = run(arguments);
        assert_eq!(status(&output), 2, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("error"), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_cluster_that_does_not_answer_is_named_with_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    // A port that was free a moment ago: nothing listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\n\
         contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {{token: t}}}}]\n"
    );
    std::fs::write(&path, text).unwrap();
    let output = run(&["-k", path.to_str().unwrap()]);
    assert_eq!((status(&output), stdout(&output).as_str()), (1, ""));
    assert!(stderr(&output).contains(&format!("127.0.0.1:{port}")), "{}", stderr(&output));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    for arguments in [&["--input", DEMO] as &[&str], &["--input", DEMO, "-o", "csv"], &["version"], &["config"]] {
        let mut child = kai(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("kai runs");
        drop(child.stdout.take());
        let status = child.wait().expect("kai ends");
        let mut said = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut said).unwrap();
        assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_said_once() {
    for arguments in [
        &["--input", DEMO] as &[&str],
        &["--input", DEMO, "-o", "table"],
        &["--input", DEMO, "-o", "csv"],
        &["version"],
        &["config"],
        &["explain", "nginx"],
        &["completion", "bash"],
        &["--help"],
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = kai(arguments).stdout(full).output().expect("kai runs");
        let said = stderr(&output);
        assert_eq!(status(&output), 1, "{arguments:?}: {said}");
        assert!(said.contains("standard output"), "{arguments:?}: {said}");
        assert_eq!(said.matches("No space left on device").count(), 1, "{arguments:?}: {said}");
    }
}

#[test]
fn what_explain_cannot_read_is_not_blamed_on_its_output() {
    let folder = std::fs::File::open("/").unwrap();
    let output = kai(&["explain", "-"]).stdin(folder).output().expect("kai runs");
    assert_eq!(status(&output), 1);
    assert!(stderr(&output).starts_with("error: standard input could not be read: "), "{}", stderr(&output));
}

#[test]
fn an_error_that_ends_the_run_is_in_the_log_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("kai.log");
    let output = kai(&["--input", "/nonexistent/dump.json"]).env("KAI_LOG_FILE", &log).output().expect("kai runs");
    assert_eq!(status(&output), 1);
    assert_eq!(stderr(&output).matches("/nonexistent/dump.json").count(), 1, "{}", stderr(&output));
    let logged = std::fs::read_to_string(&log).unwrap();
    assert!(logged.contains("ERROR") && logged.contains("/nonexistent/dump.json"), "{logged}");
}

#[test]
fn an_address_that_cannot_be_probed_is_a_usage_error() {
    for address in ["", "nonsense", "127.0.0.1:8080/readyz", "http://", "ftp://127.0.0.1/", "file:///etc/passwd"] {
        let output = run(&["probe", address]);
        assert_eq!(status(&output), 2, "{address}: {}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains(&format!("\"{address}\"")) && said.contains("write it as http://"), "{said}");
    }
}

#[test]
fn version_reads_no_configuration_and_prints_text_or_json() {
    let output = kai(&["version"]).env("KAI_MODE", "nonsense").output().unwrap();
    assert_eq!(status(&output), 0);
    for word in ["Application:", "Version:", "BuildDate:", "GitCommit:", "GitTreeState:", "Platform:", "Compiler:"] {
        assert!(stdout(&output).contains(word), "{word}");
    }
    let json: serde_json::Value = serde_json::from_str(&stdout(&run(&["version", "-o", "json"]))).unwrap();
    assert_eq!(json["application"], "kai");
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(stdout(&run(&["--version"])), format!("kai {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(status(&run(&["version", "-o", "yaml"])), 2);
}

#[test]
fn what_config_prints_is_accepted_as_a_configuration() {
    let printed = kai(&["config"]).env("KAI_POLLING_INTERVAL_SECONDS", "77").output().unwrap();
    assert_eq!(status(&printed), 0, "{}", stderr(&printed));
    assert!(stdout(&printed).contains("KAI_POLLING_INTERVAL_SECONDS"), "says where it came from");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("again.yaml");
    std::fs::write(&path, stdout(&printed)).unwrap();
    let again = run(&["config", "-c", path.to_str().unwrap()]);
    assert_eq!(status(&again), 0, "{}", stderr(&again));
    assert!(stdout(&again).contains("polling-interval-seconds: 77"), "{}", stdout(&again));
}

#[test]
fn completion_scripts_are_printed_with_instructions_in_the_help() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completion", shell]);
        assert_eq!(status(&script), 0);
        assert!(stdout(&script).contains("COMPLETE"), "{shell}");
    }
    assert!(stdout(&run(&["completion", "--help"])).contains("source <(kai completion bash)"));
    let flags = kai(&["--", "kai", "--name"]).env("COMPLETE", "fish").output().unwrap();
    assert!(stdout(&flags).contains("--namespaces"), "{}", stdout(&flags));
    for (flag, word) in [("-o", "table"), ("-m", "periodic")] {
        let words = kai(&["--", "kai", flag, ""]).env("COMPLETE", "fish").output().unwrap();
        assert!(stdout(&words).contains(word), "{flag}: {}", stdout(&words));
    }
}

#[test]
fn help_teaches_with_examples() {
    for arguments in [&["--help"] as &[&str], &["serve", "--help"], &["explain", "--help"], &["probe", "--help"]] {
        let output = run(arguments);
        assert_eq!(status(&output), 0);
        assert!(stdout(&output).contains("Examples:"), "{arguments:?}");
    }
}

/// Starts kai with a log that says when it reads, and waits for that line.
fn start_reading(arguments: &[&str]) -> (std::process::Child, std::sync::mpsc::Receiver<String>) {
    let mut child = kai(arguments)
        .arg("-v")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kai runs");
    let lines = std::io::BufReader::new(child.stderr.take().expect("piped"));
    let (sender, log) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        std::io::BufRead::lines(lines).map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    await_line(&log, "reading");
    (child, log)
}

fn await_line(log: &std::sync::mpsc::Receiver<String>, text: &str) {
    let patience = std::time::Duration::from_secs(20);
    while !log.recv_timeout(patience).unwrap_or_else(|_| panic!("the log never said {text}")).contains(text) {}
}

fn signal_and_wait(child: &mut std::process::Child, name: &str) -> Option<i32> {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill").success());
    let begun = std::time::Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("kai can be waited for") {
            return status.code();
        }
        if begun.elapsed() > std::time::Duration::from_secs(10) {
            child.kill().expect("kai can be ended");
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_run_that_is_stopped_by_a_signal_prints_nothing_says_so_and_has_status_0() {
    for name in ["-TERM", "-INT"] {
        let (mut child, log) = start_reading(&["--input", "-"]);
        assert_eq!(signal_and_wait(&mut child, name), Some(0), "{name}");
        await_line(&log, "stopped before the report was printed");
        let mut printed = String::new();
        child.stdout.take().expect("piped").read_to_string(&mut printed).expect("UTF-8");
        assert_eq!(printed, "");
    }
}

#[test]
fn a_run_stops_while_nobody_reads_what_it_prints() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.json");
    let pod = |index: usize| {
        format!(
            r#"{{"kind":"Pod","metadata":{{"name":"p{index}","namespace":"n"}},"spec":{{"containers":[{{"name":"c","image":"r.example.com/a{index}:1"}}]}},"status":{{"phase":"Running"}}}}"#
        )
    };
    let pods: Vec<String> = (0..5000).map(pod).collect();
    std::fs::write(&path, format!(r#"{{"kind":"List","items":[{}]}}"#, pods.join(","))).expect("written");
    let (mut child, log) = start_reading(&["--input", path.to_str().expect("UTF-8")]);
    await_line(&log, "printing");
    assert_eq!(signal_and_wait(&mut child, "-TERM"), Some(0));
}

#[test]
fn the_settings_file_that_was_found_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kai.yaml"), "namespaces: [payments]\n").unwrap();
    let output = kai(&["--input", DEMO]).current_dir(folder.path()).output().unwrap();
    let expected = format!("INFO settings are read from {}", folder.path().join("kai.yaml").display());
    assert!(stderr(&output).contains(&expected), "{}", stderr(&output));
    assert!(!stderr(&run(&["--input", DEMO])).contains("settings are read"));
}

#[rstest::rstest]
#[case::all("", "blue\ngreen")]
#[case::begun("gr", "green")]
#[case::none("x", "")]
fn contexts_of_the_kubeconfig_are_completed(#[case] typed: &str, #[case] expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let contexts = "{apiVersion: v1, kind: Config, contexts: [{name: blue, context: {cluster: c}}, {name: green, context: {cluster: c}}]}";
    std::fs::write(folder.path().join("config"), contexts).unwrap();
    let output = kai(&["--", "kai", "-k", "config", "--context", typed])
        .current_dir(folder.path())
        .envs([
            ("COMPLETE", "bash"),
            ("_CLAP_COMPLETE_INDEX", "4"),
            ("_CLAP_IFS", "\n"),
            ("_CLAP_COMPLETE_COMP_TYPE", "9"),
        ])
        .output()
        .unwrap();
    assert_eq!((stdout(&output).trim(), stderr(&output).as_str()), (expected, ""));
}
