//! Clients that take answers and do not read them.

use std::time::Duration;

use http::Version;
use http_body_util::BodyExt as _;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::http_2::requests_without_window;
use crate::http_support::{Cluster, DEADLINE, OBSERVED, Server, request};
use crate::openmetrics::Text;
use crate::sockets::{Running, start, start_with};

/// Asks for each path on a stream of its own, and reads nothing.
async fn ask_and_leave(server: &Running, paths: &[String]) -> TcpStream {
    let mut stream = server.connect().await;
    stream.write_all(&requests_without_window(paths)).await.expect("write");
    stream
}

async fn get(server: &Running, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    server.exchange(request.as_bytes()).await
}

async fn in_flight(server: &Running, expected: usize) {
    let line = format!("kai_http_requests_in_flight {expected}\n");
    let reached = async {
        while !get(server, "/metrics").await.contains(&line) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, reached).await.expect("the answers are made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_read_nothing_hold_permits_and_cached_answers_come_all_the_same() {
    let server = start(|settings| settings.max_concurrent_requests = 12);
    assert!(get(&server, "/inventory").await.starts_with("HTTP/1.1 200 "));
    // Twelve different questions, each rendered for its connection.
    let names = ["apps", "shop", "empty", "ghost"];
    let pairs = names.iter().flat_map(|one| names.iter().map(move |two| (one, two))).filter(|(one, two)| one < two);
    let paths: Vec<_> = pairs
        .flat_map(|(one, two)| {
            ["json", "csv"].map(|format| format!("/inventory?namespace={one}&namespace={two}&format={format}"))
        })
        .collect();
    assert_eq!(paths.len(), 12);
    let first = ask_and_leave(&server, &paths[..6]).await;
    let second = ask_and_leave(&server, &paths[6..]).await;
    in_flight(&server, 12).await;
    let busy = get(&server, "/namespaces/apps/images").await;
    assert!(busy.starts_with("HTTP/1.1 503 ") && busy.contains("server.max-concurrent-requests"), "{busy}");
    for path in ["/inventory", &paths[0]] {
        assert!(get(&server, path).await.starts_with("HTTP/1.1 200 "), "{path} is cached");
    }
    drop((first, second));
    in_flight(&server, 0).await;
    assert!(get(&server, "/namespaces/apps/images").await.starts_with("HTTP/1.1 200 "));
    server.stop().await;
}

/// The value of a metric, 0 when it is not there.
async fn metric(server: &Running, name: &str, labels: &[(&str, &str)]) -> f64 {
    let reply = get(server, "/metrics").await;
    let (_, body) = reply.split_once("\r\n\r\n").expect("head and body");
    Text::read(body).value(name, labels).unwrap_or(0.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_all_connections_leave_unread_has_a_bound() {
    const MIB: f64 = 1024.0 * 1024.0;
    // Sixteen questions at once, each with an answer of 2 MB that the cache does not keep, of which each connection
    // may leave eight unread.
    let images: Vec<String> = (0..500).map(|at| format!("{at}-{}", "x".repeat(4000))).collect();
    let pods: Vec<_> = images.iter().map(|image| ("apps", image.as_str())).collect();
    let server = start_with(&Cluster::new().relist(OBSERVED, &pods), |settings| settings.cache_max_bytes = 1024 * 1024);
    assert!(get(&server, "/inventory").await.starts_with("HTTP/1.1 200 "));
    let others = ["", "&namespace=shop", "&namespace=empty", "&namespace=shop&namespace=empty"];
    let others = others.iter().flat_map(|other| ["", "&namespace=ghost"].map(|ghost| format!("{other}{ghost}")));
    let paths: Vec<_> = others
        .flat_map(|other| ["json", "csv"].map(|format| format!("/inventory?namespace=apps{other}&format={format}")))
        .collect();
    let mut clients = Vec::new();
    for paths in paths.chunks(4) {
        clients.push(ask_and_leave(&server, paths).await);
    }
    let answered = async |status: &str| {
        metric(&server, "kai_http_requests_total", &[("route", "/inventory"), ("method", "GET"), ("status", status)])
            .await
    };
    let all_answered = async {
        while answered("200").await + answered("503").await < 17.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, all_answered).await.expect("every question is answered");
    let unread = metric(&server, "kai_http_unread_bytes", &[]).await / MIB;
    assert!(unread > 12.0 && unread < 16.0 + 2.0 * 2.0, "{unread} MiB are unread");
    let refused = get(&server, "/namespaces/apps/images").await;
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("server.cache-max-bytes"), "{refused}");
    assert!(get(&server, "/inventory").await.starts_with("HTTP/1.1 200 "), "it is cached");
    drop(clients);
    in_flight(&server, 0).await;
    assert!(get(&server, "/namespaces/apps/images").await.starts_with("HTTP/1.1 200 "));
    server.stop().await;
}

#[tokio::test]
async fn an_answer_beside_others_on_its_connection_is_sent_in_pieces_that_show_its_progress() {
    let image = "x".repeat(40_000);
    let server = Server::with(|_| {}, Some(Cluster::new().relist(OBSERVED, &[("apps", &image)])));
    for (version, expected) in [(Version::HTTP_11, 1), (Version::HTTP_2, 3)] {
        let mut request = request("GET", "/inventory", &[]);
        *request.version_mut() = version;
        let mut body = server.answer(request).await.into_body();
        let mut pieces = 0;
        while let Some(frame) = body.frame().await {
            assert!(frame.expect("a frame").is_data());
            pieces += 1;
        }
        assert_eq!(pieces, expected, "{version:?}");
    }
}
