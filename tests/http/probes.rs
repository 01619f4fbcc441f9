//! Probes and documentation.

use crate::http_support::{Cluster, OBSERVED, PODS, Server};
use kai::feed::feed;
use rstest::rstest;
use serde_json::json;

#[rstest]
#[tokio::test]
async fn a_probe_is_ok_in_one_word(#[values("/healthz", "/livez", "/readyz")] path: &str) {
    let reply = Server::new().get(path).await;
    assert_eq!((reply.status.as_u16(), reply.text()), (200, "ok"));
    assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[rstest]
#[tokio::test]
async fn a_verbose_probe_tells_checks_and_snapshot(
    #[values("/healthz", "/livez", "/readyz")] path: &str,
    #[values("?verbose", "?verbose=true", "?verbose=1")] query: &str,
) {
    let answer = Server::new().get(&format!("{path}{query}")).await.json();
    assert_eq!(answer["status"], "ok");
    let checks = answer["checks"].as_array().expect("checks");
    assert!(
        !checks.is_empty() && checks.iter().all(|check| check["ok"] == true && check["detail"].is_string()),
        "{answer}"
    );
    let snapshot = &answer["snapshot"];
    assert_eq!((&snapshot["generation"], &snapshot["observed_at"]), (&json!(1), &json!(OBSERVED)));
    assert_eq!((&snapshot["complete"], &snapshot["skipped"]), (&json!(false), &json!(0)));
    assert!(snapshot["age_seconds"].is_u64());
    assert_eq!(snapshot["missing"][0]["namespace"], "refused");
    assert!(snapshot["missing"][0]["reason"].as_str().is_some_and(|reason| reason.contains("forbidden")));
    assert_eq!(answer["push"], json!([]));
}

#[tokio::test]
async fn readiness_waits_for_the_first_snapshot_and_says_what_failed() {
    let server = Server::empty();
    server.health.poll_failed("https://10.0.0.1:6443: connection refused");
    let plain = server.get("/readyz").await;
    let detail = plain.problem(503, "/readyz");
    assert!(
        detail.contains("no list of the cluster has finished yet") && detail.contains("connection refused"),
        "{detail}"
    );
    assert_eq!(plain.header("retry-after"), Some("5"));
    assert!(plain.json().get("checks").is_none());
    let verbose = server.get("/readyz?verbose").await;
    verbose.problem(503, "/readyz");
    let verbose = verbose.json();
    let failed: Vec<_> =
        verbose["checks"].as_array().expect("checks").iter().filter(|check| check["ok"] == false).collect();
    assert_eq!(failed.iter().map(|check| check["name"].as_str()).collect::<Vec<_>>(), [Some("relist"), Some("poll")]);
    assert_eq!((&verbose["snapshot"], &verbose["push"]), (&json!(null), &json!([])));
    assert_eq!(server.get("/livez").await.status.as_u16(), 200);

    server.writer.publish(Cluster::new().relist(OBSERVED, &PODS));
    assert_eq!(server.get("/readyz").await.status.as_u16(), 200, "a poll that failed since is no reason");
    let why = server.get("/readyz?verbose").await;
    assert!(why.text().contains("connection refused"), "{}", why.text());
}

#[tokio::test]
async fn readiness_ends_with_the_drain_and_data_is_still_served() {
    let server = Server::new();
    server.health.drain();
    let detail = server.get("/readyz").await.problem(503, "/readyz");
    assert!(detail.contains("stopping"), "{detail}");
    assert_eq!(server.get("/inventory").await.status.as_u16(), 200);
    assert_eq!(server.get("/livez").await.status.as_u16(), 200);
}

#[tokio::test]
async fn liveness_falls_when_the_collector_stands_still() {
    let (_writer, reader) = feed();
    let mut deps = crate::http_support::deps(reader.clone(), |_| {});
    deps.health = kai::health::Health::new(reader, None, std::time::Duration::ZERO, kai::health::PushBoard::default());
    std::thread::sleep(std::time::Duration::from_millis(5));
    let mut server = Server::empty();
    server.http = kai::http::Http::new(&deps).expect("the OpenAPI document");
    server.get("/livez").await.problem(503, "/livez");
    let verbose = server.get("/livez?verbose").await;
    verbose.problem(503, "/livez");
    assert_eq!(verbose.json()["checks"][0]["name"], "collector");
    assert_eq!(server.get("/healthz").await.status.as_u16(), 200);
}

#[tokio::test]
async fn the_root_leads_to_the_documentation() {
    let reply = Server::new().get("/").await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (307, Some("/docs")));
}

#[rstest]
#[case("/docs", "/docs/")]
#[case("/docs/", "/docs/")]
#[tokio::test]
async fn the_page_needs_nothing_but_this_server(#[case] page: &str, #[case] base: &str) {
    let server = Server::new();
    let reply = server.get(page).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let text = reply.text();
    assert!(!text.contains("://") && !text.contains("\"//"), "{text}");
    assert!(reply.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'self'")));
    let links: Vec<_> = ["href=\"", "src=\"", "data-openapi=\""]
        .iter()
        .flat_map(|attribute| text.split(attribute).skip(1))
        .map(|rest| rest.split('"').next().expect("value"))
        .collect();
    assert_eq!(links.len(), 5, "{links:?}");
    for link in links {
        let path = match (link.strip_prefix("./"), link.strip_prefix("../")) {
            (_, Some(rest)) => format!("/{rest}"),
            (Some(rest), _) => format!("{base}{rest}"),
            _ => format!("/{link}"),
        };
        let plain = server.get(&path).await;
        assert_eq!(plain.status.as_u16(), 200, "{path}");
        let packed = server.get_with(&path, &[("accept-encoding", "gzip")]).await;
        if packed.header("content-encoding") == Some("gzip") {
            assert_eq!(packed.gunzipped(), plain.body, "{path}");
        }
    }
}

#[tokio::test]
async fn swagger_ui_starts_from_this_document_and_asks_no_validator() {
    let start = Server::new().get("/docs/swagger-initializer.js").await;
    assert!(start.text().contains("validatorUrl: \"none\"") && start.text().contains("dataset.openapi"));
}

#[tokio::test]
async fn the_document_is_the_one_in_the_repository() {
    let served = Server::new().get("/openapi.json").await;
    assert_eq!(served.header("content-type"), Some("application/json"));
    assert_eq!(served.json(), serde_json::to_value(kai::http::openapi()).expect("json"));
    let etag = served.header("etag").expect("etag").to_owned();
    assert_eq!(Server::new().get_with("/openapi.json", &[("if-none-match", &etag)]).await.status.as_u16(), 304);
}
