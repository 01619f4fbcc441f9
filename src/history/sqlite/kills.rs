//! What has been written is there when the process is killed at any moment.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::config::{HistorySettings, HistoryStore};
use crate::health::HistoryBoard;
use crate::history::{History, HistoryClock};
use crate::inventory::ImageRef;
use crate::metrics::Metrics;
use crate::snapshot::Workloads;

/// The child is this test binary again.
const CHILD: &str = "history::sqlite::kills::child";
const FILE: &str = "HISTORY_FILE";
const FIRST: &str = "HISTORY_FIRST";
/// Set: the child has the clock of the service, and says what it hands over.
const SLOW: &str = "HISTORY_SLOW";
/// As many times a child is killed; `make soak` has more.
const ROUNDS: u32 = 20;
const SOAK_ROUNDS: u32 = 200;

fn row(number: u64) -> Sighting {
    let at = Timestamp::now();
    let image = Arc::new(ImageRef::parse(&format!("x:{number}")));
    let key = SightingKey { namespace: "shop".into(), image, digest: None };
    Sighting {
        key,
        first: FirstSeen { at, is_exact: true },
        last: None,
        started_at: None,
        workloads: Workloads::default(),
    }
}

/// Writes rows one after another, and says how many of them stand in the file.
#[test]
#[ignore = "a child of what_is_written_is_there_after_a_kill"]
fn child() {
    let (Ok(file), Ok(first)) = (std::env::var(FILE), std::env::var(FIRST)) else { return };
    let store = HistoryStore::Sqlite(file.into());
    let settings = HistorySettings { store, retention_days: 400, max_rows: 10_000_000 };
    let is_slow = std::env::var_os(SLOW).is_some();
    let transitions = if is_slow { HistoryClock::default().transitions } else { Duration::from_millis(1) };
    let clock = HistoryClock { transitions, ..HistoryClock::default() };
    let board = HistoryBoard::default();
    let history =
        History::open(&settings, clock, Duration::from_mins(1), board.clone(), Metrics::default()).expect("a history");
    let mut number: u64 = first.parse().expect("a number");
    let (begun, mut out) = (Instant::now(), std::io::stdout());
    while begun.elapsed() < Duration::from_secs(20) {
        {
            let mut record = history.recorder().lock();
            record.pending.add(row(number));
            record.waiting_since.get_or_insert_with(Instant::now);
        }
        if is_slow {
            writeln!(out, "\nhanded {number}").expect("written");
            std::thread::sleep(Duration::from_millis(10));
        }
        number += 1;
        if let Some(state) = board.state() {
            // The first line is behind what the test harness has printed.
            writeln!(out, "\nrows {}", state.rows).expect("written");
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Starts the child, and gives the lines that it prints.
fn start(path: &Path, more: &[(&str, &str)]) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", CHILD, "--nocapture"])
        .env(FILE, path)
        .envs(more.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    (child, lines)
}

#[test]
fn with_the_clock_of_the_service_nothing_older_than_ten_seconds_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let (mut child, lines) = start(&path, &[(FIRST, "0"), (SLOW, "")]);
    let (begun, mut handed) = (Instant::now(), Vec::new());
    for number in lines.filter_map(|line| line.strip_prefix("handed ")?.parse::<u64>().ok()) {
        handed.push((number, Instant::now()));
        if begun.elapsed() > Duration::from_secs(13) {
            break;
        }
    }
    let killed = Instant::now();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut store = SqliteStore::open(&path).unwrap();
    let mut there = std::collections::BTreeSet::new();
    store.read(&Query::default(), &mut |row| there.extend([row.key.image.written().to_owned()])).unwrap();
    let old: Vec<_> = handed
        .iter()
        .filter(|(_, at)| killed.duration_since(*at) > Duration::from_secs(10))
        .map(|(row, _)| row)
        .collect();
    assert!(old.len() > 10, "{} rows in all", handed.len());
    assert_eq!(old.into_iter().find(|number| !there.contains(&format!("x:{number}"))), None);
}

#[test]
fn what_is_written_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let rounds = if std::env::var_os("KAI_SOAK").is_some() { SOAK_ROUNDS } else { ROUNDS };
    let mut written = 0;
    for round in 0..rounds {
        let (mut child, lines) = start(&path, &[(FIRST, &written.to_string())]);
        let mut rows = lines.filter_map(|line| line.strip_prefix("rows ")?.parse::<u64>().ok());
        // Each round at another moment.
        let life = Duration::from_millis(2 + u64::from(round * 37 % 60));
        let begun = rows.by_ref().find(|rows| *rows > written).map(|_| Instant::now()).expect("a first row");
        let mut said = written;
        for rows in rows.by_ref() {
            said = said.max(rows);
            if begun.elapsed() >= life {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        said = rows.fold(said, u64::max);
        let mut store = SqliteStore::open(&path).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let mut there = std::collections::BTreeSet::new();
        store
            .read(&Query::default(), &mut |row| {
                there.insert(row.key.image.written().to_owned());
            })
            .unwrap();
        assert!(there.len() as u64 >= said, "round {round}: {} of {said} rows", there.len());
        let missing = (0..said).find(|number| !there.contains(&format!("x:{number}")));
        assert_eq!(missing, None, "round {round}");
        let check: String = store.connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok", "round {round}");
        written = there.len() as u64;
    }
    assert!(written > u64::from(rounds), "{written}");
}
