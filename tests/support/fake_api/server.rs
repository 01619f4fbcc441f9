//! The HTTP side: routes a request to a list, or to what is to go wrong with it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use axum_server::tls_rustls::RustlsConfig;
use futures::StreamExt as _;
use futures::stream;
use http::{StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::cluster::FakeCluster;
use super::fault::{Fault, On};
use crate::certificates::Identity;
use crate::protobuf;

/// A running fake. Stops when it is dropped.
pub(crate) struct FakeApi {
    address: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
    folder: tempfile::TempDir,
}

struct Shared {
    cluster: Mutex<FakeCluster>,
    asked: Mutex<Vec<String>>,
    headers: Mutex<Vec<http::HeaderMap>>,
    busy: Mutex<Busy>,
    watches: Mutex<Vec<Watch>>,
}

/// A watch that was answered: its path, and where its frames go.
type Watch = (String, mpsc::UnboundedSender<std::io::Result<Bytes>>);

/// Requests under way.
#[derive(Default)]
struct Busy {
    now: usize,
    most: usize,
}

impl FakeApi {
    /// Serves the cluster over plain HTTP.
    pub(crate) async fn start(cluster: FakeCluster) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        Self::serve(cluster, address, |router| {
            tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
        })
    }

    /// Serves the cluster over TLS.
    pub(crate) async fn start_tls(cluster: FakeCluster, identity: &Identity) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let certificate = identity.certificate.clone().into_bytes();
        let tls = RustlsConfig::from_pem(certificate, identity.key.clone().into_bytes()).await.unwrap();
        Self::serve(cluster, address, |router| {
            let server = axum_server::from_tcp_rustls(listener, tls).unwrap();
            tokio::spawn(async move { server.serve(router.into_make_service()).await.unwrap() })
        })
    }

    fn serve(cluster: FakeCluster, address: String, spawn: impl FnOnce(Router) -> JoinHandle<()>) -> Self {
        let cluster = Mutex::new(cluster);
        let shared = Arc::new(Shared {
            cluster,
            asked: Mutex::default(),
            headers: Mutex::default(),
            busy: Mutex::default(),
            watches: Mutex::default(),
        });
        let server = spawn(Router::new().fallback(answer).with_state(Arc::clone(&shared)));
        Self { address, shared, server, folder: tempfile::tempdir().unwrap() }
    }

    /// URL of the server.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A kubeconfig for it: context `fake`, cluster `fake-cluster`, user `ann` as given in YAML flow form.
    pub(crate) fn kubeconfig(&self, user: &str) -> PathBuf {
        self.kubeconfig_text(&kubeconfig(&self.address, user))
    }

    /// A kubeconfig of this text, which lives as long as the server.
    pub(crate) fn kubeconfig_text(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("config");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Changes the cluster while it is served.
    pub(crate) fn change(&self, change: impl FnOnce(FakeCluster) -> FakeCluster) {
        let mut cluster = self.shared.cluster.lock().unwrap();
        *cluster = change(std::mem::take(&mut *cluster));
    }

    /// Paths with queries, in the order in which they were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Sends a frame to every watch of this path, as JSON.
    pub(crate) fn frame(&self, path: &str, event_type: &str, object: &Value) {
        self.to_watches(path, || Ok(frame(event_type, object)));
    }

    /// Breaks the connections of every watch of this path.
    pub(crate) fn cut(&self, path: &str) {
        self.to_watches(path, || Err(std::io::Error::other("cut")));
        self.end(path);
    }

    /// Ends every watch of this path in good order.
    pub(crate) fn end(&self, path: &str) {
        self.shared.watches.lock().unwrap().retain(|(watched, _)| watched != path);
    }

    /// Queries of the watches of this path, in the order in which they were asked for.
    pub(crate) fn watched(&self, path: &str) -> Vec<String> {
        let asked =
            self.asked().into_iter().filter_map(|asked| asked.strip_prefix(path)?.strip_prefix('?').map(str::to_owned));
        asked.filter(|query| query.contains("watch=true")).collect()
    }

    /// Watches of this path that somebody reads.
    pub(crate) fn open_watches(&self, path: &str) -> usize {
        let watches = self.shared.watches.lock().unwrap();
        watches.iter().filter(|(watched, frames)| watched == path && !frames.is_closed()).count()
    }

    fn to_watches(&self, path: &str, bytes: impl Fn() -> std::io::Result<Bytes>) {
        let watches = self.shared.watches.lock().unwrap();
        for (_, frames) in watches.iter().filter(|(watched, _)| watched == path) {
            let _ = frames.send(bytes());
        }
    }

    /// The values of a header in the last request.
    pub(crate) fn last_header(&self, name: &str) -> Vec<String> {
        let headers = self.shared.headers.lock().unwrap();
        let values = headers.last().unwrap().get_all(name).iter();
        values.map(|value| String::from_utf8(value.as_bytes().to_vec()).unwrap()).collect()
    }

    /// How often this path was asked for, with whatever query.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.asked().iter().filter(|asked| asked.split('?').next() == Some(path)).count()
    }

    /// The most requests that were under way at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.shared.busy.lock().unwrap().most
    }
}

impl Drop for FakeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The text of a kubeconfig of one context.
pub(crate) fn kubeconfig(server: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: fake\nclusters:\n- name: fake-cluster\n  cluster: {{server: \
         \"{server}\"}}\nusers:\n- name: ann\n  user: {user}\ncontexts:\n- name: fake\n  context: {{cluster: \
         fake-cluster, user: ann}}\n"
    )
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    shared.asked.lock().unwrap().push(request.uri().to_string());
    shared.headers.lock().unwrap().push(request.headers().clone());
    let query: HashMap<String, String> = request
        .uri()
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let _under_way = UnderWay::new(&shared);
    let from: usize = query.get("continue").map_or(0, |token| token.trim_start_matches("from-").parse().unwrap());
    let limit: usize = query.get("limit").map_or(usize::MAX, |limit| limit.parse().unwrap());
    let is_watch = query.get("watch").is_some_and(|value| value == "true");
    let fault = take_fault(&shared, &path, from, is_watch);
    if let Some(Fault::Slow(delay)) = fault {
        tokio::time::sleep(delay).await;
    }
    let accepts_protobuf = request
        .headers()
        .get(header::ACCEPT)
        .is_some_and(|value| value.as_bytes().starts_with(protobuf::MEDIA_TYPE.as_bytes()));
    let (is_known, body, gzip, protobuf) = {
        let cluster = shared.cluster.lock().unwrap();
        let token = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let is_known = cluster.tokens.is_empty()
            || cluster.tokens.iter().any(|known| token == Some(format!("Bearer {known}").as_str()));
        let accepts =
            request.headers().get(header::ACCEPT_ENCODING).is_some_and(|value| value.as_bytes().starts_with(b"gzip"));
        let protobuf = cluster.protobuf && accepts_protobuf;
        (is_known, find(&cluster, &path, from, limit), cluster.gzip && accepts, protobuf)
    };
    let response = match fault {
        None | Some(Fault::Slow(_)) if !is_known => status(StatusCode::UNAUTHORIZED, "Unauthorized", None),
        None if is_watch => watch(&shared, &path, &body.unwrap_or_default(), query.contains_key("sendInitialEvents")),
        None | Some(Fault::Slow(_)) => match body {
            Some(body) if protobuf => bytes_response(&protobuf::list_of(&body), protobuf::MEDIA_TYPE, gzip),
            Some(body) => json_response(&body.to_string(), gzip),
            None => status(StatusCode::NOT_FOUND, "namespaces not found", None),
        },
        Some(Fault::Tokens(next)) => {
            let body = json!({
                "kind": "PodList", "apiVersion": "v1", "metadata": {"continue": format!("from-{}", next(from))}, "items": []
            });
            json_response(&body.to_string(), false)
        }
        Some(fault) => {
            let body = body.unwrap_or_default();
            let body = if protobuf { protobuf::list_of(&body) } else { body.to_string().into_bytes() };
            broken(&fault, &path, &body)
        }
    };
    if protobuf { in_protobuf(response).await } else { response }
}

/// What is left in JSON by then, as the real server would write it: errors, and bodies that break off.
async fn in_protobuf(response: Response) -> Response {
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json");
    let (mut parts, mut body) = response.into_parts();
    if is_json {
        parts.headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(protobuf::MEDIA_TYPE));
        if parts.status != StatusCode::OK {
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            body = Body::from(protobuf::status_of(&serde_json::from_slice(&bytes).unwrap()));
        }
    }
    Response::from_parts(parts, body)
}

/// A stream that goes on until the test ends it.
fn watch(shared: &Shared, path: &str, list: &Value, is_from_the_beginning: bool) -> Response {
    let (frames, sent) = mpsc::unbounded_channel();
    if is_from_the_beginning {
        if !shared.cluster.lock().unwrap().initial_events {
            return status(StatusCode::UNPROCESSABLE_ENTITY, "sendInitialEvents is forbidden", None);
        }
        let kind = list["kind"].as_str().unwrap_or_default().trim_end_matches("List").to_owned();
        let typed = |mut object: Value| {
            object["kind"] = json!(kind);
            object["apiVersion"] = json!("v1");
            object
        };
        for item in list["items"].as_array().into_iter().flatten() {
            frames.send(Ok(frame("ADDED", &typed(item.clone())))).unwrap();
        }
        let end = json!({"metadata": {"resourceVersion": "20", "annotations": {"k8s.io/initial-events-end": "true"}}});
        frames.send(Ok(frame("BOOKMARK", &typed(end)))).unwrap();
    }
    shared.watches.lock().unwrap().push((path.to_owned(), frames));
    stream_response(tokio_stream(sent))
}

fn tokio_stream(
    mut sent: mpsc::UnboundedReceiver<std::io::Result<Bytes>>,
) -> impl futures::Stream<Item = std::io::Result<Bytes>> {
    stream::poll_fn(move |context| sent.poll_recv(context))
}

fn frame(event_type: &str, object: &Value) -> Bytes {
    format!("{}\n", json!({"type": event_type, "object": object})).into()
}

fn broken(fault: &Fault, path: &str, body: &[u8]) -> Response {
    let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
    match fault {
        Fault::Unauthorized => status(StatusCode::UNAUTHORIZED, "Unauthorized", None),
        Fault::Forbidden => {
            let resource = path.rsplit('/').next().unwrap();
            let message = format!("{resource} is forbidden: User \"ann\" cannot list resource \"{resource}\" here");
            status(StatusCode::FORBIDDEN, &message, None)
        }
        Fault::Gone => status(StatusCode::GONE, "The provided continue parameter is too old", None),
        Fault::Busy(code, after) => status(StatusCode::from_u16(*code).unwrap(), "too many requests", *after),
        Fault::Stall => stream_response(stream::iter([Ok::<_, Infallible>(half)]).chain(stream::pending())),
        Fault::Cut => {
            // The first half has to be on its way before the connection breaks.
            let broken = stream::once(async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Err(std::io::Error::other("cut"))
            });
            stream_response(stream::iter([Ok(half)]).chain(broken))
        }
        Fault::EndsEarly => stream_response(stream::iter([Ok::<_, Infallible>(half)])),
        Fault::Body(body) => json_response(body, false),
        Fault::LoginPage => Response::builder()
            .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
            .body(Body::from("<!DOCTYPE html><html><head><title>Sign in</title></head></html>"))
            .unwrap(),
        Fault::Redirect => Response::builder()
            .status(StatusCode::FOUND)
            .header(header::LOCATION, "https://login.example/")
            .body(Body::empty())
            .unwrap(),
        Fault::Bare(code, text) => Response::builder().status(*code).body(Body::from(*text)).unwrap(),
        Fault::ErrorPage(code) => Response::builder()
            .status(*code)
            .header(header::CONTENT_TYPE, "text/html")
            .body(Body::from("<html><head><title>Gateway</title></head><body>x</body></html>"))
            .unwrap(),
        Fault::Tokens(_) | Fault::Slow(_) => unreachable!("answered elsewhere"),
    }
}

fn take_fault(shared: &Shared, path: &str, from: usize, is_watch: bool) -> Option<Fault> {
    let mut cluster = shared.cluster.lock().unwrap();
    let (_, fault, times) = cluster.faults.iter_mut().find(|(on, _, times)| {
        *times > 0
            && match on {
                On::Everything => true,
                On::Path(wanted) => *wanted == path && !is_watch,
                On::Watch(wanted) => *wanted == path && is_watch,
                On::Page(wanted, start) => *wanted == path && *start == from && !is_watch,
            }
    })?;
    *times -= 1;
    Some(fault.clone())
}

/// The answer to a path, if the cluster has it.
fn find(cluster: &FakeCluster, path: &str, from: usize, limit: usize) -> Option<Value> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts[..] {
        ["version"] => Some(json!({
            "major": "1", "minor": "37", "gitVersion": "v1.37.2", "gitCommit": "abc", "gitTreeState": "clean",
            "buildDate": "2026-11-01T00:00:00Z", "goVersion": "go1.26.8", "compiler": "gc", "platform": "linux/amd64"
        })),
        ["api", "v1", "pods"] => {
            Some(page("PodList", cluster.namespaces.values().flatten().cloned().collect(), from, limit))
        }
        ["api", "v1", "namespaces"] => {
            let names = cluster.namespaces.keys().map(|name| json!({"metadata": metadata(cluster, name)})).collect();
            Some(page("NamespaceList", names, from, limit))
        }
        ["api", "v1", "nodes"] => Some(page("NodeList", cluster.nodes.clone(), from, limit)),
        ["api", "v1", "namespaces", name] => {
            cluster.namespaces.get(name).map(|_| json!({"kind": "Namespace", "metadata": metadata(cluster, name)}))
        }
        ["api", "v1", "namespaces", name, "pods"] => {
            // As the real one: a namespace that does not exist has no pods.
            Some(page("PodList", cluster.namespaces.get(name).cloned().unwrap_or_default(), from, limit))
        }
        _ => None,
    }
}

fn metadata(cluster: &FakeCluster, name: &str) -> Value {
    cluster.described.get(name).cloned().unwrap_or_else(|| json!({"name": name}))
}

fn page(kind: &str, items: Vec<Value>, from: usize, limit: usize) -> Value {
    let total = items.len();
    let items: Vec<Value> = items.into_iter().skip(from).take(limit).collect();
    let next = from + items.len();
    let mut metadata = json!({"resourceVersion": "10"});
    if next < total {
        metadata["continue"] = json!(format!("from-{next}"));
        metadata["remainingItemCount"] = json!(total - next);
    }
    json!({"kind": kind, "apiVersion": "v1", "metadata": metadata, "items": items})
}

fn json_response(body: &str, gzip: bool) -> Response {
    bytes_response(body.as_bytes(), "application/json", gzip)
}

fn bytes_response(body: &[u8], media_type: &str, gzip: bool) -> Response {
    let response = Response::builder().header(header::CONTENT_TYPE, media_type);
    if !gzip {
        return response.body(Body::from(body.to_owned())).unwrap();
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    response.header(header::CONTENT_ENCODING, "gzip").body(Body::from(encoder.finish().unwrap())).unwrap()
}

fn stream_response<E: Into<axum::BoxError> + 'static>(
    body: impl futures::Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> Response {
    Response::builder().header(header::CONTENT_TYPE, "application/json").body(Body::from_stream(body)).unwrap()
}

fn status(code: StatusCode, message: &str, retry_after: Option<u64>) -> Response {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code.as_u16()
    });
    let mut response = Response::builder().status(code).header(header::CONTENT_TYPE, "application/json");
    if let Some(seconds) = retry_after {
        response = response.header(header::RETRY_AFTER, seconds);
    }
    response.body(Body::from(body.to_string())).unwrap()
}

struct UnderWay<'a>(&'a Shared);

impl<'a> UnderWay<'a> {
    fn new(shared: &'a Shared) -> Self {
        let mut busy = shared.busy.lock().unwrap();
        busy.now += 1;
        busy.most = busy.most.max(busy.now);
        Self(shared)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.busy.lock().unwrap().now -= 1;
    }
}
