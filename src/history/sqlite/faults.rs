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
fn a_broken_file_behind_a_link_stays_where_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("volume");
    std::fs::create_dir(&volume).unwrap();
    let (target, link) = (volume.join("target.db"), folder.path().join("link.db"));
    std::fs::write(&target, "no history").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let aside = SqliteStore::put_aside(&link, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(aside.parent(), Some(volume.canonicalize().unwrap().as_path()));
    assert_eq!(std::fs::read_to_string(aside).unwrap(), "no history");
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
    let files = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut kept: Vec<_> = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    kept.sort();
    assert_eq!(kept, ["", "first", "second", "third"], "and one for the new history");
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

/// Rows of an image `bad:1` and an image `good:1`, of one of which something is changed.
fn changed(path: &Path, change: &str) -> [Sighting; 2] {
    let mut store = SqliteStore::open(path).unwrap();
    let row = |name: &str, number: u32| {
        let digest = crate::inventory::Digest::parse(&format!("sha256:{number:064}"));
        let image = Arc::new(crate::inventory::ImageRef::parse(&format!("{name}:1")));
        let first = FirstSeen { at: Timestamp::from_second(1_000).unwrap(), is_exact: true };
        let mut workloads = crate::snapshot::Workloads::default();
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
    let periods = [period(at), period(at + jiff::SignedDuration::from_secs(60))];
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
    let good_period = good.first.at + jiff::SignedDuration::from_secs(60);
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
