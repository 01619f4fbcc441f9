//! What only a real connection shows: addresses that open, deadlines of a head, limits of a connection, the drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::http_support::{Cluster, DEADLINE, OBSERVED, PODS, deps};
use kai::config::{Listen, ServerSettings};
use kai::feed::{SnapshotWriter, feed};
use kai::health::Health;
use kai::http::{ListenError, Listeners, serve};
use kai::snapshot::Snapshot;
use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    health: Health,
    shutdown: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
    pub(crate) writer: SnapshotWriter,
}

pub(crate) fn start(change: impl FnOnce(&mut ServerSettings)) -> Running {
    start_with(&Cluster::new().relist(OBSERVED, &PODS), change)
}

pub(crate) fn start_with(snapshot: &Arc<Snapshot>, change: impl FnOnce(&mut ServerSettings)) -> Running {
    let (writer, reader) = feed();
    writer.publish(Arc::clone(snapshot));
    let deps = deps(reader, |settings| {
        settings.listen = Listen::Address(([127, 0, 0, 1], 0).into());
        change(settings);
    });
    let health = deps.health.clone();
    let listeners = Listeners::open(&deps.settings).expect("listening");
    let address = listeners.url().and_then(|url| url.strip_prefix("http://")?.parse().ok()).expect("address");
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(serve(listeners, deps, shutdown.clone()));
    Running { address, health, shutdown, task, writer }
}

impl Running {
    pub(crate) async fn connect(&self) -> TcpStream {
        timeout(DEADLINE, TcpStream::connect(self.address)).await.expect("in time").expect("connection")
    }

    /// Sends bytes and reads until the server closes.
    pub(crate) async fn exchange(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request).await.expect("write");
        read_to_end(&mut stream).await
    }

    /// Stops and says how long that took.
    pub(crate) async fn stop(self) -> Duration {
        let started = Instant::now();
        self.shutdown.cancel();
        timeout(DEADLINE, self.task).await.expect("in time").expect("no panic").expect("served");
        started.elapsed()
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut reply = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut reply)).await.expect("the server closes").expect("read");
    String::from_utf8(reply).expect("text")
}

/// Reads one answer with a length, and leaves the connection open.
async fn read_one(stream: &mut TcpStream) -> String {
    let mut reply = Vec::new();
    let read = async {
        loop {
            reply.push(stream.read_u8().await.expect("a byte"));
            let Some(head) = reply.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let text = std::str::from_utf8(&reply[..head]).expect("head").to_ascii_lowercase();
            let length = text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            let length: usize = length.expect("length").parse().expect("number");
            if reply.len() == head + 4 + length {
                break;
            }
        }
    };
    timeout(DEADLINE, read).await.expect("an answer");
    String::from_utf8(reply).expect("text")
}

/// Opens what `server.listen` says.
fn open(listen: Listen) -> Result<Listeners, ListenError> {
    Listeners::open(&deps(feed().1, |settings| settings.listen = listen).settings)
}

#[test]
fn a_taken_port_names_the_setting_the_address_and_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("address");
    let error = open(Listen::Address(address)).expect_err("taken");
    assert_eq!(
        error.to_string(),
        format!(
            "server.listen: {address} cannot be listened on: Address already in use (os error 98); set another port, or stop what listens there"
        )
    );
}

#[test]
fn every_address_takes_ipv4_connections() {
    let listeners = open(Listen::DualStack(0)).expect("listening");
    let url = listeners.url().expect("an address");
    let address: SocketAddr = url.strip_prefix("http://").expect("http").parse().expect("an address");
    std::net::TcpStream::connect(("127.0.0.1", address.port())).expect("IPv4 connection");
}

#[rstest]
#[case::nothing(b"")]
#[case::half_a_head(b"GET /inventory HTTP/1.1\r\nHost: localhost\r\n")]
#[case::half_a_second_head(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /inventory HTTP/1.1\r\n")]
#[tokio::test]
async fn a_connection_without_a_whole_head_is_closed(#[case] request: &[u8]) {
    let server = start(|settings| settings.request_timeout = Duration::from_millis(300));
    let started = Instant::now();
    server.exchange(request).await;
    assert!(started.elapsed() >= Duration::from_millis(250), "{:?}", started.elapsed());
    server.stop().await;
}

#[tokio::test]
async fn a_head_that_trickles_gains_no_time() {
    let server = start(|settings| settings.request_timeout = Duration::from_millis(300));
    let mut stream = server.connect().await;
    let trickle = async {
        stream.write_all(b"GET /inventory HTTP/1.1\r\nX: ").await.expect("write");
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(DEADLINE, trickle).await.expect("the server closes");
    server.stop().await;
}

#[rstest]
#[case::another_method("POST /inventory", "", "405")]
#[case::not_cached("GET /namespaces", "", "200")]
#[case::waiting_to_be_asked("GET /namespaces", "Expect: 100-continue\r\n", "200")]
#[tokio::test]
async fn a_body_that_does_not_come_is_not_needed(#[case] line: &str, #[case] field: &str, #[case] status: &str) {
    let server = start(|_| {});
    let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n{field}\r\n");
    let reply = server.exchange(request.as_bytes()).await;
    assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{reply}");
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_answered_before_the_connection_ends() {
    let server = start(|_| {});
    for length in [64 * 1024 + 1, 512 * 1024] {
        let mut request = format!(
            "POST /inventory HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        )
        .into_bytes();
        request.resize(request.len() + length, b' ');
        let reply = server.exchange(&request).await;
        assert!(reply.starts_with("HTTP/1.1 413 ") && reply.contains("application/problem+json"), "{reply}");
    }
    server.stop().await;
}

#[rstest]
#[case::own_address(format!("GET /{} HTTP/1.1\r\n", "x".repeat(9000)), 414, true)]
#[case::own_fields(format!("GET / HTTP/1.1\r\n{}", "X: y\r\n".repeat(70)), 431, true)]
#[case::own_header_bytes(format!("GET / HTTP/1.1\r\nX: {}\r\n", "y".repeat(40_000)), 431, true)]
#[case::address(format!("GET /{} HTTP/1.1\r\n", "x".repeat(70_000)), 414, false)]
#[case::fields(format!("GET / HTTP/1.1\r\n{}", "X: y\r\n".repeat(200)), 431, false)]
#[tokio::test]
async fn too_large_a_head_is_refused(#[case] head: String, #[case] status: u16, #[case] is_problem: bool) {
    let server = start(|_| {});
    let reply = server.exchange(format!("{head}Connection: close\r\n\r\n").as_bytes()).await;
    assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{reply}");
    assert_eq!(reply.contains("application/problem+json"), is_problem, "{reply}");
    server.stop().await;
}

#[tokio::test]
async fn head_and_304_leave_the_connection_in_step() {
    let server = start(|_| {});
    let requests = "HEAD /inventory HTTP/1.1\r\nHost: localhost\r\n\r\n\
        GET /inventory HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: *\r\n\r\n\
        HEAD /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n\
        GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let reply = server.exchange(requests.as_bytes()).await;
    let statuses: Vec<_> = reply.split("HTTP/1.1 ").skip(1).map(|one| &one[..3]).collect();
    assert_eq!(statuses, ["200", "304", "404", "200"], "{reply}");
    assert!(reply.ends_with("\r\n\r\nok"), "{reply}");
    server.stop().await;
}

#[tokio::test]
async fn http_2_is_spoken_to_those_who_begin_with_it() {
    let server = start(|_| {});
    let mut stream = server.connect().await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.expect("write");
    let mut frame = [0; 9];
    timeout(DEADLINE, stream.read_exact(&mut frame)).await.expect("in time").expect("a frame");
    assert_eq!(frame[3], 4, "the server's settings come first");
    drop(stream);
    server.stop().await;
}

#[tokio::test]
async fn an_idle_server_stops_at_once_and_is_not_ready() {
    let server = start(|_| {});
    let mut idle = server.connect().await;
    idle.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("write");
    read_one(&mut idle).await;
    let silent = server.connect().await;
    let (health, address) = (server.health.clone(), server.address);
    let took = server.stop().await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(!health.report(jiff::Timestamp::now()).is_ready);
    assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
    assert_eq!(read_to_end(&mut idle).await, "");
    drop(silent);
}

#[tokio::test]
async fn a_request_under_way_is_finished() {
    let server = start(|_| {});
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /namespaces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nha")
        .await
        .expect("write");
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.shutdown.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!server.task.is_finished());
    stream.write_all(b"lf").await.expect("write");
    let reply = read_to_end(&mut stream).await;
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    server.stop().await;
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_at_the_deadline() {
    let server = start(|settings| settings.shutdown_timeout = Duration::from_millis(300));
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /namespaces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nha")
        .await
        .expect("write");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let took = server.stop().await;
    assert!((Duration::from_millis(250)..Duration::from_secs(3)).contains(&took), "{took:?}");
}
