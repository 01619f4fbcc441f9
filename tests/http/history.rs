//! What was: images of a window of time, timelines, and what is in use.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kai::config::{HistorySettings, HistoryStore};
use kai::health::HistoryBoard;
use kai::history::{History, HistoryClock};
use kai::inventory::{NamespaceSelection, PodRecord};
use kai::metrics::Metrics;
use kai::snapshot::{Event, ListScope, ObjectKey, Observation, PodIndex, PodKey};
use kai::testing::{container, pod_of};
use rstest::rstest;
use serde_json::{Value, json};

use crate::http_support::Server;

const NGINX: &str = "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628";
const CART: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

fn pod(namespace: &str, name: &str, image: &str, digest: &str) -> PodRecord {
    let image_id = if digest.is_empty() { String::new() } else { format!("registry.test/x@{digest}") };
    pod_of(namespace, name, [container("main", image, &image_id)])
}

/// A cluster that was looked at for ten days, but for one of them, with a server for what is known of it.
struct Watched {
    index: PodIndex,
    history: History,
    now: Timestamp,
}

impl Watched {
    fn start() -> Self {
        let settings = HistorySettings { store: HistoryStore::Memory, retention_days: 400, max_rows: 1_000 };
        let (board, reach) = (HistoryBoard::default(), Duration::from_mins(10));
        let history = History::open(&settings, HistoryClock::default(), reach, board, Metrics::default());
        let index = PodIndex::new("demo", NamespaceSelection::default());
        Self { index, history: history.expect("a history"), now: Timestamp::now() }
    }

    fn days_ago(&self, days: i64) -> Timestamp {
        self.now - SignedDuration::from_hours(24 * days)
    }

    fn list(&mut self, days_ago: i64, pods: impl IntoIterator<Item = PodRecord>) {
        let at = self.days_ago(days_ago);
        self.index.apply(Event::RelistBegun(ListScope::AllPods));
        pods.into_iter().for_each(|pod| self.index.apply(pod.into()));
        self.index.apply(Event::RelistEnded(ListScope::AllPods));
        self.index.apply(Event::Observed(Observation::at(at)));
        self.publish();
        self.history.recorder().listed(self.index.snapshot().expect("a snapshot"), at);
    }

    fn watch(&mut self, days_ago: i64, event: impl Into<Event>) {
        let at = self.days_ago(days_ago);
        self.index.apply(event.into());
        self.index.apply(Event::Seen(at));
        self.index.set_now(at);
        self.publish();
        self.history.recorder().watched(self.index.snapshot().expect("a snapshot"), at);
    }

    fn publish(&mut self) {
        self.history.recorder().exchange(&mut self.index);
        self.index.publish();
        self.history.recorder().exchange(&mut self.index);
    }

    fn server(&self) -> Server {
        Server::of(self.index.snapshot().cloned(), self.history.reader(), |_| {})
    }
}

fn gone(namespace: &str, name: &str) -> Event {
    Event::Deleted(ObjectKey::Pod(PodKey { namespace: namespace.into(), name: name.into(), uid: None }))
}

/// nginx for ten days; cart from nine days ago for a day, while kai was watching; redis until kai stopped looking, five days
/// ago for a day; busybox since three days.
fn ten_days() -> Watched {
    let mut watched = Watched::start();
    let nginx = || pod("shop", "web", "nginx:1.27", NGINX);
    watched.list(10, [nginx(), pod("apps", "cache", "redis:7", "")]);
    watched.watch(9, pod("shop", "cart", "quay.io/acme/cart:1", CART));
    watched.watch(8, gone("shop", "cart"));
    watched.watch(5, pod("apps", "again", "redis:7", ""));
    watched.history.recorder().broke("the API server was away");
    watched.list(4, [nginx()]);
    watched.watch(3, pod("apps", "box", "busybox", ""));
    watched.watch(0, pod("apps", "box-2", "busybox", ""));
    watched
}

/// `image running` of each row.
fn images(page: &Value) -> Vec<String> {
    let rows = page["images"].as_array().unwrap_or_else(|| panic!("no images: {page}"));
    let line = |row: &Value| format!("{} {}", row["image"].as_str().unwrap_or_default(), row["running"]);
    rows.iter().map(line).collect()
}

fn time(value: &Value) -> Timestamp {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no time: {value}"))
}

/// In whole milliseconds, as a history has it.
fn near(value: &Value, expected: Timestamp) -> bool {
    time(value).as_millisecond() == expected.as_millisecond()
}

#[tokio::test]
async fn rows_tell_since_when_and_how_well_that_is_known() {
    let watched = ten_days();
    let page = watched.server().get("/v1/images").await.json();
    let rows = page["images"].as_array().expect("images");
    assert_eq!(images(&page), ["busybox true", "nginx:1.27 true"]);
    assert!(near(&rows[0]["first_seen"], watched.days_ago(3)) && near(&rows[1]["first_seen"], watched.days_ago(10)));
    let exact = rows.iter().map(|row| (&row["first_seen_exact"], &row["last_seen"]));
    assert_eq!(exact.collect::<Vec<_>>(), [(&json!(true), &Value::Null), (&json!(false), &Value::Null)]);
    assert!(page.get("gaps").is_none(), "only with a window: {page}");
}

#[rstest]
#[case::all("since=30d", &["busybox true", "nginx:1.27 true", "quay.io/acme/cart:1 false", "redis:7 false"])]
#[case::last_days("since=6d", &["busybox true", "nginx:1.27 true", "redis:7 false"])]
#[case::today("since=1h", &["busybox true", "nginx:1.27 true"])]
#[case::until("until=9d", &["nginx:1.27 true", "quay.io/acme/cart:1 false", "redis:7 false"])]
#[case::both("since=20d&until=9d12h", &["nginx:1.27 true", "redis:7 false"])]
#[case::instant("at=8d12h", &["nginx:1.27 true", "quay.io/acme/cart:1 false", "redis:7 false"])]
#[case::instant_of_today("at=1h", &["busybox true", "nginx:1.27 true"])]
#[case::filtered("since=30d&registry=quay.io", &["quay.io/acme/cart:1 false"])]
#[case::of_a_namespace("since=30d&namespace=apps", &["busybox true", "redis:7 false"])]
#[case::by_digest("since=30d&digest=1111111111111111", &["quay.io/acme/cart:1 false"])]
#[case::newest_first("since=30d&sort=-first_seen&limit=2", &["busybox true", "quay.io/acme/cart:1 false"])]
#[case::last_seen_first("since=30d&sort=last_seen&limit=2", &["quay.io/acme/cart:1 false", "redis:7 false"])]
#[tokio::test]
async fn a_window_has_what_was_there_then(#[case] query: &str, #[case] expected: &[&str]) {
    let page = ten_days().server().get(&format!("/v1/images?{query}")).await.json();
    assert_eq!(images(&page), expected, "{page}");
}

#[tokio::test]
async fn what_is_gone_tells_when_it_was_seen_and_counts_nothing() {
    let watched = ten_days();
    let page = watched.server().get("/v1/images?since=30d&image=quay.io/acme/cart").await.json();
    let row = &page["images"][0];
    assert!(near(&row["first_seen"], watched.days_ago(9)) && near(&row["last_seen"], watched.days_ago(8)), "{row}");
    assert_eq!(
        (&row["first_seen_exact"], &row["digest"], &row["digest_kind"]),
        (&json!(true), &json!(CART), &json!("running"))
    );
    assert_eq!([&row["containers"], &row["pods"], &row["namespaces"], &row["owners"]], [&json!(0); 4]);
    let page = watched.server().get("/v1/images?since=30d&image=redis").await.json();
    assert!(near(&page["images"][0]["last_seen"], watched.days_ago(5)), "nobody saw it later: {page}");
}

#[rstest]
#[case::before_kai_and_in_between("since=30d", &["kai was not there yet", "the API server was away"])]
#[case::in_between("since=6d", &["the API server was away"])]
#[case::none("since=3d", &[])]
#[case::instant_within("at=4d12h", &["the API server was away"])]
#[case::instant_outside("at=6d", &[])]
#[tokio::test]
async fn gaps_of_a_window_are_told_and_make_it_incomplete(#[case] query: &str, #[case] expected: &[&str]) {
    let reply = ten_days().server().get(&format!("/v1/images?{query}")).await;
    let page = reply.json();
    let reasons: Vec<&str> =
        page["gaps"].as_array().expect("gaps").iter().filter_map(|gap| gap["reason"].as_str()).collect();
    assert_eq!(reasons, expected, "{page}");
    assert_eq!(page["complete"], expected.is_empty());
    assert_eq!(reply.header("inventory-complete"), Some(if expected.is_empty() { "true" } else { "false" }));
}

#[tokio::test]
async fn pages_of_a_window_lead_through_all_of_it() {
    let server = ten_days().server();
    let (mut path, mut seen) = ("/v1/images?since=30d&limit=1".to_owned(), Vec::new());
    for _ in 0..4 {
        let reply = server.get(&path).await;
        assert_eq!(reply.json()["total"], 4);
        seen.extend(images(&reply.json()));
        let Some(link) = reply.header("link") else { break };
        path = link.trim_start_matches('<').split_once('>').expect("a link").0.to_owned();
    }
    assert_eq!(seen, ["busybox true", "nginx:1.27 true", "quay.io/acme/cart:1 false", "redis:7 false"]);
    let cursor = path.split_once("cursor=").expect("a cursor").1;
    let reply = server.get(&format!("/v1/images?since=20d&cursor={cursor}")).await;
    assert!(reply.status == 400 && reply.text().contains("it belongs to other parameters"), "{}", reply.text());
}

#[tokio::test]
async fn a_window_comes_as_lists_too() {
    let server = ten_days().server();
    let text = server.get("/v1/images?since=30d&format=text").await;
    assert_eq!(text.text(), "busybox\nnginx:1.27\nquay.io/acme/cart:1\nredis:7\n");
    assert_eq!(text.header("inventory-complete"), Some("false"));
    let csv = server.get("/v1/images?since=30d&image=redis&format=csv").await;
    let csv = csv.text();
    let line = csv.lines().nth(1).expect("a row");
    assert!(line.starts_with("redis:7,docker.io,library/redis,7,") && line.ends_with("Z,false,false"), "{csv}");
}

#[rstest]
#[case("/v1/images?since=soon", "it must be a duration before now such as 30d")]
#[case("/v1/images?since=-3d", "it must be a duration before now such as 30d")]
#[case("/v1/images?since=3d&at=2d", "leave \"since\" and \"until\" out")]
#[case("/v1/images?since=2d&until=3d", "is later than \"until\"")]
#[case("/v1/images?at=2999-01-01T00:00:00Z", "is later than now")]
#[case("/v1/images?since=19000y", "before all times")]
#[case("/v1/images?since=3d&owner=web", "is about pods that are there now")]
#[case("/v1/images?since=3d&format=cyclonedx", "CycloneDX is of what is there now")]
#[case("/v1/containers?since=3d", "The parameter \"since\" is unknown")]
#[case("/v1/history", "write image=nginx")]
#[case("/v1/history/nginx", "it must be a manifest digest")]
#[case("/v1/history?image=nginx&cluster=", "it must be the uid or the name of a cluster")]
#[case("/v1/history?image=nginx&since=3d", "The parameter \"since\" is unknown")]
#[case("/v1/in-use", "write since=30d")]
#[case("/v1/in-use?since=30d&incomplete=yes", "it must be allow")]
#[case("/v1/in-use?since=30d&reference=pinned", "for the format text")]
#[tokio::test]
async fn what_makes_no_sense_is_named(#[case] path: &str, #[case] expected: &str) {
    let reply = ten_days().server().get(path).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    let detail = reply.json()["detail"].as_str().unwrap_or_default().to_owned();
    assert!(detail.contains(expected), "{detail}");
}

#[tokio::test]
async fn a_timeline_tells_who_had_an_image_where_and_when_nobody_looked() {
    let watched = ten_days();
    let reply = watched.server().get("/v1/history?image=docker.io/library/redis").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let answer = reply.json();
    let [namespace] = answer["namespaces"].as_array().expect("namespaces").as_slice() else { panic!("{answer}") };
    assert_eq!((&namespace["namespace"], &namespace["images"][0]["image"]), (&json!("apps"), &json!("redis:7")));
    assert!(near(&namespace["images"][0]["last_seen"], watched.days_ago(5)));
    let gaps = namespace["gaps"].as_array().expect("gaps");
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert!(gaps[0]["from"].is_null() && near(&gaps[0]["to"], watched.days_ago(10)), "{gaps:?}");
    assert!(near(&gaps[1]["from"], watched.days_ago(5)) && near(&gaps[1]["to"], watched.days_ago(4)), "{gaps:?}");
}

#[tokio::test]
async fn a_timeline_is_found_by_a_digest_too() {
    let server = ten_days().server();
    let answer = server.get(&format!("/v1/history/{CART}")).await.json();
    assert_eq!(answer["namespaces"][0]["images"][0]["image"], "quay.io/acme/cart:1");
    let answer = server.get("/v1/history/B9B4FA9B3E13").await.json();
    assert_eq!(answer["namespaces"][0]["images"][0]["running"], true);
    assert_eq!(server.get("/v1/history/b9b4fa9b3e13?namespace=apps").await.status, 404);
    let unknown = server.get("/v1/history/222222222222").await;
    assert_eq!((unknown.status.as_u16(), &unknown.json()["type"]), (404, &json!("/docs/problems#unknown-digest")));
}

#[tokio::test]
async fn what_is_in_use_is_whole_or_refused() {
    let server = ten_days().server();
    let whole = server.get("/v1/in-use?since=3d&format=text").await;
    let expected = format!("busybox\ndocker.io/library/nginx@{NGINX}\nnginx:1.27\n");
    assert_eq!((whole.status.as_u16(), whole.text()), (200, &*expected));
    let refused = server.get("/v1/in-use?since=6d&format=text").await;
    assert_eq!((refused.status.as_u16(), &refused.json()["type"]), (409, &json!("/docs/problems#incomplete-history")));
    assert!(refused.text().contains("the API server was away"), "{}", refused.text());
    let allowed = server.get("/v1/in-use?since=6d&format=text&incomplete=allow&reference=canonical").await;
    assert_eq!(allowed.header("inventory-complete"), Some("false"));
    assert_eq!(
        allowed.text(),
        "docker.io/library/busybox:latest\ndocker.io/library/nginx:1.27\ndocker.io/library/redis:7\n"
    );
    let json = server.get("/v1/in-use?since=6d").await;
    assert_eq!((json.status.as_u16(), json.header("inventory-complete")), (200, Some("false")));
    let answer = json.json();
    assert_eq!(images(&answer), ["busybox true", "nginx:1.27 true", "redis:7 false"]);
    assert_eq!((&answer["complete"], answer["incomplete"].as_array().map(Vec::len)), (&json!(false), Some(1)));
}

#[tokio::test]
async fn a_namespace_that_could_not_be_read_makes_it_incomplete() {
    let mut watched = ten_days();
    watched.index.apply(kai::testing::refused(kai::testing::pods_of("shop"), "pods is forbidden"));
    watched.list(0, [pod("apps", "box", "busybox", "")]);
    let reply = watched.server().get("/v1/in-use?since=1h&format=text").await;
    assert_eq!(reply.status, 409, "{}", reply.text());
}

#[rstest]
#[case("/v1/clusters")]
#[case("/v1/clusters?digest=b9b4fa9b3e13")]
#[case("/v1/history?image=nginx&cluster=eu1")]
#[tokio::test]
async fn a_history_of_one_cluster_is_no_fleet(#[case] path: &str) {
    let reply = ten_days().server().get(path).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["type"]), (404, &json!("/docs/problems#no-fleet")));
}

#[rstest]
#[case("/v1/images?since=3d")]
#[case("/v1/history?image=nginx")]
#[case("/v1/in-use?since=3d")]
#[tokio::test]
async fn a_history_that_cannot_be_read_is_a_problem_and_no_empty_answer(#[case] path: &str) {
    let reply = Server::new().get(path).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["type"]), (503, &json!("/docs/problems#unreadable-history")));
    assert!(reply.header("retry-after").is_some());
}
