//! The one mutable state: takes the events of a source, yields a snapshot when a relist ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::event::{Event, RelistEnd, SkippedItem};
use super::part::{NamespacePart, NamespaceState};
use super::relist::{Pods, Relist};
use super::snapshot::Snapshot;
use crate::inventory::{NamespaceSelection, PodRecord};

/// Holds the last whole picture and the relist under way beside it. Only a relist that ended replaces the picture; one
/// that was cut short leaves it as it is.
#[derive(Debug)]
pub struct PodIndex {
    cluster_name: Arc<str>,
    selection: NamespaceSelection,
    generation: u64,
    parts: BTreeMap<Arc<str>, Arc<NamespacePart>>,
    relist: Option<Relist>,
}

impl PodIndex {
    /// An empty index for one source.
    #[must_use]
    pub fn new(cluster_name: &str, selection: NamespaceSelection) -> Self {
        Self { cluster_name: cluster_name.into(), selection, generation: 0, parts: BTreeMap::new(), relist: None }
    }

    /// Takes an event; the end of a relist yields the next snapshot. Events outside a relist are dropped.
    pub fn apply(&mut self, event: Event) -> Option<Arc<Snapshot>> {
        if matches!(event, Event::RelistBegun) {
            self.relist = Some(Relist::default());
            return None;
        }
        let relist = self.relist.as_mut()?;
        match event {
            Event::RelistBegun => {}
            Event::ListBegun(scope) => relist.begin(scope),
            Event::Namespace(namespace) => {
                let record = Arc::new(namespace);
                relist.listed.insert(Arc::clone(&record.name), record);
            }
            Event::Pod(pod) => {
                if self.selection.selects(&pod.namespace) {
                    let pod = unchanged(&self.parts, &pod).unwrap_or_else(|| Arc::new(pod));
                    relist.insert(pod);
                }
            }
            Event::Node(node) => {
                relist.nodes.insert(Arc::clone(&node.name), Arc::new(node));
            }
            Event::Refused { scope, reason } => relist.refuse(scope, reason),
            Event::NamespaceUnknown(name) => {
                relist.unknown.insert(name);
            }
            Event::Skipped(item) => {
                if self.concerns(&item) {
                    self.relist.as_mut()?.skip(item);
                }
            }
            Event::RelistEnded(end) => {
                let relist = self.relist.take()?;
                return Some(self.publish(relist, end));
            }
        }
        None
    }

    /// An item of a namespace that nobody asked for does not make the picture incomplete.
    fn concerns(&self, item: &SkippedItem) -> bool {
        item.namespace.as_ref().is_none_or(|namespace| self.selection.selects(namespace))
    }

    fn publish(&mut self, mut relist: Relist, end: RelistEnd) -> Arc<Snapshot> {
        let completeness = relist.completeness(end.cut_short);
        let parts: BTreeMap<Arc<str>, Arc<NamespacePart>> = self
            .known_namespaces(&relist)
            .into_iter()
            .map(|name| {
                let part = self.part(&name, &mut relist);
                (name, part)
            })
            .collect();
        self.parts = parts;
        let nodes = relist.nodes.into_values().collect();
        self.generation += 1;
        Arc::new(Snapshot::new(
            self.generation,
            end.observed_at,
            Arc::clone(&self.cluster_name),
            end.server_version,
            self.parts.values().cloned().collect(),
            nodes,
            completeness,
        ))
    }

    fn known_namespaces(&self, relist: &Relist) -> BTreeSet<Arc<str>> {
        let mut names: BTreeSet<Arc<str>> = relist.listed.keys().cloned().collect();
        names.extend(relist.pods.keys().cloned());
        names.extend(relist.refused_namespaces().cloned());
        for name in self.selection.include_entries().filter(|name| !names.contains(*name)).collect::<Vec<_>>() {
            names.insert(name.into());
        }
        names
    }

    /// The part of one namespace: last time's when nothing about it changed.
    fn part(&self, name: &Arc<str>, relist: &mut Relist) -> Arc<NamespacePart> {
        let pods = relist.pods.remove(name).unwrap_or_default();
        let (state, reason) = self.state(name, relist, &pods);
        let record = relist.listed.remove(name);
        match self.parts.get(name) {
            Some(part) if part.is_made_of(state, reason.as_deref(), record.as_ref(), &pods) => Arc::clone(part),
            _ => Arc::new(NamespacePart::new(Arc::clone(name), state, reason, record, pods.into_values().collect())),
        }
    }

    fn state(&self, name: &Arc<str>, relist: &Relist, pods: &Pods) -> (NamespaceState, Option<Arc<str>>) {
        if !self.selection.selects(name) {
            return (NamespaceState::Excluded, None);
        }
        if let Some(reason) = relist.refusal(name) {
            return (NamespaceState::Refused, Some(Arc::clone(reason)));
        }
        let is_unknown = relist.unknown.contains(name) || relist.is_cluster_wide() && !relist.listed.contains_key(name);
        if is_unknown && pods.is_empty() { (NamespaceState::Unknown, None) } else { (NamespaceState::Read, None) }
    }
}

/// The record of the last picture, when the pod is as it was: equal pods stay one allocation across relists.
fn unchanged(parts: &BTreeMap<Arc<str>, Arc<NamespacePart>>, pod: &PodRecord) -> Option<Arc<PodRecord>> {
    parts.get(&pod.namespace)?.pod(&pod.name).filter(|known| ***known == *pod).cloned()
}
