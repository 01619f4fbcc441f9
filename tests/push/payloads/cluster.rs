//! Clusters to be sent, told in events.

use std::sync::Arc;

use kai::inventory::{
    ContainerKind, ContainerRecord, ContainerState, Interner, KeyFilter, KeyValues, Metadata, MetadataRule,
    NamespacePattern, NamespaceSelection, NodeRecord, PodGenerations, PodRecord, ReportPolicy, SpecEntry, StatusEntry,
    read_container,
};
use kai::snapshot::{Event, PodIndex, Snapshot};
use kai::testing::{cluster, pod_of};
use kai::views::{Payload, PayloadForm, PayloadLimits, PayloadRequest};
use serde_json::Value;

use crate::anchore_schema::assert_valid;

pub(crate) const HEX: &str = "b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628";
pub(crate) const OTHER_HEX: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// A container as spec and status have it; `{H}` and `{O}` in texts stand for digests' hex.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) kind: ContainerKind,
    pub(crate) image: String,
    pub(crate) status_image: String,
    pub(crate) running: String,
    pub(crate) id: String,
    /// The node has not done what the spec asks for.
    pub(crate) behind: bool,
}

impl Container {
    pub(crate) fn new(name: &str, image: &str, running: &str, id: &str) -> Self {
        let (kind, status_image) = (ContainerKind::Container, String::new());
        let [name, image, running, id] = [name, image, running, id].map(String::from);
        Self { name, kind, image, status_image, running, id, behind: false }
    }

    fn record(&self, interner: &mut Interner) -> ContainerRecord {
        let fill = |text: &str| text.replace("{H}", HEX).replace("{O}", OTHER_HEX);
        let (image, status_image, running) = (fill(&self.image), fill(&self.status_image), fill(&self.running));
        let spec = SpecEntry { name: &self.name, kind: self.kind, image: &image };
        let status = StatusEntry {
            image: &status_image,
            image_id: &running,
            state: ContainerState::Running,
            container_id: &self.id,
            ..StatusEntry::default()
        };
        let generations = PodGenerations { generation: Some(2), observed: Some(if self.behind { 1 } else { 2 }) };
        read_container(spec, status, generations, interner)
    }
}

pub(crate) fn pod(namespace: &str, name: &str, containers: &[Container]) -> PodRecord {
    let mut interner = Interner::default();
    pod_of(namespace, name, containers.iter().map(|container| container.record(&mut interner)))
}

/// A pod of one container that runs `nginx:1` and has no id.
pub(crate) fn web(namespace: &str, name: &str) -> PodRecord {
    pod(namespace, name, &[Container::new("app", "nginx:1", "", "")])
}

pub(crate) fn values(pairs: &[(&str, &str)]) -> KeyValues {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

pub(crate) fn labels(pairs: &[(&str, &str)]) -> Metadata {
    Metadata { labels: values(pairs), annotations: KeyValues::default() }
}

pub(crate) fn node(name: &str) -> NodeRecord {
    NodeRecord { name: name.into(), ..NodeRecord::default() }
}

/// The snapshot of a cluster named `prod-eu-1` with these events, told as cluster-wide lists.
pub(crate) fn snapshot(events: impl IntoIterator<Item = Event>) -> Arc<Snapshot> {
    snapshot_of(NamespaceSelection::default(), events)
}

/// The snapshot of these namespaces alone; those of them that nothing tells of do not exist.
pub(crate) fn snapshot_including(include: &[&str], events: impl IntoIterator<Item = Event>) -> Arc<Snapshot> {
    let include = include.iter().map(|name| Box::from(*name));
    snapshot_of(NamespaceSelection::new(include, Vec::<NamespacePattern>::new()), events)
}

fn snapshot_of(selection: NamespaceSelection, events: impl IntoIterator<Item = Event>) -> Arc<Snapshot> {
    cluster().with(events).relist_into(&mut PodIndex::new("prod-eu-1", selection))
}

/// Everything of the snapshot in that form, unlimited.
pub(crate) fn request(snapshot: &Arc<Snapshot>, form: PayloadForm) -> PayloadRequest {
    PayloadRequest {
        snapshot: Arc::clone(snapshot),
        timestamp: snapshot.observed_at(),
        namespaces: snapshot.namespaces().iter().cloned().collect(),
        policy: ReportPolicy::default(),
        form,
        limits: PayloadLimits::default(),
        namespace_rule: MetadataRule { labels: KeyFilter::All, annotations: KeyFilter::All },
        with_idle_nodes: false,
        at_least_one: false,
    }
}

pub(crate) fn limits(namespaces: Option<usize>, bytes: Option<u64>) -> PayloadLimits {
    PayloadLimits { namespaces, bytes }
}

/// The body as text. Its length is held to what the payload says of it.
pub(crate) fn text(payload: &Payload) -> String {
    let mut body = Vec::new();
    payload.body.write_to(&mut body).expect("a vector takes all");
    assert_eq!(body.len() as u64, payload.body.length(), "the length of the body");
    String::from_utf8(body).expect("UTF-8")
}

/// Every payload of the request with its body, which the receiver would take, and whose counts are right.
pub(crate) fn sent(request: PayloadRequest) -> Vec<(Payload, Value)> {
    let form = request.form;
    let payloads = request.payloads().map(|payload| {
        let body: Value = serde_json::from_str(&text(&payload)).expect("JSON");
        assert_valid(form, &body);
        let count = |list: &Value| list.as_array().map_or(0, Vec::len);
        let (namespaces, containers) = match form {
            PayloadForm::Inventories => {
                let results = body["results"].as_array().expect("results");
                (results.len(), results.iter().map(|namespace| count(&namespace["images"])).sum())
            }
            PayloadForm::KubernetesInventory => (count(&body["namespaces"]), count(&body["containers"])),
        };
        let counted = (payload.namespaces, payload.pods, payload.containers);
        assert_eq!(counted, (namespaces, count(&body["pods"]), containers), "the counts of {payload:?}");
        (payload, body)
    });
    payloads.collect()
}

/// The body of a request that takes one payload.
pub(crate) fn body(request: PayloadRequest) -> Value {
    let mut sent = sent(request);
    assert_eq!(sent.len(), 1, "payloads");
    sent.remove(0).1
}

/// The elements of a list of the body; none when it is absent.
pub(crate) fn list<'a>(body: &'a Value, name: &str) -> &'a [Value] {
    body[name].as_array().map_or(&[], Vec::as_slice)
}
