//! A cluster that is watched: what shows without another list, and what follows when a watch ends, fails or may not be.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::fake_api::cluster::{FakeCluster, pod};
use crate::fake_api::fault::{Fault, On};
use crate::fake_api::reader::{all, settings};
use crate::fake_api::server::FakeApi;
use crate::log::Log;
use jiff::Timestamp;
use kai::cluster::install_crypto_provider;
use kai::collector::{CollectError, Collector, Outlets, PollCluster, Source as _, WatchCluster};
use kai::config::{CollectionMethod, CollectionSettings, MetricsSettings};
use kai::feed::{SnapshotReader, feed};
use kai::health::{Health, HealthReport, PushBoard};
use kai::history::Recorder;
use kai::inventory::{Detail, NamespaceSelection, ReportPolicy};
use kai::metrics::{Exposition, Metrics, Serving};
use kai::snapshot::{NamespaceState, Snapshot};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes; only a hang reaches it.
const LIMIT: Duration = Duration::from_secs(30);
const SELDOM: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_secs(1);
const PODS: &str = "/api/v1/pods";
const NAMESPACES: &str = "/api/v1/namespaces";

/// A watcher at work; stopped when dropped.
struct Watching {
    api: FakeApi,
    reader: SnapshotReader,
    health: Health,
    metrics: Metrics,
    stop: CancellationToken,
    _task: JoinHandle<Result<(), CollectError>>,
}

impl Watching {
    async fn start(cluster: FakeCluster, method: CollectionMethod, interval: Duration) -> Self {
        Self::start_verified(cluster, method, interval, None).await
    }

    /// With a second list at every `verify`, whose differences the watch may explain for half a second.
    async fn start_verified(
        cluster: FakeCluster,
        method: CollectionMethod,
        interval: Duration,
        verify: Option<Duration>,
    ) -> Self {
        let api = FakeApi::start(cluster).await;
        let kubeconfig = api.kubeconfig("{}");
        Self::of(api, &kubeconfig, method, interval, verify, all())
    }

    /// As that user of the kubeconfig.
    async fn start_as(cluster: FakeCluster, user: &str) -> Self {
        let api = FakeApi::start(cluster).await;
        let kubeconfig = api.kubeconfig(user);
        Self::of(api, &kubeconfig, CollectionMethod::Auto, SELDOM, None, all())
    }

    /// Of the first forty namespaces, which are more than are watched one by one.
    async fn forty_namespaces(cluster: FakeCluster) -> Self {
        let api = FakeApi::start(cluster).await;
        let kubeconfig = api.kubeconfig("{}");
        Self::of(api, &kubeconfig, CollectionMethod::Auto, SOON, None, forty())
    }

    fn of(
        api: FakeApi,
        kubeconfig: &Path,
        method: CollectionMethod,
        interval: Duration,
        verify: Option<Duration>,
        selection: NamespaceSelection,
    ) -> Self {
        install_crypto_provider();
        let metrics = Metrics::default();
        let source = source(kubeconfig, method, interval, verify, selection.clone(), &metrics);
        let (writer, reader) = feed();
        let health = Health::new(reader.clone(), None, LIMIT, PushBoard::default());
        let stop = CancellationToken::new();
        let outlets =
            Outlets { writer, health: health.clone(), metrics: metrics.clone(), recorder: Recorder::new(LIMIT) };
        let task = tokio::spawn(Collector::new(Box::new(source), selection, None).run(outlets, stop.clone()));
        Self { api, reader, health, metrics, stop, _task: task }
    }

    /// Two pods in `ns-0`, listed and watched.
    async fn two_pods(cluster: FakeCluster) -> Self {
        let watching = Self::start(cluster, CollectionMethod::Auto, SELDOM).await;
        watching
            .until("both are watched", |watching| {
                let open = [PODS, NAMESPACES].map(|path| watching.api.open_watches(path));
                open == [1, 1] && watching.told("kai_watch_streams 2") && watching.check("watch").0
            })
            .await;
        watching.until_pods(&["ns-0/web-0", "ns-0/web-1"]).await;
        watching
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < LIMIT, "{what}: {:?}, asked {:?}", self.report(), self.api.asked());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn until_pods(&self, expected: &[&str]) {
        self.until(&format!("{expected:?}"), |watching| watching.pods() == expected).await;
    }

    fn pods(&self) -> Vec<String> {
        let snapshot = self.reader.current();
        snapshot.iter().flat_map(names).collect()
    }

    fn report(&self) -> HealthReport {
        self.health.report(Timestamp::now())
    }

    fn check(&self, name: &str) -> (bool, String) {
        let check = self.report().readiness.into_iter().find(|check| check.name == name);
        check.map_or((false, "no such check".to_owned()), |check| (check.ok, check.detail))
    }

    /// Whether the metrics have that line.
    fn told(&self, line: &str) -> bool {
        let (policy, settings) = (ReportPolicy::default(), MetricsSettings::default());
        let exposition = Exposition::new(self.metrics.clone(), self.health.clone(), &policy, &settings);
        exposition.text(Serving::default()).expect("a text").lines().any(|known| known == line)
    }

    /// How often the pods were listed.
    fn lists(&self) -> usize {
        self.api.count(PODS) - self.api.watched(PODS).len()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn source(
    kubeconfig: &Path,
    method: CollectionMethod,
    interval: Duration,
    verify: Option<Duration>,
    selection: NamespaceSelection,
    metrics: &Metrics,
) -> WatchCluster {
    let collection =
        CollectionSettings { method, interval, cycle_timeout: LIMIT, verify_interval: None, stale_after: None };
    let poll = PollCluster::new(settings(kubeconfig), Detail::default(), selection, &collection);
    let poll = poll.with_metrics(metrics.clone());
    let source = WatchCluster::new(poll, verify, method == CollectionMethod::Auto);
    source.with_patience(Duration::from_millis(500))
}

fn forty() -> NamespaceSelection {
    NamespaceSelection::new((0..40).map(|number| format!("ns-{number}").into()), Vec::new())
}

fn names(snapshot: &Arc<Snapshot>) -> Vec<String> {
    let pods = snapshot.namespaces().iter().flat_map(|part| part.pods());
    pods.map(|pod| format!("{}/{}", pod.namespace, pod.name)).collect()
}

fn typed(mut pod: Value, version: &str) -> Value {
    pod["kind"] = json!("Pod");
    pod["apiVersion"] = json!("v1");
    pod["metadata"]["resourceVersion"] = json!(version);
    pod
}

fn bookmark(kind: &str, version: &str) -> Value {
    json!({"kind": kind, "apiVersion": "v1", "metadata": {"resourceVersion": version}})
}

fn expired() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "too old resource version: 10 (99)",
        "reason": "Expired", "code": 410})
}

#[tokio::test]
async fn what_changes_shows_without_another_list() {
    let watching = Watching::two_pods(FakeCluster::of(1, 2)).await;
    let (ok, detail) = watching.check("watch");
    assert!(ok && detail.starts_with("the cluster is watched"), "{detail}");
    watching.api.frame(PODS, "ADDED", &typed(pod("ns-1", "new", "redis:7"), "11"));
    watching.until_pods(&["ns-0/web-0", "ns-0/web-1", "ns-1/new"]).await;
    watching.api.frame(PODS, "MODIFIED", &typed(pod("ns-1", "new", "redis:8"), "12"));
    watching
        .until("the new image", |watching| {
            let snapshot = watching.reader.current().expect("a snapshot");
            let part = snapshot.namespace("ns-1").expect("a namespace");
            part.images(true).any(|image| image.image.written() == "redis:8")
        })
        .await;
    watching.api.frame(PODS, "DELETED", &typed(pod("ns-0", "web-0", "nginx:1.27"), "13"));
    watching.until_pods(&["ns-0/web-1", "ns-1/new"]).await;
    assert_eq!(watching.lists(), 1);
    assert_eq!(watching.api.watched(PODS).len(), 1);
    assert!(watching.api.watched(PODS)[0].contains("resourceVersion=10&"), "{:?}", watching.api.watched(PODS));
}

#[tokio::test]
async fn bookmarks_move_the_time_and_make_no_snapshot() {
    let watching = Watching::two_pods(FakeCluster::of(1, 2)).await;
    let (before, generation) = (watching.reader.observed_at(), watching.reader.current().expect("one").generation());
    tokio::time::sleep(Duration::from_millis(20)).await;
    watching.api.frame(NAMESPACES, "BOOKMARK", &bookmark("Namespace", "50"));
    watching.api.frame(PODS, "BOOKMARK", &bookmark("Pod", "50"));
    watching.until("both bookmarks", |watching| watching.told("kai_watch_events_total{type=\"bookmark\"} 2")).await;
    watching.until("a later time", |watching| watching.reader.observed_at() > before).await;
    assert_eq!(watching.reader.current().expect("one").generation(), generation);
    watching.api.cut(PODS);
    watching.until("another watch", |watching| watching.api.watched(PODS).len() >= 2).await;
    assert!(watching.api.watched(PODS)[1].contains("resourceVersion=50&"), "from where the bookmark was");
}

#[tokio::test]
async fn a_server_without_its_store_makes_nothing_look_newer() {
    const READY: &str = "/readyz";
    let watching = Watching::two_pods(FakeCluster::of(1, 2)).await;
    watching.api.frame(PODS, "BOOKMARK", &bookmark("Pod", "50"));
    watching.until("the bookmark", |watching| watching.told("kai_watch_events_total{type=\"bookmark\"} 1")).await;
    // Its time is published with the next snapshot, if there is one, or without.
    tokio::time::sleep(Duration::from_millis(200)).await;
    watching.api.change(|cluster| cluster.fault(On::Path(READY), Fault::Busy(500, None)));
    let before = watching.reader.observed_at();
    // What a server without etcd still sends, each minute: where it was.
    watching.api.frame(PODS, "BOOKMARK", &bookmark("Pod", "50"));
    watching.until("a question", |watching| watching.api.count(READY) == 1).await;
    watching.api.end(PODS);
    watching.until("a question of another stream", |watching| watching.api.count(READY) == 2).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(watching.reader.observed_at(), before);
    watching.api.frame(PODS, "BOOKMARK", &bookmark("Pod", "51"));
    watching.until("a later time", |watching| watching.reader.observed_at() > before).await;
    assert_eq!(watching.api.count(READY), 2, "a version that is new came from the store");
    // One that has just started says so, and nothing changes for minutes.
    watching.api.end(PODS);
    watching.until("a question of a third stream", |watching| watching.api.count(READY) == 3).await;
    let before = watching.reader.observed_at();
    watching.api.change(|_| FakeCluster::of(1, 2));
    watching.until("asked again", |watching| watching.reader.observed_at() > before).await;
}

#[tokio::test]
async fn a_watch_that_ends_or_breaks_is_opened_again_from_where_it_was() {
    let watching = Watching::two_pods(FakeCluster::of(1, 2)).await;
    watching.api.frame(PODS, "ADDED", &typed(pod("ns-0", "web-2", "nginx:1.27"), "11"));
    watching.until_pods(&["ns-0/web-0", "ns-0/web-1", "ns-0/web-2"]).await;
    watching.api.end(PODS);
    watching.until("a second watch", |watching| watching.api.open_watches(PODS) == 1).await;
    watching.api.frame(PODS, "ADDED", &typed(pod("ns-0", "web-3", "nginx:1.27"), "12"));
    watching.until("the pod", |watching| watching.pods().len() == 4).await;
    watching.api.cut(PODS);
    watching.until("a third watch", |watching| watching.api.open_watches(PODS) == 1).await;
    let versions: Vec<_> =
        watching.api.watched(PODS).iter().map(|query| query.contains("resourceVersion=12&")).collect();
    assert_eq!((versions, watching.lists()), (vec![false, false, true], 1));
}

#[tokio::test]
async fn what_is_too_old_is_listed_again_and_what_went_meanwhile_is_gone() {
    let watching = Watching::two_pods(FakeCluster::of(1, 2)).await;
    watching.api.change(|_| FakeCluster::of(1, 1));
    watching.api.frame(PODS, "ERROR", &expired());
    watching.until_pods(&["ns-0/web-0"]).await;
    assert_eq!(watching.lists(), 2, "the server does not send initial events");
}

#[tokio::test]
async fn a_server_that_sends_initial_events_is_not_listed_again() {
    let watching = Watching::two_pods(FakeCluster::of(1, 2).initial_events()).await;
    watching.api.change(|_| FakeCluster::of(1, 1).initial_events());
    watching.api.frame(PODS, "ERROR", &expired());
    watching.until_pods(&["ns-0/web-0"]).await;
    watching.api.frame(PODS, "ADDED", &typed(pod("ns-0", "web-9", "nginx:1.27"), "21"));
    watching.until_pods(&["ns-0/web-0", "ns-0/web-9"]).await;
    assert_eq!(watching.lists(), 1);
}

#[tokio::test]
async fn initial_events_that_break_off_are_no_list() {
    let watching = Watching::two_pods(FakeCluster::of(1, 2)).await;
    let stalls = FakeCluster::of(1, 1).fault_times(On::Watch(PODS), Fault::Cut, 1);
    watching.api.change(|_| stalls);
    watching.api.frame(PODS, "ERROR", &expired());
    watching.until_pods(&["ns-0/web-0"]).await;
    assert_eq!(watching.lists(), 2);
}

#[tokio::test]
async fn without_the_right_the_cluster_is_polled_and_the_verb_is_named_once() {
    let log = Log::start();
    let cluster = FakeCluster::of(1, 2).fault(On::Watch(PODS), Fault::Forbidden);
    let watching = Watching::start(cluster, CollectionMethod::Auto, SOON).await;
    watching.until("a third list", |watching| watching.lists() >= 3).await;
    assert!(watching.report().is_ready);
    let (ok, detail) = watching.check("watch");
    assert!(ok && detail.contains("missing right: watch pods in all namespaces"), "{detail}");
    let warnings = log.take();
    assert_eq!(warnings.len(), 1, "no other line either: {warnings:?}");
    assert!(warnings[0].contains("polled every 1 s"), "{warnings:?}");
    assert!(warnings[0].contains("add the verb watch"), "{warnings:?}");
    // The right is given while it runs.
    watching.api.change(|_| FakeCluster::of(1, 2));
    watching.until("a watch", |watching| watching.api.open_watches(PODS) == 1).await;
    watching.api.frame(PODS, "ADDED", &typed(pod("ns-0", "web-2", "nginx:1.27"), "11"));
    watching.until("the pod", |watching| watching.pods().len() == 3).await;
    assert!(watching.check("watch").1.starts_with("the cluster is watched"));
}

#[tokio::test]
async fn where_polling_is_not_wanted_a_missing_right_is_a_reason_not_to_be_ready() {
    let cluster = FakeCluster::of(1, 2).fault_times(On::Watch(PODS), Fault::Forbidden, 2);
    let watching = Watching::start(cluster, CollectionMethod::Watch, SOON).await;
    watching.until("not ready", |watching| watching.check("watch").1.contains("cannot be watched")).await;
    assert!(!watching.report().is_ready);
    watching.until("the right is there", |watching| watching.report().is_ready).await;
    assert_eq!(watching.lists(), 1, "it never polls");
}

#[tokio::test]
async fn while_the_server_is_away_the_answer_stays_and_its_age_grows() {
    let watching = Watching::two_pods(FakeCluster::of(1, 2)).await;
    watching.api.change(|_| FakeCluster::of(0, 0).fault(On::Everything, Fault::Busy(503, None)));
    watching.api.cut(PODS);
    watching.until("the watch is lost", |watching| watching.check("watch").1.contains("is lost")).await;
    // What was heard before is published within moments.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let observed_at = watching.reader.observed_at();
    assert!(watching.check("watch").1.contains(watching.api.address()), "{:?}", watching.check("watch"));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((watching.pods().len(), watching.reader.observed_at()), (2, observed_at));
    assert!(watching.report().is_ready, "an old answer that says its age is served");
    watching.api.change(|_| FakeCluster::of(1, 2));
    watching.until("it is watched again", |watching| watching.check("watch").0).await;
}

#[tokio::test]
async fn a_frame_that_cannot_be_read_is_named_until_the_next_list() {
    let watching = Watching::two_pods(FakeCluster::of(1, 2)).await;
    let mut broken = typed(pod("ns-0", "odd", "nginx:1.27"), "11");
    broken["spec"]["containers"] = json!(7);
    watching.api.frame(PODS, "ADDED", &broken);
    watching.api.frame(PODS, "MODIFIED", &broken);
    watching.api.frame(PODS, "ADDED", &typed(pod("ns-0", "web-2", "nginx:1.27"), "12"));
    watching.until("the pod behind it", |watching| watching.pods().len() == 3).await;
    watching.until("incomplete", |watching| !watching.reader.current().expect("one").is_complete()).await;
    let snapshot = watching.reader.current().expect("one");
    let skipped: Vec<_> = snapshot.completeness().skipped_samples.iter().map(|item| item.item.to_string()).collect();
    assert_eq!((skipped, snapshot.completeness().skipped), (vec!["pod ns-0/odd".to_owned()], 1));
    watching.api.frame(PODS, "ERROR", &expired());
    watching.until("complete", |watching| watching.reader.current().expect("one").is_complete()).await;
}

#[tokio::test]
async fn frames_that_make_no_sense_change_nothing() {
    let watching = Watching::two_pods(FakeCluster::of(1, 2)).await;
    watching.api.frame(PODS, "DELETED", &typed(pod("nowhere", "x", "x:1"), "11"));
    watching.api.frame(PODS, "ADDED", &typed(pod("ns-0", "web-0", "nginx:1.27"), "no number"));
    watching.api.frame(PODS, "ADDED", &typed(pod("ns-0", "web-5", "nginx:1.27"), "12"));
    watching.until_pods(&["ns-0/web-0", "ns-0/web-1", "ns-0/web-5"]).await;
    assert_eq!(watching.lists(), 1);
}

#[tokio::test]
async fn a_page_of_html_is_no_stream_and_the_cluster_is_polled() {
    let cluster = FakeCluster::of(1, 1).fault(On::Watch(PODS), Fault::LoginPage);
    // The five tries take 12 s at most; with a shorter interval the next poll would be due before it is seen that there is one.
    let watching = Watching::start(cluster, CollectionMethod::Auto, Duration::from_secs(14)).await;
    watching.until("polled", |watching| watching.check("watch").1.contains("polled")).await;
    watching.until("another list", |watching| watching.lists() >= 2).await;
    watching.until_pods(&["ns-0/web-0"]).await;
}

#[tokio::test]
async fn a_second_list_finds_what_the_watch_has_missed_and_wins() {
    let log = Log::start();
    let cluster = FakeCluster::of(2, 2);
    let watching = Watching::start_verified(cluster, CollectionMethod::Auto, SELDOM, Some(SOON)).await;
    watching.until("all", |watching| watching.pods().len() == 4 && watching.api.open_watches(PODS) == 1).await;
    // One pod, a namespace and its pods went, one pod came, and no frame has told of it.
    watching.api.change(|_| FakeCluster::of(1, 1).with("ns-0", pod("ns-0", "silent", "redis:7")));
    watching.until_pods(&["ns-0/silent", "ns-0/web-0"]).await;
    let errors: Vec<String> = log.take().into_iter().filter(|line| line.contains("has missed")).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    for object in ["namespace ns-1", "pod ns-0/silent", "pod ns-0/web-1", "pod ns-1/web-0"] {
        assert!(errors[0].contains(object), "{object}: {errors:?}");
    }
    assert_eq!(watching.api.watched(PODS).len(), 1, "the watch goes on");
}

#[tokio::test]
async fn what_changes_while_a_second_list_is_read_is_no_difference() {
    let log = Log::start();
    let slow = FakeCluster::of(1, 2).fault(On::Path(PODS), Fault::Slow(Duration::from_millis(300)));
    let watching = Watching::start_verified(slow, CollectionMethod::Auto, SELDOM, Some(SOON)).await;
    watching.until("both", |watching| watching.pods().len() == 2 && watching.api.open_watches(PODS) == 1).await;
    watching.until("a second list", |watching| watching.lists() == 2).await;
    // The list has it not yet, or no more.
    watching.api.frame(PODS, "ADDED", &typed(pod("ns-0", "new", "redis:7"), "11"));
    watching.api.frame(PODS, "DELETED", &typed(pod("ns-0", "web-0", "nginx:1.27"), "12"));
    watching.api.change(|_| {
        FakeCluster::of(0, 0)
            .with("ns-0", pod("ns-0", "new", "redis:7"))
            .with("ns-0", pod("ns-0", "web-1", "nginx:1.27"))
    });
    watching.until("a third list", |watching| watching.lists() == 3).await;
    assert_eq!(watching.pods(), ["ns-0/new", "ns-0/web-1"]);
    let errors: Vec<String> = log.take().into_iter().filter(|line| line.contains("has missed")).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[tokio::test]
async fn a_kubeconfig_with_another_token_counts_once_the_old_one_is_refused() {
    let api_of = |token: &str| FakeCluster::of(1, 2).token(token);
    let watching = Watching::start_as(api_of("old"), "{token: old}").await;
    watching.until("a watch", |watching| watching.api.open_watches(PODS) == 1).await;
    watching.api.kubeconfig("{token: new}");
    watching.api.change(|_| api_of("new").with("ns-0", pod("ns-0", "later", "nginx:1.27")));
    watching.api.cut(PODS);
    watching.until_pods(&["ns-0/later", "ns-0/web-0", "ns-0/web-1"]).await;
    watching.until("a watch again", |watching| watching.api.open_watches(PODS) == 1).await;
}

#[tokio::test]
async fn very_many_included_namespaces_are_one_watch_of_the_cluster() {
    let watching = Watching::forty_namespaces(FakeCluster::of(50, 1)).await;
    watching
        .until("both are watched", |watching| {
            watching.pods().len() == 40 && [PODS, NAMESPACES].map(|path| watching.api.open_watches(path)) == [1, 1]
        })
        .await;
    assert_eq!(watching.api.count("/api/v1/namespaces/ns-0/pods"), 0);
    let snapshot = watching.reader.current().expect("one");
    let read = snapshot.namespaces().iter().filter(|part| part.state() == NamespaceState::Read);
    assert_eq!(read.count(), 40, "others count as excluded");
    watching.api.frame(PODS, "ADDED", &typed(pod("ns-45", "other", "redis:7"), "11"));
    watching.api.frame(PODS, "ADDED", &typed(pod("ns-3", "new", "redis:7"), "12"));
    watching.until("the pod", |watching| watching.pods().contains(&"ns-3/new".to_owned())).await;
    assert_eq!(watching.pods().len(), 41);
}

#[tokio::test]
async fn very_many_included_namespaces_are_polled_without_the_right_to_all() {
    let of_all = || FakeCluster::of(50, 1);
    let watching = Watching::forty_namespaces(of_all().fault(On::Path(PODS), Fault::Forbidden)).await;
    watching.until("polled", |watching| watching.check("watch").1.contains("polled")).await;
    let (_, detail) = watching.check("watch");
    assert!(detail.contains("names 40 namespaces") && detail.contains("list pods in all namespaces"), "{detail}");
    let is_whole =
        |watching: &Watching| watching.pods().len() == 40 && watching.reader.current().expect("one").is_complete();
    assert!(is_whole(&watching));
    // The right is given, and taken away again.
    watching.api.change(|_| of_all());
    watching.until("a watch", |watching| watching.api.open_watches(PODS) == 1).await;
    watching.api.change(|_| of_all().fault(On::Path(PODS), Fault::Forbidden));
    watching.api.frame(PODS, "ERROR", &expired());
    watching.until("polled again", |watching| watching.check("watch").1.contains("polled")).await;
    assert!(is_whole(&watching), "{:?}", watching.report());
}

#[tokio::test]
async fn where_polling_is_not_wanted_very_many_namespaces_need_the_right_to_all() {
    install_crypto_provider();
    let api = FakeApi::start(FakeCluster::of(50, 1).fault(On::Path(PODS), Fault::Forbidden)).await;
    let kubeconfig = api.kubeconfig("{}");
    let source = |method| source(&kubeconfig, method, SELDOM, None, forty(), &Metrics::default());
    let error = source(CollectionMethod::Watch).open().await.expect_err("a missing right");
    assert!(error.is_configuration(), "{error}");
    for word in ["namespace-selectors.include names 40 namespaces", "list pods in all namespaces", "method to auto"] {
        assert!(error.to_string().contains(word), "{error}");
    }
    source(CollectionMethod::Auto).open().await.expect("polls");
    api.change(|_| FakeCluster::of(50, 1).fault(On::Everything, Fault::Busy(503, None)));
    source(CollectionMethod::Watch).open().await.expect("a server that is away has refused nothing");
}
