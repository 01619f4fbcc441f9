//! A cluster to ask about, and requests without a socket.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use kai::config::{Listen, MetricsSettings, ServerSettings};
use kai::feed::{SnapshotReader, SnapshotWriter, feed};
use kai::health::{Health, PushBoard};
use kai::history::HistoryReader;
use kai::http::{Http, HttpDeps};
use kai::inventory::{NamespacePattern, NamespaceSelection, NodeRecord, ReportPolicy};
use kai::metrics::{Exposition, Metrics};
use kai::snapshot::{Event, ListScope, PodIndex, Snapshot};
use kai::testing::{self, cluster, namespace, pod, pods_of, refused};
use serde_json::Value;
use tower::ServiceExt;

pub(crate) const OBSERVED: &str = "2026-11-24T09:30:00Z";
/// Longer than anything here takes; only a hang reaches it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A cluster that is read again and again.
pub(crate) struct Cluster {
    index: PodIndex,
    relists: u32,
}

impl Cluster {
    pub(crate) fn new() -> Self {
        let exclude = vec![NamespacePattern::parse("kube-system").expect("pattern")];
        let include = ["apps", "empty", "ghost", "kube-system", "refused", "shop"].map(Box::from);
        Self { index: PodIndex::new("demo", NamespaceSelection::new(include, exclude)), relists: 0 }
    }

    /// Every namespace of the cluster, without a selection.
    pub(crate) fn whole() -> Self {
        Self { index: PodIndex::new("demo", NamespaceSelection::default()), relists: 0 }
    }

    /// A relist at a time with one pod an image; `refused` could not be read, `ghost` is not there.
    pub(crate) fn relist(&mut self, observed_at: &str, pods: &[(&str, &str)]) -> Arc<Snapshot> {
        let lists = ["apps", "empty", "shop"].map(pods_of).into_iter().chain([ListScope::Namespaces]);
        let reason = "pods is forbidden: cannot list resource \"pods\" in the namespace \"refused\"";
        let namespaces = ["apps", "empty", "refused", "shop"].map(namespace);
        let others = [Event::NamespaceUnknown("ghost".into()), refused(pods_of("refused"), reason)];
        self.read(cluster().lists(lists).with(namespaces).with(others), observed_at, pods)
    }

    /// A relist of pods cluster-wide, complete.
    pub(crate) fn relist_all(&mut self, observed_at: &str, pods: &[(&str, &str)]) -> Arc<Snapshot> {
        self.relist_with(observed_at, pods, [])
    }

    /// The same with what else was found.
    pub(crate) fn relist_with(
        &mut self,
        observed_at: &str,
        pods: &[(&str, &str)],
        more: impl IntoIterator<Item = Event>,
    ) -> Arc<Snapshot> {
        self.read(cluster().lists([ListScope::AllPods]).with(more), observed_at, pods)
    }

    fn read(&mut self, cluster: testing::Cluster, observed_at: &str, pods: &[(&str, &str)]) -> Arc<Snapshot> {
        let pods = pods.iter().enumerate();
        let pods = pods.map(|(at, (namespace, image))| pod(&format!("{namespace}/pod-{at}"), image));
        // Of which no answer has anything: each relist is a generation, whatever pods it has.
        self.relists += 1;
        let kernel_version = self.relists.to_string().into();
        let node = NodeRecord { name: "node-1".into(), kernel_version, ..NodeRecord::default() };
        cluster.with(pods).with([node]).at(observed_at).relist_into(&mut self.index)
    }
}

/// The pods that most tests start with.
pub(crate) const PODS: [(&str, &str); 4] =
    [("apps", "nginx:1.27"), ("apps", "redis:7"), ("shop", "quay.io/acme/cart:1.25"), ("kube-system", "coredns:1.11")];

/// HTTP over a feed, without a socket.
pub(crate) struct Server {
    pub(crate) writer: SnapshotWriter,
    pub(crate) health: Health,
    pub(crate) deps: HttpDeps,
    pub(crate) http: Http,
}

impl Server {
    /// Over the usual cluster.
    pub(crate) fn new() -> Self {
        Self::with(|_| {}, Some(Cluster::new().relist(OBSERVED, &PODS)))
    }

    /// Before the first snapshot.
    pub(crate) fn empty() -> Self {
        Self::with(|_| {}, None)
    }

    pub(crate) fn with(change: impl FnOnce(&mut ServerSettings), snapshot: Option<Arc<Snapshot>>) -> Self {
        Self::of(snapshot, HistoryReader::closed(), change)
    }

    /// The same that answers questions about the past.
    pub(crate) fn of(
        snapshot: Option<Arc<Snapshot>>,
        history: HistoryReader,
        change: impl FnOnce(&mut ServerSettings),
    ) -> Self {
        let (writer, reader) = feed();
        if let Some(snapshot) = snapshot {
            writer.publish(snapshot);
        }
        let deps = HttpDeps { history, ..deps(reader, change) };
        let http = Http::new(&deps).expect("the OpenAPI document");
        Self { writer, health: deps.health.clone(), http, deps }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let (parts, body) = self.answer(request).await.into_parts();
        let body = body.collect().await.expect("body").to_bytes();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// An answer of which the body is not read yet.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        self.http.service().oneshot(request).await.expect("infallible")
    }

    pub(crate) async fn get(&self, uri: &str) -> Reply {
        self.send(request("GET", uri, &[])).await
    }

    pub(crate) async fn get_with(&self, uri: &str, headers: &[(&str, &str)]) -> Reply {
        self.send(request("GET", uri, headers)).await
    }
}

pub(crate) fn deps(reader: SnapshotReader, change: impl FnOnce(&mut ServerSettings)) -> HttpDeps {
    let mut settings = ServerSettings {
        listen: Listen::None,
        probe_listen: Listen::None,
        tls: None,
        request_timeout: Duration::from_secs(10),
        max_concurrent_requests: 512,
        shutdown_timeout: Duration::from_secs(5),
        cache_max_bytes: 64 * 1024 * 1024,
        cors_origins: Vec::new(),
        allowed_hosts: Vec::new(),
    };
    change(&mut settings);
    let health = Health::new(reader.clone(), None, Duration::from_mins(1), PushBoard::default());
    let policy = ReportPolicy::default();
    let metrics = Exposition::new(Metrics::default(), health.clone(), &policy, &MetricsSettings::default());
    let history = HistoryReader::closed();
    HttpDeps { reader, health, metrics, policy, history, settings, retry_after: Duration::from_secs(5) }
}

pub(crate) fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let builder = Request::builder().method(method).uri(uri).header(HOST, "localhost");
    headers
        .iter()
        .fold(builder, |builder, (name, value)| builder.header(*name, *value))
        .body(Body::empty())
        .expect("request")
}

/// A request whose body never ends.
pub(crate) fn stalled(method: &str, path: &str) -> Request<Body> {
    let body = Body::new(StreamBody::new(futures::stream::pending::<Result<Frame<Bytes>, std::io::Error>>()));
    Request::builder().method(method).uri(path).header(HOST, "localhost").body(body).expect("request")
}

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn gunzipped(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*self.body), &mut plain).expect("gzip");
        plain
    }

    /// The name of the problem's type.
    pub(crate) fn problem_type(&self) -> String {
        let problem = self.json();
        problem["type"].as_str().expect("type").trim_start_matches("/docs/problems#").to_owned()
    }

    /// The problem's detail, after a check of everything that all problems have.
    pub(crate) fn problem(&self, status: u16, instance: &str) -> String {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert!(problem["type"].as_str().is_some_and(|kind| kind.starts_with("/docs/problems#")), "{problem}");
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["instance"], instance);
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"));
        problem["detail"].as_str().expect("detail").to_owned()
    }
}
