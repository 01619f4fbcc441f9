//! The service as a process: started, asked over a real socket, probed, stopped by signal.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

pub(crate) const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/demo-cluster.json");
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `kai serve`, ended when dropped.
pub(crate) struct Service {
    child: Child,
    address: String,
    /// Lines that were logged before it listened.
    pub(crate) early: Vec<String>,
    pub(crate) log: std::sync::mpsc::Receiver<String>,
}

impl Service {
    pub(crate) fn start(input: &Path, more: &[&str]) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_kai")), input, more)
    }

    /// Keeps the history in that file; no file of the process may become larger than that many blocks of 512 bytes.
    pub(crate) fn start_with_history(history: &Path, blocks: Option<u32>) -> Self {
        let limit = blocks.map_or_else(|| "unlimited".to_owned(), |blocks| blocks.to_string());
        let mut shell = Command::new("sh");
        // A write beyond the limit is an error, and no signal.
        shell.args([
            "-c",
            &format!("trap '' XFSZ; ulimit -f {limit}; export KAI_HISTORY_PATH=\"$1\"; shift; exec \"$0\" \"$@\""),
        ]);
        shell.arg(env!("CARGO_BIN_EXE_kai")).arg(history);
        Self::spawn(shell, Path::new(DEMO), &[])
    }

    /// Keeps the history in that file, and may write only where the modes of folders let its user: also as root, where that can be.
    pub(crate) fn start_bound_by_modes(history: &Path) -> Self {
        let capability = ["--bounding-set=-dac_override"];
        let is_root =
            Command::new("setpriv").args(capability).arg("true").status().is_ok_and(|status| status.success());
        let mut command = Command::new(if is_root { "setpriv" } else { "env" });
        command.args(capability.iter().filter(|_| is_root));
        command.arg("sh").args(["-c", "export KAI_HISTORY_PATH=\"$1\"; shift; exec \"$0\" \"$@\""]);
        command.arg(env!("CARGO_BIN_EXE_kai")).arg(history);
        Self::spawn(command, Path::new(DEMO), &[])
    }

    /// Starts it with so many open files at most.
    pub(crate) fn start_with_files(files: u32, input: &Path) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_kai")]);
        Self::spawn(shell, input, &[])
    }

    fn spawn(mut command: Command, input: &Path, more: &[&str]) -> Self {
        let mut child = command
            .env_clear()
            .env("HOME", "/nonexistent")
            .current_dir(std::env::temp_dir())
            .args(["serve", "--listen", "127.0.0.1:0", "--input"])
            .arg(input)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kai runs");
        let (sender, log) = std::sync::mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let early = std::cell::RefCell::new(Vec::new());
        let address = wait_for(&log, |line| {
            early.borrow_mut().push(line.to_owned());
            line.split_once("listening on http://").map(|(_, rest)| rest.trim().to_owned())
        });
        Self { child, address, early: early.into_inner(), log }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).expect("kai listens")
    }

    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let (status, _, body) = self.answer(path);
        (status, body)
    }

    /// Status, head and body.
    fn answer(&self, path: &str) -> (u16, String, String) {
        let mut stream = self.connect();
        stream.set_read_timeout(Some(PATIENCE)).expect("works");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("works");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("works");
        let status = answer.split_whitespace().nth(1).and_then(|word| word.parse().ok()).expect("status line");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        (status, head.to_ascii_lowercase(), body.to_owned())
    }

    pub(crate) fn wait_until(&self, path: &str, accept: impl Fn(u16, &str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let (status, body) = self.get(path);
            if accept(status, &body) {
                return body;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} still answers {status}: {body}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().expect("kill");
        assert!(status.success());
    }

    pub(crate) fn wait(&mut self) -> i32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("works") {
                return status.code().expect("no signal");
            }
            assert!(begun.elapsed() < PATIENCE, "kai does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

pub(crate) fn wait_for<T>(log: &std::sync::mpsc::Receiver<String>, find: impl Fn(&str) -> Option<T>) -> T {
    let begun = Instant::now();
    let mut seen = Vec::new();
    while let Ok(line) = log.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
        if let Some(found) = find(&line) {
            return found;
        }
        seen.push(line);
    }
    panic!("the log never said it: {seen:#?}");
}

fn probe(url: &str) -> i32 {
    let status =
        Command::new(env!("CARGO_BIN_EXE_kai")).args(["probe", url]).stderr(Stdio::null()).status().expect("works");
    status.code().expect("no signal")
}

#[test]
fn an_answer_from_a_file_was_observed_when_the_file_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("dump.json");
    std::fs::copy(DEMO, &input).expect("copied");
    let written = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    std::fs::File::options().write(true).open(&input).and_then(|file| file.set_modified(written)).expect("set");
    let service = Service::start(&input, &[]);
    service.wait_until("/readyz", |status, _| status == 200);
    let (_, head, body) = service.answer("/inventory");
    assert!(head.contains("inventory-observed-at: 2023-11-14t22:13:20z"), "{head}");
    assert!(body.contains("\"timestamp\":\"2023-11-14T22:13:20Z\""), "{}", &body[..200]);
}

#[test]
fn the_demo_cluster_is_served_probed_and_stopped_by_sigterm() {
    let mut service = Service::start(Path::new(DEMO), &[]);
    service.wait_until("/readyz", |status, body| (status, body) == (200, "ok"));
    let (status, body) = service.get("/inventory");
    assert_eq!(status, 200);
    let report: serde_json::Value = serde_json::from_str(&body).expect("works");
    assert!(report["results"].as_array().expect("works").len() >= 12);
    assert_eq!(probe(&format!("http://{}/readyz", service.address)), 0);
    assert_eq!(probe(&format!("http://{}/no-such-route", service.address)), 1);

    let begun = Instant::now();
    service.signal("-TERM");
    assert_eq!(service.wait(), 0);
    assert!(begun.elapsed() < Duration::from_secs(3), "an idle stop took {:?}", begun.elapsed());
    assert_eq!(probe(&format!("http://{}/readyz", service.address)), 1, "nothing listens any more");
}

#[test]
fn a_dump_is_read_again_when_it_is_replaced_and_kept_when_it_breaks() {
    let folder = tempfile::tempdir().expect("works");
    let path = folder.path().join("dump.json");
    let pod = |image: &str| {
        format!(
            r#"{{"kind":"List","items":[{{"kind":"Pod","metadata":{{"name":"a","namespace":"n"}},"spec":{{"containers":[{{"name":"c","image":"{image}"}}]}},"status":{{"phase":"Running"}}}}]}}"#
        )
    };
    std::fs::write(&path, pod("nginx:1")).expect("works");
    let service = Service::start(&path, &[]);
    service.wait_until("/inventory", |status, body| status == 200 && body.contains("nginx:1"));

    let new = folder.path().join("new.json");
    std::fs::write(&new, pod("nginx:2")).expect("works");
    std::fs::rename(&new, &path).expect("works");
    service.wait_until("/inventory", |_, body| body.contains("nginx:2"));

    std::fs::write(&path, "no longer a dump").expect("works");
    wait_for(&service.log, |line| line.contains("reading the input failed").then_some(()));
    let (status, body) = service.get("/inventory");
    assert!(status == 200 && body.contains("nginx:2"), "the last snapshot stays: {status} {body}");
    service.wait_until("/readyz?verbose", |status, body| status == 200 && body.contains("not"));
}

#[test]
fn a_dump_that_is_gone_or_still_written_leaves_the_last_snapshot() {
    let folder = tempfile::tempdir().expect("works");
    let path = folder.path().join("dump.json");
    let pods = |image: &str| {
        let pod = |name: &str| {
            format!(
                r#"{{"kind":"Pod","metadata":{{"name":"{name}","namespace":"n"}},"spec":{{"containers":[{{"name":"c","image":"{image}"}}]}},"status":{{"phase":"Running"}}}}"#
            )
        };
        format!(r#"{{"kind":"List","items":[{},{}]}}"#, pod("a"), pod("b"))
    };
    std::fs::write(&path, pods("nginx:1")).expect("works");
    let service = Service::start(&path, &[]);
    service.wait_until("/inventory", |status, body| status == 200 && body.contains("nginx:1"));

    std::fs::remove_file(&path).expect("works");
    wait_for(&service.log, |line| line.contains("reading the input failed").then_some(()));
    let body = service.wait_until("/readyz?verbose", |status, body| status == 200 && body.contains("No such file"));
    assert!(body.contains("the last poll failed"), "{body}");

    // As `kubectl get … > dump.json` writes it: a piece at a time, and half a dump in between.
    let text = pods("nginx:2");
    let mut file = std::fs::File::create(&path).expect("works");
    for piece in text.as_bytes().chunks(text.len().div_ceil(12)) {
        file.write_all(piece).expect("works");
        std::thread::sleep(Duration::from_millis(250));
        let (_, body) = service.get("/namespaces");
        assert!(body.contains(r#""complete":true"#), "half a dump was read: {body}");
    }
    service.wait_until("/inventory", |_, body| body.contains("nginx:2"));
}

#[test]
fn a_stop_does_not_wait_for_standard_input() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kai"))
        .env_clear()
        .args(["serve", "--listen", "127.0.0.1:0", "--input", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kai runs");
    let open = child.stdin.take().expect("piped");
    let (sender, log) = std::sync::mpsc::channel();
    let stderr = BufReader::new(child.stderr.take().expect("piped"));
    std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let address = wait_for(&log, |line| line.split_once("listening on http://").map(|(_, rest)| rest.to_owned()));
    let mut service = Service { child, address, early: Vec::new(), log };
    service.wait_until("/readyz", |status, _| status == 503);
    let begun = Instant::now();
    service.signal("-TERM");
    assert_eq!(service.wait(), 0);
    assert!(begun.elapsed() < Duration::from_secs(3), "a stop took {:?}", begun.elapsed());
    drop(open);
}

#[test]
fn a_service_of_standard_input_that_is_no_dump_ends() {
    let output = Command::new(env!("CARGO_BIN_EXE_kai"))
        .env_clear()
        .args(["serve", "--listen", "127.0.0.1:0", "--input", "-"])
        .stdin(Stdio::null())
        .output()
        .expect("kai runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("--input -: the input is empty"), "{said}");
}

#[test]
fn new_reports_are_printed_with_i() {
    let mut service = Service::start(Path::new(DEMO), &["-i", "-o", "csv"]);
    let mut line = String::new();
    BufReader::new(service.child.stdout.take().expect("piped")).read_line(&mut line).expect("works");
    assert_eq!(line, "namespace,tag,repo_digest\n");
    service.signal("-INT");
    assert_eq!(service.wait(), 0);
}

#[test]
fn a_read_that_changed_nothing_is_printed_too() {
    let folder = tempfile::tempdir().expect("works");
    let dump = folder.path().join("dump.json");
    std::fs::copy(DEMO, &dump).expect("works");
    let mut service = Service::start(&dump, &["-i", "-o", "csv"]);
    let lines = BufReader::new(service.child.stdout.take().expect("piped")).lines();
    let (sender, titles) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let titles = lines.map_while(Result::ok).filter(|line| line == "namespace,tag,repo_digest");
        titles.for_each(|title| drop(sender.send(title)));
    });
    titles.recv_timeout(PATIENCE).expect("the first report");
    // The same content in another file.
    std::fs::copy(DEMO, folder.path().join("same.json")).expect("works");
    std::fs::rename(folder.path().join("same.json"), &dump).expect("works");
    titles.recv_timeout(PATIENCE).expect("the report of the second read");
    service.signal("-INT");
    assert_eq!(service.wait(), 0);
}

#[test]
fn an_address_that_is_taken_is_named_with_its_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("works");
    let address = taken.local_addr().expect("works").to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_kai"))
        .args(["serve", "--input", DEMO, "--listen", &address])
        .output()
        .expect("works");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("server.listen") && said.contains(&address), "{said}");
}

#[test]
fn a_stop_does_not_wait_for_a_credential_plugin() {
    let folder = tempfile::tempdir().expect("works");
    let kubeconfig = folder.path().join("kubeconfig");
    let text = "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
         clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n\
         users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: /bin/sh, args: ['-c', 'touch asked; sleep 30']}}}]\n";
    std::fs::write(&kubeconfig, text).expect("works");
    let mut child = Command::new(env!("CARGO_BIN_EXE_kai"))
        .env_clear()
        .current_dir(folder.path())
        .args(["serve", "--listen", "127.0.0.1:0", "-k"])
        .arg(&kubeconfig)
        .stderr(Stdio::null())
        .spawn()
        .expect("kai runs");
    let begun = Instant::now();
    while !folder.path().join("asked").exists() {
        assert!(begun.elapsed() < PATIENCE, "the plugin is never asked");
        std::thread::sleep(Duration::from_millis(20));
    }
    let stopped = Instant::now();
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill");
    let status = loop {
        if let Some(status) = child.try_wait().expect("works") {
            break status;
        }
        if stopped.elapsed() > Duration::from_secs(10) {
            child.kill().expect("works");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(0));
}
