//! An invented cluster, told in events.

use std::sync::Arc;

use jiff::Timestamp;
use kai::inventory::{
    ContainerKind, ContainerState, Interner, NamespacePattern, NamespaceRecord, NamespaceSelection, Phase,
    PodGenerations, PodRecord, SpecEntry, StatusEntry, read_container,
};
use kai::snapshot::{Event, ListScope, Observation, PodIndex, ServerVersion, SkippedItem, Snapshot};

/// A manifest digest.
pub(crate) const DIGEST: &str = "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628";

/// A running pod of one container; `running` is the `imageID` that the node reports.
pub(crate) fn pod(namespace: &str, name: &str, image: &str, running: &str) -> PodRecord {
    let mut interner = Interner::default();
    let spec = SpecEntry { name: "app", kind: ContainerKind::Container, image };
    let status =
        StatusEntry { image: "", image_id: running, state: ContainerState::Running, reason: "", container_id: "" };
    PodRecord {
        namespace: namespace.into(),
        name: name.into(),
        uid: None,
        phase: Phase::Running,
        node: Some("node-1".into()),
        owner: None,
        containers: Box::new([read_container(spec, status, PodGenerations::default(), &mut interner)]),
        stray_statuses: Box::new([]),
        metadata: None,
    }
}

/// The pod in that phase.
pub(crate) fn in_phase(phase: Phase, pod: PodRecord) -> PodRecord {
    PodRecord { phase, ..pod }
}

pub(crate) fn namespace(name: &str) -> Event {
    Event::from(NamespaceRecord::named(name))
}

pub(crate) fn pods_of(namespace: &str) -> ListScope {
    ListScope::PodsOf(namespace.into())
}

pub(crate) fn refused(scope: ListScope, reason: &str) -> Event {
    Event::Refused { scope, reason: reason.into() }
}

pub(crate) fn skipped(namespace: Option<&str>, item: &str) -> Event {
    Event::Skipped(SkippedItem {
        scope: ListScope::AllPods,
        namespace: namespace.map(Into::into),
        item: item.into(),
        problem: "spec.containers: missing".into(),
    })
}

pub(crate) fn observed_at(seconds: i64) -> Event {
    Event::Observed(Observation {
        observed_at: Timestamp::from_second(seconds).expect("a time"),
        server_version: ServerVersion { git_version: "v1.37.2".into(), ..ServerVersion::default() },
        cut_short: None,
    })
}

/// Selects `include` (all when empty) less `exclude`.
pub(crate) fn selection(include: &[&str], exclude: &[&str]) -> NamespaceSelection {
    let exclude = exclude.iter().map(|entry| NamespacePattern::parse(entry).expect("a pattern")).collect();
    NamespaceSelection::new(include.iter().map(|name| Box::from(*name)), exclude)
}

pub(crate) fn index() -> PodIndex {
    PodIndex::new("prod-eu-1", NamespaceSelection::default())
}

/// Feeds a whole relist: what comes first is told as one list of all pods.
pub(crate) fn relist(index: &mut PodIndex, events: impl IntoIterator<Item = Event>) -> Arc<Snapshot> {
    let lists = || [ListScope::Namespaces, ListScope::AllPods];
    begin(index, lists());
    events.into_iter().for_each(|event| index.apply(event));
    end_at(1_800_000_000, index, lists())
}

pub(crate) fn begin(index: &mut PodIndex, lists: impl IntoIterator<Item = ListScope>) {
    lists.into_iter().for_each(|scope| index.apply(Event::RelistBegun(scope)));
}

/// Ends these lists and with them the relist, and gives the newest snapshot.
pub(crate) fn end(index: &mut PodIndex, lists: impl IntoIterator<Item = ListScope>) -> Arc<Snapshot> {
    end_at(0, index, lists)
}

pub(crate) fn end_at(seconds: i64, index: &mut PodIndex, lists: impl IntoIterator<Item = ListScope>) -> Arc<Snapshot> {
    lists.into_iter().for_each(|scope| index.apply(Event::RelistEnded(scope)));
    index.apply(observed_at(seconds));
    index.publish();
    Arc::clone(index.snapshot().expect("a finished relist yields a snapshot"))
}

/// The snapshot of a whole cluster with these events.
pub(crate) fn snapshot(events: impl IntoIterator<Item = Event>) -> Arc<Snapshot> {
    relist(&mut index(), events)
}
