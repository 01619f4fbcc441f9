//! What a kai answers about the other clusters of a fleet, and one that has no cluster.

use std::time::Duration;

use axum::body::Body;
use http::header::HOST;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::config::{HistoryStore, Listen, MetricsSettings, PostgresSettings, ServerSettings};
use crate::feed::feed;
use crate::health::{Health, PushBoard};
use crate::history::{Keeping, postgres_server};
use crate::http::{Http, HttpDeps};
use crate::inventory::ReportPolicy;
use crate::metrics::{Exposition, Metrics};

const DIGEST: &str = "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628";

/// A kai of a cluster that has written what it lists.
fn cluster(settings: &PostgresSettings, uid: &str, lists: &[&[&str]]) -> Keeping {
    let settings = PostgresSettings { cluster_id: Some(uid.to_owned()), ..settings.clone() };
    let mut kept = Keeping::open(HistoryStore::Postgres(Box::new(settings)));
    kept.wait("connected", |state| state.store == "postgres");
    lists.iter().for_each(|images| kept.list(images));
    let rows = lists.iter().flat_map(|images| images.iter()).collect::<std::collections::BTreeSet<_>>().len() as u64;
    kept.wait("written", |state| (state.rows, state.queue) == (rows, 0));
    kept
}

/// A kai without a cluster.
fn reader(settings: &PostgresSettings) -> (Keeping, Http) {
    let settings = PostgresSettings { is_read_only: true, ..settings.clone() };
    let kept = Keeping::open(HistoryStore::Postgres(Box::new(settings)));
    kept.wait("connected", |state| state.store == "postgres");
    let (_writer, reader) = feed();
    let settings = ServerSettings {
        listen: Listen::None,
        probe_listen: Listen::None,
        tls: None,
        request_timeout: Duration::from_secs(10),
        max_concurrent_requests: 8,
        shutdown_timeout: Duration::from_secs(5),
        cache_max_bytes: 1024 * 1024,
        cors_origins: Vec::new(),
        allowed_hosts: Vec::new(),
    };
    let health = Health::new(reader.clone(), None, Duration::from_mins(1), PushBoard::default());
    health.needs_no_cluster();
    let policy = ReportPolicy::default();
    let metrics = Exposition::new(Metrics::default(), health.clone(), &policy, &MetricsSettings::default());
    let (history, retry_after) = (kept.history.reader(), Duration::from_secs(5));
    let deps = HttpDeps { reader, health, metrics, policy, history, settings, retry_after };
    let http = Http::new(&deps).expect("the OpenAPI document");
    (kept, http)
}

async fn get(http: &Http, path: &str) -> (StatusCode, Value) {
    let request = Request::get(path).header(HOST, "localhost").body(Body::empty()).expect("a request");
    let Ok(response) = http.service().oneshot(request).await;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    (parts.status, serde_json::from_slice(&body).unwrap_or_default())
}

/// `uid images running` of each cluster.
fn told(answer: &Value) -> Vec<String> {
    let clusters = answer["clusters"].as_array().unwrap_or_else(|| panic!("no clusters: {answer}"));
    let line =
        |row: &Value| format!("{} {} {}", row["cluster"].as_str().unwrap_or_default(), row["images"], row["running"]);
    clusters.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn any_kai_tells_which_clusters_have_an_image_and_which_had_it() {
    let Some(server) = postgres_server::shared() else { return };
    let settings = server.settings(&server.database());
    // All three are called the same.
    let first = cluster(&settings, "uid-1", &[&["nginx:1", "redis:7"]]);
    let second = cluster(&settings, "uid-2", &[&["nginx:1"], &["redis:7"]]);
    let third = cluster(&settings, "uid-3", &[&["redis:7"]]);
    second.wait("the end of nginx is written", |state| state.queue == 0);
    let (kept, http) = reader(&settings);
    let (status, all) = get(&http, "/v1/clusters").await;
    assert_eq!(
        (status, told(&all)),
        (StatusCode::OK, vec!["uid-1 2 2".into(), "uid-2 2 1".into(), "uid-3 1 1".into()])
    );
    let (_, nginx) = get(&http, "/v1/clusters?image=docker.io/library/nginx").await;
    assert_eq!(told(&nginx), ["uid-1 1 1", "uid-2 1 0"]);
    let [runs, ran] = [&nginx["clusters"][0], &nginx["clusters"][1]];
    assert!(runs["last_seen"].is_null() && ran["last_seen"].is_string() && ran["first_seen"].is_string(), "{nginx}");
    let (_, digest) = get(&http, &format!("/v1/clusters?digest={}&cluster=uid-2&cluster=uid-3", &DIGEST[..24])).await;
    assert_eq!(told(&digest), ["uid-2 2 1", "uid-3 1 1"]);
    let (_, none) = get(&http, "/v1/clusters?digest=222222222222").await;
    assert_eq!(none, json!({"clusters": []}));
    for kept in [first, second, third, kept] {
        kept.history.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_of_another_cluster_has_its_gaps() {
    let Some(server) = postgres_server::shared() else { return };
    let settings = server.settings(&server.database());
    let first = cluster(&settings, "uid-1", &[&["nginx:1"]]);
    first.history.stop();
    let (kept, http) = reader(&settings);
    for path in ["/v1/history?image=nginx&cluster=demo".to_owned(), format!("/v1/history/{DIGEST}?cluster=uid-1")] {
        let (status, answer) = get(&http, &path).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let cluster = &answer["clusters"][0];
        assert_eq!((&cluster["cluster"], &cluster["name"]), (&json!("uid-1"), &json!("demo")));
        let namespace = &cluster["namespaces"][0];
        assert_eq!((&namespace["namespace"], &namespace["images"][0]["image"]), (&json!("shop"), &json!("nginx:1")));
        assert_eq!(namespace["gaps"][0]["reason"], "kai was not there yet", "{answer}");
    }
    let (status, unknown) = get(&http, "/v1/history?image=nginx&cluster=nosuch").await;
    assert_eq!((status, &unknown["type"]), (StatusCode::NOT_FOUND, &json!("/docs/problems#unknown-cluster")));
    kept.history.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kai_without_a_cluster_is_ready_and_says_what_it_has() {
    let Some(server) = postgres_server::shared() else { return };
    let (kept, http) = reader(&server.settings(&server.database()));
    assert_eq!(get(&http, "/readyz").await.0, StatusCode::OK);
    for path in ["/inventory", "/v1/images", "/v1/images?since=3d", "/v1/history?image=nginx", "/v1/in-use?since=3d"] {
        let (status, problem) = get(&http, path).await;
        assert_eq!((status, &problem["type"]), (StatusCode::NOT_FOUND, &json!("/docs/problems#no-cluster")), "{path}");
    }
    assert_eq!(get(&http, "/v1/clusters").await, (StatusCode::OK, json!({"clusters": []})));
    kept.history.stop();
}
