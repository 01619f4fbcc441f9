//! Files that are none, or not as kai wrote them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rstest::rstest;

use std::sync::Arc;

use super::*;

fn reason(path: &Path) -> String {
    SqliteStore::open(path).unwrap_err().to_string()
}

#[test]
fn a_file_is_for_its_user_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    drop(SqliteStore::open(&path).unwrap());
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // What a user has given to others stays so.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    drop(SqliteStore::open(&path).unwrap());
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn what_is_no_file_is_named_and_never_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(reason(&pipe).ends_with("pipe cannot be opened: it is no file"), "{}", reason(&pipe));
    assert!(reason(folder.path()).ends_with("it is no file"), "{}", reason(folder.path()));
    assert!(reason(&folder.path().join("none/history.db")).contains("No such file or directory"));
    let below_a_file = folder.path().join("file");
    std::fs::write(&below_a_file, "").unwrap();
    assert!(reason(&below_a_file.join("history.db")).contains("Not a directory"));
    assert!(reason(&folder.path().join("x".repeat(5_000))).contains("File name too long"));
}

#[test]
fn a_link_leads_to_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let (target, link) = (folder.path().join("target.db"), folder.path().join("link.db"));
    std::os::unix::fs::symlink(&target, &link).unwrap();
    assert!(reason(&link).contains("cannot be opened"), "a link to nothing: {}", reason(&link));
    drop(SqliteStore::open(&target).unwrap());
    drop(SqliteStore::open(&link).unwrap());
}

#[test]
fn two_broken_files_within_a_second_are_both_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let now = Timestamp::UNIX_EPOCH;
    for text in ["first", "second", "third"] {
        std::fs::write(&path, text).unwrap();
        let aside = SqliteStore::put_aside(&path, now).unwrap();
        assert_eq!(std::fs::read_to_string(aside).unwrap(), text);
    }
    let mut kept: Vec<_> = folder
        .path()
        .read_dir()
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    kept.sort();
    assert_eq!(kept, ["first", "second", "third"]);
}

#[test]
fn a_full_disk_loses_nothing_that_was_written_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut store = SqliteStore::open(&path).unwrap();
    let row = |number: u32| {
        let image = Arc::new(crate::inventory::ImageRef::parse(&format!("registry.test/some/where:{number}")));
        let key = SightingKey { namespace: "shop".into(), image, digest: None };
        let first = FirstSeen { at: Timestamp::UNIX_EPOCH, is_exact: true };
        Sighting { key, first, last: None, started_at: None, workloads: crate::snapshot::Workloads::default() }
    };
    store.write(&Batch { sightings: &[row(0)], periods: &[] }).unwrap();
    let pages: i64 = store.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let many: Vec<Sighting> = (1..5_000).map(row).collect();
    let error = store.write(&Batch { sightings: &many, periods: &[] }).unwrap_err();
    assert!(error.to_string().contains("full"), "{error}");
    assert_eq!(store.rows().unwrap(), 1, "all of a batch, or nothing");
    store.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    store.write(&Batch { sightings: &many, periods: &[] }).unwrap();
    assert_eq!(store.rows().unwrap(), 5_000);
}

#[rstest]
#[case::time_beyond_all("UPDATE sighting SET first_seen = 9223372036854775807")]
#[case::time_before_all("UPDATE sighting SET first_seen = -9223372036854775808")]
#[case::last_before_first("UPDATE sighting SET last_seen = first_seen - 1000000000")]
#[case::last_beyond_all("UPDATE sighting SET last_seen = 9223372036854775807")]
#[case::no_reference("UPDATE image SET reference = 'Foo::' || char(10) || '\u{1b}'")]
#[case::no_digest("UPDATE digest SET digest = 'md5:1'")]
#[case::start_beyond_all("UPDATE sighting SET started_at = 9223372036854775807")]
#[case::negative_count("UPDATE sighting SET workloads_dropped = -5")]
#[case::no_image("DELETE FROM image")]
#[case::period_backwards("UPDATE period SET \"end\" = start - 5000")]
#[case::period_beyond_all("UPDATE period SET \"end\" = 9223372036854775807")]
fn rows_that_make_no_sense_break_nothing(#[case] change: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut store = SqliteStore::open(&path).unwrap();
    let digest = crate::inventory::Digest::parse(&format!("sha256:{:064}", 1));
    let key =
        SightingKey { namespace: "shop".into(), image: Arc::new(crate::inventory::ImageRef::parse("x:1")), digest };
    let first = FirstSeen { at: Timestamp::from_second(1_000).unwrap(), is_exact: true };
    let workloads = crate::snapshot::Workloads::default();
    let row =
        Sighting { key, first, last: Some(Timestamp::from_second(2_000).unwrap()), started_at: Some(1), workloads };
    let period = Period { start: first.at, end: first.at, missing: Vec::new(), ended: None };
    store.write(&Batch { sightings: std::slice::from_ref(&row), periods: &[period] }).unwrap();
    store.connection.execute_batch(change).unwrap();
    drop(store);
    let mut store = SqliteStore::open(&path).unwrap();
    let mut past = crate::snapshot::Past::default();
    let periods = store.load(&mut |key, first| {
        past.insert(&key, first);
    });
    let mut rows = Vec::new();
    let read = store.read(&Query::default(), &mut |row| rows.push(row));
    // An error is an answer too; a panic, or a time that runs backwards, is none.
    if let (Ok(periods), Ok(())) = (periods, read) {
        assert!(periods.iter().all(|period| period.start <= period.end), "{periods:?}");
        assert!(rows.iter().all(|row| row.last.is_none_or(|last| last >= row.first.at)), "{rows:?}");
    }
    let limits = Limits { retention_days: 400, max_rows: 10 };
    drop(store.prune(limits, Timestamp::now()));
    drop(store.write(&Batch { sightings: &[row], periods: &[] }));
}
