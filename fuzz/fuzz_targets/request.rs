//! A request with any query, Host and one more header: always an answer that the OpenAPI document has, never one of 5xx,
//! and on a loopback address none for a host that is not local.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HOST, HeaderName, IF_NONE_MATCH, ORIGIN};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::BodyExt as _;
use kai::config::{Listen, MetricsSettings, ServerSettings};
use kai::feed::feed;
use kai::health::{Health, PushBoard};
use kai::http::{Http, HttpDeps, openapi};
use kai::inventory::ReportPolicy;
use kai::metrics::{Exposition, Metrics};
use kai::testing::{cluster, pods_of, refused};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

/// Its answer goes on.
const CHANGES: &str = "/v1/changes";

/// A path, and the same in the OpenAPI document.
const PATHS: [(&str, &str); 15] = [
    ("/inventory", "/inventory"),
    ("/namespaces", "/namespaces"),
    ("/namespaces/shop/images", "/namespaces/{namespace}/images"),
    ("/namespaces/refused/images", "/namespaces/{namespace}/images"),
    ("/namespaces/%20/images", "/namespaces/{namespace}/images"),
    (CHANGES, CHANGES),
    ("/healthz", "/healthz"),
    ("/livez", "/livez"),
    ("/readyz", "/readyz"),
    ("/metrics", "/metrics"),
    ("/openapi.json", "/openapi.json"),
    ("/openapi.yaml", "/openapi.yaml"),
    ("/docs", "/docs"),
    ("/docs/problems", "/docs/problems"),
    ("/", "/"),
];

const HEADERS: [HeaderName; 6] = [
    ACCEPT,
    ACCEPT_ENCODING,
    IF_NONE_MATCH,
    ORIGIN,
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("x-request-id"),
];

struct Server {
    runtime: Runtime,
    http: Http,
    /// For each path of the document the statuses of GET.
    documented: Vec<Vec<String>>,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let (writer, reader) = feed();
    let known = cluster().namespace("shop").pod("shop/cart", "nginx:1.27").namespace("refused");
    writer.publish(known.with([refused(pods_of("refused"), "pods is forbidden")]).snapshot());
    let settings = ServerSettings {
        listen: Listen::Address((Ipv4Addr::LOCALHOST, 8080).into()),
        probe_listen: Listen::None,
        tls: None,
        request_timeout: Duration::from_secs(60),
        max_concurrent_requests: 8,
        shutdown_timeout: Duration::ZERO,
        cache_max_bytes: 1 << 20,
        cors_origins: vec!["https://a.example".to_owned()],
        allowed_hosts: Vec::new(),
    };
    let health = Health::new(reader.clone(), None, Duration::from_secs(60), PushBoard::default());
    let policy = ReportPolicy::default();
    let metrics = Exposition::new(Metrics::default(), health.clone(), &policy, &MetricsSettings::default());
    let deps = HttpDeps { reader, health, metrics, policy, settings, retry_after: Duration::from_secs(5) };
    let document = openapi();
    let statuses = |path: &str| {
        let operation = document.paths.paths[path].get.as_ref().expect("GET");
        operation.responses.responses.keys().cloned().collect()
    };
    Server {
        runtime: Builder::new_current_thread().enable_all().build().expect("a runtime"),
        http: Http::new(&deps).expect("the OpenAPI document"),
        documented: PATHS.map(|(_, path)| statuses(path)).into(),
    }
});

/// Whether a Host header names this machine, read in another way than kai's.
fn is_local(host: &str) -> bool {
    let host = host.rsplit('@').next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default();
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fuzz_target!(|input: (u8, bool, &[u8], &[u8], &[u8])| {
    let (choice, is_head, host, more, rest) = input;
    let place = usize::from(choice) % PATHS.len();
    let name = &HEADERS[usize::from(choice) / PATHS.len() % HEADERS.len()];
    let address = [PATHS[place].0.as_bytes(), rest].concat();
    // What is no address or no header does not come as far as kai's code.
    let (Ok(uri), Ok(host), Ok(more)) =
        (Uri::try_from(address), HeaderValue::from_bytes(host), HeaderValue::from_bytes(more))
    else {
        return;
    };
    let method = if is_head { "HEAD" } else { "GET" };
    let request = Request::builder().method(method).uri(&uri).header(HOST, &host).header(name, &more);
    let request = request.body(String::new()).expect("a request");
    let Server { runtime, http, documented } = &*SERVER;
    let (parts, body) = runtime.block_on(async {
        let Ok(response) = http.service().oneshot(request).await;
        let (parts, body) = response.into_parts();
        // All others are there at once.
        match tokio::time::timeout(Duration::from_millis(5), body.collect()).await {
            Ok(body) => (parts, body.expect("a body").to_bytes().to_vec()),
            Err(_) => {
                assert_eq!(uri.path(), CHANGES);
                (parts, Vec::new())
            }
        }
    });
    let status = parts.status;
    let shown = || format!("{status} to {uri} for {host:?} with {name}: {more:?}");
    assert!(!status.is_server_error(), "{}", shown());
    let has_status = |statuses: &Vec<String>| statuses.iter().any(|known| known == status.as_str());
    let is_documented = if uri.path() == PATHS[place].0 {
        has_status(&documented[place])
    } else {
        documented.iter().any(has_status) || status == StatusCode::PERMANENT_REDIRECT
    };
    assert!(is_documented, "{}", shown());
    let is_for_this_host = host.to_str().is_ok_and(is_local);
    assert!(is_for_this_host || matches!(status.as_u16(), 400 | 414 | 421 | 431), "{}", shown());
    assert_eq!(parts.headers["x-content-type-options"], "nosniff");
    assert!(parts.headers["x-request-id"].to_str().is_ok_and(|id| (1..=128).contains(&id.len())), "{}", shown());
    if status.is_client_error() {
        assert_eq!(parts.headers[CONTENT_TYPE], "application/problem+json");
        let text = std::str::from_utf8(&body).expect("UTF-8");
        assert!(is_head || text.contains(&format!("\"status\":{}", status.as_u16())), "{text}");
    }
    assert!(!is_head || body.is_empty(), "{}", shown());
});
