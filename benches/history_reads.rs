//! `/inventory` read over the network while a history is written: requests a second, with images that come and go and without,
//! in turn. Reads never wait for a history; what is left is the processor's time that writing takes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _, stdout};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kai::config::{HistorySettings, HistoryStore, Listen, MetricsSettings, ServerSettings};
use kai::feed::feed;
use kai::health::{Health, HistoryBoard, PushBoard};
use kai::history::{History, HistoryClock, Recorder};
use kai::http::{HttpDeps, Listeners, serve};
use kai::inventory::{NamespaceSelection, ReportPolicy};
use kai::metrics::{Exposition, Metrics};
use kai::snapshot::{Event, ObjectKey, PodIndex, PodKey};
use kai::testing::{cluster, pod};
use tokio_util::sync::CancellationToken;

const PODS: usize = 10_000;
const CLIENTS: usize = 4;
const PAIRS: usize = 7;
/// Longer than the five seconds from one write to the next.
const WINDOW: Duration = Duration::from_secs(6);
/// As many pods come and as many go, so often: up to 1,000 transitions a second.
const AT_ONCE: u64 = 5;
const PACE: Duration = Duration::from_millis(10);

/// Prints a line for people.
macro_rules! say {
    ($($words:tt)*) => { drop(writeln!(stdout(), $($words)*)) };
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = HistoryStore::Sqlite(folder.path().join("history.db"));
    let settings = HistorySettings { store, retention_days: 400, max_rows: 500_000 };
    let (board, reach) = (HistoryBoard::default(), Duration::from_mins(1));
    let history = History::open(&settings, HistoryClock::default(), reach, board.clone(), Metrics::default());
    let history = history.expect("a history");
    let address = start(&history);
    let counts = Arc::new(AtomicU64::new(0));
    for _ in 0..CLIENTS {
        let counts = Arc::clone(&counts);
        thread::spawn(move || read(address, &counts));
    }
    let is_writing = Arc::new(AtomicBool::new(false));
    let (recorder, writes) = (history.recorder().clone(), Arc::clone(&is_writing));
    thread::spawn(move || change(&recorder, &writes));
    thread::sleep(Duration::from_secs(2));
    let mut ratios = Vec::new();
    for _ in 0..PAIRS {
        let [without, with] = [false, true].map(|writes| {
            is_writing.store(writes, Relaxed);
            let (begun, before) = (Instant::now(), counts.load(Relaxed));
            thread::sleep(WINDOW);
            per_second(counts.load(Relaxed) - before, begun.elapsed())
        });
        say!("{without:.0} requests a second without, {with:.0} with images that come and go");
        ratios.push(with / without);
    }
    ratios.sort_unstable_by(f64::total_cmp);
    let state = board.state().expect("a state");
    say!("{} rows were written, {} wait; ratio {:.2} (median of {PAIRS})", state.rows, state.queue, ratios[PAIRS / 2]);
    history.stop();
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn per_second(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

/// Serves a cluster that does not change, and gives the address.
fn start(history: &History) -> SocketAddr {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let settings = ServerSettings {
        listen: Listen::Address(address),
        probe_listen: Listen::None,
        tls: None,
        request_timeout: Duration::from_secs(10),
        max_concurrent_requests: 512,
        shutdown_timeout: Duration::from_secs(5),
        cache_max_bytes: 64 * 1024 * 1024,
        cors_origins: Vec::new(),
        allowed_hosts: Vec::new(),
    };
    let pods = (0..PODS).map(|number| {
        pod(
            &format!("ns-{}/pod-{number}", number % 200),
            &format!("registry.example.com/team/app-{}:1.0", number % 400),
        )
    });
    let mut index = PodIndex::new("bench", NamespaceSelection::default());
    let snapshot = cluster().with(pods).relist_into(&mut index);
    let (writer, reader) = feed();
    writer.publish(snapshot);
    let health = Health::new(reader.clone(), None, Duration::from_mins(1), PushBoard::default());
    let policy = ReportPolicy::default();
    let metrics = Exposition::new(Metrics::default(), health.clone(), &policy, &MetricsSettings::default());
    let listeners = Listeners::open(&settings).expect("an address");
    let retry_after = Duration::from_secs(5);
    let deps = HttpDeps { reader, health, metrics, policy, history: history.reader(), settings, retry_after };
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let served = runtime.block_on(serve(listeners, deps, CancellationToken::new()));
        drop(writer);
        served.expect("served");
    });
    address
}

/// Asks on one connection, as fast as answers come.
fn read(address: SocketAddr, count: &AtomicU64) {
    let stream = TcpStream::connect(address).expect("it listens");
    let (mut answers, mut body) = (BufReader::new(stream), Vec::new());
    loop {
        let request = b"GET /inventory HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n";
        answers.get_mut().write_all(request).expect("sent");
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            answers.read_line(&mut line).expect("a head");
            let value = line.to_ascii_lowercase().strip_prefix("content-length:").map(|value| value.trim().parse());
            length = value.map_or(length, |value| value.expect("a number"));
        }
        assert!(length > 0, "an answer without a length");
        body.resize(length, 0);
        answers.read_exact(&mut body).expect("a body");
        count.fetch_add(1, Relaxed);
    }
}

/// Lets pods of ever new images come and go, in an index of its own, while it is to.
fn change(recorder: &Recorder, writes: &AtomicBool) {
    let mut index = PodIndex::new("bench", NamespaceSelection::default());
    recorder.exchange(&mut index);
    recorder.listed(&cluster().namespace("shop").relist_into(&mut index), Timestamp::now());
    let mut number = 0_u64;
    loop {
        thread::sleep(PACE);
        if !writes.load(Relaxed) {
            continue;
        }
        for _ in 0..AT_ONCE {
            index.apply(Event::from(pod(&format!("shop/pod-{number}"), &format!("registry.example.com/new:{number}"))));
            if let Some(old) = number.checked_sub(100) {
                let name = format!("pod-{old}").into();
                index.apply(Event::Deleted(ObjectKey::Pod(PodKey { namespace: "shop".into(), name, uid: None })));
            }
            number += 1;
        }
        index.set_now(Timestamp::now());
        index.publish();
        recorder.exchange(&mut index);
    }
}
