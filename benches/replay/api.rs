//! An API server that lists invented pods in protobuf, page by page, and sends what it is told to those who watch.

use std::collections::HashMap;
use std::io::Write as _;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures::stream::{self, StreamExt as _};
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::protobuf::{MEDIA_TYPE, Message, frame_of, list, list_meta, pod_message, wrap};
use crate::realistic::{Cluster, namespace};

/// Bytes of a pod that kai does not keep: with them a frame is as long as a real one.
const REST: &[u8] = &[b'x'; 4_000];
/// A field that no pod has.
const UNKNOWN: u32 = 99;
/// How often a server says up to where nothing was missed.
const BOOKMARKS: Duration = Duration::from_mins(1);

/// It runs until the program ends.
pub(crate) struct Api {
    shared: Arc<Shared>,
    kubeconfig: tempfile::NamedTempFile,
}

struct Shared {
    cluster: Cluster,
    version: AtomicU64,
    lists: AtomicU64,
    initial_streams: AtomicU64,
    watches: Mutex<Vec<(&'static str, mpsc::UnboundedSender<Bytes>)>>,
}

impl Api {
    pub(crate) async fn start(cluster: Cluster) -> Result<Self, String> {
        let shared = Arc::new(Shared {
            cluster,
            version: 1_000_000.into(),
            lists: 0.into(),
            initial_streams: 0.into(),
            watches: Mutex::default(),
        });
        let router = Router::new()
            .route("/version", get(async || axum::Json(json!({"major": "1", "minor": "37", "gitVersion": "v1.37.2"}))))
            .route("/api/v1/namespaces", get(namespaces))
            .route("/api/v1/pods", get(pods))
            .with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let mut kubeconfig = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "replay",
            "clusters": [{"name": "replay", "cluster": {"server": format!("http://{address}")}}],
            "users": [{"name": "replay", "user": {}}],
            "contexts": [{"name": "replay", "context": {"cluster": "replay", "user": "replay"}}],
        });
        write!(kubeconfig, "{config}").map_err(|error| error.to_string())?;
        // Threads of its own: while a page is made, clients of this program are still timed.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = listener.into_std().expect("a socket");
                let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
                axum::serve(listener, router).await
            })
        });
        let api = Self { shared: Arc::clone(&shared), kubeconfig };
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(BOOKMARKS).await;
                shared.bookmark();
            }
        });
        Ok(api)
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig.path().to_owned()
    }

    /// Lists that were begun.
    pub(crate) fn lists(&self) -> u64 {
        self.shared.lists.load(Ordering::Relaxed)
    }

    /// Tells those who watch pods that they are too late, and have to read everything again.
    pub(crate) fn expire(&self) {
        let status = Message::new().text(2, "Failure").text(3, "too old resource version").text(4, "Expired");
        self.shared.tell("Pod", &frame("ERROR", "Status", &status.number(6, 410)));
    }

    /// Streams that have begun with everything there is.
    pub(crate) fn initial_streams(&self) -> u64 {
        self.shared.initial_streams.load(Ordering::Relaxed)
    }

    /// Tells those who watch that a pod is as it is here.
    pub(crate) fn modified(&self, mut pod: Value) {
        pod["metadata"]["resourceVersion"] = self.shared.next_version().to_string().into();
        self.shared.tell("Pod", &frame("MODIFIED", "Pod", &pod_message(&pod).bytes(UNKNOWN, REST)));
    }
}

impl Shared {
    fn next_version(&self) -> u64 {
        self.version.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn tell(&self, kind: &str, frame: &Bytes) {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.retain(|(watched, frames)| *watched != kind || frames.send(frame.clone()).is_ok());
    }

    fn bookmark(&self) {
        let version = self.version.load(Ordering::Relaxed).to_string();
        for kind in ["Pod", "Namespace"] {
            let metadata = Message::new().message(1, &Message::new().text(6, &version));
            self.tell(kind, &frame("BOOKMARK", kind, &metadata));
        }
    }

    /// A stream of that kind, which begins with those objects, if it was asked to.
    fn watch(
        self: &Arc<Self>,
        kind: &'static str,
        query: &HashMap<String, String>,
        objects: impl Iterator<Item = Message> + Send + 'static,
    ) -> Response {
        let (frames, mut sent) = mpsc::unbounded_channel();
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).push((kind, frames));
        let is_initial = query.contains_key("sendInitialEvents");
        let version = self.version.load(Ordering::Relaxed).to_string();
        let annotation = Message::new().text(1, "k8s.io/initial-events-end").text(2, "true");
        let metadata = Message::new().text(6, &version).message(12, &annotation);
        let end = frame("BOOKMARK", kind, &Message::new().message(1, &metadata));
        let shared = Arc::clone(self);
        let initial = objects.map(move |object| frame("ADDED", kind, &object)).chain(std::iter::from_fn({
            let mut end = Some(end);
            move || {
                let end = end.take()?;
                shared.initial_streams.fetch_add(1, Ordering::Relaxed);
                Some(end)
            }
        }));
        let initial = initial.take(if is_initial { usize::MAX } else { 0 });
        let later = stream::poll_fn(move |context| sent.poll_recv(context));
        let body = stream::iter(initial).chain(later).map(Ok::<_, std::io::Error>);
        ([(CONTENT_TYPE, format!("{MEDIA_TYPE};stream=watch"))], Body::from_stream(body)).into_response()
    }
}

fn frame(event: &str, kind: &str, object: &Message) -> Bytes {
    let raw = Message::new().bytes(1, &wrap("v1", kind, object));
    frame_of(&Message::new().text(1, event).message(2, &raw)).into()
}

async fn namespaces(State(shared): State<Arc<Shared>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let all = (0..shared.cluster.namespaces).map(|number| pod_message(&namespace(number)));
    if query.contains_key("watch") {
        return shared.watch("Namespace", &query, all);
    }
    answer("NamespaceList", &shared, "", all)
}

async fn pods(State(shared): State<Arc<Shared>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let cluster = shared.cluster;
    let messages =
        move |range: Range<u64>| range.map(move |number| pod_message(&cluster.pod(number)).bytes(UNKNOWN, REST));
    if query.contains_key("watch") {
        return shared.watch("Pod", &query, messages(0..cluster.pods));
    }
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok());
    let from = number("continue").unwrap_or(0);
    let to = shared.cluster.pods.min(from + number("limit").unwrap_or(u64::MAX - from));
    let token = if to < shared.cluster.pods { to.to_string() } else { String::new() };
    answer("PodList", &shared, &token, messages(from..to))
}

fn answer(kind: &str, shared: &Shared, token: &str, items: impl Iterator<Item = Message>) -> Response {
    shared.lists.fetch_add(1, Ordering::Relaxed);
    let version = shared.version.load(Ordering::Relaxed).to_string();
    let all = Message::new().message(1, &list_meta(&version, token));
    let body = list(kind, &items.fold(all, |all, item| all.message(2, &item)));
    ([(CONTENT_TYPE, MEDIA_TYPE)], body).into_response()
}
