//! Invented clusters for tests and benches: what a source sends of them, and what an index makes of that.

use std::sync::Arc;

use jiff::Timestamp;

use crate::inventory::{
    ContainerKind, ContainerRecord, ContainerState, Detail, Interner, KeyFilter, MetadataRule, NamespaceRecord,
    NamespaceSelection, Phase, PodGenerations, PodRecord, SpecEntry, StatusEntry, read_container,
};
use crate::snapshot::{Event, ListScope, Observation, PodIndex, ServerVersion, SkippedItem, Snapshot};

/// A cluster to be read.
#[derive(Debug)]
pub struct Cluster {
    lists: Vec<ListScope>,
    events: Vec<Event>,
    observation: Observation,
}

/// A cluster with nothing in it, whose namespaces, pods and nodes are listed as a whole.
#[must_use]
pub fn cluster() -> Cluster {
    let server_version = ServerVersion { git_version: "v1.37.2".to_owned(), ..ServerVersion::default() };
    let observed_at = Timestamp::constant(1_800_000_000, 0);
    Cluster {
        lists: vec![ListScope::Namespaces, ListScope::AllPods, ListScope::Nodes],
        events: Vec::new(),
        observation: Observation { server_version, ..Observation::at(observed_at) },
    }
}

impl Cluster {
    /// Only these lists are read.
    #[must_use]
    pub fn lists(self, lists: impl IntoIterator<Item = ListScope>) -> Self {
        Self { lists: lists.into_iter().collect(), ..self }
    }

    /// With a namespace.
    #[must_use]
    pub fn namespace(self, name: &str) -> Self {
        self.with([namespace(name)])
    }

    /// With a running pod: its namespace and name, and its image.
    #[must_use]
    pub fn pod(self, path: &str, image: &str) -> Self {
        self.with([pod(path, image)])
    }

    /// With these objects, or whatever else a source may find.
    #[must_use]
    pub fn with<E: Into<Event>>(mut self, events: impl IntoIterator<Item = E>) -> Self {
        self.events.extend(events.into_iter().map(E::into));
        self
    }

    /// As it was then.
    #[must_use]
    pub fn at(mut self, time: &str) -> Self {
        self.observation.observed_at = time.parse().expect("a time of RFC 3339");
        self
    }

    /// Not read to its end.
    #[must_use]
    pub fn cut_short(mut self, reason: Option<Arc<str>>) -> Self {
        self.observation.cut_short = reason;
        self
    }

    /// One relist of it.
    #[must_use]
    pub fn relist(self) -> Vec<Event> {
        let begun = self.lists.clone().into_iter().map(Event::RelistBegun);
        let ended = self.lists.into_iter().map(Event::RelistEnded);
        begun.chain(self.events).chain(ended).chain([Event::Observed(self.observation)]).collect()
    }

    /// The newest snapshot of the index after one relist.
    pub fn relist_into(self, index: &mut PodIndex) -> Arc<Snapshot> {
        self.relist().into_iter().for_each(|event| index.apply(event));
        index.publish();
        Arc::clone(index.snapshot().expect("a relist that was observed"))
    }

    /// The snapshot of all of it.
    #[must_use]
    pub fn snapshot(self) -> Arc<Snapshot> {
        self.relist_into(&mut PodIndex::new("demo", NamespaceSelection::default()))
    }
}

/// A running pod of one container: its namespace and name, and its image.
#[must_use]
pub fn pod(path: &str, image: &str) -> PodRecord {
    let (namespace, name) = path.split_once('/').expect("namespace/name");
    pod_of(namespace, name, [container("app", image, "")])
}

/// A running pod of these containers.
#[must_use]
pub fn pod_of(namespace: &str, name: &str, containers: impl IntoIterator<Item = ContainerRecord>) -> PodRecord {
    PodRecord {
        namespace: namespace.into(),
        name: name.into(),
        uid: None,
        phase: Phase::Running,
        node: None,
        owner: None,
        containers: containers.into_iter().collect(),
        stray_statuses: [].into(),
        metadata: None,
    }
}

/// A running container; the `imageID` is what its node reports, if anything.
#[must_use]
pub fn container(name: &str, image: &str, image_id: &str) -> ContainerRecord {
    let spec = SpecEntry { name, kind: ContainerKind::Container, image };
    let status = StatusEntry { image_id, state: ContainerState::Running, ..StatusEntry::default() };
    read_container(spec, status, PodGenerations::default(), &mut Interner::default())
}

/// A namespace is there.
#[must_use]
pub fn namespace(name: &str) -> Event {
    Event::from(NamespaceRecord::named(name))
}

/// The list of the pods of one namespace.
#[must_use]
pub fn pods_of(namespace: &str) -> ListScope {
    ListScope::PodsOf(namespace.into())
}

/// A list is refused.
#[must_use]
pub fn refused(scope: ListScope, reason: &str) -> Event {
    Event::Refused { scope, reason: reason.into() }
}

/// An item of the list of all pods cannot be read.
#[must_use]
pub fn skipped(namespace: Option<&str>, item: &str) -> Event {
    Event::Skipped(SkippedItem {
        scope: ListScope::AllPods,
        namespace: namespace.map(Into::into),
        item: item.into(),
        problem: "spec.containers: missing".into(),
    })
}

/// Everything is kept that can be.
#[must_use]
pub fn everything() -> Detail {
    let rule = || MetadataRule { labels: KeyFilter::All, annotations: KeyFilter::All };
    Detail {
        pods: rule(),
        namespaces: rule(),
        namespace_label: None,
        nodes: Some(rule()),
        namespace_objects: true,
        container_ids: true,
    }
}
