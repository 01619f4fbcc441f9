//! Clients that come back, are slow, lie about what they have, or are too many.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tokio::time::timeout;

use super::{CHANGES, following, many, open, open_with, publish_much, until_told};
use crate::http_support::{Cluster, DEADLINE, OBSERVED, PODS, Server, request};
use crate::openmetrics::Text;

#[rstest]
#[case::header(true)]
#[case::parameter(false)]
#[tokio::test]
async fn a_client_that_comes_back_goes_on_behind_its_last_event(#[case] by_header: bool) {
    let (server, mut cluster) = following(&PODS);
    let mut events = open(&server).await;
    assert_eq!(events.next().await.event, "hello");
    server.writer.publish(cluster.relist_all(OBSERVED, &PODS[1..]));
    let last = events.next().await.id;
    drop(events);
    // While it is away.
    server.writer.publish(cluster.relist_all(OBSERVED, &PODS));
    until_told(&server, "nginx").await;
    let mut back = if by_header {
        open_with(&server, &format!("{CHANGES}?last-event-id=old-1"), &[("last-event-id", &last)]).await
    } else {
        open_with(&server, &format!("{CHANGES}?last-event-id={last}"), &[]).await
    };
    assert_eq!(back.told().await, "image-appeared nginx:1.27");
}

#[tokio::test]
async fn events_are_kept_when_nobody_listens() {
    let (server, mut cluster) = following(&PODS);
    let boot = open(&server).await.next().await.id;
    for pods in [&PODS[1..], &PODS[..], &PODS[..1]] {
        server.writer.publish(cluster.relist_all(OBSERVED, pods));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    until_told(&server, "coredns").await;
    let mut events = open_with(&server, CHANGES, &[("last-event-id", &boot)]).await;
    let told = [events.told().await, events.told().await];
    assert_eq!(told, ["image-left nginx:1.27", "image-appeared nginx:1.27"]);
}

#[rstest]
#[case::of_another_process("00000000-0")]
#[case::of_the_future("BOOT-1")]
#[case::of_the_far_future("BOOT-18446744073709551615")]
#[case::too_large("BOOT-18446744073709551616")]
#[case::written_otherwise("BOOT-00")]
#[case::signed("BOOT-+0")]
#[case::boot_alone("BOOT")]
#[case::garbage("\u{fffd}\"<script>")]
#[case::long(&"9".repeat(2000))]
#[tokio::test]
async fn a_client_that_lies_about_its_id_begins_again(#[case] id: &str) {
    let (server, _cluster) = following(&PODS);
    let hello = open(&server).await.next().await;
    let boot = hello.id.strip_suffix("-0").expect("the first id");
    let id = id.replace("BOOT", boot);
    let first = open_with(&server, CHANGES, &[("last-event-id", &id)]).await.next().await;
    assert_eq!((&*first.event, &first.data), ("reset", &hello.data));
    let query = form(&id);
    let list = server.get(&format!("{CHANGES}?wait=5&last-event-id={query}")).await.json();
    assert_eq!(list, json!({"last_event_id": hello.id, "reset": true, "start": hello.data, "events": []}));
}

/// Percent-encoded.
fn form(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02x}"))
}

#[tokio::test]
async fn an_id_that_is_too_old_begins_again_with_the_snapshot_of_now() {
    let (server, mut cluster) = following(&PODS);
    let first = open(&server).await.next().await.id;
    publish_much(&server.writer, &mut cluster, 6).await;
    let mut events = open_with(&server, CHANGES, &[("last-event-id", &first)]).await;
    let reset = events.next().await;
    assert_eq!((&*reset.event, &reset.data["generation"]), ("reset", &json!(7)));
    let pin = reset.data["pin"].as_str().expect("a pin");
    assert_eq!(server.get(&format!("/v1/images?pin={pin}&limit=1")).await.status, 200);
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off_and_others_go_on() {
    let (server, mut cluster) = following(&PODS);
    let (mut slow, mut quick) = (open(&server).await, open(&server).await);
    assert_eq!((slow.next().await.event, quick.next().await.event), ("hello".to_owned(), "hello".to_owned()));
    let mut last = String::new();
    for round in 0..3 {
        server.writer.publish(many(&mut cluster, round));
        while !last.starts_with(&format!("image-appeared {round}-59-")) {
            last = quick.told().await;
        }
    }
    assert_eq!(slow.read().await, Err("the client reads changes too slowly".to_owned()));
    let text = Text::read(server.get("/metrics").await.text()).value("kai_http_change_clients_cut_off_total", &[]);
    assert_eq!(text, Some(1.0));
}

#[tokio::test]
async fn a_snapshot_with_much_news_is_too_much_for_nobody_who_waits() {
    let (server, mut cluster) = following(&PODS);
    let mut events = open(&server).await;
    assert_eq!(events.next().await.event, "hello");
    let task = tokio::spawn(async move {
        let mut count = 0;
        while events.told().await != "image-left redis:7" {
            count += 1;
        }
        count
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let images: Vec<_> = (0..200).map(|at| format!("{at:03}-{}", "x".repeat(4000))).collect();
    let pods: Vec<_> = images.iter().map(|image| ("apps", image.as_str())).collect();
    server.writer.publish(cluster.relist_all(OBSERVED, &pods));
    assert_eq!(timeout(DEADLINE, task).await.expect("in time").expect("all of them"), 201);
}

#[tokio::test]
async fn the_65th_client_finds_no_place_and_other_answers_have_theirs() {
    let server =
        Server::with(|settings| settings.max_concurrent_requests = 0, Some(Cluster::new().relist(OBSERVED, &PODS)));
    let mut clients = Vec::new();
    for _ in 0..63 {
        clients.push(open(&server).await);
    }
    let waiting = server.answer(request("GET", &format!("{CHANGES}?wait=60"), &[])).await;
    let reply = server.get(CHANGES).await;
    assert_eq!((&*reply.problem_type(), reply.header("retry-after")), ("too-many-clients", Some("5")));
    let detail = reply.problem(503, CHANGES);
    assert!(detail.starts_with("64 clients follow the changes"), "{detail}");
    assert_eq!(server.send(request("HEAD", CHANGES, &[])).await.status, 503);
    let text = Text::read(server.get("/metrics").await.text());
    assert_eq!(text.value("kai_http_change_clients", &[]), Some(64.0));
    drop(waiting);
    assert_eq!(server.get(&format!("{CHANGES}?wait=0")).await.status, 200, "a client that goes leaves its place");
    drop(clients);
    let text = Text::read(server.get("/metrics").await.text());
    assert_eq!(text.value("kai_http_change_clients", &[]), Some(0.0));
}
