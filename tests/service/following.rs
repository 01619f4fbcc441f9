//! Clients that follow `/v1/changes` of a service that goes away.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::process::{DEMO, Service};

/// A client that has asked and was told where it begins.
fn follow(service: &Service) -> BufReader<TcpStream> {
    let mut stream = service.connect();
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("works");
    write!(stream, "GET /v1/changes HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("written");
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while line != "event: hello\n" {
        line.clear();
        assert!(stream.read_line(&mut line).expect("a line") > 0, "the stream ended");
    }
    stream
}

#[test]
fn a_stop_ends_streams_at_once() {
    let mut service = Service::start(Path::new(DEMO), &[]);
    service.wait_until("/readyz", |status, _| status == 200);
    let mut clients: Vec<_> = (0..8).map(|_| follow(&service)).collect();
    let begun = Instant::now();
    service.signal("-TERM");
    assert_eq!(service.wait(), 0);
    assert!(begun.elapsed() < Duration::from_secs(3), "a stop took {:?}", begun.elapsed());
    for client in &mut clients {
        let mut rest = String::new();
        client.read_to_string(&mut rest).expect("the end");
        assert!(rest.ends_with("\r\n0\r\n\r\n"), "ended in order: {rest}");
    }
}

#[test]
fn a_file_that_changes_is_told() {
    let folder = tempfile::tempdir().expect("works");
    let path = folder.path().join("dump.json");
    let write = |image: &str| {
        let pod = format!(
            r#"{{"kind":"Pod","metadata":{{"name":"a","namespace":"n"}},"spec":{{"containers":[{{"name":"c","image":"{image}"}}]}},"status":{{"phase":"Running"}}}}"#
        );
        let new = folder.path().join("new.json");
        std::fs::write(&new, format!(r#"{{"kind":"List","items":[{pod}]}}"#)).expect("works");
        std::fs::rename(&new, &path).expect("works");
    };
    write("nginx:1");
    let service = Service::start(&path, &[]);
    service.wait_until("/readyz", |status, _| status == 200);
    let client = follow(&service);
    write("nginx:2");
    let events = client.lines().map(|line| line.expect("a line")).filter(|line| line.starts_with("event: "));
    let events: Vec<_> = events.take(2).collect();
    assert_eq!(events, ["event: image-left", "event: image-appeared"]);
}
