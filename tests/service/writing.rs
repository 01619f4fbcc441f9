//! What the service writes and nobody takes: a log that is not read, a full disk. It goes on, and ends when it should.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/demo-cluster.json");
const ONE_POD: &str = r#"{"kind":"PodList","items":[{"metadata":{"name":"a","namespace":"x"},"spec":{"containers":[{"name":"c","image":"nginx:1"}]}}]}"#;
const PATIENCE: Duration = Duration::from_secs(20);
/// More lines than a pipe and the queue behind it take.
const REQUESTS: usize = 3000;

/// A running `kai serve` whose standard error is read as far as the line with its address; ended when dropped.
struct Service {
    folder: TempDir,
    child: Child,
    stderr: BufReader<ChildStderr>,
    address: String,
}

impl Service {
    fn start(settings: &str, arguments: &[&str], stdout: Stdio) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        fs::copy(DEMO, folder.path().join("dump.json")).expect("copied");
        fs::write(folder.path().join("kai.yaml"), settings).expect("written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_kai"))
            .env_clear()
            .env("HOME", folder.path())
            .current_dir(folder.path())
            .args(["serve", "--listen", &free_address(), "--input", "dump.json"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .expect("kai runs");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        Self { folder, child, stderr, address: String::new() }
    }

    /// Reads standard error until a line says this.
    fn wait_for(&mut self, text: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.stderr.read_line(&mut line).expect("text");
            assert!(read > 0, "kai ended and never said {text}");
            if line.contains(text) {
                return line;
            }
        }
    }

    fn listening(mut self) -> Self {
        let line = self.wait_for("listening on http://");
        line.trim().rsplit("http://").next().expect("an address").clone_into(&mut self.address);
        self
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("kai listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("works");
        stream
    }

    /// Asks that often over one connection; every answer must come.
    fn get_often(&self, times: usize) {
        let mut stream = BufReader::new(self.connect());
        for _ in 0..times {
            stream.get_mut().write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
            let (mut line, mut length) = (String::new(), 0);
            while line != "\r\n" {
                line.clear();
                stream.read_line(&mut line).expect("a head");
                let value = line.to_ascii_lowercase().strip_prefix("content-length:").map(|value| value.trim().parse());
                length = value.map_or(length, |value| value.expect("a number"));
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).expect("a body");
            assert_eq!(body, b"ok");
        }
    }

    fn lost_lines(&self) -> u64 {
        let mut stream = self.connect();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("text");
        let value = text.lines().find_map(|line| line.strip_prefix("kai_log_lines_lost_total "));
        value.unwrap_or_else(|| panic!("no count in {text}")).parse().expect("a number")
    }

    fn stop(&mut self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill");
        assert!(status.success());
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

/// An address that was free a moment ago: where the log goes to a full disk, nothing says which one was taken.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

fn full() -> File {
    File::options().write(true).open(Path::new("/dev/full")).expect("Linux has it")
}

#[test]
fn a_log_that_nobody_reads_neither_stops_the_service_nor_its_end() {
    let mut service = Service::start("log: {level: debug}\n", &[], Stdio::null()).listening();
    service.get_often(REQUESTS);
    assert!(service.lost_lines() > 0, "the pipe took everything: more requests are needed");
    service.stop();
}

#[test]
fn lines_that_were_lost_are_told_once_the_log_is_read_again() {
    let mut service = Service::start("log: {level: debug}\n", &[], Stdio::null()).listening();
    service.get_often(REQUESTS);
    let line = service.wait_for("log lines are lost: standard error took them too slowly");
    assert!(line.contains(" WARN "), "{line}");
    service.stop();
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_the_log_file_is_told_once_and_counted() {
    let mut service = Service::start("log: {level: debug, file: /dev/full}\n", &[], Stdio::null());
    let line = service.wait_for("log.file cannot be written");
    assert!(line.starts_with("WARN ") && line.contains("No space left"), "{line}");
    let arguments = fs::read(format!("/proc/{}/cmdline", service.child.id())).expect("arguments");
    let arguments = String::from_utf8(arguments).expect("text");
    arguments
        .split('\0')
        .find(|word| word.starts_with("127.0.0.1:"))
        .expect("an address")
        .clone_into(&mut service.address);
    let begun = Instant::now();
    while TcpStream::connect(&service.address).is_err() {
        assert!(begun.elapsed() < PATIENCE, "kai never listens");
        std::thread::sleep(Duration::from_millis(20));
    }
    service.get_often(10);
    assert!(service.lost_lines() >= 10);
    service.stop();
    let mut rest = String::new();
    service.stderr.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "", "once is enough");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_loses_reports_and_not_the_service() {
    let mut service = Service::start("", &["--verbose-inventory-reports"], full().into()).listening();
    let line = service.wait_for("a report could not be written to standard output: No space left");
    assert!(line.contains(" WARN ") && line.contains("the service goes on"), "{line}");
    fs::write(service.folder.path().join("dump.json"), ONE_POD).expect("written");
    service.wait_for("inventory read");
    service.get_often(1);
    service.stop();
    let mut rest = String::new();
    service.stderr.read_to_string(&mut rest).expect("text");
    assert!(!rest.contains("could not be written") && rest.contains("stopped"), "{rest}");
}
