//! `/metrics`: what is told, that it agrees with what kai serves, and that it goes with what it is of.

use std::sync::Arc;
use std::time::Duration;

use crate::http_support::{Cluster, OBSERVED, PODS, Reply, Server, request};
use crate::openmetrics::Text;
use jiff::Timestamp;
use kai::config::MetricsSettings;
use kai::feed::feed;
use kai::health::{Health, PushBoard, PushOutcome, PushRecord};
use kai::inventory::ReportPolicy;
use kai::metrics::{Exposition, Metrics, Serving};
use kai::snapshot::Snapshot;
use kai::testing::{cluster, skipped};
use rstest::rstest;

const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

async fn scrape(server: &Server) -> Text {
    let reply = server.get("/metrics").await;
    assert_eq!(reply.status.as_u16(), 200);
    Text::read(reply.text())
}

/// What is told of a snapshot, with so many images.
fn told(snapshot: Option<Arc<Snapshot>>, image_info_limit: u32) -> Text {
    let (writer, reader) = feed();
    if let Some(snapshot) = snapshot {
        writer.publish(snapshot);
    }
    let health = Health::new(reader, None, Duration::from_mins(1), PushBoard::default());
    let settings = MetricsSettings { image_info_limit };
    let exposition = Exposition::new(Metrics::default(), health, &ReportPolicy::default(), &settings);
    Text::read(&exposition.text(Serving::default()).expect("a text"))
}

fn images(text: &Text) -> Vec<[&str; 5]> {
    let samples = text.samples("kai_image_info").into_iter();
    samples
        .map(|one| ["namespace", "registry", "repository", "tag", "digest"].map(|label| &*one.labels[label]))
        .collect()
}

#[rstest]
#[case::prometheus("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")]
#[case::a_browser("text/html,*/*;q=0.8")]
#[case::something_else("application/json")]
#[tokio::test]
async fn the_text_is_openmetrics_whatever_is_accepted(#[case] accept: &str) {
    let reply = Server::new().get_with("/metrics", &[("accept", accept)]).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, Some(TYPE)));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    Text::read(reply.text());
}

#[tokio::test]
async fn head_has_the_headers_alone_and_other_methods_and_parameters_are_refused() {
    let server = Server::new();
    let Reply { status, body, .. } = server.send(request("HEAD", "/metrics", &[])).await;
    assert_eq!((status.as_u16(), body.len()), (200, 0));
    server.send(request("POST", "/metrics", &[])).await.problem(405, "/metrics");
    server.get("/metrics?name=kai_pods").await.problem(400, "/metrics");
}

#[tokio::test]
async fn no_number_of_requests_keeps_a_scraper_out() {
    let server = Server::with(|settings| settings.max_concurrent_requests = 0, None);
    assert_eq!(server.get("/inventory").await.status.as_u16(), 503);
    let text = scrape(&server).await;
    let labels = [("route", "/inventory"), ("method", "GET"), ("status", "503")];
    assert_eq!(text.value("kai_http_requests_total", &labels), Some(1.0));
    assert_eq!(text.value("kai_http_requests_in_flight", &[]), Some(0.0));
}

#[tokio::test]
async fn an_answer_is_in_flight_until_it_is_read() {
    let server = Server::new();
    let unread = server.answer(request("GET", "/inventory", &[])).await;
    assert_eq!(scrape(&server).await.value("kai_http_requests_in_flight", &[]), Some(1.0));
    drop(unread);
    assert_eq!(scrape(&server).await.value("kai_http_requests_in_flight", &[]), Some(0.0));
}

#[test]
fn items_that_could_not_be_read_are_counted() {
    let snapshot = cluster().with(["item 3", "item 17"].map(|item| skipped(None, item))).at(OBSERVED).snapshot();
    let text = told(Some(snapshot), 10);
    assert_eq!(text.value("kai_items_skipped", &[]), Some(2.0));
    assert_eq!(text.value("kai_snapshot_complete", &[]), Some(0.0));
}

#[tokio::test]
async fn every_family_keeps_to_the_conventions_of_names_and_units() {
    let text = scrape(&Server::new()).await;
    for (name, family) in &text.families {
        let prefix = name.split('_').next();
        assert!(matches!(prefix, Some("kai" | "process")), "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        let help = &family.help;
        assert!(help.ends_with('.') && help.starts_with(|first: char| first.is_ascii_uppercase()), "{name}: {help}");
        let reserved = ["total", "info", "bucket", "sum", "count", "created", "gauge", "counter", "histogram"];
        assert!(!name.split('_').next_back().is_some_and(|last| reserved.contains(&last)), "{name}");
        let unit = ["seconds", "bytes"].into_iter().find(|unit| name.ends_with(&format!("_{unit}")));
        assert_eq!(family.unit.as_deref(), unit, "{name}");
        for abbreviated in ["ms", "sec", "secs", "milliseconds", "microseconds", "kb", "mb", "minutes", "percent"] {
            assert!(name.split('_').all(|word| word != abbreviated), "{name}");
        }
        for sample in &family.samples {
            assert!(sample.value >= 0.0, "{sample:?}");
        }
    }
    assert!(text.families.len() >= 30, "{:?}", text.families.keys());
}

#[test]
fn before_the_first_snapshot_nothing_is_made_up() {
    let text = told(None, 10);
    assert_eq!(text.value("kai_snapshot_generation", &[]), Some(0.0));
    assert_eq!(text.value("kai_snapshot_complete", &[]), Some(0.0));
    for name in ["kai_pods", "kai_images", "kai_snapshot_age_seconds", "kai_namespaces", "kai_image_info"] {
        assert!(text.samples(name).is_empty(), "{name}");
    }
}

#[tokio::test]
async fn counts_agree_with_what_is_served() {
    let server = Server::new();
    let list = server.get("/namespaces").await.json();
    let namespaces = list["namespaces"].as_array().expect("namespaces");
    let sum = |field: &str| namespaces.iter().filter_map(|one| one[field].as_f64()).sum::<f64>();
    let text = scrape(&server).await;
    assert_eq!(text.value("kai_pods", &[]), Some(sum("pods")));
    let containers: f64 = text.samples("kai_containers").iter().map(|sample| sample.value).sum();
    assert!(containers > 0.0);
    assert_eq!(Some(containers), Some(sum("containers")));
    for state in ["read", "excluded", "refused", "unknown"] {
        let expected = namespaces.iter().filter(|one| one["state"] == state).count();
        assert!(expected > 0, "{state}");
        let told = text.value("kai_namespaces", &[("state", state)]);
        assert_eq!(told, Some(u32::try_from(expected).map(f64::from).expect("few")), "{state}");
    }
    assert_eq!(text.value("kai_images", &[]), Some(sum("images")), "no image is in two namespaces here");
    assert_eq!(text.value("kai_namespaces_missing", &[]), Some(1.0));
    assert_eq!(text.value("kai_snapshot_complete", &[]), Some(0.0));
    assert_eq!(text.value("kai_snapshot_generation", &[]), Some(1.0));
    let observed: Timestamp = OBSERVED.parse().expect("a time");
    let told = text.value("kai_snapshot_observed_timestamp_seconds", &[]);
    assert_eq!(told, Some(observed.as_duration().as_secs_f64()));
}

#[test]
fn series_go_with_their_namespace() {
    let mut cluster = Cluster::whole();
    let before =
        cluster.relist_all(OBSERVED, &[("apps", "nginx:1"), ("shop", "quay.io/acme/cart:2"), ("shop", "nginx:1")]);
    let (writer, reader) = feed();
    writer.publish(before);
    let health = Health::new(reader, None, Duration::from_mins(1), PushBoard::default());
    let settings = MetricsSettings { image_info_limit: 10 };
    let exposition = Exposition::new(Metrics::default(), health, &ReportPolicy::default(), &settings);
    let scrape = || Text::read(&exposition.text(Serving::default()).expect("a text"));

    let text = scrape();
    let nginx = |namespace| [namespace, "docker.io", "library/nginx", "1", ""];
    assert_eq!(images(&text), [nginx("apps"), nginx("shop"), ["shop", "quay.io", "acme/cart", "2", ""]]);
    assert_eq!((text.value("kai_images", &[]), text.value("kai_pods", &[])), (Some(2.0), Some(3.0)));

    writer.publish(cluster.relist_all(OBSERVED, &[("apps", "nginx:1")]));
    let text = scrape();
    assert_eq!(images(&text), [nginx("apps")]);
    assert_eq!(text.value("kai_namespaces", &[("state", "unknown")]), Some(0.0));
    assert_eq!((text.value("kai_images", &[]), text.value("kai_pods", &[])), (Some(1.0), Some(1.0)));
    assert_eq!(text.value("kai_snapshot_generation", &[]), Some(2.0));
}

#[rstest]
#[case::none(0, 0, None)]
#[case::fewer(3, 3, Some(2.0))]
#[case::as_many(5, 5, Some(0.0))]
#[case::more(6, 5, Some(0.0))]
fn no_more_images_are_told_than_the_limit_and_the_rest_is_counted(
    #[case] limit: u32,
    #[case] told_images: usize,
    #[case] omitted: Option<f64>,
) {
    let pods = [("a", "x:1"), ("a", "y:1"), ("b", "x:1"), ("b", "x:2"), ("b", "x:2"), ("c", "z:1")];
    let text = told(Some(Cluster::whole().relist_all(OBSERVED, &pods)), limit);
    assert_eq!(images(&text).len(), told_images);
    assert_eq!(text.value("kai_image_info_omitted", &[]), omitted);
    assert_eq!(text.value("kai_images", &[]), Some(4.0), "the count has no limit");
}

#[test]
fn foreign_names_forge_no_line_and_no_label() {
    let long = format!("{}:1", "x".repeat(5000));
    let names = ["a\"} 1\nkai_pods 99\n#", "b\\\" ,tag=\"", "\u{1b}[2J\u{202e}c", &*long];
    let pods: Vec<_> = names.iter().map(|name| ("apps", *name)).collect();
    let text = told(Some(Cluster::whole().relist_all(OBSERVED, &pods)), 10);
    assert_eq!(text.value("kai_pods", &[]), Some(4.0));
    let repositories: Vec<_> = images(&text).into_iter().map(|[_, _, repository, ..]| repository.to_owned()).collect();
    let expected = [
        "\\u{1b}[2J\\u{202e}c".to_owned(),
        "a\"} 1\\nkai_pods 99\\n#".to_owned(),
        "b\\\" ,tag=\"".to_owned(),
        format!("{}… (4802 more characters)", "x".repeat(200)),
    ];
    assert_eq!(repositories, expected);
}

#[tokio::test]
async fn requests_are_counted_under_templates_and_fixed_words() {
    let server = Server::new();
    for uri in ["/namespaces/shop/images", "/namespaces/no-such/images", "/a", "/b/c"] {
        server.get(uri).await;
    }
    server.send(request("BREW", "/inventory", &[])).await;
    server.send(request("HEAD", "/readyz", &[])).await;
    let text = scrape(&server).await;
    let count = |route: &str, method: &str, status: &str| {
        text.value("kai_http_requests_total", &[("route", route), ("method", method), ("status", status)])
    };
    assert_eq!(count("/namespaces/{namespace}/images", "GET", "200"), Some(1.0));
    assert_eq!(count("/namespaces/{namespace}/images", "GET", "404"), Some(1.0));
    assert_eq!(count("other", "GET", "404"), Some(2.0));
    assert_eq!(count("/inventory", "other", "405"), Some(1.0));
    assert_eq!(count("/readyz", "HEAD", "200"), Some(1.0));
    assert_eq!(count("/metrics", "GET", "200"), None, "a scrape is counted when it is answered");
    assert_eq!(
        scrape(&server)
            .await
            .value("kai_http_requests_total", &[("route", "/metrics"), ("method", "GET"), ("status", "200")]),
        Some(1.0)
    );
    let timed = text.value("kai_http_request_duration_seconds_count", &[("route", "other")]);
    assert_eq!(timed, Some(2.0));
    let most = text.value("kai_http_request_duration_seconds_bucket", &[("route", "other"), ("le", "+Inf")]);
    assert_eq!(most, timed);
}

#[tokio::test]
async fn the_cache_tells_hits_misses_and_bytes() {
    let server = Server::new();
    for _ in 0..3 {
        server.get("/inventory").await;
    }
    server.get("/namespaces").await;
    let text = scrape(&server).await;
    assert_eq!(text.value("kai_http_cache_misses_total", &[]), Some(2.0));
    assert_eq!(text.value("kai_http_cache_hits_total", &[]), Some(2.0));
    assert_eq!(text.value("kai_http_renders_total", &[]), Some(2.0));
    server.get("/namespaces/apps/images").await;
    let bytes = scrape(&server).await.value("kai_http_cache_bytes", &[]).expect("bytes");
    assert!(bytes > 500.0 && bytes < 100_000.0, "{bytes}");
}

#[test]
fn pushes_are_told_by_account_and_go_with_it() {
    let (_writer, reader) = feed();
    let (board, metrics) = (PushBoard::default(), Metrics::default());
    let health = Health::new(reader, None, Duration::from_mins(1), board.clone());
    let exposition = Exposition::new(metrics.clone(), health, &ReportPolicy::default(), &MetricsSettings::default());
    let scrape = || Text::read(&exposition.text(Serving::default()).expect("a text"));
    let at = Timestamp::from_second(1_000).expect("a time");
    let record = |outcome| PushRecord {
        at,
        generation: 1,
        observed_at: at,
        user: "me".into(),
        payloads: Vec::new(),
        containers: 1,
        bytes: 10,
        outcome,
        detail: String::new(),
    };
    let (team, other) = (Arc::from("team"), Arc::from("other"));
    metrics.push().accepted(&team, 10);
    metrics.push().refused(&team, "timeout");
    metrics.push().refused(&team, "timeout");
    metrics.push().ended(Duration::from_millis(300));
    board.record(Some(&team), record(PushOutcome::Accepted), None);
    metrics.push().refused(&other, "server_error");
    metrics.push().withheld(Some(&other));
    board.record(Some(&other), record(PushOutcome::Withheld), None);
    metrics.push().withheld(None);
    board.record(None, record(PushOutcome::Withheld), None);

    let text = scrape();
    let attempts =
        |account, outcome| text.value("kai_push_attempts_total", &[("account", account), ("outcome", outcome)]);
    assert_eq!((attempts("team", "accepted"), attempts("team", "timeout")), (Some(1.0), Some(2.0)));
    assert_eq!(attempts("other", "server_error"), Some(1.0));
    assert_eq!(text.value("kai_push_bytes_total", &[("account", "team")]), Some(10.0));
    for (account, withheld) in [("team", 0.0), ("other", 1.0), ("", 1.0)] {
        assert_eq!(text.value("kai_push_withheld_total", &[("account", account)]), Some(withheld), "{account}");
    }
    assert_eq!(text.value("kai_push_duration_seconds_sum", &[]), Some(0.3));
    let success = |account| text.value("kai_push_last_success_timestamp_seconds", &[("account", account)]);
    assert_eq!((success("team"), success("other")), (Some(1000.0), None));
    let states = text.samples("kai_push_last_outcome");
    assert_eq!(states.len(), 3 * PushOutcome::ALL.len());
    let now: Vec<_> = states.iter().filter(|state| state.value > 0.0).map(|state| &*state.labels["outcome"]).collect();
    assert_eq!(now, ["withheld", "withheld", "accepted"]);

    metrics.push().retain(|account| account == Some("team"));
    board.retain(|account| account == Some("team"));
    let text = scrape();
    let accounts: Vec<_> =
        text.families.values().flat_map(|family| &family.samples).filter_map(|one| one.labels.get("account")).collect();
    assert!(!accounts.is_empty() && accounts.iter().all(|account| **account == "team"), "{accounts:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_process_is_told_under_the_names_of_every_client() {
    let text = scrape(&Server::with(|_| {}, Some(Cluster::new().relist(OBSERVED, &PODS)))).await;
    let value = |name| text.value(name, &[]).unwrap_or_else(|| panic!("{name}"));
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"));
    assert!(value("process_open_fds") >= 3.0 && value("process_max_fds") >= value("process_open_fds"));
    assert!(value("process_cpu_seconds_total") < 1e6);
    assert!(value("process_start_time_seconds") > 1.7e9);
    let build = text.samples("kai_build_info");
    assert_eq!(build.len(), 1);
    assert_eq!(build[0].labels["version"], env!("CARGO_PKG_VERSION"));
}
