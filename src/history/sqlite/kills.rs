//! What has been written is there when the process is killed at any moment.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
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
    let clock = HistoryClock { transitions: Duration::from_millis(1), ..HistoryClock::default() };
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
        number += 1;
        if let Some(state) = board.state() {
            // The first line is behind what the test harness has printed.
            writeln!(out, "\nrows {}", state.rows).expect("written");
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

#[test]
fn what_is_written_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let rounds = if std::env::var_os("KAI_SOAK").is_some() { SOAK_ROUNDS } else { ROUNDS };
    let mut written = 0;
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", CHILD, "--nocapture"])
            .envs([(FILE, path.to_str().unwrap()), (FIRST, &written.to_string())])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
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
