//! How HTTP fails: always as a problem, with the request's id.

use std::time::Duration;

use crate::http_support::{Cluster, DEADLINE, OBSERVED, PODS, Server, request, stalled};
use axum::body::Body;
use bytes::Bytes;
use http::Request;
use http_body_util::StreamBody;
use rstest::rstest;

#[rstest]
#[case::unknown("/inventory?nmespace=x", "namespace and format")]
#[case::bad_value("/inventory?format=yaml", "json or csv")]
#[case::empty_namespace("/inventory?namespace=", "the name of a namespace")]
#[case::later("/inventory?limit=5", "\"limit\" is unknown")]
#[case::route_without_parameters("/namespaces?x=1", "this resource has none")]
#[case::images("/namespaces/apps/images?format=csv", "this resource has none")]
#[case::images_path("/namespaces/%ff/images", "UTF-8")]
#[case::probe("/readyz?pretty", "the only one is verbose")]
#[case::probe_value("/livez?verbose=yes", "true, 1, false or 0")]
#[case::document("/openapi.json?x", "this resource has none")]
#[case::page("/docs?x", "this resource has none")]
#[case::page_with_slash("/docs/?x", "this resource has none")]
#[case::page_file("/docs/swagger-ui.css?x", "this resource has none")]
#[case::root("/?x", "this resource has none")]
#[tokio::test]
async fn a_bad_parameter_is_named_with_the_known_ones(#[case] uri: &str, #[case] expected: &str) {
    let detail = Server::new().get(uri).await.problem(400, uri.split('?').next().expect("path"));
    assert!(detail.contains(expected), "{detail}");
}

#[rstest]
#[case("/nowhere")]
#[case("/inventory/")]
#[case("/namespaces/apps")]
#[case("/docs/nowhere.js")]
#[tokio::test]
async fn an_unknown_resource_is_404(#[case] path: &str) {
    Server::new().get(path).await.problem(404, path);
}

#[rstest]
#[tokio::test]
async fn another_method_is_405_with_those_that_are_allowed(
    #[values("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW")] method: &str,
    #[values(
        "/inventory",
        "/namespaces",
        "/namespaces/apps/images",
        "/readyz",
        "/openapi.json",
        "/docs",
        "/docs/",
        "/"
    )]
    path: &str,
) {
    let reply = Server::new().send(request(method, path, &[])).await;
    let detail = reply.problem(405, path);
    assert!(detail.contains(method), "{detail}");
    assert_eq!(reply.header("allow").map(|allow| allow.replace(' ', "")), Some("GET,HEAD".to_owned()));
}

#[rstest]
#[case::format("/inventory", ("accept", "text/html"), "application/json or text/csv")]
#[case::csv_of_json("/namespaces", ("accept", "text/csv"), "application/json")]
#[case::csv_of_images("/namespaces/apps/images", ("accept", "text/csv"), "application/json")]
#[case::coding("/inventory", ("accept-encoding", "identity;q=0, br"), "gzip or identity")]
#[case::no_coding("/namespaces", ("accept-encoding", "*;q=0"), "gzip or identity")]
#[tokio::test]
async fn what_cannot_be_sent_is_406(#[case] uri: &str, #[case] header: (&str, &str), #[case] expected: &str) {
    let detail = Server::new().get_with(uri, &[header]).await.problem(406, uri);
    assert!(detail.contains(expected), "{detail}");
}

#[tokio::test]
async fn an_address_of_more_than_8_kib_is_414() {
    let server = Server::new();
    let uri = |length: usize| format!("/{}", "x".repeat(length - 1));
    assert_eq!(server.get(&uri(8192)).await.status.as_u16(), 404);
    let detail = server.get(&uri(8193)).await.problem(414, &uri(200));
    assert!(detail.contains("8193") && detail.contains("8192"), "{detail}");
}

#[tokio::test]
async fn headers_of_more_than_32_kib_or_64_fields_are_431() {
    let server = Server::new();
    let names: Vec<_> = (0..65).map(|number| format!("x-{number}")).collect();
    let fields: Vec<_> = names.iter().map(|name| (&**name, "v")).collect();
    assert_eq!(server.get_with("/inventory", &fields[..64]).await.status.as_u16(), 200);
    server.get_with("/inventory", &fields).await.problem(431, "/inventory");
    let long = "v".repeat(32 * 1024 - 1);
    assert_eq!(server.get_with("/inventory", &[("x", &long)]).await.status.as_u16(), 200);
    server.get_with("/inventory", &[("xy", &long)]).await.problem(431, "/inventory");
}

#[rstest]
#[case::get("GET", "/inventory", 64 * 1024, 200)]
#[case::too_large("GET", "/inventory", 64 * 1024 + 1, 413)]
#[case::of_another_method("POST", "/namespaces", 2 * 1024 * 1024, 413)]
#[tokio::test]
async fn a_body_of_more_than_64_kib_is_413(
    #[case] method: &str,
    #[case] path: &str,
    #[case] length: usize,
    #[case] status: u16,
    #[values(true, false)] is_length_known: bool,
) {
    let body = if is_length_known {
        Body::from(vec![b' '; length])
    } else {
        let chunks = vec![b' '; length].chunks(1000).map(Bytes::copy_from_slice).collect::<Vec<_>>();
        let frames = chunks.into_iter().map(|chunk| Ok::<_, std::io::Error>(http_body::Frame::data(chunk)));
        Body::new(StreamBody::new(futures::stream::iter(frames)))
    };
    let request = Request::builder().method(method).uri(path).body(body).expect("request");
    let reply = Server::new().send(request).await;
    assert_eq!(reply.status.as_u16(), status);
    if status != 200 {
        reply.problem(413, path);
    }
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_408() {
    let server = Server::with(
        |settings| settings.request_timeout = Duration::from_millis(50),
        Some(Cluster::new().relist(OBSERVED, &PODS)),
    );
    let reply = tokio::time::timeout(DEADLINE, server.send(stalled("/inventory"))).await.expect("an answer");
    let detail = reply.problem(408, "/inventory");
    assert!(detail.contains("server.request-timeout-seconds"), "{detail}");
}

#[tokio::test]
async fn beyond_the_concurrency_limit_is_503_but_for_probes() {
    let server =
        Server::with(|settings| settings.max_concurrent_requests = 1, Some(Cluster::new().relist(OBSERVED, &PODS)));
    assert_eq!(server.get("/inventory").await.status.as_u16(), 200);
    let held = {
        let mut service = server.service.clone();
        tokio::spawn(tower::Service::call(&mut service, stalled("/inventory")))
    };
    tokio::task::yield_now().await;
    for path in ["/inventory", "/namespaces", "/nowhere", "/openapi.json"] {
        let reply = server.get(path).await;
        let detail = reply.problem(503, path);
        assert!(detail.contains("server.max-concurrent-requests"), "{detail}");
        assert_eq!(reply.header("retry-after"), Some("5"));
    }
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(server.get(path).await.status.as_u16(), 200, "{path}");
    }
    held.abort();
    assert!(held.await.is_err_and(|error| error.is_cancelled()));
    assert_eq!(server.get("/inventory").await.status.as_u16(), 200, "a client that went away leaves its place");
}

#[rstest]
#[case::sane("abc-123", true)]
#[case::too_long(&"x".repeat(129), false)]
#[case::with_spaces("a b", false)]
#[tokio::test]
async fn a_request_id_is_echoed_or_made(#[case] id: &str, #[case] echoed: bool) {
    let server = Server::new();
    for path in ["/inventory", "/namespaces", "/nowhere", "/readyz", "/docs"] {
        let reply = server.get_with(path, &[("x-request-id", id)]).await;
        assert_eq!(reply.header("x-request-id") == Some(id), echoed, "{path}");
        let next = server.get_with(path, &[("x-request-id", id)]).await;
        assert_eq!(reply.header("x-request-id") == next.header("x-request-id"), echoed, "{path}");
    }
}

#[tokio::test]
async fn foreign_text_in_a_problem_is_cut_and_escaped() {
    let name = format!("%1b%5b2J{}", "x".repeat(500));
    let reply = Server::new().get(&format!("/inventory?namespace={name}")).await;
    let detail = reply.problem(404, "/inventory");
    assert!(detail.contains("\\u{1b}[2J") && detail.contains("more characters") && detail.len() < 400, "{detail}");
}
