//! One control plane of our own: started and stopped by the scripts of `tests/control-plane`.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::process::{ended_within, run};

/// Stopping takes about two seconds; an API server that waits for a client is killed after twenty.
const STOP_LIMIT: Duration = Duration::from_secs(90);

/// What a control plane is to have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// Pretended nodes; with any there are controllers and a scheduler too.
    pub(crate) nodes: u32,
    /// Flags of kube-apiserver.
    pub(crate) api_server_flags: &'static str,
    /// Every request to pods and namespaces is written down.
    pub(crate) audit: bool,
}

/// Which requests an audit log has: those for what kai reads.
const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n\
    - level: Metadata\n  verbs: [get, list]\n  resources: [{group: '', resources: [pods, namespaces]}]\n\
    - level: Metadata\n  nonResourceURLs: [/version]\n- level: None\n";

/// A running control plane. It ends when this process does.
pub(crate) struct ControlPlane {
    pub(crate) dir: PathBuf,
    held: Mutex<Option<(Child, ChildStdin)>>,
}

/// The folder of the scripts.
pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/control-plane")
}

/// The program `name` of the control plane's cache.
pub(crate) fn program(name: &str) -> PathBuf {
    let mut command = Command::new(scripts().join("build.sh"));
    command.arg("--where");
    Path::new(run(command, "", Duration::from_secs(30)).ended_with(0).stdout.trim()).join(name)
}

impl ControlPlane {
    /// Starts one in `dir`; the error is what the scripts said.
    pub(crate) fn start(dir: &Path, options: Options) -> Result<Self, String> {
        let Options { nodes, api_server_flags, audit } = options;
        let mut flags = api_server_flags.to_owned();
        if audit {
            fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
            let policy = dir.join("audit-policy.yaml");
            fs::write(&policy, AUDIT_POLICY).map_err(|error| format!("{}: {error}", policy.display()))?;
            let (policy, log) = (policy.display(), dir.join("audit.jsonl"));
            flags = format!("{flags} --audit-policy-file={policy} --audit-log-path={}", log.display());
        }
        let mut child = Command::new(scripts().join("hold.sh"))
            .arg(dir)
            .env("NODES", nodes.to_string())
            .env("API_SERVER_FLAGS", flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("hold.sh does not start: {error}"))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("hold.sh has no pipes".to_owned());
        };
        let mut line = String::new();
        // up.sh has deadlines for everything it waits for.
        let read = BufReader::new(stdout).read_line(&mut line);
        if read.is_err() || line.trim() != "ready" {
            drop(stdin);
            ended_within(&mut child, STOP_LIMIT);
            return Err(format!("no control plane in {}: see above and the logs in it", dir.display()));
        }
        Ok(Self { dir: dir.to_owned(), held: Mutex::new(Some((child, stdin))) })
    }

    /// Stops it and waits until all of it has ended.
    pub(crate) fn stop(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((mut child, stdin)) = held {
            drop(stdin);
            ended_within(&mut child, STOP_LIMIT);
        }
    }

    /// Sends `signal` (`KILL`, `TERM`) to `program` and waits until it has ended.
    pub(crate) fn end(&self, program: &str, signal: &str) {
        let pid = self.pid(program);
        assert!(kill(signal, &pid), "{program} ({pid}) runs");
        super::eventually(&format!("end of {program}"), Duration::from_secs(30), || {
            if kill("0", &pid) { Err(format!("{pid} runs")) } else { Ok(()) }
        });
    }

    /// Sends `signal` (`STOP`, `CONT`) to `program`.
    pub(crate) fn signal(&self, program: &str, signal: &str) {
        assert!(kill(signal, &self.pid(program)), "{program} runs");
    }

    /// Starts `program` once more, as it was started before.
    pub(crate) fn start_again(&self, program: &str) {
        run(Command::new(self.dir.join(format!("{program}.again"))), "", Duration::from_secs(10)).ended_with(0);
    }

    fn pid(&self, program: &str) -> String {
        let pids = fs::read_to_string(self.dir.join("pids")).expect("pids are written down");
        let newest = pids.lines().rev().find_map(|line| line.strip_suffix(program)?.strip_suffix(' '));
        newest.unwrap_or_else(|| panic!("{program} is not in {pids}")).to_owned()
    }
}

fn kill(signal: &str, pid: &str) -> bool {
    let mut command = Command::new("kill");
    command.args(["-s", signal, pid]);
    run(command, "", Duration::from_secs(5)).status.success()
}
