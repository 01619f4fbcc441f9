//! The access log.

use std::io::Write;
use std::sync::{Arc, Mutex};

use crate::http_support::{Server, request};
use rstest::rstest;
use tracing::level_filters::LevelFilter;

/// Keeps what is logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("log").clone()).expect("text")
    }
}

async fn logged(level: LevelFilter, method: &str, uri: &str) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(level).with_ansi(false).with_writer(move || writer.clone()).finish();
    let server = Server::new();
    server.get("/inventory").await;
    let guard = tracing::subscriber::set_default(subscriber);
    server.send(request(method, uri, &[("x-request-id", "abc-1")])).await;
    drop(guard);
    log.text()
}

#[rstest]
#[case::cached("GET", "/inventory", "status=200")]
#[case::head("HEAD", "/inventory", "status=200")]
#[case::handled("GET", "/namespaces?x=secret", "status=400")]
#[case::refused("POST", "/inventory", "status=405")]
#[tokio::test]
async fn each_request_is_one_line_at_debug(#[case] method: &str, #[case] uri: &str, #[case] status: &str) {
    let log = logged(LevelFilter::DEBUG, method, uri).await;
    let lines: Vec<_> = log.lines().filter(|line| line.contains("request_id=\"abc-1\"")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    let path = uri.split('?').next().expect("path");
    for part in [&format!("method={method}"), &format!("path={path}"), status, "duration_us=", "bytes="] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
    assert!(!log.contains("secret"), "{log}");
}

#[tokio::test]
async fn above_debug_requests_leave_no_line() {
    assert_eq!(logged(LevelFilter::INFO, "GET", "/inventory").await, "");
}
