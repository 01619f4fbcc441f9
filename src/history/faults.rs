//! What becomes of a history whose file fails while it is in use, of one that is slow to open, and of a clock that is set back.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;

use super::memory::MemoryStore;
use super::tests::{FAST, Kept, all, at, key, row};
use super::*;
use crate::config::HistoryStore;
use crate::snapshot::{Period, Sighting, gaps};

fn times(kept: &Kept) -> (Vec<Sighting>, Vec<Period>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answer = runtime.block_on(kept.history.reader().ask(|kept| {
        let mut rows = Vec::new();
        kept.read(&Query::default(), |row| rows.push(row))?;
        Ok((rows, kept.periods()?))
    }));
    answer.unwrap()
}

fn assert_sensible(kept: &Kept) {
    let (rows, periods) = times(kept);
    assert!(rows.iter().all(|row| row.last.is_none_or(|last| last >= row.first.at)), "{rows:?}");
    assert!(periods.iter().all(|period| period.start <= period.end), "{periods:?}");
    let found = gaps(&periods, at(0), Timestamp::now(), None);
    assert!(found.iter().all(|gap| gap.from < gap.to), "{found:?}");
    assert!(found.windows(2).all(|pair| pair[0].to <= pair[1].from), "{found:?}");
}

#[test]
fn a_file_that_is_removed_under_kai_is_made_anew_with_all_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut kept = Kept::sqlite(&path);
    kept.list(&["nginx:1"]);
    kept.wait("written", |state| (state.store, state.rows, state.queue) == ("sqlite", 1, 0));
    fs::remove_file(&path).unwrap();
    for _ in 0..500 {
        kept.list(&["nginx:1", "redis:7"]);
        if path.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(path.exists(), "kai writes into a file that nobody finds");
    for _ in 0..100 {
        kept.history.recorder().exchange(&mut kept.index);
        std::thread::sleep(Duration::from_millis(2));
    }
    kept.wait("anew", |state| (state.store, state.queue, &state.problem) == ("sqlite", 0, &None));
    kept.history.stop();
    let mut store = SqliteStore::open(&path).unwrap();
    let images: Vec<_> =
        all(&mut store, &Query::default()).iter().map(|row| row.key.image.written().to_owned()).collect();
    assert_eq!(images, ["nginx:1", "redis:7"]);
}

#[test]
fn a_file_that_breaks_under_kai_is_put_aside_and_a_new_one_begun() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut store = SqliteStore::open(&path).unwrap();
    // More than SQLite keeps in memory.
    let rows: Vec<_> =
        (0..40_000).map(|number| row(key("shop", &format!("registry.test/x:{number}"), None), 100, None)).collect();
    store.write(&Batch { sightings: &rows, periods: &[] }).unwrap();
    drop(store);
    let mut kept = Kept::open(HistoryStore::Sqlite(path.clone()));
    kept.wait("open", |state| state.store == "sqlite");
    let length = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    // In place: another file would be noticed by its number.
    fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, &vec![7; length]))
        .unwrap();
    for round in 0..100 {
        let images: Vec<_> = (0..50).map(|number| format!("new-{round}-{number}:1")).collect();
        kept.list(&images.iter().map(String::as_str).collect::<Vec<_>>());
        if folder
            .path()
            .read_dir()
            .unwrap()
            .any(|entry| entry.unwrap().file_name().to_string_lossy().contains(".broken-"))
        {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let state =
        kept.wait("anew", |state| state.put_aside.is_some() && state.store == "sqlite" && state.problem.is_none());
    assert!(state.put_aside.unwrap().exists());
    kept.history.stop();
}

#[test]
fn what_was_lost_before_it_could_be_written_is_counted_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none/history.db");
    let rarely = HistoryClock { others: Duration::from_hours(1), ..FAST };
    let kept = Kept::with_clock(HistoryStore::Sqlite(path.clone()), rarely);
    let now = Timestamp::now().as_second();
    let gone = |number: i64| row(key("shop", &format!("x:{number}"), None), now - number, Some(now - number));
    {
        // Memory takes a thousand, and of what waits for it 100,000 at most.
        let mut record = kept.history.recorder().lock();
        (0..102_000).for_each(|number| record.pending.add(gone(number)));
        assert!(record.pending.uncounted().rows > 0);
    }
    let lost = kept.wait("dropped", |state| state.queue == 0 && state.dropped > 0).dropped;
    assert_eq!(lost, 101_000);
    fs::create_dir(path.parent().unwrap()).unwrap();
    kept.wait("in the file", |state| (state.store, state.rows) == ("sqlite", 1_000));
    kept.history.stop();
    let dropped = SqliteStore::open(&path).unwrap().dropped().unwrap();
    assert_eq!((dropped.rows, dropped.until), (lost, Some(at(now - 1_000))));
}

#[tokio::test]
async fn a_question_that_panics_takes_nothing_with_it() {
    let kept = Kept::open(HistoryStore::Memory);
    let reader = kept.history.reader();
    let answer = reader.ask(|_| -> Result<(), StoreError> { panic!("a question of a test") }).await;
    assert!(matches!(answer, Err(Unreadable::Closed)));
    assert!(reader.ask(|kept| Ok(kept.periods()?.len())).await.is_ok(), "the thread has ended");
    kept.history.stop();
}

#[test]
fn memory_is_bounded_also_between_two_prunings() {
    let rarely = HistoryClock { others: Duration::from_hours(1), ..FAST };
    let kept = Kept::with_clock(HistoryStore::Memory, rarely);
    let now = Timestamp::now().as_second();
    for number in 0..70_000 {
        let gone = row(key("shop", &format!("x:{number}"), None), now - number, Some(now - number));
        kept.history.recorder().lock().pending.add(gone);
    }
    let state =
        kept.wait("written", |state| state.queue == 0 && state.rows > 0 && state.rows + state.dropped == 70_000);
    assert_eq!(state.rows, 1_000, "as many as the settings allow");
    kept.history.stop();
}

#[test]
fn a_clock_that_is_set_back_leaves_times_in_order_across_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let steps: [(&str, &[&str]); 6] = [
        ("2026-11-24T10:00:00Z", &["nginx:1", "redis:7"]),
        ("2026-11-24T10:00:30Z", &["nginx:1"]),
        // An hour back.
        ("2026-11-24T09:00:45Z", &["nginx:1", "redis:7", "box:1"]),
        ("2026-11-24T09:01:00Z", &["redis:7"]),
        ("2026-11-24T08:30:00Z", &["box:1"]),
        ("2026-11-24T10:30:00Z", &[]),
    ];
    for restarts in [false, true] {
        let mut kept = Kept::sqlite(&path);
        for (time, images) in steps {
            kept.list_at(time, images);
            assert_sensible(&kept);
            kept.history.recorder().broke("the API server was away");
            if restarts {
                kept.history.stop();
                kept = Kept::sqlite(&path);
                assert_sensible(&kept);
            }
        }
        kept.history.stop();
    }
}

#[test]
fn what_was_seen_stays_seen_when_the_clock_is_set_back() {
    let mut store = MemoryStore::default();
    let nginx = key("shop", "nginx:1", None);
    store.write(&Batch { sightings: &[row(nginx.clone(), 10_000, Some(10_050))], periods: &[] }).unwrap();
    store.write(&Batch { sightings: &[row(nginx, 6_400, Some(6_450))], periods: &[] }).unwrap();
    let rows = all(&mut store, &Query::default());
    assert_eq!((rows[0].first.at, rows[0].last), (at(6_400), Some(at(10_050))));
}

#[test]
fn a_start_waits_for_a_file_only_so_long() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    drop(SqliteStore::open(&path).unwrap());
    // Nobody can open it for seconds, as on a disk that does not answer.
    let other = lock(&path);
    let clock = HistoryClock { start: Duration::ZERO, ..FAST };
    let kept = Kept::with_clock(HistoryStore::Sqlite(path), clock);
    let state = kept.board.state().expect("a state");
    assert!(state.problem.is_some_and(|problem| problem.contains("is being opened")), "a start waits for it");
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    kept.wait("opened", |state| state.store == "sqlite" && state.problem.is_none());
    kept.history.stop();
}

fn lock(path: &Path) -> Connection {
    let other = Connection::open(path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    other
}
