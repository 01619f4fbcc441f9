//! The whole cluster is read, whatever its pages, and says what a plain reading of it says.

use std::fs;
use std::time::Duration;

use kai::cluster::{ClusterSource, Environment, install_crypto_provider};
use kai::config::{ClusterSettings, KubeconfigSource};
use kai::decode::{Encoding, ListDecoder, Records};
use kai::inventory::{Detail, KeyFilter, MetadataRule, NamespaceSelection, PodRecord};
use kai::snapshot::{Event, ListScope};
use serde_json::Value;

use crate::harness::{
    Account, Audit, Cluster, Kai, Namespace, READERS, compact, eventually, expected_results, filled, filled_alone,
    results,
};

super::claims! {
    AnyCluster: one_shot_equals_a_plain_reading_of_kubectl_get,
        a_saved_dump_gives_the_results_of_the_cluster_itself;
    OwnControlPlane: both_decoders_give_equal_records_for_the_same_pods,
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

/// kai's own client is answered in protobuf, `kubectl get --raw` in JSON.
fn both_decoders_give_equal_records_for_the_same_pods() {
    let (_turn, cluster) = filled();
    let body = cluster.kubectl(&["get", "--raw", "/api/v1/pods"]);
    let mut decoder = ListDecoder::of_encoding(ListScope::AllPods, Encoding::Json);
    let mut events = Vec::new();
    let rule = || MetadataRule { labels: KeyFilter::All, annotations: KeyFilter::All };
    let detail = Detail { pods: rule(), container_ids: true, ..Detail::default() };
    decoder.push(body.as_bytes(), &mut Records::new(detail.clone()), &mut events).expect("a list in JSON");
    let from_json = pods_of(events);
    assert_eq!(decoder.finish().expect("a whole list").items, from_json.len() as u64, "no item is broken");
    assert!(from_json.len() > 500, "more than a page: {}", from_json.len());

    install_crypto_provider();
    let settings = ClusterSettings {
        source: KubeconfigSource::Path(cluster.kubeconfig.clone()),
        context: None,
        name: None,
        request_timeout: Duration::from_mins(1),
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
        pods_of(events)
    });
    assert_eq!(from_json, from_protobuf);
}

/// The pods among events, in one order.
fn pods_of(events: Vec<Event>) -> Vec<PodRecord> {
    let mut pods: Vec<PodRecord> = events
        .into_iter()
        .filter_map(|event| match event {
            Event::Pod(pod) => Some(pod),
            _ => None,
        })
        .collect();
    pods.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    pods
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
