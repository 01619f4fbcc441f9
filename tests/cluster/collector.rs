//! The event loop against an API server that fails: what is kept, what is said, when it is tried again, when it ends.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::fake_api::cluster::{FakeCluster, pod};
use crate::fake_api::fault::{Fault, On};
use crate::fake_api::reader::{all, include, settings};
use crate::fake_api::server::{FakeApi, kubeconfig};
use crate::log::Log;
use crate::openmetrics::Text;
use jiff::Timestamp;
use kai::cluster::install_crypto_provider;
use kai::collector::{CollectError, Collector, DumpFile, Outlets, PollCluster, Source as _, Update};
use kai::config::{CollectionMethod, CollectionSettings, MetricsSettings};
use kai::dump::DumpInput;
use kai::feed::{SnapshotReader, feed};
use kai::health::{Health, PushBoard};
use kai::history::Recorder;
use kai::inventory::{Detail, MetadataRule, ReportPolicy};
use kai::metrics::{Exposition, Metrics, Serving};
use kai::snapshot::Snapshot;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes; only a hang reaches it.
const LIMIT: Duration = Duration::from_secs(30);
const PODS: &str = "/api/v1/pods";

/// Settings of a poller.
fn collection(interval: Duration, cycle_timeout: Duration) -> CollectionSettings {
    let method = CollectionMethod::Poll;
    CollectionSettings { method, interval, cycle_timeout, verify_interval: None, stale_after: None }
}

/// A poller at work; stopped when dropped.
struct Polling {
    reader: SnapshotReader,
    health: Health,
    metrics: Metrics,
    stop: CancellationToken,
    task: JoinHandle<Result<(), CollectError>>,
}

impl Polling {
    fn start(kubeconfig: &Path, interval: Duration, cycle_timeout: Duration) -> Self {
        install_crypto_provider();
        let metrics = Metrics::default();
        let collection = collection(interval, cycle_timeout);
        let source = PollCluster::new(settings(kubeconfig), Detail::default(), all(), &collection);
        let collector = Collector::new(Box::new(source.with_metrics(metrics.clone())), all(), None);
        let (writer, reader) = feed();
        let health = Health::new(reader.clone(), None, LIMIT, PushBoard::default());
        let stop = CancellationToken::new();
        let outlets =
            Outlets { writer, health: health.clone(), metrics: metrics.clone(), recorder: Recorder::new(LIMIT) };
        let task = tokio::spawn(collector.run(outlets, stop.clone()));
        Self { reader, health, metrics, stop, task }
    }

    async fn next(&mut self) -> Arc<Snapshot> {
        tokio::time::timeout(LIMIT, self.reader.next()).await.expect("in time").expect("a poller at work")
    }

    /// Waits until the last poll failed, and gives what is said of it.
    async fn failure(&self) -> String {
        let begun = Instant::now();
        loop {
            let report = self.health.report(Timestamp::now());
            let poll = report.readiness.into_iter().find(|check| check.name == "poll").expect("a check of the poll");
            if !poll.ok {
                return poll.detail;
            }
            assert!(begun.elapsed() < LIMIT, "no poll failed: {}", poll.detail);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn metrics(&self) -> Text {
        let (policy, settings) = (ReportPolicy::default(), MetricsSettings::default());
        let exposition = Exposition::new(self.metrics.clone(), self.health.clone(), &policy, &settings);
        Text::read(&exposition.text(Serving::default()).expect("a text"))
    }

    fn is_ready(&self) -> bool {
        self.health.report(Timestamp::now()).is_ready
    }

    async fn stop(self) -> Duration {
        let begun = Instant::now();
        self.stop.cancel();
        tokio::time::timeout(LIMIT, self.task).await.expect("in time").expect("no panic").expect("stopped");
        begun.elapsed()
    }
}

/// A collector that is asked for single reads.
fn collector(kubeconfig: &Path, detail: Detail, configured_name: Option<&str>) -> Collector {
    install_crypto_provider();
    let collection = collection(SELDOM, LIMIT);
    let source = PollCluster::new(settings(kubeconfig), detail, all(), &collection);
    Collector::new(Box::new(source), all(), configured_name.map(str::to_owned))
}

const OFTEN: Duration = Duration::from_millis(100);
const SELDOM: Duration = Duration::from_mins(5);

#[tokio::test]
async fn a_poll_that_fails_keeps_the_last_snapshot_and_says_why_until_one_succeeds() {
    let api = FakeApi::start(FakeCluster::of(2, 3)).await;
    let mut polling = Polling::start(&api.kubeconfig("{}"), OFTEN, LIMIT);
    let first = polling.next().await;
    assert_eq!(first.cluster_name(), "fake-cluster");

    api.change(|cluster| cluster.fault_times(On::Everything, Fault::Unauthorized, 4));
    let said = polling.failure().await;
    assert!(said.contains("does not accept the credentials"), "{said}");
    assert!(polling.is_ready(), "an old answer that says its age is served");
    assert!(polling.reader.current().is_some());

    let begun = Instant::now();
    while polling.health.report(Timestamp::now()).readiness.iter().any(|check| !check.ok) {
        assert!(begun.elapsed() < LIMIT, "never well again");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let last = polling.reader.current().expect("a snapshot");
    assert_eq!(last.generation(), first.generation(), "nothing changed, and nothing is published");
    assert!(polling.reader.observed_at() > Some(first.observed_at()), "and it is known to be true still");
}

#[tokio::test]
async fn polls_errors_and_requests_are_counted() {
    let api = FakeApi::start(FakeCluster::of(2, 3)).await;
    api.change(|cluster| cluster.fault_times(On::Everything, Fault::Unauthorized, 2));
    let mut polling = Polling::start(&api.kubeconfig("{}"), SELDOM, LIMIT);
    polling.next().await;
    // The poll is counted once its snapshot is out.
    let text = {
        let begun = Instant::now();
        loop {
            let text = polling.metrics();
            if text.value("kai_polls_total", &[("outcome", "success")]) == Some(1.0) {
                break text;
            }
            assert!(begun.elapsed() < LIMIT, "the poll is not counted");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let failed = text.value("kai_polls_total", &[("outcome", "failure")]).expect("failures");
    assert!(failed >= 1.0);
    assert_eq!(text.value("kai_poll_errors_total", &[("kind", "unauthorized")]), Some(failed));
    assert_eq!(text.value("kai_poll_duration_seconds_count", &[]), Some(failed + 1.0));
    assert_eq!(text.value("kai_poll_interval_seconds", &[]), Some(SELDOM.as_secs_f64()));
    let requests = |resource, code| text.value("kai_api_requests_total", &[("resource", resource), ("code", code)]);
    assert!(requests("pods", "200") >= Some(1.0) && requests("namespaces", "200") >= Some(1.0));
    // What is given up with its relist is not counted: one of the two may be.
    let refused = text.samples("kai_api_requests_total");
    let refused: f64 = refused.iter().filter(|sample| sample.labels["code"] == "401").map(|sample| sample.value).sum();
    assert!((1.0..=2.0).contains(&refused), "{refused}");
    assert!(text.value("kai_api_received_bytes_total", &[]) > Some(500.0));
}

#[tokio::test]
async fn the_uid_of_kube_system_is_asked_for_until_there_is_an_answer() {
    const KUBE_SYSTEM: &str = "/api/v1/namespaces/kube-system";
    install_crypto_provider();
    let cluster = FakeCluster::of(1, 1).with("kube-system", pod("kube-system", "dns", "dns:1")).described();
    let api = FakeApi::start(cluster.fault_times(On::Path(KUBE_SYSTEM), Fault::Forbidden, 1)).await;
    let collection = collection(OFTEN, LIMIT);
    let source = PollCluster::new(settings(&api.kubeconfig("{}")), Detail::default(), include(&["ns-0"]), &collection);
    let mut source = source.with_identity();
    let (sender, mut updates) = mpsc::channel(8);
    let (mut identities, mut reads) = (Vec::new(), 0);
    let take = async {
        while reads < 4 {
            match updates.recv().await.expect("an update") {
                Update::Identity(uid) => identities.push(uid),
                Update::Read { .. } => reads += 1,
                _ => {}
            }
        }
    };
    tokio::select! {
        () = source.run(&sender) => panic!("it ended"),
        taken = tokio::time::timeout(LIMIT, take) => taken.expect("in time"),
    }
    let [Err(refused), Ok(uid)] = identities.as_slice() else { panic!("{identities:?}") };
    assert!(refused.contains("namespaces") && refused.contains("kube-system"), "{refused}");
    assert_eq!((&**uid, api.count(KUBE_SYSTEM)), ("uid-kube-system", 2));
}

#[tokio::test]
async fn a_relist_that_is_cut_short_replaces_nothing() {
    let api = FakeApi::start(FakeCluster::of(1, 5)).await;
    let mut polling = Polling::start(&api.kubeconfig("{}"), OFTEN, Duration::from_secs(2));
    let whole = polling.next().await;

    // The first pages still come: what they hold must not take the place of the whole.
    api.change(|cluster| cluster.fault(On::Page(PODS, 2), Fault::Stall));
    let said = polling.failure().await;
    assert!(said.contains("collection.cycle-timeout-seconds"), "{said}");
    let kept = polling.reader.current().expect("a snapshot");
    assert_eq!(kept.content_hash(), whole.content_hash());
    assert!(kept.is_complete());
}

#[tokio::test]
async fn a_service_that_starts_before_its_api_server_becomes_ready_when_it_is_there() {
    let api = FakeApi::start(FakeCluster::of(1, 1)).await;
    // A port that was free a moment ago: nothing listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("address").port();
    let path = api.kubeconfig_text(&kubeconfig(&format!("http://127.0.0.1:{port}"), "{}"));
    let mut polling = Polling::start(&path, SELDOM, LIMIT);
    let said = polling.failure().await;
    assert!(said.contains("connection refused"), "{said}");
    assert!(!polling.is_ready() && polling.reader.current().is_none());

    // The kubeconfig is read anew after a failure, and the next try does not wait for the interval.
    api.kubeconfig("{}");
    assert_eq!(polling.next().await.generation(), 1);
    assert!(polling.is_ready());
}

#[tokio::test]
async fn a_failure_that_took_long_is_followed_by_a_pause_all_the_same() {
    let api = FakeApi::start(FakeCluster::of(1, 1).fault(On::Everything, Fault::Stall)).await;
    // Longer than the first pause, which is a second.
    let polling = Polling::start(&api.kubeconfig("{}"), SELDOM, Duration::from_millis(1500));
    polling.failure().await;
    let asked = api.asked().len();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(api.asked().len(), asked, "the API server was asked again at once");
    let begun = Instant::now();
    while api.asked().len() == asked {
        assert!(begun.elapsed() < LIMIT, "never tried again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn polls_do_not_overlap_when_one_takes_longer_than_the_interval() {
    let slow = Fault::Slow(Duration::from_millis(300));
    let api = FakeApi::start(FakeCluster::of(1, 1).fault(On::Path(PODS), slow)).await;
    let mut polling = Polling::start(&api.kubeconfig("{}"), Duration::from_millis(50), LIMIT);
    polling.next().await;
    for _ in 0..2 {
        let (seen, begun) = (polling.reader.observed_at(), Instant::now());
        while polling.reader.observed_at() == seen {
            assert!(begun.elapsed() < LIMIT, "no further poll");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let polls = polling.metrics().value("kai_polls_total", &[("outcome", "success")]).expect("polls");
        let lists = f64::from(u32::try_from(api.count(PODS)).expect("few"));
        assert!((polls..=polls + 2.0).contains(&lists), "{lists} lists for {polls} polls");
    }
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_poll_that_hangs() {
    let api = FakeApi::start(FakeCluster::of(1, 1).fault(On::Everything, Fault::Stall)).await;
    let polling = Polling::start(&api.kubeconfig("{}"), SELDOM, LIMIT);
    let begun = Instant::now();
    while api.asked().is_empty() {
        assert!(begun.elapsed() < LIMIT, "nothing was asked");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let took = polling.stop().await;
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn the_clusters_name_is_known_once_the_source_is_open() {
    let api = FakeApi::start(FakeCluster::of(1, 1)).await;
    let path = api.kubeconfig("{}");
    for (configured, before, after) in [(None, "", "fake-cluster"), (Some("prod"), "prod", "prod")] {
        let (mut collector, asked) = (collector(&path, Detail::default(), configured), api.asked().len());
        assert_eq!(collector.cluster_name(), before);
        collector.open().await.expect("a kubeconfig");
        assert_eq!(collector.cluster_name(), after);
        assert_eq!(api.asked().len(), asked, "opening asks for nothing");
        assert_eq!(collector.read_once().await.expect("a relist").cluster_name(), after);
    }
}

#[tokio::test]
async fn the_detail_reaches_a_cluster_and_lasts_when_it_is_connected_anew() {
    let api = FakeApi::start(FakeCluster::of(1, 1).nodes(2)).await;
    let detail = Detail { nodes: Some(MetadataRule::default()), ..Detail::default() };
    let mut collector = collector(&api.kubeconfig("{}"), detail, None);
    let log = Log::start();
    api.change(|cluster| cluster.fault_times(On::Path("/api/v1/nodes"), Fault::Forbidden, 2));
    assert_eq!(collector.read_once().await.expect("a relist").nodes().len(), 0);
    api.change(|cluster| cluster.fault_times(On::Path(PODS), Fault::Forbidden, 1));
    assert!(collector.read_once().await.is_err());
    assert_eq!(collector.read_once().await.expect("a relist").nodes().len(), 2);
    let lines = log.take();
    assert!(lines.len() == 1 && lines[0].contains("list nodes"), "one warning in the life of the process: {lines:?}");
}

#[tokio::test]
async fn the_detail_reaches_a_dump_which_says_when_it_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.json");
    let text = r#"{"kind":"Node","metadata":{"name":"n1"}}{"kind":"Namespace","metadata":{"name":"x"}}"#;
    std::fs::write(&path, text).expect("written");
    let detail = Detail { nodes: Some(MetadataRule::default()), ..Detail::default() };
    let input = DumpInput::of([path]).expect("a path");
    let modified_at = input.modified_at().expect("a time");
    let mut collector = Collector::new(Box::new(DumpFile::new(input, detail)), all(), None);
    let snapshot = collector.read_once().await.expect("a dump");
    assert_eq!(snapshot.nodes().iter().map(|node| &*node.name).collect::<Vec<_>>(), ["n1"]);
    assert_eq!(collector.cluster_name(), "");
    assert_eq!(snapshot.observed_at(), modified_at);
}
