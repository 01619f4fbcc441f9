//! What only a real connection shows: clients that take nothing, or go, and a stop.

use std::time::Duration;

use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::{CHANGES, many};
use crate::http_2::requests_without_window;
use crate::http_support::{Cluster, DEADLINE, OBSERVED, PODS};
use crate::openmetrics::Text;
use crate::sockets::{Running, start_with};

/// A connection that has asked for changes and takes little.
async fn connect(server: &Running, bytes: &[u8]) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let mut stream = timeout(DEADLINE, socket.connect(server.address)).await.expect("in time").expect("connected");
    stream.write_all(bytes).await.expect("written");
    stream
}

const ASK: &[u8] = b"GET /v1/changes HTTP/1.1\r\nHost: localhost\r\n\r\n";

async fn until_text(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = Vec::new();
    let read = async {
        let mut buffer = vec![0; 64 * 1024];
        while !String::from_utf8_lossy(&text).contains(wanted) {
            let count = stream.read(&mut buffer).await.expect("readable");
            assert!(count > 0, "the stream ended: {}", String::from_utf8_lossy(&text));
            text.extend_from_slice(&buffer[..count]);
        }
    };
    timeout(DEADLINE, read).await.expect("the text comes");
    String::from_utf8_lossy(&text).into_owned()
}

async fn metric(server: &Running, name: &str) -> f64 {
    let reply = server.exchange(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    Text::read(reply.split_once("\r\n\r\n").expect("a body").1).value(name, &[]).expect("a number")
}

async fn until_metric(server: &Running, name: &str, expected: f64) {
    let reached = async {
        while (metric(server, name).await - expected).abs() > 0.1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, reached).await.unwrap_or_else(|_| panic!("{name} is not {expected}"));
}

#[rstest]
#[case::http_1(ASK.to_vec())]
#[case::http_2(requests_without_window(&[CHANGES]))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_whose_client_takes_nothing_is_ended_and_another_one_goes_on(#[case] asks: Vec<u8>) {
    let mut cluster = Cluster::whole();
    let server = start_with(&cluster.relist_all(OBSERVED, &PODS), |_| {});
    let slow = connect(&server, &asks).await;
    let mut quick = server.connect().await;
    quick.write_all(ASK).await.expect("written");
    until_text(&mut quick, "event: hello").await;
    until_metric(&server, "kai_http_change_clients", 2.0).await;
    // What the system takes for the client before kai waits is some mebibytes.
    for round in 0..20 {
        server.writer.publish(many(&mut cluster, round));
        until_text(&mut quick, &format!("\"image\":\"{round}-9-")).await;
    }
    until_metric(&server, "kai_http_change_clients_cut_off_total", 1.0).await;
    until_metric(&server, "kai_http_change_clients", 1.0).await;
    drop(slow);
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_goes_leaves_its_place_at_once() {
    let server = start_with(&Cluster::new().relist(OBSERVED, &PODS), |_| {});
    let mut client = server.connect().await;
    client.write_all(ASK).await.expect("written");
    until_text(&mut client, "event: hello").await;
    until_metric(&server, "kai_http_change_clients", 1.0).await;
    drop(client);
    until_metric(&server, "kai_http_change_clients", 0.0).await;
    server.stop().await;
}

#[tokio::test]
async fn a_stop_ends_streams_at_once() {
    let server = start_with(&Cluster::new().relist(OBSERVED, &PODS), |_| {});
    let mut client = server.connect().await;
    client.write_all(ASK).await.expect("written");
    until_text(&mut client, "event: hello").await;
    let mut waiting = server.connect().await;
    waiting.write_all(b"GET /v1/changes?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("written");
    until_metric(&server, "kai_http_change_clients", 2.0).await;
    let took = server.stop().await;
    assert!(took < Duration::from_millis(900), "{took:?}");
    let mut rest = String::new();
    client.read_to_string(&mut rest).await.expect("the end");
    assert!(rest.ends_with("0\r\n\r\n"), "ended in order: {rest}");
    waiting.read_to_string(&mut rest).await.expect("the end");
    assert!(rest.contains("\"events\":[]"), "{rest}");
}

#[rstest]
#[case::http_1(ASK.to_vec())]
#[case::http_2(requests_without_window(&[CHANGES]))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_a_client_that_takes_nothing(#[case] asks: Vec<u8>) {
    let mut cluster = Cluster::whole();
    let server = start_with(&cluster.relist_all(OBSERVED, &PODS), |_| {});
    let slow = connect(&server, &asks).await;
    until_metric(&server, "kai_http_change_clients", 1.0).await;
    server.writer.publish(many(&mut cluster, 0));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let took = server.stop().await;
    assert!(took < Duration::from_secs(3), "{took:?}");
    drop(slow);
}
