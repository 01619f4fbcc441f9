//! Files that are none, cannot be read, or have no room.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

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
