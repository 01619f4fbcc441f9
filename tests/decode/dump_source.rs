//! A dump on its way into the event loop: one relist in batches, and a file that changes.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::time::Duration;

use kai::dump::{DumpError, DumpInput, DumpSource};
use kai::inventory::{Detail, MetadataRule};
use kai::snapshot::{Event, ListScope, ServerVersion};
use tokio::sync::mpsc;

const POD: &str =
    r#"{"kind":"Pod","metadata":{"name":"a","namespace":"x"},"spec":{"containers":[{"name":"c","image":"nginx:1"}]}}"#;

fn source(path: &Path) -> DumpSource {
    DumpSource::new(DumpInput::File(path.to_owned()))
}

/// Reads the file through a channel of one batch, so that the reader must wait for the receiver.
fn relist(source: &mut DumpSource) -> (Vec<Event>, Result<(), DumpError>) {
    let (sender, mut receiver) = mpsc::channel(1);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || source.read(&sender, &|_, _| {}));
        let mut events = Vec::new();
        while let Some(batch) = receiver.blocking_recv() {
            events.extend(batch);
        }
        (events, reader.join().expect("no panic"))
    })
}

#[test]
fn a_file_is_one_relist_of_all_pods() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.json");
    fs::write(&path, POD.repeat(600)).expect("written");
    let (events, read) = relist(&mut source(&path));
    read.expect("a dump");
    let [Event::RelistBegun, Event::ListBegun(ListScope::AllPods), pods @ .., Event::RelistEnded(end)] =
        events.as_slice()
    else {
        panic!("not a relist but {} events", events.len())
    };
    assert!(pods.iter().all(|event| matches!(event, Event::Pod(_))));
    assert_eq!((pods.len(), end.cut_short.as_deref()), (600, None));
    assert_eq!(end.server_version.git_version, ServerVersion::default().git_version);
    let age = jiff::Timestamp::now().duration_since(end.observed_at);
    assert!(age.as_secs() < 60, "{age:?}");
}

#[test]
fn a_dump_cut_short_names_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cut.json");
    fs::write(&path, &POD.repeat(2)[..POD.len() + 20]).expect("written");
    let (events, read) = relist(&mut source(&path));
    read.expect("a dump cut short");
    let Some(Event::RelistEnded(end)) = events.last() else { panic!("{events:?}") };
    let reason = end.cut_short.as_deref().expect("a reason");
    assert!(reason.starts_with(&path.display().to_string()) && reason.contains("ends too early"), "{reason}");
}

#[test]
fn a_file_that_is_no_dump_ends_no_relist() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("empty.json");
    fs::write(&path, "").expect("written");
    let (events, read) = relist(&mut source(&path));
    assert!(events.is_empty(), "{events:?}");
    let error = read.expect_err("refused").to_string();
    assert_eq!(
        error,
        format!(
            "--input {}: the input is empty; `kubectl get namespaces,pods --all-namespaces -o json` prints what kai reads",
            path.display()
        )
    );
}

#[test]
fn what_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, cause) in [(folder.path().join("none"), "No such file"), (folder.path().to_owned(), "is a directory")] {
        let (_, read) = relist(&mut source(&path));
        let error = read.expect_err("refused").to_string();
        assert!(error.starts_with(&format!("--input {}: {cause}", path.display())), "{error}");
    }
}

#[test]
fn progress_ends_at_the_size_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.json");
    let text = POD.repeat(9);
    fs::write(&path, &text).expect("written");
    let (sender, mut receiver) = mpsc::channel(9);
    let told = RefCell::new(Vec::new());
    source(&path).read(&sender, &|read, total| told.borrow_mut().push((read, total))).expect("a dump");
    receiver.close();
    let size = text.len() as u64;
    assert_eq!(told.borrow().last(), Some(&(size, Some(size))));
}

#[test]
fn reading_stops_when_nobody_listens() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.json");
    fs::write(&path, POD.repeat(600)).expect("written");
    let (sender, receiver) = mpsc::channel(1);
    drop(receiver);
    let read = source(&path).read(&sender, &|_, _| {});
    assert!(matches!(read, Err(DumpError::Stopped)), "{read:?}");
}

#[test]
fn a_fingerprint_changes_with_the_file_and_not_without() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.json");
    let source = source(&path);
    assert_eq!(source.fingerprint(), None);
    fs::write(&path, POD).expect("written");
    let first = source.fingerprint();
    assert!(first.is_some());
    assert_eq!(source.fingerprint(), first);

    // The same size and the same time, but another file moved over it.
    let other = folder.path().join("other.json");
    fs::write(&other, POD).expect("written");
    let times = fs::FileTimes::new().set_modified(fs::metadata(&path).expect("a file").modified().expect("a time"));
    fs::File::options().write(true).open(&other).expect("a file").set_times(times).expect("set");
    fs::rename(&other, &path).expect("renamed");
    let second = source.fingerprint();
    assert_ne!(second, first);

    // The same file and the same size, written later.
    let later = fs::FileTimes::new().set_modified(std::time::SystemTime::now() + Duration::from_millis(5));
    fs::File::options().write(true).open(&path).expect("a file").set_times(later).expect("set");
    assert_ne!(source.fingerprint(), second);
    assert_eq!(DumpSource::new(DumpInput::Stdin).fingerprint(), None);
}

#[test]
fn nodes_are_sent_when_they_are_kept_and_broken_ones_are_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.json");
    let node = r#"{"kind":"Node","metadata":{"name":"n1"}}"#;
    fs::write(&path, [node, r#"{"kind":"Node","metadata":{}}"#, POD].concat()).expect("written");
    for (nodes, expected) in [(None, "pod a"), (Some(MetadataRule::default()), "node n1, pod a")] {
        let detail = Detail { nodes, ..Detail::default() };
        let (events, read) = relist(&mut source(&path).with_detail(detail));
        read.expect("a dump");
        let sent: Vec<String> = events
            .iter()
            .filter_map(|event| match event {
                Event::Pod(pod) => Some(format!("pod {}", pod.name)),
                Event::Node(node) => Some(format!("node {}", node.name)),
                Event::Skipped(item) => Some(format!("skipped {}", item.item)),
                _ => None,
            })
            .collect();
        assert_eq!(sent.join(", "), expected);
    }
}

#[test]
fn a_file_says_when_it_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.json");
    let source = source(&path);
    assert_eq!(source.modified_at(), None, "there is no file yet");
    fs::write(&path, POD).expect("written");
    let written = std::time::UNIX_EPOCH + Duration::from_secs(1_800_000_001);
    let times = fs::FileTimes::new().set_modified(written);
    fs::File::options().write(true).open(&path).expect("a file").set_times(times).expect("set");
    assert_eq!(source.modified_at().map(jiff::Timestamp::as_second), Some(1_800_000_001));
    assert_eq!(DumpSource::new(DumpInput::Stdin).modified_at(), None);
    assert_eq!(DumpSource::new(DumpInput::File(folder.path().to_owned())).modified_at(), None, "no file but a folder");
}
