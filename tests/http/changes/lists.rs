//! Long polling: lists of events, at once or after a while.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{CHANGES, following, publish_much, until_told};
use crate::http_support::{Cluster, DEADLINE, OBSERVED, PODS, Reply, Server};

async fn wait(server: &Server, query: &str) -> (Value, Duration) {
    let begun = Instant::now();
    let reply: Reply = timeout(DEADLINE, server.get(&format!("{CHANGES}?{query}"))).await.expect("an answer in time");
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, Some("application/json")));
    assert_eq!((reply.header("cache-control"), reply.header("content-encoding")), (Some("no-store"), None));
    (reply.json(), begun.elapsed())
}

#[tokio::test]
async fn a_list_comes_at_once_when_something_has_happened() {
    let (server, mut cluster) = following(&PODS);
    let (first, _) = wait(&server, "wait=0").await;
    let id = first["last_event_id"].as_str().expect("an id");
    assert_eq!((&first["start"]["id"], &first["start"]["generation"]), (&json!(id), &json!(1)));
    server.writer.publish(cluster.relist_all(OBSERVED, &PODS[..1]));
    until_told(&server, "redis").await;
    let (list, took) = wait(&server, &format!("wait=60&last-event-id={id}")).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!((&list["reset"], &list["start"]), (&json!(false), &Value::Null));
    let events = list["events"].as_array().expect("events");
    let images: Vec<_> = events.iter().map(|event| event["image"].as_str().expect("an image")).collect();
    assert_eq!(images, ["redis:7", "coredns:1.11", "quay.io/acme/cart:1.25"]);
    assert_eq!(events[2]["id"], list["last_event_id"]);
}

#[tokio::test]
async fn a_list_waits_for_the_first_event() {
    let (server, mut cluster) = following(&PODS);
    let publish = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.writer.publish(cluster.relist_all(OBSERVED, &PODS[..3]));
    };
    // The header of an EventSource is taken here, too; an empty one is none.
    let ((list, took), ()) = tokio::join!(wait(&server, "wait=60&last-event-id="), publish);
    assert!((Duration::from_millis(250)..Duration::from_secs(5)).contains(&took), "{took:?}");
    assert_eq!((&list["events"][0]["type"], &list["start"]["generation"]), (&json!("image-left"), &json!(1)));
}

#[tokio::test]
async fn a_list_is_empty_when_the_time_is_over_and_says_how_to_go_on() {
    let (server, mut cluster) = following(&PODS);
    let publish = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.writer.publish(cluster.relist_all(OBSERVED, &PODS[..3]));
    };
    let ((list, took), ()) = tokio::join!(wait(&server, "wait=1&image=redis"), publish);
    assert!(took >= Duration::from_secs(1), "{took:?}");
    let id = list["last_event_id"].as_str().expect("an id");
    assert!(list["events"] == json!([]) && id.ends_with("-1"), "what is not wanted is passed: {list}");
}

#[tokio::test]
async fn waiting_is_no_slow_answer() {
    let server = Server::with(
        |settings| settings.request_timeout = Duration::from_millis(100),
        Some(Cluster::new().relist(OBSERVED, &PODS)),
    );
    let (list, took) = wait(&server, "wait=1").await;
    assert!(took >= Duration::from_secs(1) && list["events"] == json!([]), "{took:?} {list}");
}

#[tokio::test]
async fn a_list_is_no_longer_than_half_a_mebibyte_and_the_next_one_goes_on() {
    let (server, mut cluster) = following(&PODS);
    let (first, _) = wait(&server, "wait=0").await;
    let mut id = first["last_event_id"].as_str().expect("an id").to_owned();
    publish_much(&server.writer, &mut cluster, 1).await;
    let mut seen = Vec::new();
    while seen.len() < 64 {
        let reply = server.get(&format!("{CHANGES}?wait=5&last-event-id={id}")).await;
        assert!(reply.body.len() < 530 * 1024, "{}", reply.body.len());
        let list = reply.json();
        list["last_event_id"].as_str().expect("an id").clone_into(&mut id);
        seen.extend(list["events"].as_array().expect("events").iter().map(|event| event["id"].clone()));
    }
    let boot = id.split('-').next().expect("boot");
    let expected: Vec<_> = (1..=64).map(|number| json!(format!("{boot}-{number}"))).collect();
    assert_eq!(seen, expected);
}
