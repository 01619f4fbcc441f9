//! Takes reports as Anchore Enterprise 5.11 does, and tells of each request what it brought:
//! `receiver [ADDRESS (127.0.0.1:8228)] [--body]`, until Ctrl-C.
//!
//! For a look at what kai sends, without an Anchore. It keeps nothing, checks nobody's password, and is no server for
//! anything but this machine.

#[path = "../certificates.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod certificates;
#[path = "mod.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod fake_anchore;

use std::io::Write;
use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;

use fake_anchore::scenario::{On, Reply, Scenario};
use fake_anchore::server::{FakeAnchore, Received};
use serde_json::Value;

const USAGE: &str = "usage: receiver [ADDRESS (127.0.0.1:8228)] [--body]";
/// How long a request waits at most until it is told.
const TELL_EVERY: Duration = Duration::from_millis(20);
/// What is counted: the lists of the one form and of the other.
const LISTS: [&str; 4] = ["namespaces", "pods", "containers", "results"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (bodies, addresses): (Vec<&String>, Vec<_>) = arguments.iter().partition(|argument| *argument == "--body");
    let result = match addresses.as_slice() {
        [] => run("127.0.0.1:8228", !bodies.is_empty()),
        [address] if !address.starts_with('-') => run(address, !bodies.is_empty()),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _unread = writeln!(std::io::stderr(), "receiver: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(address: &str, with_body: bool) -> Result<(), String> {
    let listener = TcpListener::bind(address).map_err(|error| format!("{address}: {error}\n{USAGE}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        // What an older kai and other programs send is taken too.
        let scenario = Scenario::v2_with_integrations().reply(On::Path("/v1/enterprise/"), Reply::Created);
        let anchore = FakeAnchore::start_on(listener, scenario);
        tell(&format!("receiving on {}: set anchore.url to it (Ctrl-C ends this)", anchore.url()))?;
        loop {
            let stopped = tokio::select! {
                stopped = tokio::signal::ctrl_c() => Some(stopped),
                () = tokio::time::sleep(TELL_EVERY) => None,
            };
            for received in anchore.take() {
                tell(&line(&received))?;
                if with_body {
                    tell(&String::from_utf8_lossy(&received.body))?;
                }
            }
            if let Some(stopped) = stopped {
                return stopped.map_err(|error| error.to_string());
            }
        }
    })
}

/// One line of what arrived. What somebody else has written in it is escaped.
fn line(received: &Received) -> String {
    let Received { method, path, body, account, user, .. } = received;
    let named = |value: &Option<String>| value.as_deref().unwrap_or("-").escape_debug().to_string();
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let count = |list: &&str| json[*list].as_array().map(|entries| format!(" {list}={}", entries.len()));
    let counts: String = LISTS.iter().filter_map(count).collect();
    let path = path.escape_debug();
    format!("{method} {path} account={} user={}{counts} bytes={}", named(account), named(user), body.len())
}

fn tell(text: &str) -> Result<(), String> {
    writeln!(std::io::stdout(), "{text}").map_err(|error| format!("standard output could not be written: {error}"))
}
