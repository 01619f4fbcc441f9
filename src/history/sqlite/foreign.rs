//! Rows and bytes that somebody else has written into a file of kai, or a disk that fails: they break no more than themselves.

use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use rstest::rstest;

use super::*;
use crate::inventory::{Digest, ImageRef};
use crate::snapshot::Workloads;

/// Rows of an image `bad:1` and an image `good:1`, of one of which something is changed.
fn changed(path: &Path, change: &str) -> [Sighting; 2] {
    let mut store = SqliteStore::open(path).unwrap();
    let row = |name: &str, number: u32| {
        let digest = Digest::parse(&format!("sha256:{number:064}"));
        let image = Arc::new(ImageRef::parse(&format!("{name}:1")));
        let first = FirstSeen { at: Timestamp::from_second(1_000).unwrap(), is_exact: true };
        let mut workloads = Workloads::default();
        workloads.add("Deployment/web");
        Sighting {
            key: SightingKey { namespace: name.into(), image, digest },
            first,
            last: Some(Timestamp::from_second(2_000).unwrap()),
            started_at: Some(1),
            workloads,
        }
    };
    let rows = [row("bad", 1), row("good", 2)];
    let at = rows[0].first.at;
    let period = |start: Timestamp| Period { start, end: start, missing: vec!["ops".into()], ended: Some("x".into()) };
    let periods = [period(at), period(at + SignedDuration::from_secs(60))];
    store.write(&Batch { sightings: &rows, periods: &periods }).unwrap();
    store.connection.execute_batch(change).unwrap();
    rows
}

#[rstest]
#[case::time_beyond_all("UPDATE sighting SET first_seen = 9223372036854775807 WHERE image = 1")]
#[case::time_before_all("UPDATE sighting SET first_seen = -9223372036854775808 WHERE image = 1")]
#[case::last_before_first("UPDATE sighting SET last_seen = first_seen - 1000000000 WHERE image = 1")]
#[case::last_beyond_all("UPDATE sighting SET last_seen = 9223372036854775807 WHERE image = 1")]
#[case::no_reference("UPDATE image SET reference = 'Foo::' || char(10) || '\u{1b}' WHERE id = 1")]
#[case::reference_without_a_meaning("UPDATE image SET reference = CAST(x'ff80' AS TEXT) WHERE id = 1")]
#[case::namespace_without_a_meaning("UPDATE namespace SET name = CAST(x'ff80' AS TEXT) WHERE id = 1")]
#[case::no_digest("UPDATE digest SET digest = 'md5:1' WHERE id = 1")]
#[case::digest_without_a_meaning("UPDATE digest SET digest = CAST(x'ff80' AS TEXT) WHERE id = 1")]
#[case::workload_without_a_meaning("UPDATE sighting SET workloads = CAST(x'ff80' AS TEXT) WHERE image = 1")]
#[case::start_beyond_all("UPDATE sighting SET started_at = 9223372036854775807 WHERE image = 1")]
#[case::negative_count("UPDATE sighting SET workloads_dropped = -9223372036854775808 WHERE image = 1")]
#[case::no_image("DELETE FROM image WHERE id = 1")]
#[case::period_backwards("UPDATE period SET \"end\" = start - 5000 WHERE start = 1000000")]
#[case::period_beyond_all("UPDATE period SET \"end\" = 9223372036854775807 WHERE start = 1000000")]
#[case::period_before_all("UPDATE period SET start = -9223372036854775808 WHERE start = 1000000")]
#[case::period_without_a_meaning("UPDATE period SET missing = CAST(x'ff80' AS TEXT) WHERE start = 1000000")]
#[case::nothing_dropped("DELETE FROM dropped")]
fn a_row_that_makes_no_sense_takes_no_other_with_it(#[case] change: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let [bad, good] = changed(&path, change);
    let mut store = SqliteStore::open(&path).unwrap();
    let mut past = Vec::new();
    let periods = store.load(&mut |key, first| past.push((key, first))).unwrap();
    let mut rows = Vec::new();
    store.read(&Query::default(), &mut |row| rows.push(row)).unwrap();
    assert!(past.contains(&(good.key.clone(), good.first)) && rows.contains(&good), "{rows:?}");
    assert!(rows.iter().all(|row| row.last.is_none_or(|last| last >= row.first.at)), "{rows:?}");
    assert!(rows.iter().all(|row| row.key.digest.is_some()), "a digest that is none is not no digest: {rows:?}");
    assert!(rows.iter().all(|row| row.first == good.first), "no time is made up: {rows:?}");
    assert!(periods.iter().all(|period| period.start <= period.end && period.start >= good.first.at), "{periods:?}");
    let good_period = good.first.at + SignedDuration::from_secs(60);
    assert!(periods.iter().any(|period| period.start == good_period), "{periods:?}");
    store.dropped().unwrap();
    // What is seen again makes sense again.
    store.write(&Batch { sightings: std::slice::from_ref(&bad), periods: &[] }).unwrap();
    rows.clear();
    store.read(&Query::default(), &mut |row| rows.push(row)).unwrap();
    assert!(rows.iter().any(|row| row.key == bad.key && row.first == bad.first), "{rows:?}");
    store.prune(Limits { retention_days: 400_000, max_rows: 1 }, Timestamp::now()).unwrap();
    assert_eq!(store.rows().unwrap(), 1);
    store.prune(Limits { retention_days: 1, max_rows: 1 }, Timestamp::now()).unwrap();
}

/// Opens the file and does all that is done with one; an error is an answer, a panic is none.
fn use_all(path: &Path, row: &Sighting) {
    let Ok(mut store) = SqliteStore::open(path) else { return };
    drop(store.load(&mut |_, _| {}));
    drop(store.read(&Query::default(), &mut |row| assert!(row.last.is_none_or(|last| last >= row.first.at))));
    drop(store.write(&Batch { sightings: std::slice::from_ref(row), periods: &[] }));
    drop((store.rows(), store.dropped(), store.periods(), store.check()));
    drop(store.prune(Limits { retention_days: 1, max_rows: 1 }, Timestamp::now()));
}

#[test]
fn no_byte_of_a_file_or_of_its_journal_breaks_more_than_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let [_, good] = changed(&path, "");
    let whole = std::fs::read(&path).unwrap();
    let journal = folder.path().join("history.db-journal");
    let mut random = fastrand::Rng::with_seed(14);
    for round in 0..400 {
        let mut bytes = whole.clone();
        for _ in 0..=round % 8 {
            // Half of them where all is decided: in the header, and in the first page of the tables.
            let end = if random.bool() { 600 } else { bytes.len() };
            bytes[random.usize(..end)] = random.u8(..);
        }
        bytes.truncate(if round % 10 == 0 { random.usize(..bytes.len()) } else { bytes.len() });
        std::fs::write(&path, &bytes).unwrap();
        drop(std::fs::remove_file(&journal));
        if round % 5 == 0 {
            // As SQLite begins one, and then anything.
            let magic = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
            let rest = std::iter::repeat_with(|| random.u8(..)).take(4_096);
            std::fs::write(&journal, magic.into_iter().chain(rest).collect::<Vec<_>>()).unwrap();
        }
        use_all(&path, &good);
    }
}
