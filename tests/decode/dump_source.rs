//! A dump on its way into the event loop: one relist in batches, and a file that changes.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::time::Duration;

use kai::dump::{DumpError, DumpInput, Stamps, read};
use kai::inventory::{Detail, MetadataRule};
use kai::snapshot::{Event, ListScope, Object, ServerVersion};
use tokio::sync::mpsc;

const POD: &str =
    r#"{"kind":"Pod","metadata":{"name":"a","namespace":"x"},"spec":{"containers":[{"name":"c","image":"nginx:1"}]}}"#;

fn input(path: &Path) -> DumpInput {
    input_of(&[path])
}

fn input_of(paths: &[&Path]) -> DumpInput {
    DumpInput::of(paths.iter().copied()).expect("a path")
}

/// Reads the file through a channel of one batch, so that the reader must wait for the receiver.
fn relist(input: &DumpInput) -> (Vec<Event>, Result<(), DumpError>) {
    relist_with(input, Detail::default())
}

fn relist_with(input: &DumpInput, detail: Detail) -> (Vec<Event>, Result<(), DumpError>) {
    let (sender, mut receiver) = mpsc::channel(1);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || read(input, detail, &sender, &|_, _| {}).map(drop));
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
    let (events, read) = relist(&input(&path));
    read.expect("a dump");
    let [first, .., Event::Observed(end)] = events.as_slice() else { panic!("{} events", events.len()) };
    assert!(matches!(first, Event::RelistBegun(_)), "{first:?}");
    let pods = events.iter().filter(|event| matches!(event, Event::Applied(Object::Pod(_))));
    assert_eq!((pods.count(), end.cut_short.as_deref()), (600, None));
    assert!(events.iter().any(|event| matches!(event, Event::RelistEnded(ListScope::AllPods))));
    assert_eq!(end.server_version.git_version, ServerVersion::default().git_version);
}

#[test]
fn a_dump_cut_short_names_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cut.json");
    fs::write(&path, &POD.repeat(2)[..POD.len() + 20]).expect("written");
    let (events, read) = relist(&input(&path));
    read.expect("a dump cut short");
    let Some(Event::Observed(end)) = events.last() else { panic!("{events:?}") };
    let reason = end.cut_short.as_deref().expect("a reason");
    assert!(reason.starts_with(&path.display().to_string()) && reason.contains("ends too early"), "{reason}");
}

#[test]
fn a_file_that_is_no_dump_ends_no_relist() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("empty.json");
    fs::write(&path, "").expect("written");
    let (events, read) = relist(&input(&path));
    assert!(!events.iter().any(|event| matches!(event, Event::Observed(_))), "{events:?}");
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
    let path = folder.path().join("none");
    let (_, read) = relist(&input(&path));
    let error = read.expect_err("refused").to_string();
    assert!(error.starts_with(&format!("--input {}: No such file", path.display())), "{error}");
}

/// Names of pods in the order in which they came, and why more is missing.
fn pods(events: &[Event]) -> (Vec<&str>, Option<&str>) {
    let names = events.iter().filter_map(|event| match event {
        Event::Applied(Object::Pod(pod)) => Some(&*pod.name),
        _ => None,
    });
    let Some(Event::Observed(end)) = events.last() else { panic!("{events:?}") };
    (names.collect(), end.cut_short.as_deref())
}

fn pod(name: &str) -> String {
    POD.replace("\"name\":\"a\"", &format!("\"name\":\"{name}\""))
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
}

#[test]
fn a_folder_is_one_relist_of_its_files_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (pod("one"), pod("two"));
    write(
        folder.path(),
        &[
            ("namespaces/b/core/pods.json", &two),
            ("namespaces/a/core/pods.yaml", &one),
            ("namespaces/a/core/configmaps.yaml", "kind: ConfigMap\nmetadata: {name: c}\n"),
            ("namespaces/a/pods/one/current.log", &pod("in-a-log")),
            ("etcd_info/alarm_list.json", ""),
            ("version", "4.18.3\n"),
        ],
    );
    let (events, read) = relist(&input(folder.path()));
    read.expect("a dump");
    assert!(matches!(events[..2], [Event::RelistBegun(_), Event::RelistBegun(ListScope::AllPods)]));
    assert_eq!(pods(&events), (vec!["one", "two"], None));
}

#[test]
fn a_broken_file_of_a_folder_is_named_and_the_others_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, good) = (folder.path(), pod("good"));
    write(
        path,
        &[("a/pods.json", &good), ("b/pods.json", "{\"kind\": ]"), ("c/pods.json", ""), ("d/pods.json", &good[..60])],
    );
    let (events, read) = relist(&input(path));
    read.expect("a dump");
    let (pods, missing) = pods(&events);
    assert_eq!(pods, ["good"]);
    let missing = missing.expect("a reason");
    for file in ["b", "c", "d"].map(|folder| path.join(folder).join("pods.json").display().to_string()) {
        assert!(missing.contains(&format!("{file}: ")), "{missing}");
    }
}

#[test]
fn a_folder_without_pods_is_refused_with_advice() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &[("package.json", "{\"name\": \"x\"}"), ("notes.txt", "")]);
    let (_, read) = relist(&input(folder.path()));
    let error = read.expect_err("refused").to_string();
    let beginning = format!(
        "--input {}: no file in this folder holds pods or namespaces (number of files: 2)",
        folder.path().display()
    );
    assert!(error.starts_with(&beginning) && error.contains("--output-directory"), "{error}");
}

#[test]
fn several_files_are_one_relist_as_old_as_the_oldest() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (pod("one"), pod("two"));
    write(folder.path(), &[("1.json", &one), ("2.json", &two)]);
    let paths = ["2.json", "1.json"].map(|name| folder.path().join(name));
    for (path, second) in paths.iter().zip([1_700_000_002_u64, 1_700_000_001]) {
        let times = fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH + Duration::from_secs(second));
        fs::File::options().write(true).open(path).expect("a file").set_times(times).expect("set");
    }
    let input = input_of(&[&paths[0], &paths[1], &paths[0]]);
    let (events, read) = relist(&input);
    read.expect("a dump");
    assert_eq!(pods(&events), (vec!["two", "one"], None), "each once, in the order in which they were named");
    let Some(Event::Observed(end)) = events.last() else { panic!("{events:?}") };
    assert_eq!(end.observed_at.as_second(), 1_700_000_001);
    assert_eq!(input.modified_at(), Some(end.observed_at));
}

#[test]
fn what_is_no_file_is_as_old_as_the_moment() {
    let (events, read) = relist(&input(Path::new("/dev/null")));
    let error = read.expect_err("empty").to_string();
    assert!(error.starts_with("--input /dev/null: the input is empty"), "{error}");
    assert!(events.is_empty() || !matches!(events.last(), Some(Event::Observed(_))));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
    assert!(made.success());
    let writer = std::thread::spawn({
        let path = path.clone();
        move || fs::write(path, POD).expect("written")
    });
    let (events, read) = relist(&input(&path));
    writer.join().expect("no panic");
    read.expect("a dump");
    let Some(Event::Observed(end)) = events.last() else { panic!("{events:?}") };
    let age = jiff::Timestamp::now().duration_since(end.observed_at);
    assert!((0..60).contains(&age.as_secs()), "{age:?}");
}

#[test]
fn a_file_that_is_missing_among_several_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &[("1.json", POD)]);
    let (_, read) = relist(&input_of(&[&folder.path().join("1.json"), &folder.path().join("2.json")]));
    assert!(matches!(read, Err(DumpError::Open { .. })), "{read:?}");
}

#[test]
fn a_file_in_utf_16_and_packed_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(POD.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, &utf16).expect("packed");
    let packed = packed.finish().expect("packed");
    let path = folder.path().join("dump");
    fs::write(&path, &packed).expect("written");
    let (events, read) = relist(&input(&path));
    read.expect("a dump");
    assert_eq!(pods(&events), (vec!["a"], None));
    fs::write(&path, &packed[..packed.len() - 20]).expect("written");
    let (_, read) = relist(&input(&path));
    let error = read.expect_err("cut off").to_string();
    assert_eq!(error, format!("--input {}: reading failed: the gzip data was cut off; save it again", path.display()));
}

#[test]
fn progress_ends_at_the_size_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.json");
    let text = POD.repeat(9);
    fs::write(&path, &text).expect("written");
    let (sender, mut receiver) = mpsc::channel(9);
    let told = RefCell::new(Vec::new());
    read(&input(&path), Detail::default(), &sender, &|read, total| told.borrow_mut().push((read, total)))
        .expect("a dump");
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
    let read = read(&input(&path), Detail::default(), &sender, &|_, _| {});
    assert!(matches!(read, Err(DumpError::Stopped)), "{read:?}");
}

#[test]
fn a_stamp_changes_with_the_file_and_not_without() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.json");
    let input = input(&path);
    assert_eq!(input.stamps(), Stamps::default());
    fs::write(&path, POD).expect("written");
    let first = input.stamps();
    assert_ne!(first, Stamps::default());
    assert_eq!(input.stamps(), first);

    // The same size and the same time, but another file moved over it.
    let other = folder.path().join("other.json");
    fs::write(&other, POD).expect("written");
    let times = fs::FileTimes::new().set_modified(fs::metadata(&path).expect("a file").modified().expect("a time"));
    fs::File::options().write(true).open(&other).expect("a file").set_times(times).expect("set");
    fs::rename(&other, &path).expect("renamed");
    let second = input.stamps();
    assert_ne!(second, first);

    // The same file and the same size, written later.
    let later = fs::FileTimes::new().set_modified(std::time::SystemTime::now() + Duration::from_millis(5));
    fs::File::options().write(true).open(&path).expect("a file").set_times(later).expect("set");
    assert_ne!(input.stamps(), second);
    assert_eq!(input_of(&[Path::new("-")]).stamps(), Stamps::default());
}

#[test]
fn nodes_are_sent_when_they_are_kept_and_broken_ones_are_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.json");
    let node = r#"{"kind":"Node","metadata":{"name":"n1"}}"#;
    fs::write(&path, [node, r#"{"kind":"Node","metadata":{}}"#, POD].concat()).expect("written");
    for (nodes, expected) in [(None, "pod a"), (Some(MetadataRule::default()), "node n1, pod a")] {
        let detail = Detail { nodes, ..Detail::default() };
        let (events, read) = relist_with(&input(&path), detail);
        read.expect("a dump");
        let sent: Vec<String> = events
            .iter()
            .filter_map(|event| match event {
                Event::Applied(Object::Pod(pod)) => Some(format!("pod {}", pod.name)),
                Event::Applied(Object::Node(node)) => Some(format!("node {}", node.name)),
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
    let input = input(&path);
    assert_eq!(input.modified_at(), None, "there is no file yet");
    fs::write(&path, POD).expect("written");
    let written = std::time::UNIX_EPOCH + Duration::from_secs(1_800_000_001);
    let times = fs::FileTimes::new().set_modified(written);
    fs::File::options().write(true).open(&path).expect("a file").set_times(times).expect("set");
    assert_eq!(input.modified_at().map(jiff::Timestamp::as_second), Some(1_800_000_001));
    assert_eq!(input_of(&[Path::new("-")]).modified_at(), None);
}
