//! The service with more clients than are good for it.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::http_2::requests_without_window;
use crate::openmetrics::Text;
use crate::process::{DEMO, Service, wait_for};

#[test]
fn connections_above_the_limit_of_open_files_are_logged_and_counted() {
    let service = Service::start_with_files(64, Path::new(DEMO));
    service.wait_until("/readyz", |status, _| status == 200);
    let clients: Vec<TcpStream> = (0..80).map(|_| service.connect()).collect();
    let is_said = |line: &str| line.contains("WARN") && line.contains("connections could not be accepted");
    let line = wait_for(&service.log, |line| is_said(line).then(|| line.to_owned()));
    assert!(line.contains("Too many open files") && line.contains("ulimit -n"), "{line}");
    drop(clients);
    service.wait_until("/metrics", |_, text| {
        Text::read(text).value("kai_http_refused_connections_total", &[]).is_some_and(|count| count > 0.0)
    });
}

#[test]
fn cached_answers_are_served_while_512_clients_read_nothing() {
    const CACHED: [&str; 3] = ["/inventory", "/inventory?format=csv", "/namespaces"];
    let service = Service::start(Path::new(DEMO), &[]);
    service.wait_until("/readyz", |status, _| status == 200);
    assert_eq!(CACHED.map(|path| service.get(path).0), [200; 3]);
    let namespaces: serde_json::Value = serde_json::from_str(&service.get("/namespaces").1).expect("JSON");
    let names: Vec<_> =
        namespaces["namespaces"].as_array().expect("a list").iter().filter_map(|each| each["name"].as_str()).collect();
    let pairs = names.iter().flat_map(|one| names.iter().map(move |two| (one, two))).filter(|(one, two)| one < two);
    let paths: Vec<_> = pairs.map(|(one, two)| format!("/inventory?namespace={one}&namespace={two}")).collect();
    let clients = paths.iter().cycle().take(512).map(|path| {
        let mut client = service.connect();
        client.write_all(&requests_without_window(&[path])).expect("written");
        client
    });
    let clients: Vec<TcpStream> = clients.collect();
    service.wait_until("/metrics", |_, text| {
        let labels = [("route", "/inventory"), ("method", "GET"), ("status", "200")];
        Text::read(text).value("kai_http_requests_total", &labels).is_some_and(|count| count >= 514.0)
    });
    for path in CACHED {
        let begun = Instant::now();
        assert_eq!(service.get(path).0, 200);
        assert!(begun.elapsed() < Duration::from_secs(5), "{path} took {:?}", begun.elapsed());
    }
    drop(clients);
}
