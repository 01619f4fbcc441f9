//! Running a program to its end, and waiting for something: never longer than was said.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often something that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(25);

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The exit status, or -1 when a signal ended it.
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// Panics with what the program said when it ended otherwise.
    #[track_caller]
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "exit status; stderr: {}\nstdout: {:.2000}", self.stderr, self.stdout);
        self
    }
}

/// Runs `command` with `input` on its standard input. Panics when it takes longer than `limit`; it is killed then.
#[track_caller]
pub(crate) fn run(mut command: Command, input: &str, limit: Duration) -> Ended {
    // Files, not pipes: nobody need read them while the program runs.
    let (mut stdout, mut stderr) = (temporary(), temporary());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(stdout.try_clone().expect("a second handle"))
        .stderr(stderr.try_clone().expect("a second handle"))
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    // A program that ends before it has read everything has its reasons, and says them on stderr.
    drop(stdin.write_all(input.as_bytes()));
    drop(stdin);
    let status = ended_within(&mut child, limit);
    let (stdout, stderr) = (contents(&mut stdout), contents(&mut stderr));
    let status = status.unwrap_or_else(|| panic!("{command:?} took longer than {limit:?}; stderr: {stderr}"));
    Ended { status, stdout, stderr }
}

/// Waits for `child`, and kills it when it takes longer than `limit` (then `None`).
pub(crate) fn ended_within(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => sleep(LOOK),
            _ => {
                drop(child.kill());
                drop(child.wait());
                return None;
            }
        }
    }
}

/// Waits until `look` gives something. Panics after `limit` with `what` was waited for and what `look` said last.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        match look() {
            Ok(found) => return found,
            Err(last) => assert!(Instant::now() < deadline, "no {what} within {limit:?}; last: {last}"),
        }
        sleep(LOOK);
    }
}

fn temporary() -> File {
    tempfile::tempfile().expect("a temporary file")
}

fn contents(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("the output can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}
