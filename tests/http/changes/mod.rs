//! `/v1/changes`: what is told, to whom, and how it is asked for.

mod clients;
mod connections;
mod lists;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Version;
use http_body_util::BodyExt as _;
use kai::snapshot::Snapshot;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::http_support::{Cluster, DEADLINE, OBSERVED, PODS, Server, request};
use crate::openmetrics::Text;

const CHANGES: &str = "/v1/changes";

/// One event, or a comment.
#[derive(Debug, Clone, Default, PartialEq)]
struct Message {
    event: String,
    id: String,
    data: Value,
}

/// Events as they come.
struct Events {
    body: Body,
    text: String,
}

impl Events {
    /// The next event; none when the stream ends, an error when it is cut off.
    async fn read(&mut self) -> Result<Option<Message>, String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Ok(Some(message(&block)));
            }
            let frame = timeout(DEADLINE, self.body.frame()).await.expect("an event in time");
            match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(error.to_string()),
                Some(Ok(frame)) => {
                    let bytes = frame.into_data().expect("data");
                    self.text.push_str(std::str::from_utf8(&bytes).expect("UTF-8"));
                }
            }
        }
    }

    async fn next(&mut self) -> Message {
        self.read().await.expect("not cut off").expect("not ended")
    }

    /// What happened, and to which image.
    async fn told(&mut self) -> String {
        let Message { event, id, data } = self.next().await;
        assert_eq!((&data["type"], &data["id"]), (&json!(event), &json!(id)));
        format!("{event} {}", data["image"].as_str().unwrap_or_default())
    }
}

fn message(block: &str) -> Message {
    let mut message = Message::default();
    for line in block.lines() {
        let (name, value) = line.split_once(':').expect("a field");
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match name {
            "event" => message.event = value,
            "id" => message.id = value,
            "data" => message.data = serde_json::from_str(&value).expect("JSON in one line"),
            "" => message.event.push(':'),
            other => panic!("the field {other}"),
        }
    }
    message
}

/// A server that tells the changes of a cluster.
fn following(pods: &[(&str, &str)]) -> (Server, Cluster) {
    let mut cluster = Cluster::whole();
    let server = Server::with(|_| {}, Some(cluster.relist_all(OBSERVED, pods)));
    tokio::spawn(server.http.follow());
    (server, cluster)
}

async fn open_with(server: &Server, path: &str, headers: &[(&str, &str)]) -> Events {
    let response = server.answer(request("GET", path, headers)).await;
    assert_eq!(response.status(), 200);
    Events { body: response.into_body(), text: String::new() }
}

async fn open(server: &Server) -> Events {
    open_with(server, CHANGES, &[]).await
}

/// Until the events of what was published last are there: their id.
async fn until_told(server: &Server, image: &str) -> String {
    let mut path = format!("{CHANGES}?wait=5&image={image}");
    let reached = async {
        loop {
            let answer = server.get(&path).await.json();
            let id = answer["last_event_id"].as_str().expect("an id");
            if answer["events"].as_array().is_some_and(|events| !events.is_empty()) {
                return id.to_owned();
            }
            path = format!("{CHANGES}?wait=5&image={image}&last-event-id={}-0", id.split('-').next().expect("boot"));
        }
    };
    timeout(DEADLINE, reached).await.expect("the events")
}

#[tokio::test]
async fn a_stream_says_where_it_begins_and_then_what_changes() {
    let (server, mut cluster) = following(&PODS);
    let response = server.answer(request("GET", CHANGES, &[("accept-encoding", "gzip, br")])).await;
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
    let expected = [("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no")];
    for (name, value) in expected {
        assert_eq!(header(name).as_deref(), Some(value));
    }
    assert_eq!((header("content-encoding"), header("content-length")), (None, None));
    let mut events = Events { body: response.into_body(), text: String::new() };
    let Message { event, id, data } = events.next().await;
    let boot = id.strip_suffix("-0").expect("nothing has happened");
    assert_eq!(event, "hello");
    assert_eq!(data, json!({"id": id, "generation": 1, "observed_at": OBSERVED, "pin": format!("{boot}-1")}));
    server.writer.publish(cluster.relist_all(OBSERVED, &PODS[1..]));
    let Message { event, id, data } = events.next().await;
    assert_eq!((&*event, &*id), ("image-left", &*format!("{boot}-1")));
    let expected = json!({
        "id": id, "type": "image-left", "generation": 2, "observed_at": OBSERVED, "namespace": "apps",
        "image": "nginx:1.27", "registry": "docker.io", "repository": "library/nginx", "tag": "1.27",
        "digest": null, "old_digest": null, "old_digest_left": null, "containers": 1, "pods": 1, "owners": 0,
        "workloads": [], "flags": ["no-digest"], "complete": null, "reason": null,
    });
    assert_eq!(data, expected);
}

#[tokio::test]
async fn the_snapshot_where_a_stream_begins_can_be_asked_for() {
    let (server, mut cluster) = following(&PODS);
    let hello = open(&server).await.next().await;
    server.writer.publish(cluster.relist_all(OBSERVED, &PODS[..1]));
    until_told(&server, "redis").await;
    let pin = hello.data["pin"].as_str().expect("a pin");
    let page = server.get(&format!("/v1/images?pin={pin}")).await.json();
    assert_eq!((&page["generation"], &page["total"]), (&json!(1), &json!(4)));
}

/// So many MiB of events, about, one snapshot for each.
async fn publish_much(writer: &kai::feed::SnapshotWriter, cluster: &mut Cluster, mebibytes: usize) {
    for round in 0..mebibytes {
        writer.publish(many(cluster, round));
        // Snapshots that come faster are told together.
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

/// A cluster with other images than in another round: 1 MiB of events, about.
fn many(cluster: &mut Cluster, round: usize) -> Arc<Snapshot> {
    let images: Vec<_> = (0..60).map(|at| format!("{round}-{at}-{}", "x".repeat(4000))).collect();
    let pods: Vec<_> = images.iter().map(|image| ("apps", image.as_str())).collect();
    cluster.relist_all(OBSERVED, &pods)
}

#[tokio::test]
async fn head_has_the_headers_and_takes_no_place() {
    let server = Server::new();
    for (path, kind) in [(CHANGES, "text/event-stream"), ("/v1/changes?wait=60", "application/json")] {
        for _ in 0..65 {
            let reply = timeout(DEADLINE, server.send(request("HEAD", path, &[]))).await.expect("at once");
            assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, Some(kind)));
            assert!(reply.body.is_empty());
        }
    }
}

#[tokio::test]
async fn filters_leave_events_out() {
    let (server, mut cluster) = following(&PODS);
    let mut events = open_with(&server, "/v1/changes?registry=quay.io&namespace=shop&namespace=apps", &[]).await;
    assert_eq!(events.next().await.event, "hello");
    server.writer.publish(cluster.relist_all(OBSERVED, &[("apps", "busybox"), ("shop", "quay.io/acme/cart:1.26")]));
    let told = [events.told().await, events.told().await];
    assert_eq!(told, ["image-left quay.io/acme/cart:1.25", "image-appeared quay.io/acme/cart:1.26"]);
}

#[tokio::test]
async fn what_is_missing_is_told_whatever_image_is_asked_for() {
    let (server, mut cluster) = following(&PODS);
    let mut events = open_with(&server, "/v1/changes?image=none", &[]).await;
    assert_eq!(events.next().await.event, "hello");
    let skipped = kai::testing::skipped(Some("apps"), "pod apps/pod-0");
    server.writer.publish(cluster.relist_with(OBSERVED, &PODS, [skipped]));
    let Message { event, data, .. } = events.next().await;
    assert_eq!((&*event, &data["complete"], &data["namespace"]), ("complete-changed", &json!(false), &Value::Null));
}

#[rstest]
#[case::kind(
    "kind=init",
    "The parameter \"kind\" is unknown; the known ones are namespace and registry and repository and tag and digest and image and owner and flag and wait and last-event-id."
)]
#[case::state("state=running", "The parameter \"state\" is unknown;")]
#[case::node("node=a", "The parameter \"node\" is unknown;")]
#[case::sort("sort=image", "The parameter \"sort\" is unknown;")]
#[case::limit("limit=1", "The parameter \"limit\" is unknown;")]
#[case::cursor("cursor=x", "The parameter \"cursor\" is unknown;")]
#[case::pin("pin=x", "The parameter \"pin\" is unknown;")]
#[case::digest("digest=sha256:abc", "it must be a manifest digest")]
#[case::flag_of_the_cluster(
    "flag=several-digests",
    "it must be floating-tag or no-digest or pinned or drift or updating or unreadable-reference or not-running."
)]
#[case::no_time("wait=", "The parameter \"wait\" is \"\"; it must be a number of seconds from 0 to 60.")]
#[case::long("wait=61", "it must be a number of seconds from 0 to 60.")]
#[case::negative("wait=-1", "it must be a number of seconds from 0 to 60.")]
#[case::a_part("wait=1.5", "it must be a number of seconds from 0 to 60.")]
#[case::a_word("wait=forever", "it must be a number of seconds from 0 to 60.")]
#[case::twice("wait=1&wait=2", "is given more than once")]
#[tokio::test]
async fn parameters_that_make_no_sense_are_named(#[case] query: &str, #[case] part: &str) {
    let detail = Server::new().get(&format!("{CHANGES}?{query}")).await.problem(400, CHANGES);
    assert!(detail.contains(part), "{detail}");
}

#[rstest]
#[case::list_wanted("", "application/json", 406)]
#[case::stream_wanted("?wait=0", "text/event-stream", 406)]
#[case::a_browser("", "text/event-stream", 200)]
#[case::any_text("", "text/*;q=0.1", 200)]
#[case::forbidden("", "text/event-stream;q=0, */*", 406)]
#[case::json("?wait=0", "application/json", 200)]
#[tokio::test]
async fn the_type_is_that_of_the_way_to_ask(#[case] query: &str, #[case] accept: &str, #[case] status: u16) {
    let server = Server::new();
    let response = server.answer(request("GET", &format!("{CHANGES}{query}"), &[("accept", accept)])).await;
    assert_eq!(response.status(), status);
}

#[tokio::test]
async fn before_the_first_list_there_is_nothing_to_follow() {
    let server = Server::empty();
    tokio::spawn(server.http.follow());
    assert_eq!(server.get(CHANGES).await.problem_type(), "no-snapshot");
    let mut cluster = Cluster::whole();
    server.writer.publish(cluster.relist_all(OBSERVED, &PODS[..2]));
    let mut events = open(&server).await;
    assert_eq!(events.next().await.event, "hello");
    server.writer.publish(cluster.relist_all(OBSERVED, &PODS[..1]));
    assert_eq!(events.told().await, "image-left redis:7");
}

#[tokio::test(start_paused = true)]
async fn a_comment_comes_when_nothing_happens() {
    let server = Server::new();
    let mut events = open(&server).await;
    assert_eq!(events.next().await.event, "hello");
    for _ in 0..3 {
        let begun = tokio::time::Instant::now();
        assert_eq!(events.next().await, Message { event: ":".to_owned(), ..Message::default() });
        assert_eq!(begun.elapsed().as_secs(), 15);
    }
}

#[tokio::test]
async fn pages_of_other_origins_may_say_what_they_have() {
    let server = Server::with(|settings| settings.cors_origins = vec!["https://a.example".to_owned()], None);
    let asked = [
        ("origin", "https://a.example"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "last-event-id"),
    ];
    let reply = server.send(request("OPTIONS", CHANGES, &asked)).await;
    assert!(reply.header("access-control-allow-headers").is_some_and(|names| names.contains("last-event-id")));
}

#[tokio::test]
async fn events_are_counted_by_their_type() {
    let (server, mut cluster) = following(&PODS);
    server.writer.publish(cluster.relist_all(OBSERVED, &PODS[..1]));
    until_told(&server, "redis").await;
    let text = Text::read(server.get("/metrics").await.text());
    let count = |kind: &str| text.value("kai_changes_total", &[("type", kind)]);
    assert_eq!((count("image-left"), count("image-appeared")), (Some(3.0), Some(0.0)));
}

#[tokio::test]
async fn a_stream_over_http_2_is_like_one_over_http_1() {
    let (server, mut cluster) = following(&PODS);
    let mut asked = request("GET", CHANGES, &[]);
    *asked.version_mut() = Version::HTTP_2;
    let mut events = Events { body: server.answer(asked).await.into_body(), text: String::new() };
    assert_eq!(events.next().await.event, "hello");
    server.writer.publish(cluster.relist_all(OBSERVED, &PODS[..3]));
    assert_eq!(events.told().await, "image-left coredns:1.11");
}
