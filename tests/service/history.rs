//! A history that cannot be kept as the settings want, and the service that goes on.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use rstest::rstest;
use serde_json::Value;

use crate::openmetrics::Text;
use crate::process::{Service, wait_for};

/// The check `history` of the verbose probe: whether it is well, and its words.
fn check(body: &str) -> (bool, String) {
    let report: Value = serde_json::from_str(body).expect("JSON");
    let checks = report["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["name"] == "history").expect("a check of the history");
    (check["ok"] == true, check["detail"].as_str().expect("words").to_owned())
}

fn metric(service: &Service, name: &str) -> Option<f64> {
    Text::read(&service.get("/metrics").1).value(name, &[])
}

/// When the first image was first seen, which is told whatever becomes of the store.
fn first_seen(service: &Service) -> String {
    let page: Value = serde_json::from_str(&service.get("/v1/images?image=nginx").1).expect("JSON");
    page["images"][0]["first_seen"].as_str().unwrap_or_else(|| panic!("{page}")).to_owned()
}

/// It serves and is ready; readiness, log and metric say why it keeps no history there.
fn assert_told(service: &Service, words: &str) {
    let (is_well, detail) = check(&service.get("/readyz?verbose").1);
    assert!(!is_well && detail.contains(words), "{detail}");
    assert_eq!((service.get("/readyz").0, metric(service, "kai_history_ok")), (200, Some(0.0)));
    assert!(service.early.iter().any(|line| line.contains("ERROR") && line.contains(words)), "{:?}", service.early);
    assert!(!first_seen(service).is_empty());
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
}

fn newer(path: &Path) {
    let script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA user_version = 99')";
    // A file of SQLite, of a version that does not exist yet.
    assert!(Command::new("python3").args(["-c", script]).arg(path).status().is_ok_and(|status| status.success()));
}

#[rstest]
#[case::folder(|path: &Path| fs::create_dir(path).expect("made"), "it is no file")]
#[case::pipe(|path: &Path| assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success()), "it is no file")]
#[case::link_to_nothing(|path: &Path| std::os::unix::fs::symlink("nowhere/x", path).expect("made"), "No such file")]
#[case::link_to_a_folder(|path: &Path| std::os::unix::fs::symlink(".", path).expect("made"), "it is no file")]
fn what_cannot_be_a_file_is_told_and_served_without(#[case] make: impl FnOnce(&Path), #[case] words: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.db");
    make(&path);
    let service = Service::start_with_history(&path, None);
    service.wait_until("/readyz", |status, _| status == 200);
    assert_told(&service, words);
}

#[rstest]
#[case::missing_folder("none/history.db".to_owned(), "No such file")]
#[case::long_name("x".repeat(5_000), "File name too long")]
#[case::long_path("xx/".repeat(1_700), "File name too long")]
fn a_path_where_no_file_can_be_is_told_and_served_without(#[case] path: String, #[case] words: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut service = Service::start_with_history(&folder.path().join(path), None);
    service.wait_until("/readyz", |status, _| status == 200);
    assert_told(&service, words);
    service.signal("-TERM");
    assert_eq!(service.wait(), 0);
    wait_for(&service.log, |line| line.contains("kai ends with 62 rows of the history").then_some(()));
}

#[test]
fn a_folder_that_is_read_only_is_told_until_it_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.db");
    set_mode(folder.path(), 0o555);
    let service = Service::start_bound_by_modes(&path);
    service.wait_until("/readyz", |status, _| status == 200);
    assert_told(&service, "Permission denied");
    set_mode(folder.path(), 0o755);
    service.wait_until("/readyz?verbose", |_, body| check(body).1.contains("62 rows in sqlite"));
    assert_eq!(metric(&service, "kai_history_ok"), Some(1.0));
}

#[test]
fn a_file_that_is_removed_under_the_service_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.db");
    let service = Service::start_with_history(&path, None);
    service.wait_until("/readyz?verbose", |_, body| {
        body.contains("\"history\"") && check(body).1.contains("62 rows in sqlite")
    });
    let seen = first_seen(&service);
    fs::remove_file(&path).expect("removed");
    wait_for(&service.log, |line| line.contains("was removed or replaced under kai").then_some(()));
    wait_for(&service.log, |line| line.contains("the history is written again").then_some(()));
    service.wait_until("/readyz?verbose", |_, body| check(body).1.contains("62 rows in sqlite"));
    assert!(path.is_file() && first_seen(&service) == seen);
}

#[rstest]
#[case::corrupt(|path: &Path| fs::write(path, vec![7; 20_000]).expect("written"))]
#[case::newer(newer)]
fn a_broken_file_is_renamed_and_a_new_one_begun(#[case] make: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.db");
    make(&path);
    let before = fs::read(&path).expect("a file");
    let service = Service::start_with_history(&path, None);
    service.wait_until("/readyz", |status, _| status == 200);
    service.wait_until("/readyz?verbose", |_, body| check(body).1.contains("rows in sqlite"));
    let kept: Vec<_> =
        folder.path().read_dir().expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    let aside = kept.iter().find(|path| path.to_string_lossy().contains(".broken-")).expect("the broken file");
    assert_eq!(fs::read(aside).expect("a file"), before);
    assert_eq!(metric(&service, "kai_history_ok"), Some(1.0));
}

#[test]
fn a_full_disk_keeps_nothing_from_being_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.db");
    // Room for a part of the tables.
    let service = Service::start_with_history(&path, Some(40));
    service.wait_until("/readyz", |status, _| status == 200);
    let body = service.wait_until("/readyz?verbose", |_, body| !check(body).0);
    assert!(check(&body).1.contains("cannot be opened"), "{body}");
    assert_eq!((service.get("/readyz").0, metric(&service, "kai_history_ok")), (200, Some(0.0)));
    assert!(!first_seen(&service).is_empty());
}

#[test]
fn the_second_process_on_a_file_takes_it_over_when_the_first_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.db");
    let mut first = Service::start_with_history(&path, None);
    first.wait_until("/readyz?verbose", |_, body| {
        body.contains("\"history\"") && check(body).1.contains("62 rows in sqlite")
    });
    let seen = first_seen(&first);
    let second = Service::start_with_history(&path, None);
    let body = second.wait_until("/readyz?verbose", |status, body| status == 200 && !check(body).0);
    assert!(check(&body).1.contains("is in use by another process"), "{body}");
    first.signal("-TERM");
    assert_eq!(first.wait(), 0);
    second.wait_until("/readyz?verbose", |_, body| check(body).1.contains("62 rows in sqlite"));
    assert_eq!(first_seen(&second), seen);
    assert_eq!(metric(&second, "kai_history_ok"), Some(1.0));
}
