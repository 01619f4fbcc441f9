//! kai as a process: the binary that this run built, with nothing of the ambient environment.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::http::{Answer, request};
use super::process::{Ended, ended_within, eventually, run};

/// A debug build on a busy machine.
const LIMIT: Duration = Duration::from_mins(2);
/// From one question to the next while something else is done.
const PAUSE: Duration = Duration::from_millis(100);

/// kai with its flags and variables, not started yet.
pub(crate) struct Kai {
    command: Command,
    home: TempDir,
}

impl Kai {
    /// With this kubeconfig.
    pub(crate) fn new(kubeconfig: &Path) -> Self {
        Self::bare().args(&["--kubeconfig", kubeconfig.to_str().expect("a path in UTF-8")])
    }

    /// With nothing that says which cluster is meant.
    pub(crate) fn bare() -> Self {
        Self::of(Command::new(env!("CARGO_BIN_EXE_kai")))
    }

    /// A command that ends in kai: whatever its arguments are, kai's own come behind them.
    pub(crate) fn of(mut command: Command) -> Self {
        let home = tempfile::tempdir().expect("a folder can be made");
        command.env_clear().env("HOME", home.path()).current_dir(home.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Self { command, home }
    }

    /// More arguments.
    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// A variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// A configuration file where kai looks for one.
    pub(crate) fn config(self, yaml: &str) -> Self {
        fs::write(self.home.path().join("kai.yaml"), yaml).expect("the configuration can be written");
        self
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn run(self) -> Ended {
        run(self.command, "", LIMIT)
    }

    /// Starts it in the background.
    pub(crate) fn start(mut self) -> Background {
        let log = fs::File::create(self.home.path().join("stderr")).expect("a log can be made");
        let out = fs::File::create(self.home.path().join("stdout")).expect("a file can be made");
        let child = self.command.stdin(Stdio::null()).stdout(out).stderr(log).spawn().expect("kai starts");
        Background { child, home: self.home }
    }

    /// Starts the service on a free port, polling every second, and waits until it listens.
    #[track_caller]
    pub(crate) fn serve(self) -> Service {
        let running = self.args(&["serve", "--listen", "127.0.0.1:0", "-p", "1"]).start();
        let address = eventually("address that kai listens on", LIMIT, || {
            let log = running.stderr();
            let behind = log.split("listening on http://").nth(1).and_then(|text| text.split_whitespace().next());
            behind.map(str::to_owned).ok_or(log)
        });
        Service { running, address }
    }
}

/// kai as it runs.
pub(crate) struct Background {
    child: Child,
    home: TempDir,
}

impl Background {
    /// What it has said so far.
    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(self.home.path().join("stderr")).unwrap_or_default()
    }

    /// Waits until it has ended by itself.
    #[track_caller]
    pub(crate) fn ended(mut self) -> Ended {
        let status = ended_within(&mut self.child, LIMIT);
        let stderr = self.stderr();
        let status = status.unwrap_or_else(|| panic!("kai took longer than {LIMIT:?}: {stderr}"));
        let stdout = fs::read_to_string(self.home.path().join("stdout")).unwrap_or_default();
        Ended { status, stdout, stderr }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// kai as a service; killed when the test ends.
pub(crate) struct Service {
    running: Background,
    address: String,
}

impl Service {
    /// Its log so far.
    pub(crate) fn log(&self) -> String {
        self.running.stderr()
    }

    /// Asks for `path`; panics when the service does not answer.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        request(&self.address, "GET", path, "").unwrap_or_else(|error| panic!("{error}; log: {}", self.log()))
    }

    /// Asks for `path` until `wanted` holds of the answer.
    #[track_caller]
    pub(crate) fn get_until(&self, path: &str, limit: Duration, wanted: impl Fn(&Answer) -> bool) -> Answer {
        eventually(&format!("such answer to GET {path}"), limit, || {
            let answer = self.get(path);
            if wanted(&answer) { Ok(answer) } else { Err(format!("{answer:?}; log: {}", self.log())) }
        })
    }

    /// Does `work`, and asks for `path` all the while: each answer must hold.
    #[track_caller]
    pub(crate) fn meanwhile(&self, path: &str, holds: impl Fn(&Answer) -> bool + Sync, work: impl FnOnce()) {
        /// However `work` ends, nobody asks on.
        struct Over<'a>(&'a AtomicBool);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    let answer = self.get(path);
                    assert!(holds(&answer), "{answer:?}; log: {}", self.log());
                    thread::sleep(PAUSE);
                }
            });
            let _over = Over(&is_over);
            work();
        });
    }

    /// Stops it, and waits until it has ended.
    #[track_caller]
    pub(crate) fn stop(self) -> Ended {
        let id = self.running.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().is_ok_and(|status| status.success()), "a signal");
        self.running.ended()
    }

    /// Waits until it is ready.
    #[track_caller]
    pub(crate) fn ready(self) -> Self {
        self.get_until("/readyz", Duration::from_mins(1), |answer| answer.status == 200);
        self
    }

    /// The generation that it serves.
    #[track_caller]
    pub(crate) fn generation(&self) -> u64 {
        let answer = self.get("/inventory");
        let generation = answer.header("Inventory-Generation").and_then(|value| value.parse().ok());
        generation.unwrap_or_else(|| panic!("a generation in {answer:?}"))
    }

    /// Polls that it has logged, whether they found a change or not.
    pub(crate) fn polls(&self) -> usize {
        self.log().matches("INFO inventory read").count()
    }

    /// Waits for a poll that began after this call: the second one from now, as one may be under way.
    #[track_caller]
    pub(crate) fn polled_again(&self, limit: Duration) {
        let wanted = self.polls() + 2;
        self.get_until("/livez", limit, |_| self.polls() >= wanted);
    }
}
