//! Clients that take answers and do not read them.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::http_support::DEADLINE;
use crate::sockets::{Running, start};

/// The start of an HTTP/2 connection that gives its streams no window: no answer can be written.
const WITHOUT_WINDOW: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0";

/// Asks for each path on a stream of its own, and reads nothing.
async fn ask_and_leave(server: &Running, paths: &[String]) -> TcpStream {
    let mut bytes = WITHOUT_WINDOW.to_vec();
    for (number, path) in (0_u32..).zip(paths) {
        // GET, http, and path and authority as literals without an index.
        let mut fields = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).expect("short")];
        fields.extend(path.as_bytes());
        fields.extend(b"\x01\x09localhost");
        bytes.extend([0, 0, u8::try_from(fields.len()).expect("short"), 0x01, 0x05]);
        bytes.extend((2 * number + 1).to_be_bytes());
        bytes.extend(fields);
    }
    let mut stream = server.connect().await;
    stream.write_all(&bytes).await.expect("write");
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
