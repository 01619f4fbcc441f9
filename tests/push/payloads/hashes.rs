//! The hash of what is sent: another one for every change of it, and for nothing else.

use jiff::Timestamp;
use kai::inventory::{NodeRecord, PodRecord};
use kai::snapshot::Event;
use kai::views::{PayloadForm, PayloadRequest};
use rstest::rstest;

use super::cluster::{labels, node, request, snapshot, web};

use PayloadForm::{Inventories, KubernetesInventory};

#[derive(Clone)]
struct Cluster {
    node: NodeRecord,
    pod: PodRecord,
}

fn hash(cluster: &Cluster, form: PayloadForm) -> String {
    let snapshot = snapshot([Event::Node(cluster.node.clone()), Event::Pod(cluster.pod.clone())]);
    request(&snapshot, form).content_hash().to_string()
}

#[rstest]
#[case::nothing(|_| {}, [false, false])]
#[case::label_of_the_node(|cluster| cluster.node.metadata = labels(&[("zone", "b")]), [true, false])]
#[case::kernel(|cluster| cluster.node.kernel_version = "6.12".into(), [true, false])]
#[case::runtime(|cluster| cluster.node.container_runtime_version = "containerd://2".into(), [true, false])]
#[case::uid_of_the_node(|cluster| cluster.node.uid = Some("1".into()), [true, false])]
#[case::label_of_the_pod(|cluster| cluster.pod.metadata = Some(Box::new(labels(&[("a", "b")]))), [true, false])]
#[case::another_pod(|cluster| cluster.pod.name = "web-2".into(), [true, false])]
#[case::another_image(
    |cluster| cluster.pod = super::cluster::pod("apps", "web", &[crate::cluster::Container::new("app", "nginx:2", "", "")]),
    [true, true],
)]
fn a_change_of_what_is_sent_changes_the_hash(#[case] change: fn(&mut Cluster), #[case] changes: [bool; 2]) {
    let before = Cluster { node: node("node-1"), pod: web("apps", "web") };
    let mut after = before.clone();
    change(&mut after);
    for (form, changed) in [KubernetesInventory, Inventories].into_iter().zip(changes) {
        assert_eq!(hash(&before, form) != hash(&after, form), changed, "{form:?}");
    }
}

#[test]
fn the_time_is_not_content() {
    let snapshot = snapshot([Event::Pod(web("apps", "web"))]);
    let now = request(&snapshot, Inventories);
    let later = PayloadRequest { timestamp: Timestamp::MAX, ..now.clone() };
    assert_eq!(now.content_hash(), later.content_hash());
}
