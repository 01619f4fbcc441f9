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
    // With the Host header one more.
    let names: Vec<_> = (0..64).map(|number| format!("x-{number}")).collect();
    let fields: Vec<_> = names.iter().map(|name| (&**name, "v")).collect();
    assert_eq!(server.get_with("/inventory", &fields[..63]).await.status.as_u16(), 200);
    server.get_with("/inventory", &fields).await.problem(431, "/inventory");
    let long = "v".repeat(32 * 1024 - "xhostlocalhost".len());
    assert_eq!(server.get_with("/inventory", &[("x", &long)]).await.status.as_u16(), 200);
    server.get_with("/inventory", &[("xy", &long)]).await.problem(431, "/inventory");
}

#[rstest]
#[case::get("GET", "/inventory", 64 * 1024, 200)]
#[case::too_large("GET", "/inventory", 64 * 1024 + 1, 413)]
#[case::of_another_method("POST", "/namespaces", 2 * 1024 * 1024, 413)]
#[tokio::test]
async fn a_body_that_announces_more_than_64_kib_is_413(
    #[case] method: &str,
    #[case] path: &str,
    #[case] length: usize,
    #[case] status: u16,
) {
    let (mut parts, _) = request(method, path, &[("content-length", &length.to_string())]).into_parts();
    parts.extensions.clear();
    let reply = Server::new().send(Request::from_parts(parts, Body::from(vec![b' '; length]))).await;
    assert_eq!(reply.status.as_u16(), status);
    if status != 200 {
        reply.problem(413, path);
        assert_eq!(reply.problem_type(), "body-too-large");
    }
}

#[tokio::test]
async fn a_body_without_a_length_is_not_read_beyond_64_kib() {
    let chunks = (0..70).map(|_| Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::from(vec![b' '; 1024]))));
    let (parts, ()) = request("GET", "/namespaces", &[]).map(drop).into_parts();
    let body = Body::new(StreamBody::new(futures::stream::iter(chunks)));
    Server::new().send(Request::from_parts(parts, body)).await.problem(413, "/namespaces");
}

#[tokio::test]
async fn a_body_that_is_announced_and_not_sent_holds_no_permit_and_no_answer_up() {
    let server =
        Server::with(|settings| settings.max_concurrent_requests = 1, Some(Cluster::new().relist(OBSERVED, &PODS)));
    server.get("/inventory").await;
    let waiting: Vec<_> = (0..512).map(|_| Box::pin(server.send(stalled("GET", "/namespaces")))).collect();
    let mut waiting = futures::future::join_all(waiting);
    assert!(futures::poll!(&mut waiting).is_pending(), "they wait for their bodies");
    assert_eq!(server.get("/namespaces/apps/images").await.status.as_u16(), 200, "the permit is free");
    let cached = server.send(stalled("GET", "/inventory"));
    let cached = tokio::time::timeout(Duration::from_millis(500), cached).await.expect("at once: no body is needed");
    assert_eq!(cached.status.as_u16(), 200);
    let replies = tokio::time::timeout(DEADLINE, waiting).await.expect("their answers come without the bodies");
    assert!(replies.iter().any(|reply| reply.status.as_u16() == 200));
}

#[tokio::test]
async fn a_client_that_waits_to_be_asked_for_its_body_gets_the_answer() {
    let mut request = stalled("GET", "/namespaces");
    request.headers_mut().insert("expect", "100-continue".parse().expect("header"));
    let server = Server::new();
    let reply = tokio::time::timeout(Duration::from_millis(500), server.send(request)).await.expect("at once");
    assert_eq!(reply.status.as_u16(), 200);
}

#[tokio::test]
async fn an_answer_holds_its_permit_until_it_is_read_and_what_is_cached_needs_none() {
    let server =
        Server::with(|settings| settings.max_concurrent_requests = 1, Some(Cluster::new().relist(OBSERVED, &PODS)));
    assert_eq!(server.get("/inventory").await.status.as_u16(), 200);
    let unread = server.answer(request("GET", "/namespaces", &[])).await;
    assert_eq!(unread.status().as_u16(), 200);
    let reply = server.get("/namespaces/apps/images").await;
    let detail = reply.problem(503, "/namespaces/apps/images");
    assert!(detail.contains("server.max-concurrent-requests"), "{detail}");
    assert_eq!((reply.header("retry-after"), &*reply.problem_type()), (Some("5"), "busy"));
    for path in ["/inventory", "/namespaces", "/healthz", "/livez", "/readyz", "/metrics", "/openapi.json"] {
        assert_eq!(server.get(path).await.status.as_u16(), 200, "{path}");
    }
    drop(unread);
    assert_eq!(server.get("/namespaces/apps/images").await.status.as_u16(), 200, "a client that goes leaves its place");
}

#[tokio::test]
async fn every_problem_type_is_described_under_its_anchor() {
    let server = Server::new();
    let page = server.get("/docs/problems").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    for (uri, expected) in [
        ("/inventory?x=1", "bad-parameter"),
        ("/namespaces/refused/images", "refused-namespace"),
        ("/namespaces/nowhere/images", "unknown-namespace"),
        ("/v1/images/0123456789ab", "unknown-digest"),
        ("/nowhere", "unknown-resource"),
    ] {
        assert_eq!(server.get(uri).await.problem_type(), expected, "{uri}");
        assert!(page.text().contains(&format!("id=\"{expected}\"")), "{expected}");
    }
}

#[rstest]
#[case::none(&[], 400, "bad-host")]
#[case::two(&["localhost", "localhost"], 400, "bad-host")]
#[case::of_another_site(&["evil.example.com"], 421, "wrong-host")]
#[tokio::test]
async fn on_a_loopback_address_a_request_names_one_local_host(
    #[case] hosts: &[&str],
    #[case] status: u16,
    #[case] kind: &str,
) {
    let server = Server::with(
        |settings| {
            settings.listen = kai::config::Listen::Address(([127, 0, 0, 1], 8080).into());
            settings.allowed_hosts = vec!["kai.example.com".to_owned()];
        },
        Some(Cluster::new().relist(OBSERVED, &PODS)),
    );
    let with = |hosts: &[&str]| {
        let builder = Request::builder().uri("/inventory");
        hosts.iter().fold(builder, |builder, host| builder.header("host", *host)).body(Body::empty()).expect("request")
    };
    let reply = server.send(with(hosts)).await;
    reply.problem(status, "/inventory");
    assert_eq!(reply.problem_type(), kind);
    for host in ["localhost:8080", "127.0.0.1", "[::1]:8080", "kai.example.com"] {
        assert_eq!(server.send(with(&[host])).await.status.as_u16(), 200, "{host}");
    }
    let elsewhere = Server::new();
    assert_eq!(
        elsewhere.send(with(&["kai.svc:8080"])).await.status.as_u16(),
        200,
        "no name is known of other addresses"
    );
}

#[rstest]
#[case("/inventory/", "../inventory")]
#[case("/inventory/?namespace=shop&format=csv", "../inventory?namespace=shop&format=csv")]
#[case("/namespaces/", "../namespaces")]
#[case("/namespaces/apps/images/", "../images")]
#[tokio::test]
async fn a_slash_too_many_leads_to_the_resource(#[case] uri: &str, #[case] location: &str) {
    let reply = Server::new().get(uri).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (308, Some(location)));
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
