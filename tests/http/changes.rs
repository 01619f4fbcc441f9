//! `/v1/changes`: clients that stay, come back, are slow, or lie about what they have.

use std::time::{Duration, Instant};

use axum::body::Body;
use http::Version;
use http_body_util::BodyExt as _;
use kai::snapshot::Snapshot;
use rstest::rstest;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::http_2::requests_without_window;
use crate::http_support::{Cluster, DEADLINE, OBSERVED, PODS, Reply, Server, request};
use crate::openmetrics::Text;
use crate::sockets::{Running, start_with};

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
