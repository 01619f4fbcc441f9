//! What a relist asks for besides pods when more than images is kept: nodes, and namespaces by their names.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::time::Duration;

use crate::fake_api::cluster::FakeCluster;
use crate::fake_api::fault::{Fault, On};
use crate::fake_api::reader::{Read, all, connect, include, relist, settings};
use crate::fake_api::server::FakeApi;
use crate::log::Log;
use kai::cluster::ClusterSource;
use kai::inventory::{Detail, NamespaceSelection};
use kai::snapshot::{Event, ListScope, NamespaceState};
use kai::testing::everything;
use kai::warned::Warned;
use rstest::rstest;
use serde_json::json;

const NODES: &str = "/api/v1/nodes";

/// An account is named by a label of the namespace, and nothing else is wanted.
fn account_by_label() -> Detail {
    Detail { namespace_objects: true, namespace_label: Some("team".into()), ..Detail::default() }
}

async fn source(api: &FakeApi, detail: Detail) -> ClusterSource {
    connect(&settings(&api.kubeconfig("{}"))).await.unwrap().with_detail(detail)
}

async fn read(api: &FakeApi, selection: &NamespaceSelection, detail: Detail) -> Read {
    relist(&mut source(api, detail).await, selection).await
}

#[rstest]
#[case::json(FakeCluster::of(2, 2))]
#[case::protobuf(FakeCluster::of(2, 2).protobuf())]
#[case::protobuf_and_gzip(FakeCluster::of(2, 2).protobuf().gzip())]
#[tokio::test]
async fn nodes_are_listed_page_by_page_when_they_are_wanted(#[case] cluster: FakeCluster) {
    let api = FakeApi::start(cluster.described().nodes(5)).await;
    let read = read(&api, &all(), everything()).await;
    assert!(read.ended());
    assert_eq!(read.nodes(), ["node-0", "node-1", "node-2", "node-3", "node-4"]);
    assert_eq!(read.progress.iter().map(|step| step.pods).max(), Some(4), "nodes are no pods");
    // Five nodes in pages of two; no namespace is asked for by name where all are listed.
    assert_eq!((api.count(NODES), api.count("/api/v1/pods"), api.count("/api/v1/namespaces")), (3, 2, 1));
    assert_eq!(api.asked().len(), 7, "{:?}", api.asked());

    let snapshot = read.snapshot(&all());
    let node = &snapshot.nodes()[0];
    assert_eq!((&*node.name, node.uid.as_deref(), &*node.architecture), ("node-0", Some("uid-node-0"), "amd64"));
    assert_eq!(node.metadata.label("zone").map(|zone| &**zone), Some("a"));
    let record = snapshot.namespace("ns-1").unwrap().record().unwrap();
    assert_eq!(record.uid.as_deref(), Some("uid-ns-1"));
    assert_eq!(record.metadata.label("team").map(|team| &**team), Some("team of ns-1"));
}

#[rstest]
#[case::cluster_wide(all(), 4)]
#[case::included(include(&["ns-0", "ns-1", "empty"]), 5)]
#[tokio::test]
async fn what_is_not_wanted_is_not_asked_for(#[case] selection: NamespaceSelection, #[case] requests: usize) {
    let cluster = FakeCluster::of(2, 2).described().nodes(1);
    let api = FakeApi::start(cluster.fault(On::Path("/api/v1/namespaces/empty"), Fault::Forbidden)).await;
    let log = Log::start();
    let read = read(&api, &selection, Detail::default()).await;
    assert!(read.ended() && read.nodes().is_empty());
    assert_eq!((api.count(NODES), api.count("/api/v1/namespaces/ns-0")), (0, 0));
    // Pods in two pages, or two lists and an empty one; namespaces, or the empty one by its name; the version.
    assert_eq!(api.asked().len(), requests, "{:?}", api.asked());
    assert_eq!(log.take(), [] as [&str; 0]);
    for part in read.snapshot(&selection).namespaces().iter() {
        let record = part.record();
        assert!(record.is_none_or(|record| record.uid.is_none() && record.metadata.is_empty()), "{record:?}");
    }
}

#[rstest]
#[case::refused(
    On::Path(NODES),
    Fault::Forbidden,
    "missing right: list nodes in the whole cluster (nodes is forbidden"
)]
#[case::refused_half_way(On::Page(NODES, 2), Fault::Forbidden, "missing right: list nodes in the whole cluster")]
#[case::unknown(On::Path(NODES), Fault::Bare(404, "404 page not found"), "GET /api/v1/nodes is answered with 404")]
#[case::nonsense_half_way(On::Page(NODES, 2), Fault::Body("[1"), "/api/v1/nodes")]
#[case::no_credentials(On::Page(NODES, 4), Fault::Unauthorized, "does not accept the credentials")]
#[tokio::test]
async fn without_nodes_everything_else_is_read_and_that_is_said_once(
    #[case] on: On,
    #[case] fault: Fault,
    #[case] said: &str,
    #[values(all(), include(&["ns-0", "ns-1"]))] selection: NamespaceSelection,
) {
    let log = Log::start();
    let api = FakeApi::start(FakeCluster::of(2, 2).nodes(5).fault_times(on, fault.clone(), 2)).await;
    let mut source = source(&api, everything()).await;
    for warnings in [1, 0] {
        let read = relist(&mut source, &selection).await;
        assert!(read.ended() && read.nodes().is_empty(), "{:?}", read.result);
        let snapshot = read.snapshot(&selection);
        assert!(snapshot.is_complete() && snapshot.nodes().is_empty(), "{:?}", snapshot.completeness());
        assert_eq!(snapshot.namespaces().iter().map(|part| part.pod_count()).sum::<usize>(), 4);
        let lines = log.take();
        assert_eq!(lines.len(), warnings, "{lines:?}");
        assert!(
            lines.iter().all(|line| line.starts_with("WARN nodes are left out") && line.contains(said)),
            "{lines:?}"
        );
    }
    // Once it worked, a new failure is news.
    assert_eq!(relist(&mut source, &selection).await.nodes().len(), 5);
    assert_eq!(log.take(), [] as [&str; 0]);
    api.change(|cluster| cluster.fault(On::Path(NODES), Fault::Forbidden));
    assert!(relist(&mut source, &selection).await.ended());
    assert_eq!(log.take().len(), 1);
}

#[tokio::test]
async fn nodes_that_the_server_cannot_give_now_cost_the_nodes_alone() {
    let api = FakeApi::start(FakeCluster::of(1, 1).nodes(3).fault(On::Page(NODES, 2), Fault::Busy(500, Some(0)))).await;
    let log = Log::start();
    let read = read(&api, &all(), everything()).await;
    assert!(read.ended() && read.nodes().is_empty());
    let lines = log.take();
    assert!(lines.len() == 1 && lines[0].contains("answers 500 to GET /api/v1/nodes"), "{lines:?}");
}

#[tokio::test]
async fn a_list_of_nodes_that_hangs_does_not_hold_up_the_rest() {
    let api = FakeApi::start(FakeCluster::of(1, 1).nodes(3).fault(On::Page(NODES, 2), Fault::Stall)).await;
    let mut settings = settings(&api.kubeconfig("{}"));
    settings.request_timeout = Duration::from_millis(300);
    let mut source = connect(&settings).await.unwrap().with_detail(everything());
    let log = Log::start();
    let read = relist(&mut source, &all()).await;
    assert!(read.ended() && read.nodes().is_empty());
    let lines = log.take();
    assert!(lines.len() == 1 && lines[0].contains("they were not read 300ms after everything else"), "{lines:?}");
}

#[tokio::test]
async fn a_relist_that_fails_fails_with_nodes_too() {
    let api = FakeApi::start(FakeCluster::of(1, 1).nodes(3).fault(On::Path("/api/v1/pods"), Fault::Forbidden)).await;
    let read = read(&api, &all(), everything()).await;
    assert!(!read.ended() && read.message().contains("list pods in all namespaces"), "{}", read.message());
}

#[tokio::test]
async fn a_broken_node_is_left_out_and_said() {
    let broken = json!({"metadata": {"labels": {"a": "b"}}});
    let api = FakeApi::start(FakeCluster::of(1, 1).nodes(1).with_node(broken)).await;
    let log = Log::start();
    let mut source = source(&api, everything()).await;
    for warnings in [1, 0] {
        let read = relist(&mut source, &all()).await;
        assert_eq!(read.nodes(), ["node-0"]);
        assert!(read.snapshot(&all()).is_complete());
        let lines = log.take();
        assert_eq!(lines.len(), warnings, "{lines:?}");
        assert!(lines.iter().all(|line| line.contains("item 2: metadata.name: missing")), "{lines:?}");
    }
}

#[tokio::test]
async fn what_was_warned_of_is_not_said_again_by_the_next_connection() {
    let api = FakeApi::start(FakeCluster::of(1, 1).fault(On::Path(NODES), Fault::Forbidden)).await;
    let (log, warned) = (Log::start(), Warned::default());
    for warnings in [1, 0] {
        let mut source = source(&api, everything()).await.with_warned(warned.clone());
        assert!(relist(&mut source, &all()).await.ended());
        assert_eq!(log.take().len(), warnings);
    }
}

#[rstest]
#[case::everything(everything(), &["other", "team"])]
#[case::account_by_label(account_by_label(), &["team"])]
#[tokio::test]
async fn included_namespaces_are_asked_for_by_name_when_they_are_wanted(
    #[case] detail: Detail,
    #[case] labels: &[&str],
    #[values(false, true)] protobuf: bool,
) {
    let cluster = FakeCluster::of(3, 1).described();
    let api = FakeApi::start(if protobuf { cluster.protobuf() } else { cluster }).await;
    let selection = include(&["ns-0", "ns-1"]);
    let read = read(&api, &selection, detail).await;
    assert_eq!(read.namespaces(), ["ns-0", "ns-1"]);
    let asked = |path| api.count(path);
    assert_eq!((asked("/api/v1/namespaces/ns-0"), asked("/api/v1/namespaces/ns-1")), (1, 1));
    assert_eq!((asked("/api/v1/namespaces/ns-2"), asked("/api/v1/namespaces")), (0, 0));
    let snapshot = read.snapshot(&selection);
    let record = snapshot.namespace("ns-1").unwrap().record().unwrap();
    assert_eq!(record.uid.as_deref(), Some("uid-ns-1"));
    assert_eq!(record.metadata.labels.iter().map(|(key, _)| &**key).collect::<Vec<_>>(), labels);
}

#[tokio::test]
async fn namespaces_that_may_not_be_asked_for_have_no_record_and_that_is_said_once() {
    let cluster = FakeCluster::of(3, 1)
        .described()
        .fault_times(On::Path("/api/v1/namespaces/ns-0"), Fault::Forbidden, 2)
        .fault_times(On::Path("/api/v1/namespaces/ns-1"), Fault::Forbidden, 2);
    let api = FakeApi::start(cluster).await;
    let (log, selection) = (Log::start(), include(&["ns-0", "ns-1", "ns-2"]));
    let mut source = source(&api, account_by_label()).await;
    for warnings in [1, 0] {
        let snapshot = relist(&mut source, &selection).await.snapshot(&selection);
        assert!(snapshot.is_complete());
        let records = ["ns-0", "ns-1", "ns-2"].map(|name| snapshot.namespace(name).unwrap().record().is_some());
        assert_eq!(records, [false, false, true]);
        let lines = log.take();
        assert_eq!(lines.len(), warnings, "{lines:?}");
        let said = "WARN missing right: get namespaces in namespace ns-0 and 1 more (ns-0 is forbidden";
        assert!(
            lines.iter().all(|line| line.starts_with(said) && line.contains("verb get on namespaces")),
            "{lines:?}"
        );
    }
    assert_eq!(relist(&mut source, &selection).await.namespaces(), ["ns-0", "ns-1", "ns-2"]);
    api.change(|cluster| cluster.fault(On::Path("/api/v1/namespaces/ns-1"), Fault::Forbidden));
    assert!(relist(&mut source, &selection).await.ended());
    let lines = log.take();
    assert!(lines.len() == 1 && lines[0].contains("get namespaces in namespace ns-1 ("), "{lines:?}");
}

#[tokio::test]
async fn an_included_namespace_that_is_not_there_is_unknown_and_one_without_pods_is_known() {
    let mut cluster = FakeCluster::of(1, 1).with("empty", json!({}));
    cluster = cluster.described();
    let api = FakeApi::start(cluster).await;
    api.change(|cluster| cluster.fault(On::Path("/api/v1/namespaces/empty/pods"), Fault::Body(EMPTY_LIST)));
    let selection = include(&["empty", "gone", "ns-0"]);
    let snapshot = read(&api, &selection, everything()).await.snapshot(&selection);
    let state = |name| snapshot.namespace(name).map(|part| (part.state(), part.record().is_some())).unwrap();
    assert_eq!(state("empty"), (NamespaceState::Read, true));
    assert_eq!(state("gone"), (NamespaceState::Unknown, false));
    assert_eq!(state("ns-0"), (NamespaceState::Read, true));
}

const EMPTY_LIST: &str = r#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}"#;

#[rstest]
#[case::cut(Fault::Cut)]
#[case::ends_early(Fault::EndsEarly)]
#[tokio::test]
async fn an_answer_about_a_namespace_that_breaks_off_is_asked_for_again(#[case] fault: Fault) {
    let cluster = FakeCluster::of(1, 1).described().fault_times(On::Path("/api/v1/namespaces/ns-0"), fault, 1);
    let api = FakeApi::start(cluster).await;
    let read = read(&api, &include(&["ns-0"]), everything()).await;
    assert_eq!((read.namespaces(), api.count("/api/v1/namespaces/ns-0")), (vec!["ns-0".to_owned()], 2));
}

#[rstest]
#[case::a_pod(Fault::Body(r#"{"kind":"Pod","metadata":{"name":"ns-0"}}"#), "answered with `Pod`")]
#[case::a_login_page(Fault::LoginPage, "Sign in")]
#[case::nonsense(Fault::Body(r#"{"kind":"Namespace","metadata":[]}"#), "cannot be read")]
#[tokio::test]
async fn a_namespace_that_cannot_be_told_fails_the_relist(#[case] fault: Fault, #[case] said: &str) {
    let api = FakeApi::start(FakeCluster::of(1, 1).fault(On::Path("/api/v1/namespaces/ns-0"), fault)).await;
    let read = read(&api, &include(&["ns-0"]), everything()).await;
    let message = read.message();
    assert!(message.contains(said) && message.contains("/api/v1/namespaces/ns-0"), "{message}");
}

#[tokio::test]
async fn no_namespace_is_asked_for_whose_pods_are_refused() {
    let cluster = FakeCluster::of(2, 1).fault(On::Path("/api/v1/namespaces/ns-1/pods"), Fault::Forbidden);
    let api = FakeApi::start(cluster).await;
    let read = read(&api, &include(&["ns-0", "ns-1"]), everything()).await;
    assert_eq!(api.count("/api/v1/namespaces/ns-1"), 0);
    let refused =
        |event: &Event| matches!(event, Event::Refused { scope: ListScope::PodsOf(name), .. } if &**name == "ns-1");
    assert!(read.ended() && read.events.iter().any(refused));
}
