//! The whole cluster is read, whatever its pages, and says what a plain reading of it says.

use std::fs;
use std::time::Duration;

use kai::cluster::{ClusterSource, Environment, install_crypto_provider};
use kai::config::{ClusterSettings, Impersonation, KubeconfigSource};
use kai::decode::{Encoding, ListDecoder, Records};
use kai::inventory::{NamespaceRecord, NamespaceSelection, NodeRecord, PodRecord};
use kai::snapshot::{Event, ListScope, Object};
use kai::testing::everything;
use serde_json::{Value, json};

use crate::harness::{
    Account, Audit, Cluster, Kai, Namespace, READERS, compact, eventually, expected_results, filled, filled_alone,
    results,
};

super::claims! {
    AnyCluster: one_shot_equals_a_plain_reading_of_kubectl_get,
        a_saved_dump_gives_the_results_of_the_cluster_itself;
    OwnControlPlane: both_decoders_give_equal_records_for_the_same_objects,
        pages_of_five_give_the_same_report,
        the_default_asks_for_no_more_pages_than_there_are,
        an_expired_continue_token_begins_the_list_again,
}

fn one_shot_equals_a_plain_reading_of_kubectl_get() {
    let (_turn, cluster) = filled();
    for (ignore_not_running, running_only) in [("true", true), ("false", false)] {
        // On a cluster of somebody else's pods come and go: kai's answer counts when kubectl's was the same before and
        // after it.
        let (expected, ended) = eventually("moment in which nothing changes", Duration::from_mins(2), || {
            let before = plain_reading(cluster, running_only);
            let ended = cluster.kai().env("KAI_IGNORE_NOT_RUNNING", ignore_not_running).run();
            if before == plain_reading(cluster, running_only) { Ok((before, ended)) } else { Err("changes".to_owned()) }
        });
        let ended = ended.ended_with(0);
        assert_eq!(results(&ended.stdout), expected);
        let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        let version: Value = serde_json::from_str(&cluster.kubectl(&["get", "--raw", "/version"])).expect("JSON");
        let said = &report["serverVersionMetadata"];
        for key in [
            "major",
            "minor",
            "gitVersion",
            "gitCommit",
            "gitTreeState",
            "buildDate",
            "goVersion",
            "compiler",
            "platform",
        ] {
            assert_eq!(said[key], version[key], "{key}");
        }
        assert_eq!(report["inventory_type"], "kubernetes");
    }
}

/// What comes over the wire is protobuf where the server offers it, and a dump is JSON: two decoders, equal results.
fn a_saved_dump_gives_the_results_of_the_cluster_itself() {
    let (_turn, cluster) = filled();
    let file = cluster.scratch("dump").join("cluster.json");
    let dump = |cluster: &Cluster| cluster.kubectl(&["get", "namespaces,pods", "-A", "-o", "json"]);
    let (saved, live) = eventually("moment in which nothing changes", Duration::from_mins(2), || {
        let saved = dump(cluster);
        let live = cluster.kai().run().ended_with(0);
        if saved == dump(cluster) { Ok((saved, live)) } else { Err("changes".to_owned()) }
    });
    fs::write(&file, saved).expect("the dump can be written");
    let read = Kai::bare().args(&["--input", file.to_str().expect("a path in UTF-8")]).run().ended_with(0);
    assert_eq!(results(&read.stdout), results(&live.stdout));
}

/// kai's own client is answered in protobuf, `kubectl get --raw` in JSON. All that can be kept is.
fn both_decoders_give_equal_records_for_the_same_objects() {
    let (_turn, cluster) = filled();
    let detail = everything();
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "reading", "labels": {"zone": "a"}, "annotations": {"note": "é"}},
        "status": {"nodeInfo": {
            "machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": "6.8.1", "osImage": "Debian 13",
            "containerRuntimeVersion": "containerd://2.1.0", "kubeletVersion": "v1.37.2", "kubeProxyVersion": "",
            "operatingSystem": "linux", "architecture": "arm64"
        }}
    });
    let created = cluster.try_kubectl(&["create", "-f", "-"], &node.to_string());
    assert!(created.status.success(), "kubectl create: {}", created.stderr);
    let mut records = Records::new(detail.clone());
    let mut events = Vec::new();
    for scope in [ListScope::AllPods, ListScope::Namespaces, ListScope::Nodes] {
        let path = match scope {
            ListScope::Namespaces => "/api/v1/namespaces",
            ListScope::Nodes => "/api/v1/nodes",
            ListScope::AllPods | ListScope::PodsOf(_) => "/api/v1/pods",
        };
        let body = cluster.kubectl(&["get", "--raw", path]);
        let mut decoder = ListDecoder::of_encoding(scope, Encoding::Json);
        decoder.push(body.as_bytes(), &mut records, &mut events).expect("a list in JSON");
        decoder.finish().expect("a whole list");
    }
    assert!(!events.iter().any(|event| matches!(event, Event::Skipped(_))), "no item is broken");
    let from_json = Objects::of(events);
    assert!(from_json.pods.len() > 500, "more than a page: {}", from_json.pods.len());
    assert!(!from_json.namespaces.is_empty());
    let [node] = from_json.nodes.as_slice() else { panic!("not one node: {:?}", from_json.nodes) };
    assert_eq!((&*node.architecture, &*node.container_runtime_version), ("arm64", "containerd://2.1.0"));
    assert!(node.metadata.label("zone").is_some() && node.metadata.annotations.iter().any(|(_, note)| &**note == "é"));

    install_crypto_provider();
    let settings = ClusterSettings {
        source: KubeconfigSource::Path(cluster.kubeconfig.clone()),
        context: None,
        name: None,
        request_timeout: Duration::from_mins(1),
        impersonation: Impersonation::default(),
        page_size: 500,
        workers: 1,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let from_protobuf = runtime.block_on(async {
        let source = ClusterSource::connect(&settings, &Environment::default()).await.expect("a connection");
        let mut source = source.with_detail(detail);
        let (sender, mut receiver) = tokio::sync::mpsc::channel(16);
        let relist = async {
            source.relist(&NamespaceSelection::default(), &sender, &|_| {}).await.expect("a relist");
            drop(sender);
        };
        let collect = async {
            let mut events = Vec::new();
            while let Some(batch) = receiver.recv().await {
                events.extend(batch);
            }
            events
        };
        let ((), events) = tokio::join!(relist, collect);
        Objects::of(events)
    });
    assert_eq!(from_json, from_protobuf);
}

/// The objects among events, each kind in one order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Objects {
    pods: Vec<PodRecord>,
    namespaces: Vec<NamespaceRecord>,
    nodes: Vec<NodeRecord>,
}

impl Objects {
    fn of(events: Vec<Event>) -> Self {
        let mut objects = Self::default();
        for event in events {
            match event {
                Event::Applied(Object::Pod(pod)) => objects.pods.push(pod),
                Event::Applied(Object::Namespace(namespace)) => objects.namespaces.push(namespace),
                Event::Applied(Object::Node(node)) => objects.nodes.push(node),
                _ => {}
            }
        }
        objects.pods.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        objects.namespaces.sort_by(|a, b| a.name.cmp(&b.name));
        objects.nodes.sort_by(|a, b| a.name.cmp(&b.name));
        objects
    }
}

fn pages_of_five_give_the_same_report() {
    let (_turn, cluster) = filled();
    let reader = Reader::new(cluster, "pages");
    let pods = reader.pods();
    let ended = reader.account.kai().env("KAI_KUBERNETES_REQUEST_BATCH_SIZE", "5").run().ended_with(0);
    assert_eq!(results(&ended.stdout), plain_reading(reader.cluster, true));
    let asked = reader.asked();
    assert_eq!(asked.pods, pods.div_ceil(5), "{asked:?}");
    assert_eq!(asked.others, 1, "{asked:?}");
}

fn the_default_asks_for_no_more_pages_than_there_are() {
    let (_turn, cluster) = filled();
    let reader = Reader::new(cluster, "requests");
    let pods = reader.pods();
    reader.account.kai().run().ended_with(0);
    let asked = reader.asked();
    assert!(pods > 500, "one page would prove nothing: {pods} pods");
    assert_eq!((asked.pods, asked.namespaces, asked.others), (pods.div_ceil(500), 1, 1), "{asked:?}");
}

fn an_expired_continue_token_begins_the_list_again() {
    // What others read in pages would expire too.
    let (_turn, cluster) = filled_alone();
    let reader = Reader::new(cluster, "expired");
    let running = reader.account.kai().env("KAI_KUBERNETES_REQUEST_BATCH_SIZE", "2").start();
    eventually("tenth page", Duration::from_mins(1), || {
        let pages = reader.asked().pods;
        if pages >= 10 { Ok(()) } else { Err(format!("{pages} pages; {}", running.stderr())) }
    });
    compact(reader.cluster.plane());
    let ended = running.ended().ended_with(0);
    assert_eq!(results(&ended.stdout), plain_reading(reader.cluster, true));
    let asked = reader.asked();
    assert!(asked.expired >= 1, "no token expired, so nothing was shown: {asked:?}");
}

/// The results worked out from what kubectl says of namespaces and pods.
fn plain_reading(cluster: &Cluster, running_only: bool) -> Value {
    expected_results(&cluster.kubectl_json(&["get", "namespaces,pods", "-A", "-o", "json"]), running_only)
}

/// An account of one claim, so that the audit log tells its requests from those of others.
struct Reader {
    cluster: &'static Cluster,
    account: Account<'static>,
    before: usize,
}

/// How often the server was asked, and for what.
#[derive(Debug, Default)]
struct Asked {
    pods: u64,
    namespaces: u64,
    others: u64,
    expired: u64,
}

impl Reader {
    fn new(cluster: &'static Cluster, purpose: &str) -> Self {
        // Never dropped, so never removed.
        let namespace = Box::leak(Box::new(Namespace { cluster, name: READERS.to_owned() }));
        let account = namespace.account(purpose);
        account.let_list("pods,namespaces");
        let before = cluster.audit().len();
        Self { cluster, account, before }
    }

    fn pods(&self) -> u64 {
        let names = self.cluster.kubectl(&["get", "pods", "-A", "-o", "name"]);
        names.lines().count().try_into().expect("not that many")
    }

    fn asked(&self) -> Asked {
        let audit: Audit = self.cluster.audit();
        let mut asked = Asked::default();
        for (path, status) in audit.of_user(&self.account.user(), self.before) {
            match path.split('?').next() {
                Some("/api/v1/pods") => asked.pods += 1,
                Some("/api/v1/namespaces") => asked.namespaces += 1,
                _ => asked.others += 1,
            }
            asked.expired += u64::from(status == 410);
        }
        asked
    }
}
