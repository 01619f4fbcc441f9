//! What a relist of a cluster asks for and says, when everything goes well or a right is missing.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use crate::fake_api::cluster::{FakeCluster, pod};
use crate::fake_api::fault::{Fault, On};
use crate::fake_api::reader::{Read, all, connect, include, relist, settings};
use crate::fake_api::server::FakeApi;
use kai::cluster::Progress;
use kai::inventory::{NamespacePattern, NamespaceSelection};
use kai::snapshot::{Event, ListScope, Object};
use rstest::rstest;
use serde_json::json;

async fn read(api: &FakeApi, selection: &NamespaceSelection) -> Read {
    let mut source = connect(&settings(&api.kubeconfig("{}"))).await.unwrap();
    relist(&mut source, selection).await
}

#[rstest]
#[case::plain(FakeCluster::of(3, 3))]
#[case::gzip(FakeCluster::of(3, 3).gzip())]
#[case::protobuf(FakeCluster::of(3, 3).protobuf())]
#[case::protobuf_and_gzip(FakeCluster::of(3, 3).protobuf().gzip())]
#[tokio::test]
async fn a_relist_reads_every_page_and_ends(#[case] cluster: FakeCluster) {
    let api = FakeApi::start(cluster).await;
    let read = read(&api, &all()).await;
    read.result.as_ref().unwrap();
    assert!(matches!(read.events.first(), Some(Event::RelistBegun(_))) && read.ended());
    assert_eq!(read.pods().len(), 9);
    assert_eq!(read.namespaces(), ["ns-0", "ns-1", "ns-2"]);
    // Nine pods in pages of two, three namespaces in pages of two, and no list of a single namespace.
    assert_eq!((api.count("/api/v1/pods"), api.count("/api/v1/namespaces"), api.count("/version")), (5, 2, 1));
    assert_eq!(api.asked().len(), 8);
}

#[tokio::test]
async fn protobuf_gives_the_same_events_as_json() {
    let mut shown = Vec::new();
    for cluster in [FakeCluster::of(2, 2), FakeCluster::of(2, 2).protobuf()] {
        let api = FakeApi::start(cluster).await;
        let events = read(&api, &include(&["ns-0", "ns-1"])).await.events;
        let pods = events.iter().filter(|event| matches!(event, Event::Applied(Object::Pod(_))));
        let mut pods: Vec<String> = pods.map(|event| format!("{event:?}")).collect();
        pods.sort();
        shown.push(pods);
    }
    assert_eq!(shown[0].len(), 4);
    assert_eq!(shown[0], shown[1]);
}

#[tokio::test]
async fn the_servers_version_and_the_image_are_in_the_events() {
    let api = FakeApi::start(FakeCluster::of(1, 1)).await;
    let read = read(&api, &all()).await;
    let Some(Event::Observed(end)) = read.events.last() else { panic!("{:?}", read.events) };
    assert_eq!(
        (end.server_version.git_version.as_str(), end.server_version.platform.as_str()),
        ("v1.37.2", "linux/amd64")
    );
    let image = read.events.iter().find_map(|event| match event {
        Event::Applied(Object::Pod(pod)) => Some(pod.containers[0].image.written().to_owned()),
        _ => None,
    });
    assert_eq!(image.as_deref(), Some("nginx:1.27"));
    assert!(!format!("{:?}", read.events).contains("s3cret"), "env must be skipped");
}

#[tokio::test]
async fn progress_knows_the_total_from_the_first_page() {
    let api = FakeApi::start(FakeCluster::of(1, 5)).await;
    let read = read(&api, &all()).await;
    let step = |pods| Progress { pods, total: Some(5) };
    assert_eq!(read.progress, [step(2), step(4), step(5)]);
}

#[tokio::test]
async fn an_empty_cluster_is_a_whole_answer() {
    let api = FakeApi::start(FakeCluster::default()).await;
    let read = read(&api, &all()).await;
    assert!(read.result.is_ok() && read.ended());
    assert!(read.pods().is_empty() && read.namespaces().is_empty());
}

#[tokio::test]
async fn every_poll_lists_once() {
    let api = FakeApi::start(FakeCluster::of(1, 1)).await;
    let mut source = connect(&settings(&api.kubeconfig("{}"))).await.unwrap();
    for polls in 1..=3 {
        relist(&mut source, &all()).await.result.unwrap();
        assert_eq!(api.count("/api/v1/pods"), polls);
    }
}

#[tokio::test]
async fn included_namespaces_are_listed_one_by_one_and_nothing_cluster_wide_is_asked() {
    let api = FakeApi::start(FakeCluster::of(4, 3).fault(On::Path("/api/v1/namespaces"), Fault::Forbidden)).await;
    let exclude = vec![NamespacePattern::parse("ns-3").unwrap()];
    let selection = NamespaceSelection::new(["ns-1", "ns-2", "ns-3"].map(Box::from), exclude);
    let read = read(&api, &selection).await;
    read.result.as_ref().unwrap();
    assert_eq!(read.pods().len(), 6);
    assert!(read.refusals().is_empty());
    let asked = |path| api.count(path);
    assert_eq!((asked("/api/v1/namespaces/ns-1/pods"), asked("/api/v1/namespaces/ns-2/pods")), (2, 2));
    assert_eq!((asked("/api/v1/pods"), asked("/api/v1/namespaces"), asked("/api/v1/namespaces/ns-3/pods")), (0, 0, 0));
}

#[tokio::test]
async fn no_more_namespaces_are_listed_at_once_than_there_are_workers() {
    let slow = Fault::Slow(std::time::Duration::from_millis(30));
    let api = FakeApi::start(FakeCluster::of(12, 1).fault(On::Everything, slow)).await;
    let names: Vec<String> = (0..12).map(|i| format!("ns-{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let read = read(&api, &include(&names)).await;
    assert_eq!(read.pods().len(), 12);
    // Three workers, and the one request for the version.
    assert!((3..=4).contains(&api.most_at_once()), "{}", api.most_at_once());
}

#[rstest]
#[case::unknown(None, true)]
#[case::may_not_be_asked(Some(Fault::Forbidden), false)]
#[tokio::test]
async fn an_empty_included_namespace_is_asked_for_by_name(#[case] fault: Option<Fault>, #[case] is_unknown: bool) {
    let mut cluster = FakeCluster::of(1, 1);
    if let Some(fault) = fault {
        cluster = cluster.fault(On::Path("/api/v1/namespaces/gone"), fault);
    }
    let api = FakeApi::start(cluster).await;
    let read = read(&api, &include(&["gone", "ns-0"])).await;
    assert!(read.ended());
    let unknown = |event: &Event| matches!(event, Event::NamespaceUnknown(name) if &**name == "gone");
    assert_eq!(read.events.iter().any(unknown), is_unknown);
    assert_eq!((api.count("/api/v1/namespaces/gone"), api.count("/api/v1/namespaces/ns-0")), (1, 0));
}

#[tokio::test]
async fn a_name_that_no_namespace_can_have_makes_no_request() {
    let api = FakeApi::start(FakeCluster::of(1, 1)).await;
    let read = read(&api, &include(&["../pods?x=", "-ns", "ns-0"])).await;
    let unknown = read.events.iter().filter(|event| matches!(event, Event::NamespaceUnknown(_)));
    assert_eq!(unknown.count(), 2);
    assert_eq!(api.asked().len(), 2, "{:?}", api.asked());
}

#[rstest]
#[case::json(FakeCluster::of(2, 1))]
#[case::protobuf(FakeCluster::of(2, 1).protobuf())]
#[tokio::test]
async fn a_refused_namespace_is_missing_with_verb_resource_and_scope(#[case] cluster: FakeCluster) {
    let api = FakeApi::start(cluster.fault(On::Path("/api/v1/namespaces/ns-1/pods"), Fault::Forbidden)).await;
    let read = read(&api, &include(&["ns-0", "ns-1"])).await;
    assert!(read.ended());
    assert_eq!(read.pods(), ["ns-0/web-0"]);
    let reason = "missing right: list pods in namespace ns-1 (pods is forbidden: User \"ann\" cannot list resource \
                  \"pods\" here)";
    assert_eq!(read.refusals(), [(ListScope::PodsOf("ns-1".into()), reason.to_owned())]);
}

#[tokio::test]
async fn a_right_taken_away_between_two_pages_leaves_no_half_list() {
    let cluster = FakeCluster::of(2, 3).fault(On::Page("/api/v1/namespaces/ns-1/pods", 2), Fault::Forbidden);
    let api = FakeApi::start(cluster).await;
    let read = read(&api, &include(&["ns-0", "ns-1"])).await;
    assert_eq!(read.pods().len(), 3);
    assert_eq!(read.refusals().len(), 1);
}

#[tokio::test]
async fn refused_namespaces_do_not_hide_readable_pods() {
    let api = FakeApi::start(FakeCluster::of(2, 1).fault(On::Path("/api/v1/namespaces"), Fault::Forbidden)).await;
    let read = read(&api, &all()).await;
    assert!(read.ended());
    assert_eq!(read.pods().len(), 2);
    let refusals = read.refusals();
    assert_eq!(refusals[0].0, ListScope::Namespaces);
    assert!(refusals[0].1.starts_with("missing right: list namespaces (namespaces is forbidden"), "{refusals:?}");
}

#[rstest]
#[case::cluster_wide(
    all(),
    "list pods in all namespaces",
    "bind a ClusterRole with the verb list on pods and namespaces"
)]
#[case::included(include(&["ns-0", "ns-1"]), "list pods in namespace ns-", "bind a Role with the verb list on pods")]
#[tokio::test]
async fn nothing_readable_is_an_error_that_names_the_right(
    #[case] selection: NamespaceSelection,
    #[case] right: &str,
    #[case] advice: &str,
) {
    let api = FakeApi::start(FakeCluster::of(2, 1).fault(On::Everything, Fault::Forbidden)).await;
    let read = read(&api, &selection).await;
    let message = read.message();
    assert!(!read.ended() && message.contains(right) && message.contains(advice), "{message}");
    assert!(message.contains(api.address()) && message.contains("context \"fake\""), "{message}");
}

#[rstest]
#[case::refused(Fault::Forbidden)]
#[case::not_there(Fault::Bare(404, "404 page not found"))]
#[case::nonsense(Fault::Body("[1"))]
#[tokio::test]
async fn a_server_that_hides_its_version_is_read_all_the_same(#[case] fault: Fault) {
    let api = FakeApi::start(FakeCluster::of(1, 1).fault(On::Path("/version"), fault)).await;
    let read = read(&api, &all()).await;
    let Some(Event::Observed(end)) = read.events.last() else { panic!("{:?}", read.result) };
    assert_eq!(end.server_version, kai::snapshot::ServerVersion::default());
    assert_eq!(read.pods().len(), 1);
}

#[tokio::test]
async fn a_malformed_object_is_skipped_and_the_rest_is_read() {
    let broken = json!({"metadata": {"name": "bad", "namespace": "ns-0"}, "spec": {"containers": "none"}});
    let api =
        FakeApi::start(FakeCluster::of(1, 1).with("ns-0", broken).with("ns-0", pod("ns-0", "late", "redis"))).await;
    let read = read(&api, &all()).await;
    assert!(read.ended());
    assert_eq!(read.pods(), ["ns-0/late", "ns-0/web-0"]);
    let skipped: Vec<&str> = read
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Skipped(item) => Some(&*item.item),
            _ => None,
        })
        .collect();
    assert_eq!(skipped, ["pod ns-0/bad"]);
}

#[tokio::test]
async fn completion_asks_for_namespaces_once_and_only_so_many() {
    let api = FakeApi::start(FakeCluster::of(5, 1)).await;
    let source = connect(&settings(&api.kubeconfig("{}"))).await.unwrap();
    assert_eq!(source.namespaces(3).await.unwrap(), ["ns-0", "ns-1", "ns-2"]);
    assert_eq!(api.asked(), ["/api/v1/namespaces?limit=3"]);

    api.change(|cluster| cluster.fault(On::Everything, Fault::Busy(503, None)));
    assert!(source.namespaces(3).await.is_err());
    assert_eq!(api.asked().len(), 2, "nobody at a prompt waits for a second try");
}
