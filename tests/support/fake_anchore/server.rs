//! The HTTP side: records what arrives, and answers by the scenario of the moment.

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::{StreamExt as _, stream};
use http::{HeaderMap, header};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::Value;
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;

use super::scenario::{Asked, Scenario};
use crate::certificates::Identity;

/// Nobody waits longer than this for anything.
const LIMIT: Duration = Duration::from_secs(40);

/// A request as it arrived, whole.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    /// Path with query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// Unpacked.
    pub(crate) body: Bytes,
    /// `x-anchore-account`.
    pub(crate) account: Option<String>,
    /// Of basic authentication.
    pub(crate) user: Option<String>,
    /// Of basic authentication.
    pub(crate) password: Option<String>,
    /// 0 for the first connection that a request came over, 1 for the second, …
    pub(crate) connection: usize,
}

impl Received {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The value of a header; empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A running fake. Stops when it is dropped.
pub(crate) struct FakeAnchore {
    address: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    shared: Arc<Shared>,
    running: Option<Running>,
    /// Keeps the port while nobody listens there: another fake would get it, and the requests to this one.
    held: Option<TcpSocket>,
}

struct Running {
    handle: Handle<SocketAddr>,
    server: JoinHandle<()>,
}

struct Shared {
    scenario: Mutex<Scenario>,
    received: Mutex<Vec<Received>>,
    connections: Mutex<Vec<SocketAddr>>,
}

impl FakeAnchore {
    /// Answers over plain HTTP.
    pub(crate) fn start(scenario: Scenario) -> Self {
        Self::start_on(loopback(), scenario)
    }

    /// Answers over plain HTTP at an address that somebody has chosen.
    pub(crate) fn start_on(listener: TcpListener, scenario: Scenario) -> Self {
        Self::serve(listener, scenario, None)
    }

    /// Answers over TLS.
    pub(crate) fn start_tls(scenario: Scenario, identity: &Identity) -> Self {
        let config = ServerConfig::builder().with_no_client_auth();
        Self::serve(loopback(), scenario, Some(config.with_single_cert(chain(identity), key(identity)).unwrap()))
    }

    /// Answers over TLS to who shows a certificate of the client's authority.
    pub(crate) fn start_tls_for(scenario: Scenario, identity: &Identity, client: &Identity) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(client.authority.as_bytes()).unwrap()).unwrap();
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
        let config = ServerConfig::builder().with_client_cert_verifier(verifier);
        Self::serve(loopback(), scenario, Some(config.with_single_cert(chain(identity), key(identity)).unwrap()))
    }

    /// Has a port and does not listen there, until it [comes up](Self::come_up).
    pub(crate) fn down(scenario: Scenario) -> Self {
        let held = TcpSocket::new_v4().unwrap();
        held.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = held.local_addr().unwrap();
        Self { address, tls: None, shared: Shared::new(scenario), running: None, held: Some(held) }
    }

    fn serve(listener: TcpListener, scenario: Scenario, mut tls: Option<ServerConfig>) -> Self {
        if let Some(tls) = &mut tls {
            // HTTP/2 over TLS and HTTP/1.1 without, as it is with most receivers.
            tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        }
        let address = listener.local_addr().unwrap();
        let (tls, shared) = (tls.map(Arc::new), Shared::new(scenario));
        let mut fake = Self { address, tls, shared, running: None, held: None };
        fake.listen(listener);
        fake
    }

    fn listen(&mut self, listener: TcpListener) {
        listener.set_nonblocking(true).unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&self.shared));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let handle = Handle::new();
        let server = match &self.tls {
            None => {
                let server = axum_server::from_tcp(listener).unwrap().handle(handle.clone());
                tokio::spawn(async move { server.serve(service).await.unwrap() })
            }
            Some(config) => {
                let tls = RustlsConfig::from_config(Arc::clone(config));
                let server = axum_server::from_tcp_rustls(listener, tls).unwrap().handle(handle.clone());
                tokio::spawn(async move { server.serve(service).await.unwrap() })
            }
        };
        self.running = Some(Running { handle, server });
    }

    /// `anchore.url`.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Answers by another scenario from now on.
    pub(crate) fn switch(&self, scenario: Scenario) {
        *self.shared.scenario.lock().unwrap() = scenario;
    }

    /// What has arrived since it was last taken, in its order.
    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.shared.received.lock().unwrap())
    }

    /// Everything that has arrived, in its order.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Waits until that many requests have arrived in all.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let start = Instant::now();
        loop {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            assert!(start.elapsed() < LIMIT, "{} of {count} requests arrived: {received:#?}", received.len());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Breaks every connection and listens no more.
    pub(crate) async fn go_down(&mut self) {
        let Running { handle, mut server } = self.running.take().expect("it is up");
        handle.shutdown();
        tokio::time::timeout(LIMIT, &mut server).await.unwrap().unwrap();
        let held = TcpSocket::new_v4().unwrap();
        held.set_reuseaddr(true).unwrap();
        held.bind(self.address).unwrap();
        self.held = Some(held);
    }

    /// Listens again, on the same port.
    pub(crate) fn come_up(&mut self) {
        let held = self.held.take().expect("it is down");
        // Its connections are not to keep the port from the next time.
        held.set_reuseaddr(true).unwrap();
        self.listen(held.listen(1024).unwrap().into_std().unwrap());
    }
}

impl Drop for FakeAnchore {
    fn drop(&mut self) {
        if let Some(Running { handle, server }) = &self.running {
            handle.shutdown();
            server.abort();
        }
    }
}

impl Shared {
    fn new(scenario: Scenario) -> Arc<Self> {
        let scenario = Mutex::new(scenario);
        Arc::new(Self { scenario, received: Mutex::default(), connections: Mutex::default() })
    }

    fn connection(&self, peer: SocketAddr) -> usize {
        let mut connections = self.connections.lock().unwrap();
        connections.iter().position(|known| *known == peer).unwrap_or_else(|| {
            connections.push(peer);
            connections.len() - 1
        })
    }
}

/// A port that nobody else has.
fn loopback() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        // The client hung up in the middle: nothing has arrived, and nobody waits for an answer.
        return Response::new(Body::empty());
    };
    let (user, password) = credentials(&parts.headers).unzip();
    let account = parts.headers.get("x-anchore-account").map(|value| String::from_utf8_lossy(value.as_bytes()).into());
    let received = Received {
        method: parts.method.to_string(),
        // With HTTP/2 there is a host in it too.
        path: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        body: unpacked(&parts.headers, body),
        headers: parts.headers,
        account,
        user,
        password,
        connection: shared.connection(peer),
    };
    let answer = shared.scenario.lock().unwrap().answer(&Asked {
        method: &received.method,
        path: parts.uri.path(),
        account: received.account.as_deref(),
        user: received.user.as_deref(),
        password: received.password.as_deref(),
        body: &received.body,
    });
    shared.received.lock().unwrap().push(received);
    tokio::time::sleep(answer.delay).await;
    let mut response = Response::builder().status(answer.status).header(header::CONTENT_TYPE, answer.media_type);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    response.body(if answer.is_cut { cut(&answer.body) } else { Body::from(answer.body) }).unwrap()
}

/// The first half, and then the end of the connection.
fn cut(body: &[u8]) -> Body {
    let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
    // The first half has to be on its way before the connection breaks.
    let broken = stream::once(async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(std::io::Error::other("cut"))
    });
    Body::from_stream(stream::iter([Ok(half)]).chain(broken))
}

fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().unwrap().strip_prefix("Basic ")?;
    let text = String::from_utf8(BASE64.decode(value).unwrap()).unwrap();
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

fn unpacked(headers: &HeaderMap, body: Bytes) -> Bytes {
    if headers.get(header::CONTENT_ENCODING).is_none_or(|value| value != "gzip") {
        return body;
    }
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut bytes).unwrap();
    bytes.into()
}

fn chain(identity: &Identity) -> Vec<CertificateDer<'static>> {
    vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap()]
}

fn key(identity: &Identity) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap()
}
