//! The log of the running service: level and file change at SIGHUP, and what it says of a poll, of TLS and of a start
//! that cannot be.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::certificates::Identity;
use rstest::rstest;
use tempfile::TempDir;

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/demo-cluster.json");
const PATIENCE: Duration = Duration::from_secs(20);

/// kai in a folder of its own, where `kai.yaml` and the files that it names lie.
fn kai(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kai"));
    command.env_clear().env("HOME", folder).current_dir(folder).args(arguments);
    command
}

/// A running `kai serve` that logs to `kai.log`; ended when dropped.
struct Service {
    folder: TempDir,
    child: Child,
}

impl Service {
    /// With this `kai.yaml`, and these files besides.
    fn start(settings: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        fs::create_dir(folder.path().join("logs")).expect("folder");
        fs::copy(DEMO, folder.path().join("dump.json")).expect("copied");
        for (name, text) in files.iter().chain(&[("kai.yaml", settings)]) {
            fs::write(folder.path().join(name), text).expect("written");
        }
        let child = kai(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--input", "dump.json"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("kai runs");
        let service = Self { folder, child };
        service.wait_for("logs/kai.log", "inventory read");
        service
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits until a log file says this, and gives the line.
    fn wait_for(&self, file: &str, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let log = fs::read_to_string(self.path(file)).unwrap_or_default();
            if let Some(line) = log.lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "{file} never says {text}: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The address behind these words in the log.
    fn address(&self, words: &str) -> String {
        let line = self.wait_for("logs/kai.log", words);
        line.split_once(words).expect("found").1.trim().to_owned()
    }

    fn get(&self, path: &str) {
        get(&self.address("listening on http://"), path);
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().expect("kill");
        assert!(status.success());
    }

    fn stop(mut self) {
        self.signal("-TERM");
        let begun = Instant::now();
        while self.child.try_wait().expect("works").is_none() {
            assert!(begun.elapsed() < PATIENCE, "kai does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(self.child.wait().expect("works").code(), Some(0));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn get(address: &str, path: &str) {
    let mut stream = TcpStream::connect(address).expect("kai listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("works");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("works");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("works");
    assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
}

fn settings(level: &str) -> String {
    format!("log: {{level: {level}, file: logs/kai.log}}\n")
}

#[test]
fn sighup_reads_the_level_again_and_a_bad_one_changes_nothing() {
    let service = Service::start(&settings("info"), &[]);
    service.get("/livez?first");
    fs::write(service.path("kai.yaml"), settings("debug")).expect("written");
    service.signal("-HUP");
    service.wait_for("logs/kai.log", "SIGHUP received: log.level is debug");
    service.get("/healthz");
    let line = service.wait_for("logs/kai.log", "path=/healthz");
    for part in [" DEBUG ", "method=GET", "status=200", "duration_us=", "bytes=2", "request_id="] {
        assert!(line.contains(part), "{part}: {line}");
    }

    fs::write(service.path("kai.yaml"), settings("loud")).expect("written");
    service.signal("-HUP");
    let line = service.wait_for("logs/kai.log", "log.level stays as it is");
    assert!(line.contains(" WARN ") && line.contains("kai.yaml:1: log.level: \"loud\" is not valid"), "{line}");
    service.get("/readyz");
    service.wait_for("logs/kai.log", "path=/readyz");

    fs::write(service.path("kai.yaml"), settings("warn")).expect("written");
    service.signal("-HUP");
    // The line that would say so is above the level.
    let begun = Instant::now();
    for at in 0.. {
        let path = format!("/nothing-{at}");
        service.get(&path);
        std::thread::sleep(Duration::from_millis(300));
        if !fs::read_to_string(service.path("logs/kai.log")).expect("log").contains(&path) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the level does not change");
    }
    let log = fs::read_to_string(service.path("logs/kai.log")).expect("log");
    assert!(!log.contains("path=/livez"), "{log}");
    service.stop();
}

#[test]
fn sighup_opens_the_file_anew_after_it_was_renamed() {
    let service = Service::start(&settings("debug"), &[]);
    let (path, kept) = (service.path("logs/kai.log"), service.path("logs/kai.log.1"));
    let address = service.address("listening on http://");
    fs::rename(&path, &kept).expect("renamed");
    service.signal("-HUP");
    service.wait_for("logs/kai.log", "SIGHUP received: log.file is opened again");
    let before = fs::read_to_string(&kept).expect("log");
    get(&address, "/livez");
    service.wait_for("logs/kai.log", "path=/livez");
    assert_eq!(fs::read_to_string(&kept).expect("log"), before);
    assert!(before.contains("inventory read"), "{before}");

    // A folder that is gone: what is open stays.
    fs::rename(service.path("logs"), service.path("moved")).expect("renamed");
    service.signal("-HUP");
    let line = service.wait_for("moved/kai.log", "the file that was open stays in use");
    assert!(line.contains("log.file: ") && line.contains("logs/kai.log: No such file or directory"), "{line}");
}

#[test]
fn a_poll_says_in_one_line_what_has_changed() {
    let pod = |name: &str, image: &str| {
        format!(
            r#"{{"kind":"Pod","metadata":{{"name":"{name}","namespace":"shop"}},"spec":{{"containers":[{{"name":"c","image":"{image}"}}]}},"status":{{"phase":"Running"}}}}"#
        )
    };
    let service = Service::start(&settings("info"), &[]);
    let first = service.wait_for("logs/kai.log", "inventory read");
    assert!(first.contains("generation=1") && first.contains(r#"changes="read for the first time""#), "{first}");
    let replace = |pods: &[String]| {
        let new = service.path("new.json");
        fs::write(&new, format!(r#"{{"kind":"List","items":[{}]}}"#, pods.join(","))).expect("written");
        fs::rename(new, service.path("dump.json")).expect("renamed");
    };
    replace(&[pod("a", "nginx:1"), pod("b", "redis:7")]);
    service.wait_for("logs/kai.log", "generation=2");
    replace(&[pod("a", "nginx:2"), pod("b", "redis:7"), pod("c", "redis:7")]);
    let third = service.wait_for("logs/kai.log", "generation=3");
    let expected = r#"changes="pods +1 ~1; images +1 (nginx:2 in shop) -1 (nginx:1 in shop)""#;
    assert!(third.contains(" INFO ") && third.contains(expected), "{third}");
}

#[test]
fn tls_is_said_with_its_scheme_and_probed() {
    let identity = Identity::new("kai.example.com", 2999);
    let tls = "server: {probe-listen: '127.0.0.1:0', tls: {certificate: tls.crt, private-key: tls.key}}\n";
    let files = [("tls.crt", identity.certificate.as_str()), ("tls.key", identity.key.as_str())];
    let service = Service::start(&format!("{}{tls}", settings("trace")), &files);
    let (address, probes) = (service.address("listening on https://"), service.address("probes on http://"));
    let probe = |arguments: &[&str]| {
        // A system without authorities is no obstacle to an answer that nothing is checked of.
        let output = kai(service.folder.path(), &["probe"])
            .args(arguments)
            .env("SSL_CERT_FILE", "/nowhere/authorities")
            .env("SSL_CERT_DIR", "/nowhere/authorities")
            .output();
        let output = output.expect("kai runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for url in [format!("https://{address}/livez"), format!("http://{probes}/readyz")] {
        assert_eq!(probe(&[&url]), (Some(0), String::new()), "{url}");
    }
    let (status, said) = probe(&[&format!("http://{address}/livez")]);
    assert_eq!(status, Some(1), "{said}");
    let log = fs::read_to_string(service.path("logs/kai.log")).expect("log");
    let key: Vec<&str> = identity.key.lines().filter(|line| !line.starts_with("-----")).collect();
    assert!(key.iter().all(|line| !log.contains(line)), "the log shows the key");
    service.stop();
}

#[test]
fn a_probe_says_when_clients_must_show_a_certificate() {
    let identity = Identity::new("kai.example.com", 2999);
    let tls = "server: {tls: {certificate: tls.crt, private-key: tls.key, client-ca: ca.crt}}\n";
    let files = [
        ("tls.crt", identity.certificate.as_str()),
        ("tls.key", identity.key.as_str()),
        ("ca.crt", identity.authority.as_str()),
    ];
    let service = Service::start(&format!("{}{tls}", settings("info")), &files);
    service.wait_for("logs/kai.log", "set server.probe-listen");
    let url = format!("https://{}/livez", service.address("listening on https://"));
    let output = kai(service.folder.path(), &["probe", &url]).output().expect("kai runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("clients need a certificate there: probe the address of server.probe-listen"), "{said}");
}

/// 0.0.0.0 reaches this host, and is no name of it.
#[test]
fn a_probe_checks_the_certificate_of_every_other_host() {
    let (identity, other) = (Identity::new("0.0.0.0", 2999), Identity::new("0.0.0.0", 2999));
    let tls = "server: {allowed-hosts: [0.0.0.0], tls: {certificate: tls.crt, private-key: tls.key}}\n";
    let files = [
        ("tls.crt", identity.certificate.as_str()),
        ("tls.key", identity.key.as_str()),
        ("ca.crt", identity.authority.as_str()),
        ("other.crt", other.authority.as_str()),
    ];
    let service = Service::start(&format!("{}{tls}", settings("info")), &files);
    let url = format!("https://{}/livez", service.address("listening on https://").replace("127.0.0.1", "0.0.0.0"));
    let probe = |authorities: &str, arguments: &[&str]| {
        let mut command = kai(service.folder.path(), &["probe", &url]);
        command.args(arguments).env("SSL_CERT_FILE", authorities).env("SSL_CERT_DIR", "/nowhere");
        let output = command.output().expect("kai runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(probe("ca.crt", &[]), (Some(0), String::new()));
    for authorities in ["other.crt", "/nowhere"] {
        let (status, said) = probe(authorities, &[]);
        let advice = "trust its authority on this system (SSL_CERT_FILE), or pass --insecure";
        assert!(status == Some(1) && said.contains(&url) && said.contains(advice), "{said}");
        assert_eq!(probe(authorities, &["--insecure"]), (Some(0), String::new()));
    }
}

#[test]
fn a_probe_follows_a_redirect_to_no_other_address() {
    let service = Service::start(&settings("info"), &[]);
    let address = service.address("listening on http://");
    let probe = |url: &str| kai(service.folder.path(), &["probe", url]).output().expect("kai runs");
    assert_eq!(probe(&format!("http://{address}/")).status.code(), Some(0), "/ leads to /docs");

    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").expect("works");
    let url = format!("http://{}/", elsewhere.local_addr().expect("works"));
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = elsewhere.accept().expect("a probe");
        let _half = stream.read(&mut [0; 16]).expect("a request");
        let head = format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://{address}/livez\r\n");
        write!(stream, "{head}Content-Length: 0\r\nConnection: close\r\n\r\n").expect("works");
        // Until the probe closes: what it has not read would be lost with the connection.
        let _request = stream.read_to_end(&mut Vec::new());
    });
    let output = probe(&url);
    answering.join().expect("no panic");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("answered 307"), "{said}");
}

/// What kai says of a start that cannot be.
fn refused(settings: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("folder");
    fs::write(folder.path().join("kai.yaml"), settings).expect("written");
    kai(folder.path(), arguments).stdin(Stdio::null()).output().expect("kai runs")
}

#[rstest]
#[case::service(&["serve", "--listen", "127.0.0.1:0", "--input", DEMO])]
#[case::once(&["--input", DEMO])]
#[case::settings(&["config"])]
fn a_log_file_that_cannot_be_written_stops_the_start_with_its_name(#[case] arguments: &[&str]) {
    let output = refused("log: {file: /nonexistent/kai.log}\n", arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.starts_with("error: log.file: /nonexistent/kai.log: No such file or directory"), "{said}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_certificate_that_cannot_be_used_stops_the_start_with_its_key_and_path() {
    let tls = "server: {tls: {certificate: /nonexistent/tls.crt, private-key: /nonexistent/tls.key}}\n";
    let output = refused(tls, &["serve", "--listen", "127.0.0.1:0", "--input", DEMO]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    let expected = "error: server.tls.certificate (/nonexistent/tls.crt): it cannot be read: No such file or directory";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn an_address_of_the_probes_that_is_taken_is_named_with_its_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("works");
    let address = taken.local_addr().expect("works");
    let settings = format!("server: {{probe-listen: '{address}'}}\n");
    let output = refused(&settings, &["serve", "--listen", "127.0.0.1:0", "--input", DEMO]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("server.probe-listen: {address} cannot be listened on")), "{said}");
}
