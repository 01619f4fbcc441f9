//! The program, run in a folder and an environment of its own. Whatever it writes is searched for secrets before a test sees it.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// Every password of these tests has this in it.
pub(crate) const SECRET: &str = "hunter2";
/// The sample cluster, as each [`Kai`] has it in its folder.
pub(crate) const DUMP: &str = "dump.json";
/// Where the log goes in tests that set `log.file`.
pub(crate) const LOG: &str = "kai.log";

/// No test waits longer than this for anything.
const PATIENCE: Duration = Duration::from_mins(1);

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/demo-cluster.json");

/// kai with settings and files of its own.
pub(crate) struct Kai {
    folder: TempDir,
    secrets: Vec<String>,
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Content of [`LOG`]; empty when there is none.
    pub(crate) log: String,
}

/// A running service. Killed when it is dropped; what it wrote is searched when it is [stopped](Self::stop).
pub(crate) struct Service<'k> {
    kai: &'k Kai,
    child: Child,
    address: String,
    stderr: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Kai {
    /// Settings as they stand in the file `kai.yaml`.
    pub(crate) fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(DUMP), std::fs::read(SAMPLE).unwrap()).unwrap();
        std::fs::write(folder.path().join("kai.yaml"), settings).unwrap();
        // As it is, and inside of what is encoded for basic authentication, wherever it begins there.
        let encoded = (0..3).map(|before| {
            let text = BASE64.encode([vec![0; before], SECRET.as_bytes().to_vec()].concat());
            text[[0, 2, 3][before]..text.len() - 1].to_owned()
        });
        let secrets = encoded.chain([SECRET.to_owned()]).collect();
        Self { folder, secrets }
    }

    /// Puts a file beside the settings.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Puts a key beside the settings, which shows nowhere.
    pub(crate) fn key(&mut self, name: &str, pem: &str) {
        self.file(name, pem);
        self.secrets.extend(pem.lines().filter(|line| !line.starts_with('-')).map(str::to_owned));
    }

    /// Runs it to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(&[], arguments).await
    }

    /// The same with variables.
    pub(crate) async fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
        let mut command = self.command(arguments);
        let ended = command.envs(variables.iter().copied()).stdin(Stdio::null()).output();
        let Output { status, stdout, stderr } = tokio::time::timeout(PATIENCE, ended).await.unwrap().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        self.searched(status.code().expect("no signal"), text(stdout), text(stderr))
    }

    /// Starts it as the service. Its settings are to have a port of its own (`server.listen: 127.0.0.1:0`).
    pub(crate) async fn serve(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Service<'_> {
        let mut command = self.command(&["serve"]);
        command.args(arguments).envs(variables.iter().copied()).stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let stderr = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&stderr);
        let reader = tokio::spawn(async move {
            while let Some(line) = lines.next_line().await.unwrap() {
                let mut written = written.lock().unwrap();
                written.push_str(&line);
                written.push('\n');
            }
        });
        let mut service = Service { kai: self, child, address: String::new(), stderr, reader };
        let said = service.wait_for("listening on http://").await;
        said.split_whitespace().next().unwrap().clone_into(&mut service.address);
        service
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kai"));
        command.env_clear().env("HOME", "/nonexistent").current_dir(self.folder.path()).kill_on_drop(true);
        command.args(arguments);
        command
    }

    fn searched(&self, status: i32, stdout: String, stderr: String) -> Ended {
        let log = std::fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default();
        for text in [&stdout, &stderr, &log] {
            self.search(text);
        }
        Ended { status, stdout, stderr, log }
    }

    /// Whether a secret is in the text.
    pub(crate) fn finds(&self, text: &str) -> bool {
        self.secrets.iter().any(|secret| text.contains(secret.as_str()))
    }

    /// Panics when a secret is in the text.
    fn search(&self, text: &str) {
        assert!(!self.finds(text), "a secret shows: {text}");
        assert!(!text.contains("panicked"), "{text}");
    }
}

impl Ended {
    /// The status, and everything that a person reads on the terminal beside the answer itself.
    #[track_caller]
    pub(crate) fn assert(&self, status: i32, said: &[&str]) {
        assert_eq!(self.status, status, "{}", self.stderr);
        for text in said {
            assert!(self.stderr.contains(text), "not said: {text}\n{}", self.stderr);
        }
    }

    /// What was printed.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

impl Service<'_> {
    /// Waits until this is written to standard error, and gives what stands behind it.
    pub(crate) async fn wait_for(&self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let written = self.written();
            // A line that ends: what stands behind the text is whole then.
            if let Some((_, rest)) = written.split_once(text)
                && rest.contains('\n')
            {
                return rest.to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "never said: {text}\n{written}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What was written to standard error so far.
    pub(crate) fn written(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Status and body of an answer.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        self.kai.search(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Waits until readiness, with all that is told of it, is so; gives it.
    pub(crate) async fn wait_until(&self, is_so: impl Fn(u16, &Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let (status, body) = self.get("/readyz?verbose").await;
            let body = serde_json::from_str(&body).unwrap();
            if is_so(status, &body) {
                return body;
            }
            assert!(begun.elapsed() < PATIENCE, "{status} {body:#}\n{}", self.written());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let id = self.child.id().expect("it runs").to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) async fn end(mut self) -> Ended {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        (&mut self.reader).await.unwrap();
        self.kai.searched(status.code().expect("no signal"), String::new(), self.written())
    }

    /// Stops it by SIGTERM.
    pub(crate) async fn stop(self) -> Ended {
        self.terminate();
        self.end().await
    }
}
