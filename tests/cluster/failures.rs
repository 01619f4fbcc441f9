//! What a relist does when the API server fails: what is tried again, what ends it, and what the message says.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::time::{Duration, Instant};

use crate::fake_api::cluster::FakeCluster;
use crate::fake_api::fault::{Fault, On};
use crate::fake_api::reader::{Read, all, connect, include, relist, settings};
use crate::fake_api::server::FakeApi;
use crate::log::Log;
use kai::cluster::{ClusterError, Environment};
use kai::inventory::NamespaceSelection;
use kai::snapshot::{Event, Object};
use rstest::rstest;

const PODS: &str = "/api/v1/pods";

async fn read(api: &FakeApi, selection: &NamespaceSelection) -> Read {
    let mut source = connect(&settings(&api.kubeconfig("{}"))).await.unwrap();
    relist(&mut source, selection).await
}

#[tokio::test]
async fn a_list_that_expires_is_begun_again_without_a_trace() {
    let cluster = FakeCluster::of(1, 5).fault_times(On::Page(PODS, 2), Fault::Gone, 1);
    let api = FakeApi::start(cluster).await;
    let read = read(&api, &all()).await;
    assert!(read.ended());
    assert_eq!(read.pods().len(), 5);
    // Two pages of the first run, three of the second.
    assert_eq!(api.count(PODS), 5);
    assert_eq!(read.progress.last().map(|step| step.pods), Some(5), "pods of the first run count no more");
}

#[tokio::test]
async fn a_list_that_keeps_expiring_is_asked_for_in_bigger_pages_and_then_in_one() {
    let mut cluster = FakeCluster::of(1, 100);
    for start in [2, 8, 32] {
        cluster = cluster.fault(On::Page(PODS, start), Fault::Gone);
    }
    let api = FakeApi::start(cluster).await;
    let read = read(&api, &all()).await;
    assert!(read.ended());
    assert_eq!(read.pods().len(), 100);
    let runs: Vec<String> =
        api.asked().into_iter().filter(|asked| asked.starts_with(PODS) && !asked.contains("continue")).collect();
    assert_eq!(runs, ["?limit=2", "?limit=2", "?limit=8", "?limit=32", ""].map(|query| format!("{PODS}{query}")));
}

#[tokio::test]
async fn a_list_that_expires_in_one_piece_too_is_an_error() {
    let api = FakeApi::start(FakeCluster::of(1, 5).fault(On::Path(PODS), Fault::Gone)).await;
    let read = read(&api, &all()).await;
    assert!(matches!(read.result, Err(ClusterError::Expired { restarts: 4, .. })), "{:?}", read.result);
    assert!(read.message().contains("the list /api/v1/pods of the API server http://127.0.0.1"), "{}", read.message());
    assert_eq!(api.count(PODS), 5);
}

#[rstest]
#[case::busy(Fault::Busy(429, None))]
#[case::unavailable(Fault::Busy(503, None))]
#[case::internal(Fault::Busy(500, None))]
#[case::cut(Fault::Cut)]
#[case::ends_early(Fault::EndsEarly)]
#[tokio::test]
async fn a_page_that_fails_is_asked_for_again_and_counts_once(
    #[case] fault: Fault,
    #[values(FakeCluster::of(1, 5), FakeCluster::of(1, 5).protobuf())] cluster: FakeCluster,
) {
    let api = FakeApi::start(cluster.fault_times(On::Page(PODS, 2), fault, 2)).await;
    let read = read(&api, &all()).await;
    assert!(read.ended(), "{:?}", read.result);
    let pods = read.events.iter().filter(|event| matches!(event, Event::Applied(Object::Pod(_)))).count();
    assert_eq!((pods, api.count(PODS)), (5, 5), "a half page must leave nothing behind");
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let cluster = FakeCluster::of(1, 1).fault_times(On::Path(PODS), Fault::Busy(429, Some(2)), 1);
    let api = FakeApi::start(cluster).await;
    let start = Instant::now();
    let read = read(&api, &all()).await;
    assert!(read.ended() && start.elapsed() >= Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_server_that_only_fails_is_given_up_after_five_tries() {
    let api = FakeApi::start(FakeCluster::of(1, 1).fault(On::Path(PODS), Fault::Busy(500, Some(0)))).await;
    let read = read(&api, &all()).await;
    assert!(!read.ended());
    assert_eq!(api.count(PODS), 5);
    let message = read.message();
    assert!(message.contains("answers 500 to GET /api/v1/pods: too many requests, 5 times"), "{message}");
}

#[tokio::test]
async fn one_failing_namespace_list_cuts_the_relist_short() {
    let fault = Fault::Busy(500, Some(0));
    let api = FakeApi::start(FakeCluster::of(3, 1).fault(On::Path("/api/v1/namespaces/ns-1/pods"), fault)).await;
    let read = read(&api, &include(&["ns-0", "ns-1", "ns-2"])).await;
    assert!(!read.ended() && matches!(read.result, Err(ClusterError::Busy { status: 500, .. })), "{:?}", read.result);
}

#[tokio::test]
async fn a_page_that_stalls_ends_at_the_deadline_of_a_request() {
    let api = FakeApi::start(FakeCluster::of(1, 1).fault(On::Path(PODS), Fault::Stall)).await;
    let mut settings = settings(&api.kubeconfig("{}"));
    settings.request_timeout = Duration::from_millis(300);
    let mut source = connect(&settings).await.unwrap();
    let read = relist(&mut source, &all()).await;
    let message = read.message();
    assert!(
        message.contains("to GET /api/v1/pods within 300ms; raise kubernetes.request-timeout-seconds"),
        "{message}"
    );
    assert_eq!(api.count(PODS), 2);
}

#[tokio::test]
async fn one_page_is_asked_for_while_the_one_before_still_comes_and_no_more() {
    let api = FakeApi::start(FakeCluster::of(1, 9).protobuf().fault_times(On::Page(PODS, 0), Fault::Stall, 1)).await;
    let mut settings = settings(&api.kubeconfig("{}"));
    settings.request_timeout = Duration::from_millis(600);
    let mut source = connect(&settings).await.unwrap();
    let selection = all();
    let reading = relist(&mut source, &selection);
    let looking = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        api.asked().into_iter().filter(|asked| asked.starts_with(PODS)).collect::<Vec<_>>()
    };
    let (read, asked) = tokio::join!(reading, looking);
    assert_eq!(asked, ["/api/v1/pods?limit=2", "/api/v1/pods?limit=2&continue=from-2"]);
    assert!(read.ended(), "{:?}", read.result);
    // The first page was asked for twice; what had been read ahead still counted.
    assert_eq!((read.pods().len(), api.count(PODS)), (9, 6));
}

#[tokio::test]
async fn a_relist_that_is_dropped_asks_for_nothing_more() {
    let slow = Fault::Slow(Duration::from_millis(100));
    let api = FakeApi::start(FakeCluster::of(1, 50).fault(On::Path(PODS), slow)).await;
    let mut source = connect(&settings(&api.kubeconfig("{}"))).await.unwrap();
    let cycle = Duration::from_millis(350);
    assert!(tokio::time::timeout(cycle, relist(&mut source, &all())).await.is_err(), "25 pages take 2.5 s");
    let asked = api.asked().len();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(api.asked().len(), asked);
    // And the source is as good as new.
    api.change(|_| FakeCluster::of(1, 3));
    assert_eq!(relist(&mut source, &all()).await.pods().len(), 3);
}

#[tokio::test]
async fn a_relist_ends_when_nobody_takes_its_events() {
    let api = FakeApi::start(FakeCluster::of(1, 5)).await;
    let mut source = connect(&settings(&api.kubeconfig("{}"))).await.unwrap();
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    drop(receiver);
    let selection = all();
    // Spawned: the future has to be one that a runtime of several threads takes.
    let relist = tokio::spawn(async move { source.relist(&selection, &sender, &|_| {}).await });
    let result = tokio::time::timeout(Duration::from_secs(5), relist).await.unwrap().unwrap();
    assert!(matches!(result, Err(ClusterError::Abandoned)), "{result:?}");
}

#[rstest]
#[case::login_page(Fault::LoginPage, "answered with an HTML page titled \"Sign in\" (the login page of a proxy?)")]
#[case::redirect(Fault::Redirect, "answered with 302 to https://login.example/")]
#[case::bare_404(Fault::Bare(404, "404 page not found"), "answered with 404: 404 page not found")]
#[case::array(Fault::Body("[1,2]"), "answered with an array")]
#[case::empty(Fault::Body(""), "answered with an empty body")]
#[case::another_object(Fault::Body(r#"{"status":"ok"}"#), "an object without kind, with the keys `status`")]
#[case::items_are_no_list(Fault::Body(r#"{"kind":"PodList","items":7}"#), "answered with `PodList`")]
#[tokio::test]
async fn something_else_is_said_to_be_no_api_server(#[case] fault: Fault, #[case] expected: &str) {
    let api = FakeApi::start(FakeCluster::of(1, 1).fault(On::Everything, fault)).await;
    let read = read(&api, &all()).await;
    let message = read.message();
    assert!(message.contains("is not a Kubernetes API server: GET /api/v1/"), "{message}");
    assert!(message.contains(expected), "{message}");
    assert!(message.contains("check server of cluster \"fake-cluster\" in kubeconfig /"), "{message}");
    assert!(api.count(PODS) <= 1, "asking again does not make it one");
}

#[rstest]
#[case::no_comma(r#"{"kind":"PodList","items":[{} {}]}"#)]
#[case::continue_is_no_text(r#"{"kind":"PodList","metadata":{"continue":[7]},"items":[]}"#)]
#[tokio::test]
async fn a_malformed_list_names_its_path(#[case] body: &'static str) {
    let api = FakeApi::start(FakeCluster::of(1, 1).fault(On::Path(PODS), Fault::Body(body))).await;
    let read = read(&api, &all()).await;
    let message = read.message();
    assert!(!read.ended() && message.contains("to GET /api/v1/pods cannot be read: "), "{message}");
}

#[rstest]
#[case::the_same(|_| 7, "the same page is offered again and again", 2)]
#[case::alternating(|from| if from == 2 { 4 } else { 2 }, "the same page is offered again and again", 3)]
#[case::new_ones(|from| from + 1, "10 pages in a row are empty, and the list goes on", 10)]
#[tokio::test]
async fn continue_tokens_that_lead_nowhere_are_an_error(
    #[case] next: fn(usize) -> usize,
    #[case] expected: &str,
    #[case] pages: usize,
) {
    let api = FakeApi::start(FakeCluster::of(1, 1).fault(On::Path(PODS), Fault::Tokens(next))).await;
    let read = read(&api, &all()).await;
    assert!(!read.ended() && read.message().contains(expected), "{}", read.message());
    // One page may be asked for ahead.
    assert!((pages..=pages + 1).contains(&api.count(PODS)), "{}", api.count(PODS));
}

#[rstest]
#[tokio::test]
async fn a_page_of_a_load_balancer_is_asked_for_again(#[values(502, 503, 504)] code: u16) {
    let api = FakeApi::start(FakeCluster::of(1, 5).fault_times(On::Path(PODS), Fault::ErrorPage(code), 2)).await;
    let read = read(&api, &all()).await;
    assert!(read.ended(), "{:?}", read.result);
    assert_eq!(read.pods().len(), 5);
}

#[rstest]
#[case(503, "answers 503 to GET /api/v1/pods with an HTML page titled \"Gateway\", 5 times; try again later")]
#[case(401, "(401 with an HTML page titled \"Gateway\"); a proxy or gateway in between asks for a login")]
#[case(403, "answers 403 to GET /api/v1/pods with an HTML page titled \"Gateway\"; that is no answer of Kubernetes")]
#[tokio::test]
async fn advice_fits_the_status_of_a_page(#[case] code: u16, #[case] expected: &str) {
    let api = FakeApi::start(FakeCluster::of(1, 1).fault(On::Path(PODS), Fault::ErrorPage(code))).await;
    let message = read(&api, &all()).await.message();
    assert!(message.contains(expected), "{message}");
    assert!(message.contains("check server of cluster \"fake-cluster\"") || code == 503, "{message}");
}

#[tokio::test]
async fn a_status_behind_200_is_reported_with_its_own_message_and_code() {
    let status = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"etcd is away","code":500}"#;
    let api = FakeApi::start(FakeCluster::of(1, 1).fault(On::Path(PODS), Fault::Body(status))).await;
    let message = read(&api, &all()).await.message();
    assert!(message.contains("answers 500 to GET /api/v1/pods: etcd is away, 5 times"), "{message}");

    let status = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"expired","code":410}"#;
    let api = FakeApi::start(FakeCluster::of(1, 5).fault_times(On::Page(PODS, 2), Fault::Body(status), 1)).await;
    let read = read(&api, &all()).await;
    assert_eq!((read.ended(), read.pods().len()), (true, 5), "{:?}", read.result);
}

#[tokio::test]
async fn a_long_wait_is_logged_with_its_length() {
    let log = Log::of_level("info");
    let cluster = FakeCluster::of(1, 1).fault_times(On::Path(PODS), Fault::Busy(429, Some(3_600)), 1);
    let api = FakeApi::start(cluster).await;
    let mut source = connect(&settings(&api.kubeconfig("{}"))).await.unwrap();
    let selection = all();
    // The wait itself would take half a minute.
    let begun = tokio::time::timeout(Duration::from_secs(2), relist(&mut source, &selection)).await;
    assert!(begun.is_err());
    let lines = log.take();
    let line = lines.iter().find(|line| line.contains("429")).unwrap_or_else(|| panic!("{lines:?}"));
    assert!(line.contains("INFO") && line.contains("waiting 30 s before the next try, as it asks"), "{line}");
}

#[tokio::test]
async fn a_panic_ends_the_poll_and_not_the_service() {
    let api = FakeApi::start(FakeCluster::of(1, 3)).await;
    let mut source = connect(&settings(&api.kubeconfig("{}"))).await.unwrap();
    let (sender, _receiver) = tokio::sync::mpsc::channel(100);
    let result = source.relist(&all(), &sender, &|_| panic!("boom")).await;
    let message = result.unwrap_err().to_string();
    assert_eq!(message, "reading the cluster failed by a defect of kai (boom); report it with this message");
    assert!(relist(&mut source, &all()).await.ended(), "the source is as good as new");
}

#[tokio::test]
async fn credentials_that_are_not_accepted_are_named() {
    let api = FakeApi::start(FakeCluster::of(1, 1).token("good")).await;
    let mut source = connect(&settings(&api.kubeconfig("{token: stale}"))).await.unwrap();
    let read = relist(&mut source, &all()).await;
    let message = read.message();
    assert!(read.result.as_ref().unwrap_err().is_unauthorized());
    assert!(message.contains("(401: Unauthorized)") && !message.contains("stale"), "{message}");
    assert!(message.contains("renew the credentials of user \"ann\" in kubeconfig /"), "{message}");
    assert!(api.asked().len() <= 3, "asking again with the same token is of no use: {:?}", api.asked());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, crate::fake_api::server::kubeconfig(&address, "{}")).unwrap();
    let mut source = connect(&settings(&path)).await.unwrap();
    let read = relist(&mut source, &all()).await;
    let expected = format!(
        "cannot reach the API server {address} (kubeconfig {0}, context \"fake\"): connection refused; check server of \
         cluster \"fake-cluster\" in kubeconfig {0}, and that the API server runs",
        path.display()
    );
    assert_eq!(read.message(), expected);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, crate::fake_api::server::kubeconfig("https://api.kai.invalid:6443", "{}")).unwrap();
    let mut source = connect(&settings(&path)).await.unwrap();
    let message = relist(&mut source, &all()).await.message();
    assert!(message.contains("its name does not resolve ("), "{message}");
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, crate::fake_api::server::kubeconfig("http://api.kai.invalid", "{}")).unwrap();
    let proxy = Some("http://user:s3cret@127.0.0.1:9".to_owned());
    let environment = Environment { http_proxy: proxy, ..Environment::default() };
    let mut source = kai::cluster::ClusterSource::connect(&settings(&path), &environment).await.unwrap();
    let message = relist(&mut source, &all()).await.message();
    assert!(message.contains("through the proxy http://127.0.0.1:9 (HTTP_PROXY): connection refused"), "{message}");
    assert!(message.contains("check HTTP_PROXY, and NO_PROXY") && !message.contains("s3cret"), "{message}");
}
