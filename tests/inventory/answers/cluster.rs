//! An invented cluster, told in events.

use std::sync::Arc;

use jiff::Timestamp;
use kai::inventory::{NamespacePattern, NamespaceSelection, Phase, PodRecord};
use kai::snapshot::{Event, ListScope, PodIndex, Snapshot};
use kai::testing::{cluster, container, pod_of};

/// A manifest digest.
pub(crate) const DIGEST: &str = "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628";

/// A running pod of one container; `running` is the `imageID` that the node reports.
pub(crate) fn pod(namespace: &str, name: &str, image: &str, running: &str) -> PodRecord {
    PodRecord { node: Some("node-1".into()), ..pod_of(namespace, name, [container("app", image, running)]) }
}

/// The pod in that phase.
pub(crate) fn in_phase(phase: Phase, pod: PodRecord) -> PodRecord {
    PodRecord { phase, ..pod }
}

pub(crate) fn observed_at(seconds: i64) -> Event {
    let time = Timestamp::from_second(seconds).expect("a time").to_string();
    cluster().lists([]).at(&time).relist().remove(0)
}

/// Selects `include` (all when empty) less `exclude`.
pub(crate) fn selection(include: &[&str], exclude: &[&str]) -> NamespaceSelection {
    let exclude = exclude.iter().map(|entry| NamespacePattern::parse(entry).expect("a pattern")).collect();
    NamespaceSelection::new(include.iter().map(|name| Box::from(*name)), exclude)
}

pub(crate) fn index() -> PodIndex {
    PodIndex::new("prod-eu-1", NamespaceSelection::default())
}

/// The snapshot after a relist of these.
pub(crate) fn relist(index: &mut PodIndex, events: impl IntoIterator<Item = Event>) -> Arc<Snapshot> {
    cluster().with(events).relist_into(index)
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
