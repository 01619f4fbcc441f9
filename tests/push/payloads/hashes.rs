//! The hash of what is sent: another one for every change of it, and for nothing else.

use jiff::Timestamp;
use kai::inventory::{NodeRecord, PodRecord};
use kai::snapshot::Event;
use kai::views::{PayloadForm, PayloadRequest};

use super::cluster::{Container, labels, node, pod, request, snapshot, web};

use PayloadForm::{Inventories, KubernetesInventory};

#[derive(Clone)]
struct Cluster {
    node: NodeRecord,
    pod: PodRecord,
}

fn hash(cluster: &Cluster, form: PayloadForm) -> String {
    let snapshot = snapshot([Event::from(cluster.node.clone()), Event::from(cluster.pod.clone())]);
    request(&snapshot, form).content_hash().to_string()
}

/// What is changed, and whether that changes what each form is sent as.
type Change = (fn(&mut Cluster), [bool; 2]);

#[test]
fn a_change_of_what_is_sent_changes_the_hash() {
    let before = Cluster { node: node("node-1"), pod: web("apps", "web") };
    let changes: [Change; 8] = [
        (|_| {}, [false, false]),
        (|cluster| cluster.node.metadata = labels(&[("zone", "b")]), [true, false]),
        (|cluster| cluster.node.kernel_version = "6.12".into(), [true, false]),
        (|cluster| cluster.node.container_runtime_version = "containerd://2".into(), [true, false]),
        (|cluster| cluster.node.uid = Some("1".into()), [true, false]),
        (|cluster| cluster.pod.metadata = Some(Box::new(labels(&[("a", "b")]))), [true, false]),
        (|cluster| cluster.pod.name = "web-2".into(), [true, false]),
        (|cluster| cluster.pod = pod("apps", "web", &[Container::new("app", "nginx:2", "", "")]), [true, true]),
    ];
    for (position, (change, changed)) in changes.into_iter().enumerate() {
        let mut after = before.clone();
        change(&mut after);
        for (form, changed) in [KubernetesInventory, Inventories].into_iter().zip(changed) {
            assert_eq!(hash(&before, form) != hash(&after, form), changed, "change {position}, {form:?}");
        }
    }
}

#[test]
fn the_time_is_not_content() {
    let snapshot = snapshot([Event::from(web("apps", "web"))]);
    let now = request(&snapshot, Inventories);
    let later = PayloadRequest { timestamp: Timestamp::MAX, ..now.clone() };
    assert_eq!(now.content_hash(), later.content_hash());
}
