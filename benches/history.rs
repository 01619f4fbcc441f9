//! A history of 200,000 rows in a file: its size, what a start, a write and a question take, and the memory beside a process that has none.
//! The baseline of each time is what SQLite takes for the least that could be done: reading every row of a table, one commit of one row.

use std::fs;
use std::hint::black_box;
use std::io::{Write as _, stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kai::history::{Batch, Limits, Query, SqliteStore, Store};
use kai::inventory::{Digest, ImageRef};
use kai::snapshot::{FirstSeen, Past, Period, Sighting, SightingKey, Workloads};

const IMAGES: u32 = 20_000;
const NAMESPACES: u32 = 1_000;
const ROWS: u32 = 200_000;
/// Rows that come and go at once.
const TRANSITIONS: u32 = 1_000;
const ROUNDS: usize = 15;
const START: i64 = 1_760_000_000;

/// Prints a line for people.
macro_rules! say {
    ($($words:tt)*) => { drop(writeln!(stdout(), $($words)*)) };
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn digest(number: u32) -> Digest {
    // Spread, as digests are.
    let spread = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Digest::parse(&format!("sha256:{spread:016x}{number:048x}")).expect("a digest")
}

/// Row `number`: an image in one of its ten namespaces.
fn row(number: u32) -> Sighting {
    let (image, place) = (number % IMAGES, number / IMAGES);
    let reference = format!("registry.example.com/team-{}/service-{image}:1.{}", image % 100, image % 37);
    let namespace = format!("namespace-{}", (image * 7 + place * 101) % NAMESPACES);
    let key = SightingKey {
        namespace: namespace.into(),
        image: Arc::new(ImageRef::parse(&reference)),
        digest: Some(digest(image)),
    };
    let mut workloads = Workloads::default();
    workloads.add(&format!("Deployment/service-{image}"));
    let first = FirstSeen { at: time(START + i64::from(number)), is_exact: true };
    let last = number.is_multiple_of(3).then(|| time(START + i64::from(number) + 86_400));
    Sighting { key, first, last, started_at: Some(START + i64::from(number)), workloads }
}

fn fill(path: &Path) -> u64 {
    let mut store = SqliteStore::open(path).expect("a store");
    for begin in (0..ROWS).step_by(10_000) {
        let rows: Vec<_> = (begin..begin + 10_000).map(row).collect();
        store.write(&Batch { sightings: &rows, periods: &[] }).expect("written");
    }
    let period = Period { start: time(START), end: time(START + i64::from(ROWS)), missing: Vec::new(), ended: None };
    store.write(&Batch { sightings: &[], periods: &[period] }).expect("written");
    store.rows().expect("a number")
}

/// The median, and the slowest.
fn measured(mut work: impl FnMut(usize)) -> [Duration; 2] {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|round| {
            let begun = Instant::now();
            work(round);
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    [times[ROUNDS / 2], times[ROUNDS - 1]]
}

fn print(what: &str, [median, slowest]: [Duration; 2], bar: u32) {
    say!("{what}: median {:.2} ms, slowest {:.2} ms (bar {bar} ms)", ms(median), ms(slowest));
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Resident, in MiB.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim_end_matches("kB").trim().parse::<f64>().expect("a number") / 1024.0
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "figures for people, and few rounds")]
fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.db");
    if let Ok(given) = std::env::var("HISTORY_BENCH_FILE") {
        // The child: what a process has more for a history of that size.
        return memory(Path::new(&given));
    }
    let rows = fill(&path);
    let mib = fs::metadata(&path).expect("a file").len() as f64 / 1_048_576.0;
    say!("{rows} rows: {mib:.1} MiB (bar 20 MiB), {:.0} bytes a row", mib * 1_048_576.0 / rows as f64);

    print("start: open and read all first times", measured(|_| drop(black_box(opened(&path)))), 300);
    let mut store = SqliteStore::open(&path).expect("a store");
    let one = measured(|round| {
        store.write(&Batch { sightings: &[row(round as u32)], periods: &[] }).expect("written");
    });
    print("one row committed: the baseline", one, 100);
    let many = measured(|round| {
        let begin = round as u32 * TRANSITIONS;
        let rows: Vec<_> = (begin..begin + TRANSITIONS).map(row).collect();
        store.write(&Batch { sightings: &rows, periods: &[] }).expect("written");
    });
    print("1,000 transitions committed", many, 100);
    say!("  {:.1} times one row", many[0].as_secs_f64() / one[0].as_secs_f64());
    let found = |query: &Query, store: &mut SqliteStore| {
        let mut found = 0;
        store.read(query, &mut |row| found += usize::from(black_box(row).key.digest.is_some())).expect("read");
        found
    };
    let lookup = measured(|round| {
        let digests = vec![digest(round as u32 * 13).as_str()[..23].to_owned()];
        assert_eq!(found(&Query { digests, ..Query::default() }, &mut store), 10);
    });
    print("a digest looked up", lookup, 1);
    let whole = measured(|_| assert_eq!(found(&Query::default(), &mut store), ROWS as usize));
    print("every row read, as a window of all time does", whole, 1_000);
    let pruned = measured(|_| {
        let limits = Limits { retention_days: 100_000, max_rows: 500_000 };
        assert!(store.prune(limits, time(START)).expect("pruned").is_empty());
    });
    print("nothing to drop, every five minutes", pruned, 100);
    drop(store);

    let me = std::env::current_exe().expect("a path");
    let child = std::process::Command::new(me).env("HISTORY_BENCH_FILE", &path).output().expect("a child");
    say!("{}", String::from_utf8_lossy(&child.stdout).trim_end());

    let mut store = SqliteStore::open(&path).expect("a store");
    // What a flood leaves, and the whole of what is too old at once.
    for max_rows in [u64::from(ROWS) - 1_000, u64::from(ROWS) / 2] {
        let begun = Instant::now();
        let gone = store.prune(Limits { retention_days: 100_000, max_rows }, time(START)).expect("pruned").len();
        say!("{gone} rows dropped, once: {:.1} ms", ms(begun.elapsed()));
    }
}

fn opened(path: &Path) -> (SqliteStore, Past) {
    let mut store = SqliteStore::open(path).expect("a store");
    let mut past = Past::default();
    store
        .load(&mut |key, first| {
            past.insert(&key, first);
        })
        .expect("loaded");
    (store, past)
}

fn memory(path: &Path) {
    let before = resident();
    let kept = opened(path);
    let after = resident();
    say!(
        "memory: {before:.1} MiB before, {after:.1} MiB with the history: {:.1} MiB more (bar 15 MiB)",
        after - before
    );
    assert!(!kept.1.is_empty());
}
