//! What data routes answer.

use crate::http_support::{Cluster, OBSERVED, PODS, Server, request};
use rstest::rstest;
use serde_json::json;

#[tokio::test]
async fn inventory_is_the_report_of_what_could_be_read() {
    let reply = Server::new().get("/inventory").await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, Some("application/json")));
    let report = reply.json();
    assert_eq!(
        report["results"],
        json!([
            {"namespace": "apps", "images": [{"tag": "nginx:1.27"}, {"tag": "redis:7"}]},
            {"namespace": "empty", "images": []},
            {"namespace": "ghost", "images": []},
            {"namespace": "shop", "images": [{"tag": "quay.io/acme/cart:1.25"}]},
        ])
    );
    assert_eq!(report["timestamp"], OBSERVED);
    assert_eq!(report["inventory_type"], "kubernetes");
    assert!(!reply.text().contains('\n'), "bodies over HTTP are compact");
}

#[tokio::test]
async fn every_data_answer_says_of_which_snapshot_it_is() {
    let server = Server::new();
    for uri in ["/inventory", "/inventory?format=csv", "/namespaces", "/namespaces/apps/images"] {
        let reply = server.get(uri).await;
        assert_eq!(reply.header("inventory-generation"), Some("1"), "{uri}");
        assert_eq!(reply.header("inventory-observed-at"), Some(OBSERVED), "{uri}");
        assert_eq!(reply.header("inventory-complete"), Some("false"), "{uri}");
        assert_eq!(reply.header("vary"), Some("Accept, Accept-Encoding"), "{uri}");
        assert_eq!(reply.header("cache-control"), Some("no-cache"), "{uri}");
        assert!(reply.header("etag").is_some_and(|tag| tag.starts_with("W/\"")), "{uri}");
        assert!(reply.header("x-request-id").is_some(), "{uri}");
    }
    let whole = Cluster::whole().relist_all(OBSERVED, &PODS);
    let reply = Server::with(|_| {}, Some(whole)).get("/inventory").await;
    assert_eq!(reply.header("inventory-complete"), Some("true"));
}

#[rstest]
#[case::one("?namespace=shop", &["shop"])]
#[case::several("?namespace=shop&namespace=apps", &["apps", "shop"])]
#[case::repeated("?namespace=apps&namespace=apps", &["apps"])]
#[case::not_in_the_cluster("?namespace=ghost", &["ghost"])]
#[tokio::test]
async fn inventory_of_chosen_namespaces_has_those_alone(#[case] query: &str, #[case] expected: &[&str]) {
    let reply = Server::new().get(&format!("/inventory{query}")).await;
    let report = reply.json();
    let names: Vec<_> =
        report["results"].as_array().expect("results").iter().map(|one| one["namespace"].as_str()).collect();
    assert_eq!(names, expected.iter().map(|name| Some(*name)).collect::<Vec<_>>());
}

#[rstest]
#[case::inventory("/inventory?namespace=", 404, 403)]
#[case::images("/namespaces/", 404, 403)]
#[tokio::test]
async fn namespaces_without_an_answer_say_why(#[case] prefix: &str, #[case] unknown: u16, #[case] refused: u16) {
    let server = Server::new();
    let uri =
        |name: &str| if prefix.ends_with('/') { format!("{prefix}{name}/images") } else { format!("{prefix}{name}") };
    let instance = |name: &str| uri(name).split('?').next().expect("path").to_owned();
    for name in ["kube-system", "nowhere"] {
        let detail = server.get(&uri(name)).await.problem(unknown, &instance(name));
        assert!(detail.contains(&format!("\"{name}\"")), "{detail}");
    }
    let reply = server.get(&uri("refused")).await;
    let detail = reply.problem(refused, &instance("refused"));
    assert!(detail.contains("cannot list resource \"pods\""), "{detail}");
    assert_eq!(reply.header("retry-after"), None, "trying again does not help");
    let problem = reply.json();
    assert_eq!((&problem["namespace"], problem["reason"].is_string()), (&json!("refused"), true), "{problem}");
}

#[tokio::test]
async fn one_namespace_is_one_element_of_the_results() {
    let server = Server::new();
    let report = server.get("/inventory").await.json();
    for element in report["results"].as_array().expect("results") {
        let name = element["namespace"].as_str().expect("name");
        assert_eq!(&server.get(&format!("/namespaces/{name}/images")).await.json(), element);
    }
}

#[tokio::test]
async fn namespaces_tell_how_each_stands() {
    let list = Server::new().get("/namespaces").await.json();
    let states: Vec<_> = list["namespaces"]
        .as_array()
        .expect("list")
        .iter()
        .map(|one| (one["name"].as_str(), one["state"].as_str()))
        .collect();
    let expected = [
        ("apps", "read"),
        ("empty", "read"),
        ("ghost", "unknown"),
        ("kube-system", "excluded"),
        ("refused", "refused"),
        ("shop", "read"),
    ];
    assert_eq!(states, expected.map(|(name, state)| (Some(name), Some(state))));
    assert_eq!(
        (&list["generation"], &list["observed_at"], &list["complete"]),
        (&json!(1), &json!(OBSERVED), &json!(false))
    );
}

#[rstest]
#[case::parameter("/inventory?format=csv", &[], "text/csv; charset=utf-8")]
#[case::parameter_before_header("/inventory?format=csv", &[("accept", "application/json")], "text/csv; charset=utf-8")]
#[case::json_before_header("/inventory?format=json", &[("accept", "text/csv")], "application/json")]
#[case::header("/inventory", &[("accept", "text/csv")], "text/csv; charset=utf-8")]
#[case::weights("/inventory", &[("accept", "application/json;q=0.1, text/csv;q=0.2")], "text/csv; charset=utf-8")]
#[case::anything("/inventory", &[("accept", "*/*")], "application/json")]
#[tokio::test]
async fn the_format_is_chosen(#[case] uri: &str, #[case] headers: &[(&str, &str)], #[case] expected: &str) {
    let reply = Server::new().get_with(uri, headers).await;
    assert_eq!(reply.header("content-type"), Some(expected));
    let file = expected.starts_with("text/csv").then_some("attachment; filename=\"inventory.csv\"");
    assert_eq!(reply.header("content-disposition"), file);
    assert_eq!(
        reply.text().starts_with("namespace,tag,repo_digest\napps,nginx:1.27,\n"),
        expected.starts_with("text/csv")
    );
}

#[tokio::test]
async fn gzip_is_the_same_content_under_the_same_tag() {
    let server = Server::new();
    for uri in ["/inventory", "/inventory?format=csv", "/namespaces", "/namespaces/apps/images", "/openapi.json"] {
        let plain = server.get(uri).await;
        let packed = server.get_with(uri, &[("accept-encoding", "br, gzip")]).await;
        assert_eq!(
            (plain.header("content-encoding"), packed.header("content-encoding")),
            (None, Some("gzip")),
            "{uri}"
        );
        assert_eq!(packed.gunzipped(), plain.body, "{uri}");
        assert_eq!(packed.header("etag"), plain.header("etag"), "{uri}");
        assert_eq!(packed.header("vary"), plain.header("vary"), "{uri}");
    }
}

#[tokio::test]
async fn a_client_that_has_the_content_gets_304_with_the_headers_and_no_body() {
    let server = Server::new();
    for uri in ["/inventory", "/inventory?format=csv", "/namespaces", "/namespaces/apps/images"] {
        let etag = server.get(uri).await.header("etag").expect("etag").to_owned();
        let list = format!("\"other\", {}", etag.trim_start_matches("W/"));
        for value in [&etag, &list, "*"] {
            let reply = server.get_with(uri, &[("if-none-match", value)]).await;
            assert_eq!((reply.status.as_u16(), reply.body.len()), (304, 0), "{uri} {value}");
            for name in ["vary", "cache-control", "inventory-generation", "inventory-observed-at", "inventory-complete"]
            {
                assert!(reply.header(name).is_some(), "{uri} {name}");
            }
            assert_eq!(reply.header("etag"), Some(&*etag));
            assert_eq!((reply.header("content-type"), reply.header("content-length")), (None, None), "{uri}");
        }
        assert_eq!(server.get_with(uri, &[("if-none-match", "W/\"other\"")]).await.status.as_u16(), 200, "{uri}");
    }
}

#[tokio::test]
async fn equal_content_has_an_equal_tag_in_every_process_and_formats_differ() {
    let (first, again) =
        (Server::new(), Server::with(|_| {}, Some(Cluster::new().relist("2027-01-01T00:00:00Z", &PODS))));
    for uri in ["/inventory", "/namespaces", "/namespaces/apps/images"] {
        assert_eq!(first.get(uri).await.header("etag"), again.get(uri).await.header("etag"), "{uri}");
    }
    let other = Server::with(|_| {}, Some(Cluster::new().relist(OBSERVED, &PODS[..2])));
    assert_ne!(first.get("/inventory").await.header("etag"), other.get("/inventory").await.header("etag"));
    assert_ne!(first.get("/inventory").await.header("etag"), first.get("/inventory?format=csv").await.header("etag"));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let server = Server::new();
    for uri in [
        "/inventory",
        "/inventory?format=csv",
        "/namespaces",
        "/namespaces/apps/images",
        "/readyz",
        "/openapi.json",
        "/docs",
    ] {
        let get = server.get(uri).await;
        let head = server.send(request("HEAD", uri, &[])).await;
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{uri}");
        assert_eq!(head.header("content-length"), Some(&*get.body.len().to_string()), "{uri}");
        assert_eq!(
            (head.header("content-type"), head.header("etag")),
            (get.header("content-type"), get.header("etag")),
            "{uri}"
        );
    }
    let head = server.send(request("HEAD", "/nowhere", &[])).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (404, 0));
    assert!(head.header("content-length").is_some_and(|length| length != "0"));
}

#[tokio::test]
async fn before_the_first_snapshot_data_routes_say_when_to_come_back() {
    let server = Server::empty();
    for uri in ["/inventory", "/inventory?namespace=apps", "/namespaces", "/namespaces/apps/images"] {
        let reply = server.get(uri).await;
        reply.problem(503, uri.split('?').next().expect("path"));
        assert_eq!(reply.header("retry-after"), Some("5"), "{uri}");
    }
    server.writer.publish(Cluster::new().relist(OBSERVED, &PODS));
    assert_eq!(server.get("/inventory").await.status.as_u16(), 200);
}

#[tokio::test]
async fn pages_of_allowed_origins_may_read() {
    let plain = Server::new();
    let origin = [("origin", "https://ui.example.com")];
    assert_eq!(plain.get_with("/inventory", &origin).await.header("access-control-allow-origin"), None);

    let one = Server::with(
        |settings| settings.cors_origins = vec!["https://ui.example.com".to_owned()],
        Some(Cluster::new().relist(OBSERVED, &PODS)),
    );
    for uri in ["/inventory", "/namespaces", "/nowhere"] {
        let reply = one.get_with(uri, &origin).await;
        assert_eq!(reply.header("access-control-allow-origin"), Some("https://ui.example.com"), "{uri}");
        let exposed = reply.header("access-control-expose-headers").expect("exposed");
        for name in ["ETag", "Inventory-Generation", "Inventory-Observed-At", "Inventory-Complete"] {
            assert!(exposed.contains(&name.to_ascii_lowercase()), "{exposed}");
        }
        let vary: Vec<_> = reply.headers.get_all("vary").iter().collect();
        assert!(vary.iter().any(|value| value.as_bytes().eq_ignore_ascii_case(b"origin")), "{vary:?}");
        let stranger = one.get_with(uri, &[("origin", "https://evil.example.com")]).await;
        assert_eq!(stranger.header("access-control-allow-origin"), None, "{uri}");
    }
    let any = Server::with(
        |settings| settings.cors_origins = vec!["*".to_owned()],
        Some(Cluster::new().relist(OBSERVED, &PODS)),
    );
    assert_eq!(any.get_with("/inventory", &origin).await.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn a_preflight_is_answered_for_allowed_origins_alone() {
    let server = Server::with(
        |settings| settings.cors_origins = vec!["https://ui.example.com".to_owned()],
        Some(Cluster::new().relist(OBSERVED, &PODS)),
    );
    let preflight = |origin| {
        request(
            "OPTIONS",
            "/inventory",
            &[
                ("origin", origin),
                ("access-control-request-method", "GET"),
                ("access-control-request-headers", "if-none-match"),
            ],
        )
    };
    let reply = server.send(preflight("https://ui.example.com")).await;
    assert_eq!((reply.status.as_u16(), reply.header("access-control-allow-methods")), (200, Some("GET,HEAD")));
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://ui.example.com"));
    assert!(reply.header("access-control-allow-headers").is_some_and(|names| names.contains("if-none-match")));
    let stranger = server.send(preflight("https://evil.example.com")).await;
    assert_eq!(stranger.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_parameter_against_caches_is_passed_over() {
    let server = Server::new();
    for uri in
        ["/inventory?_=1732440600", "/inventory?namespace=apps&_=1", "/namespaces?_=", "/readyz?_=1", "/docs?_=1"]
    {
        assert_eq!(server.get(uri).await.status.as_u16(), 200, "{uri}");
    }
    assert_eq!(server.get("/namespaces").await.body, server.get("/namespaces?_=2").await.body);
}
