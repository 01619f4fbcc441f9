//! What Anchore is sent of a hundred thousand realistic pods, in both forms: bytes a second on one core in two passes, beside
//! serde_json on a tree of the same payload that is ready made, and the memory that a push takes beside the snapshot.

#[expect(dead_code, reason = "records are made from its pods: what writes pages and dumps is for others")]
mod realistic;

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use jiff::Timestamp;
use kai::inventory::{
    ContainerKind, ContainerState, Interner, KeyFilter, KeyValues, Metadata, MetadataRule, NamespaceRecord,
    NamespaceSelection, NodeRecord, Phase, PodGenerations, PodRecord, ReportPolicy, SpecEntry, StatusEntry,
    read_container,
};
use kai::push::{Body, Coding};
use kai::snapshot::{Event, Observation, PodIndex, Snapshot};
use kai::views::{Payload, PayloadForm, PayloadLimits, PayloadRequest};
use peak_alloc::PeakAlloc;
use realistic::{Cluster, namespace};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const PODS: u64 = 100_000;
/// From few large namespaces to many small ones: the report says an image once for each namespace.
const NAMESPACES: [u64; 3] = [50, 1_000, 5_000];
/// The best of many is what the machine can do, whatever else it does meanwhile.
const ROUNDS: usize = 40;
const LIMIT: u64 = 5_000_000;
/// MB/s on one core.
const BAR: u32 = 200;
/// MiB beside the snapshot.
const MEMORY_BAR: u32 = 4;
/// Replicas of a workload among the invented pods.
const REPLICAS: u64 = 4;
/// Odd: no two products with it are equal.
const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

fn main() -> io::Result<()> {
    for namespaces in NAMESPACES {
        let snapshot = snapshot(Cluster { pods: PODS, namespaces });
        writeln!(io::stdout(), "{PODS} pods in {namespaces} namespaces, best of {ROUNDS} in turn:")?;
        measure(&snapshot, "inventories", PayloadForm::Inventories, |body| {
            let tree: ReportTree = serde_json::from_slice(body).expect("the payload");
            Box::new(move || serde_json::to_vec(&tree).expect("JSON"))
        })?;
        measure(&snapshot, "kubernetes-inventory", PayloadForm::KubernetesInventory, |body| {
            let tree: Tree = serde_json::from_slice(body).expect("the payload");
            Box::new(move || serde_json::to_vec(&tree).expect("JSON"))
        })?;
    }
    Ok(())
}

/// Prints what a form takes. `baseline` gives the serialization of a tree of the body's content.
fn measure(
    snapshot: &Arc<Snapshot>,
    name: &str,
    form: PayloadForm,
    baseline: impl FnOnce(&[u8]) -> Box<dyn Fn() -> Vec<u8>>,
) -> io::Result<()> {
    let request = |bytes: Option<u64>| request(snapshot, form, bytes);
    let mut body = Vec::new();
    for payload in request(None).payloads() {
        payload.body.write_to(&mut body)?;
    }
    let to_vec = baseline(&body);
    assert_eq!(to_vec().len(), body.len(), "the tree has the same content");
    let (mut ours, mut split, mut theirs) = (Duration::MAX, Duration::MAX, Duration::MAX);
    // Each of many has the nodes that its pods need.
    let in_many: u64 = request(Some(LIMIT)).payloads().map(|payload| payload.body.length()).sum();
    for _ in 0..ROUNDS {
        ours = ours.min(time(|| request(None).payloads().map(|payload| write(&payload)).sum::<u64>()));
        split = split.min(time(|| request(Some(LIMIT)).payloads().map(|payload| write(&payload)).sum::<u64>()));
        theirs = theirs.min(time(&to_vec));
    }
    let whole = body.len() as u64;
    let rate = |bytes: u64, time: Duration| megabytes(bytes) / time.as_secs_f64();
    writeln!(
        io::stdout(),
        "  {name}: {:.1} MB planned and written in {ours:.1?}, {:.0} MB/s; in payloads of {} MB {:.1} MB in all, {:.0} MB/s (bar: {BAR} MB/s); \
         serde_json::to_vec of a ready tree {:.0} MB/s, {:.2} of it",
        megabytes(whole),
        rate(whole, ours),
        LIMIT / 1_000_000,
        megabytes(in_many),
        rate(in_many, split),
        rate(whole, theirs),
        theirs.as_secs_f64() / ours.as_secs_f64(),
    )?;
    drop((body, to_vec));
    for bytes in [None, Some(LIMIT)] {
        for compress in [false, true] {
            let (largest, added) = peak(request(bytes), compress);
            let how = if compress { ", compressed" } else { "" };
            writeln!(
                io::stdout(),
                "  {name}: largest payload {:.2} MB{how}, peak memory added {:.2} MiB (bar: {MEMORY_BAR} MiB)",
                megabytes(largest),
                mebibytes(added),
            )?;
            assert!(mebibytes(added) <= f64::from(MEMORY_BAR), "a push takes more memory than it may");
        }
    }
    Ok(())
}

/// Length of the largest payload, and how far memory grew while each was planned and sent, as the client takes it, before
/// the next.
fn peak(request: PayloadRequest, compress: bool) -> (u64, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let largest = request.payloads().map(|payload| runtime.block_on(send(payload, compress))).max();
    (largest.expect("a payload"), ALLOCATED.peak_usage() - before)
}

/// Takes the chunks of a payload.
async fn send(payload: Payload, compress: bool) -> u64 {
    let length = payload.body.length();
    let body = Body::from(payload.body);
    let coding = if compress { body.gzip().await } else { Coding::Identity };
    let mut stream = body.stream(coding);
    while let Some(frame) = stream.frame().await {
        black_box(frame.expect("a chunk"));
    }
    length
}

/// Writes a payload in chunks, on this thread.
fn write(payload: &Payload) -> u64 {
    struct Taken;
    impl Write for Taken {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(black_box(bytes).len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    payload.body.write_to(BufWriter::with_capacity(64 * 1024, Taken)).expect("every byte is taken");
    payload.body.length()
}

fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = Instant::now();
    black_box(work());
    begun.elapsed()
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / 1_048_576.0
}

fn request(snapshot: &Arc<Snapshot>, form: PayloadForm, bytes: Option<u64>) -> PayloadRequest {
    PayloadRequest {
        snapshot: Arc::clone(snapshot),
        timestamp: snapshot.observed_at(),
        namespaces: snapshot.namespaces().iter().cloned().collect(),
        policy: ReportPolicy::default(),
        form,
        limits: PayloadLimits { namespaces: None, bytes },
        namespace_rule: MetadataRule { labels: KeyFilter::All, annotations: KeyFilter::All },
        with_idle_nodes: true,
        at_least_one: true,
    }
}

/// The KAI report as owned structs.
#[derive(Serialize, Deserialize)]
struct ReportTree {
    timestamp: String,
    results: Vec<ImagesOfTree>,
    #[serde(rename = "serverVersionMetadata")]
    server_version_metadata: BTreeMap<String, String>,
    cluster_name: String,
    inventory_type: String,
}

#[derive(Serialize, Deserialize)]
struct ImagesOfTree {
    namespace: String,
    images: Vec<ImageOfTree>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImageOfTree {
    tag: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    repo_digest: Option<String>,
}

/// The payload for k8s-inventory as owned structs.
#[derive(Serialize, Deserialize)]
struct Tree {
    cluster_name: String,
    #[serde(rename = "serverVersionMetadata")]
    server_version_metadata: BTreeMap<String, String>,
    timestamp: String,
    namespaces: Vec<BTreeMap<String, Value>>,
    nodes: Vec<BTreeMap<String, Value>>,
    pods: Vec<PodOfTree>,
    containers: Vec<ContainerOfTree>,
}

#[derive(Serialize, Deserialize)]
struct PodOfTree {
    name: String,
    uid: String,
    namespace_uid: String,
    node_uid: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct ContainerOfTree {
    id: String,
    name: String,
    image_tag: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_digest: Option<String>,
    pod_uid: String,
}

/// The snapshot of the cluster with everything that is sent kept.
fn snapshot(cluster: Cluster) -> Arc<Snapshot> {
    let mut interner = Interner::default();
    let mut index = PodIndex::new("bench", NamespaceSelection::default());
    let mut nodes = BTreeSet::new();
    for position in 0..cluster.namespaces {
        let object = namespace(position);
        let record = NamespaceRecord {
            name: interner.string(text(&object["metadata"]["name"])),
            uid: Some(text(&object["metadata"]["uid"]).into()),
            metadata: metadata(&object["metadata"], &mut interner),
        };
        index.apply(Event::from(record));
    }
    // In the order of the namespaces, as an API server lists them: what is read together lies together.
    let mut positions: Vec<u64> = (0..cluster.pods).collect();
    positions.sort_by_key(|position| position / REPLICAS % cluster.namespaces);
    for position in positions {
        let pod = pod_record(position, &cluster.pod(position), &mut interner);
        nodes.extend(pod.node.clone());
        index.apply(Event::from(pod));
    }
    for name in nodes {
        let labels =
            [("kubernetes.io/arch", "amd64"), ("kubernetes.io/hostname", &*name), ("kubernetes.io/os", "linux")];
        let labels = labels.map(|(key, value)| (interner.string(key), interner.string(value))).into();
        index.apply(Event::from(NodeRecord {
            name,
            architecture: "amd64".into(),
            operating_system: "linux".into(),
            kernel_version: "6.12.41".into(),
            kubelet_version: "v1.37.2".into(),
            container_runtime_version: "containerd://2.2.0".into(),
            metadata: Metadata { labels, annotations: KeyValues::default() },
            ..NodeRecord::default()
        }));
    }
    index.apply(Event::Observed(Observation::at(Timestamp::UNIX_EPOCH)));
    index.publish().expect("a snapshot").snapshot
}

fn pod_record(position: u64, pod: &Value, interner: &mut Interner) -> PodRecord {
    let (spec, status) = (&pod["spec"], &pod["status"]);
    let mut containers = Vec::new();
    for (list, statuses, kind) in [
        ("initContainers", "initContainerStatuses", ContainerKind::Init),
        ("containers", "containerStatuses", ContainerKind::Container),
    ] {
        let entries =
            spec[list].as_array().expect("containers").iter().zip(status[statuses].as_array().expect("statuses"));
        for (container, status) in entries {
            let spec = SpecEntry { name: text(&container["name"]), kind, image: text(&container["image"]) };
            // Those of the invented pods are of few digits, and some are there twice.
            let id = format!(
                "containerd://{:064x}",
                (u128::from(position) << 64 | containers.len() as u128).wrapping_mul(SPREAD)
            );
            let status = StatusEntry {
                image: text(&status["image"]),
                image_id: text(&status["imageID"]),
                state: ContainerState::Running,
                container_id: &id,
                ..StatusEntry::default()
            };
            containers.push(read_container(spec, status, PodGenerations::default(), interner));
        }
    }
    PodRecord {
        namespace: interner.string(text(&pod["metadata"]["namespace"])),
        name: text(&pod["metadata"]["name"]).into(),
        uid: Some(text(&pod["metadata"]["uid"]).into()),
        phase: Phase::of_word(text(&status["phase"])),
        node: Some(interner.string(text(&spec["nodeName"]))),
        owner: None,
        containers: containers.into(),
        stray_statuses: Box::new([]),
        metadata: Some(Box::new(metadata(&pod["metadata"], interner))),
    }
}

fn metadata(object: &Value, interner: &mut Interner) -> Metadata {
    let mut values = |key: &str| -> KeyValues {
        let pairs = object[key].as_object().into_iter().flatten();
        pairs.map(|(key, value)| (interner.string(key), interner.string(text(value)))).collect()
    };
    Metadata { labels: values("labels"), annotations: values("annotations") }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
