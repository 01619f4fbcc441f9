//! What every store does alike, and what becomes of a history when its file fails.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rstest::rstest;

use super::keeper::HistoryClock;
use super::memory::MemoryStore;
use super::pending::Pending;
use super::postgres::server;
use super::*;
use crate::config::{HistorySettings, HistoryStore};
use crate::health::{HistoryBoard, HistoryState};
use crate::inventory::{Digest, ImageRef, NamespaceSelection};
use crate::metrics::Metrics;
use crate::snapshot::{FirstSeen, Period, PodIndex, Sighting, SightingKey, Workloads};
use crate::testing::{cluster, container, pod_of};

pub(super) const DIGEST: &str = "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628";
pub(super) const OTHER: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const LIMITS: Limits = Limits { retention_days: 400, max_rows: 1_000 };

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(super) fn key(namespace: &str, image: &str, digest: Option<&str>) -> SightingKey {
    let digest = digest.map(|digest| Digest::parse(digest).unwrap());
    SightingKey { namespace: namespace.into(), image: Arc::new(ImageRef::parse(image)), digest }
}

pub(super) fn row(key: SightingKey, first: i64, last: Option<i64>) -> Sighting {
    let first = FirstSeen { at: at(first), is_exact: true };
    Sighting { key, first, last: last.map(at), started_at: None, workloads: Workloads::default() }
}

pub(super) fn period(start: i64, end: i64, ended: Option<&str>) -> Period {
    Period { start: at(start), end: at(end), missing: vec!["ops".into()], ended: ended.map(Box::from) }
}

pub(super) fn all(store: &mut dyn Store, query: &Query) -> Vec<Sighting> {
    let mut rows = Vec::new();
    store.read(query, &mut |row| rows.push(row)).unwrap();
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    rows
}

fn images(store: &mut dyn Store, query: &Query) -> Vec<String> {
    all(store, query).iter().map(|row| row.key.image.written().to_owned()).collect()
}

pub(super) fn write(store: &mut dyn Store, sightings: &[Sighting], periods: &[Period]) {
    store.write(&Batch { sightings, periods }).unwrap();
}

/// A store of each kind; the folder of a file goes with its guard. `None`: PostgreSQL is not installed.
fn store(kind: &str) -> Option<(Box<dyn Store>, Option<tempfile::TempDir>)> {
    match kind {
        "memory" => Some((Box::new(MemoryStore::default()), None)),
        "sqlite" => {
            let folder = tempfile::tempdir().unwrap();
            Some((Box::new(SqliteStore::open(&folder.path().join("history.db")).unwrap()), Some(folder)))
        }
        _ => {
            let server = server::shared()?;
            let settings = server.settings(&server.database());
            Some((Box::new(PostgresStore::open(&settings, "uid-1", Duration::ZERO).unwrap()), None))
        }
    }
}

#[rstest]
fn rows_of_one_image_are_merged(#[values("memory", "sqlite", "postgres")] kind: &str) {
    let Some((mut store, _folder)) = store(kind) else { return };
    let store = &mut *store;
    let nginx = key("shop", "nginx:1", Some(DIGEST));
    let mut first = row(nginx.clone(), 100, None);
    first.workloads.add("Deployment/a");
    first.started_at = Some(99);
    write(store, &[first], &[]);
    let mut second = row(nginx.clone(), 150, Some(200));
    second.workloads.add("Deployment/b");
    second.started_at = Some(120);
    write(store, &[second, row(key("shop", "redis:7", None), 160, None)], &[]);
    let rows = all(store, &Query::default());
    let [of_nginx, of_redis] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((of_nginx.first.at, of_nginx.last, of_nginx.started_at), (at(100), Some(at(200)), Some(99)));
    assert_eq!(of_nginx.workloads.names, ["Deployment/a".into(), "Deployment/b".into()]);
    assert_eq!((of_redis.key.digest.as_ref(), of_redis.last), (None, None));
    assert_eq!(store.rows().unwrap(), 2);
}

#[rstest]
fn a_window_has_what_was_there_at_some_time_of_it(#[values("memory", "sqlite", "postgres")] kind: &str) {
    let Some((mut store, _folder)) = store(kind) else { return };
    let store = &mut *store;
    write(
        store,
        &[
            row(key("shop", "a:1", Some(DIGEST)), 100, Some(200)),
            row(key("shop", "b:1", Some(OTHER)), 150, None),
            row(key("ops", "c:1", None), 300, Some(300)),
        ],
        &[],
    );
    let window = |since: Option<i64>, until: Option<i64>| Query {
        since: since.map(at),
        until: until.map(at),
        ..Query::default()
    };
    for (since, until, expected) in [
        (None, None, vec!["a:1", "b:1", "c:1"]),
        (Some(201), None, vec!["b:1", "c:1"]),
        (Some(200), None, vec!["a:1", "b:1", "c:1"]),
        (None, Some(120), vec!["a:1"]),
        (Some(301), Some(400), vec!["b:1"]),
        (Some(300), Some(300), vec!["b:1", "c:1"]),
    ] {
        let mut found = images(store, &window(since, until));
        found.sort();
        assert_eq!(found, expected, "{since:?} {until:?}");
    }
    let of = |digest: &str| Query { digests: vec![digest.to_owned()], ..Query::default() };
    assert_eq!(images(store, &of(&DIGEST[..19])), ["a:1"]);
    assert_eq!(images(store, &of(DIGEST)), ["a:1"]);
    assert_eq!(images(store, &of("sha256:111111111111")), ["b:1"]);
    assert!(images(store, &of("sha256:2")).is_empty());
    let of_b = Query { image: Some(Box::new(|image| image.repository() == Some("library/b"))), ..Query::default() };
    assert_eq!(images(store, &of_b), ["b:1"]);
}

#[rstest]
fn what_is_too_old_goes_and_then_what_was_not_seen_for_longest(#[values("memory", "sqlite", "postgres")] kind: &str) {
    let Some((mut store, _folder)) = store(kind) else { return };
    let store = &mut *store;
    let day = 86_400;
    let rows = [
        row(key("shop", "old:1", None), 0, Some(10)),
        row(key("shop", "a:1", None), day, Some(day + 5)),
        row(key("shop", "b:1", None), 2 * day, Some(2 * day)),
        row(key("shop", "there:1", None), 0, None),
    ];
    write(store, &rows, &[period(0, 5, Some("x")), period(day, 3 * day, None)]);
    let now = at(2 * day + 11);
    let limits = Limits { retention_days: 2, max_rows: 2 };
    let mut gone: Vec<_> = store.prune(limits, now).unwrap().iter().map(|key| key.image.written().to_owned()).collect();
    gone.sort();
    assert_eq!(gone, ["a:1", "old:1"]);
    assert_eq!(images(store, &Query::default()), ["b:1", "there:1"]);
    assert_eq!(store.dropped().unwrap(), Dropped { rows: 1, until: Some(at(day + 5)) }, "age drops nothing too early");
    assert_eq!(store.periods().unwrap(), [period(day, 3 * day, None)]);
    assert_eq!(store.prune(LIMITS, now).unwrap(), []);
}

#[rstest]
fn what_was_lost_counts_as_dropped(#[values("memory", "sqlite", "postgres")] kind: &str) {
    let Some((mut store, _folder)) = store(kind) else { return };
    store.lose(Dropped { rows: 3, until: Some(at(50)) }).unwrap();
    store.lose(Dropped { rows: 1, until: Some(at(40)) }).unwrap();
    assert_eq!(store.dropped().unwrap(), Dropped { rows: 4, until: Some(at(50)) });
}

#[test]
fn a_file_that_nobody_closed_says_what_was_seen_until_its_last_period() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut store = SqliteStore::open(&path).unwrap();
    let there = row(key("shop", "a:1", Some(DIGEST)), 100, None);
    write(&mut store, &[there, row(key("shop", "b:1", None), 100, Some(120))], &[period(90, 500, None)]);
    drop(store);
    let mut store = SqliteStore::open(&path).unwrap();
    let mut known = Vec::new();
    let periods = store.load(&mut |key, first| known.push((key.image.written().to_owned(), first.at))).unwrap();
    known.sort();
    assert_eq!(
        (known, periods),
        (vec![("a:1".to_owned(), at(100)), ("b:1".to_owned(), at(100))], vec![period(90, 500, None)])
    );
    let last: Vec<_> = all(&mut store, &Query::default()).iter().map(|row| row.last).collect();
    assert_eq!(last, [Some(at(500)), Some(at(120))]);
}

#[test]
fn one_process_has_a_file_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let _first = SqliteStore::open(&path).unwrap();
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::InUse { .. })));
}

#[rstest]
#[case::garbage(true)]
#[case::of_something_else(false)]
fn a_file_that_is_no_history_is_broken(#[case] is_garbage: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    if is_garbage {
        fs::write(&path, "this is no database, and has never been one, however long it is looked at").unwrap();
    } else {
        rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
    }
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Broken { .. })));
    let aside = SqliteStore::put_aside(&path, at(0)).unwrap();
    assert_eq!(aside.file_name().unwrap(), "history.db.broken-19700101T000000Z");
    assert!(aside.exists() && SqliteStore::open(&path).is_ok());
}

#[test]
fn a_file_of_a_newer_kai_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    drop(SqliteStore::open(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(error.to_string().ends_with("it is of version 99, and this kai knows up to 1"), "{error}");
}

/// A clock that does not wait.
pub(super) const FAST: HistoryClock = HistoryClock {
    transitions: Duration::from_millis(10),
    others: Duration::from_millis(50),
    retry: Duration::from_millis(20),
    start: Duration::from_secs(5),
};

pub(crate) struct Kept {
    pub(crate) history: History,
    pub(super) board: HistoryBoard,
    pub(crate) index: PodIndex,
}

impl Kept {
    pub(crate) fn open(store: HistoryStore) -> Self {
        Self::with_clock(store, FAST)
    }

    pub(super) fn with_clock(store: HistoryStore, clock: HistoryClock) -> Self {
        let settings = HistorySettings { store, retention_days: 400, max_rows: 1_000 };
        let board = HistoryBoard::default();
        let history =
            History::open(&settings, clock, Duration::from_mins(1), board.clone(), Metrics::default()).unwrap();
        let mut index = PodIndex::new("demo", NamespaceSelection::default());
        history.recorder().exchange(&mut index);
        Self { history, board, index }
    }

    pub(super) fn sqlite(path: &Path) -> Self {
        Self::open(HistoryStore::Sqlite(path.to_owned()))
    }

    /// Lists a cluster with one pod of each image.
    pub(crate) fn list(&mut self, images: &[&str]) {
        self.list_at("2026-11-24T09:30:00Z", images);
    }

    pub(crate) fn list_at(&mut self, time: &str, images: &[&str]) {
        let pods = images.iter().enumerate().map(|(number, image)| {
            pod_of("shop", &format!("pod-{number}"), [container("main", image, &format!("x@{DIGEST}"))])
        });
        let snapshot = cluster().at(time).namespace("shop").with(pods).relist_into(&mut self.index);
        self.history.recorder().exchange(&mut self.index);
        self.history.recorder().listed(&snapshot, snapshot.observed_at());
    }

    pub(crate) fn first_seen(&self, image: &str) -> Option<Timestamp> {
        let digest = Digest::parse(DIGEST);
        let part = self.index.snapshot()?.namespace("shop")?;
        Some(part.first_seen(&ImageRef::parse(image), digest.as_ref())?.at)
    }

    pub(crate) fn wait(&self, what: &str, is_so: impl Fn(&HistoryState) -> bool) -> HistoryState {
        for _ in 0..500 {
            match self.board.state() {
                Some(state) if is_so(&state) => return state,
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
        }
        panic!("{what}: {:?}", self.board.state());
    }
}

#[test]
fn what_was_seen_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut first = Kept::sqlite(&path);
    first.list(&["nginx:1", "redis:7"]);
    let seen = first.first_seen("nginx:1").unwrap();
    first.wait("written", |state| (state.store, state.rows, state.queue) == ("sqlite", 2, 0));
    first.list(&["nginx:1"]);
    first.history.stop();
    let mut second = Kept::sqlite(&path);
    assert_eq!(second.wait("read", |_| true).rows, 2);
    second.list_at("2026-11-24T10:00:00Z", &["nginx:1"]);
    assert_eq!(second.first_seen("nginx:1"), Some(seen));
    second.history.stop();
    let mut store = SqliteStore::open(&path).unwrap();
    let periods = store.periods().unwrap();
    assert_eq!(periods.iter().map(|period| period.ended.as_deref()).collect::<Vec<_>>(), [Some("kai was stopped"); 2]);
}

#[test]
fn memory_serves_until_a_file_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut first = Kept::sqlite(&path);
    first.list(&["nginx:1"]);
    let seen = first.first_seen("nginx:1").unwrap();
    let mut second = Kept::sqlite(&path);
    second.list(&["nginx:1", "redis:7"]);
    let state = second.wait("in memory", |state| state.store == "memory");
    assert!(state.problem.unwrap().contains("is in use by another process"));
    first.history.stop();
    second.wait("taken over", |state| (state.store, state.rows, &state.problem) == ("sqlite", 2, &None));
    assert!(second.history.recorder().exchange(&mut second.index), "the file knows more");
    second.index.publish();
    assert_eq!(second.first_seen("nginx:1"), Some(seen));
    second.history.stop();
}

#[rstest]
#[case::garbage(false)]
#[case::newer(true)]
fn a_broken_file_is_put_aside_and_never_deleted(#[case] is_newer: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    if is_newer {
        drop(SqliteStore::open(&path).unwrap());
        rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    } else {
        fs::write(&path, vec![7; 8_192]).unwrap();
    }
    let before = fs::read(&path).unwrap();
    let mut kept = Kept::sqlite(&path);
    kept.list(&["nginx:1"]);
    let state = kept.wait("anew", |state| (state.store, state.rows) == ("sqlite", 1));
    assert_eq!((state.problem, fs::read(state.put_aside.unwrap()).unwrap()), (None, before));
    kept.history.stop();
}

#[test]
fn a_folder_that_is_not_there_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/history.db");
    let mut kept = Kept::sqlite(&path);
    kept.list(&["nginx:1"]);
    let state = kept.wait("in memory", |state| state.store == "memory");
    assert!(state.problem.unwrap().starts_with("history.path: "));
    fs::create_dir(path.parent().unwrap()).unwrap();
    kept.wait("in the file", |state| (state.store, state.rows) == ("sqlite", 1));
    kept.history.stop();
}

#[tokio::test]
async fn questions_see_what_is_not_written_yet() {
    let mut kept = Kept::open(HistoryStore::Memory);
    kept.list(&["nginx:1"]);
    let reader = kept.history.reader();
    let answer = reader.ask(|kept| {
        let mut found = Vec::new();
        kept.read(&Query::default(), |row| found.push(row.key.image.written().to_owned()))?;
        Ok((found, kept.periods()?.len()))
    });
    let (found, periods) = answer.await.unwrap();
    assert_eq!((found.len(), periods), (1, 1));
    kept.history.stop();
    assert!(matches!(reader.ask(|_| Ok(())).await, Err(Unreadable::Closed)));
}

#[test]
fn a_reference_that_got_its_digest_at_once_has_one_row() {
    let mut pending = Pending::default();
    let (bare, whole) = (key("shop", "nginx:1", None), key("shop", "nginx:1", Some(DIGEST)));
    pending.add(row(bare.clone(), 100, None));
    pending.add(row(bare.clone(), 100, Some(102)));
    pending.add(row(whole.clone(), 102, None));
    assert!(pending.take().iter().map(|row| &row.key).eq([&whole]));
    pending.add(row(bare.clone(), 90, Some(102)));
    pending.add(row(whole, 102, None));
    assert_eq!(pending.take().len(), 2, "the store knows the reference without its digest");
}

#[test]
fn what_could_not_be_written_is_merged_with_what_came_since() {
    let mut pending = Pending::default();
    let nginx = key("shop", "nginx:1", Some(DIGEST));
    pending.add(row(nginx.clone(), 100, None));
    let taken = pending.take();
    pending.add(row(nginx, 100, Some(105)));
    pending.restore(taken);
    let rows = pending.take();
    assert_eq!((rows.len(), rows[0].last), (1, Some(at(105))));
}
