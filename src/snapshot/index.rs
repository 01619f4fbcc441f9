//! The one mutable state: takes the events of a source, and yields a snapshot when they changed something.

mod seeing;
mod standing;
mod verify;

use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;
use std::sync::Arc;

use jiff::Timestamp;

use super::audit::{Audit, Subject};
use super::changes::Changes;
use super::completeness::{Completeness, ListOutcome};
use super::event::{Event, ListScope, Object, ObjectKey, Observation, PodIdentity, PodKey, SkippedItem};
use super::namespace::Namespace;
use super::part::NamespacePart;
use super::pods::{Pod, Pods};
use super::relist::{Found, FoundPods, Nodes, Relist};
use super::seen::Seeing;
use super::snapshot::{Frame, Snapshot};
use crate::inventory::{NamespaceRecord, NamespaceSelection, PodRecord};

/// Holds what is known, and beside it the lists under way. It lives as long as its source: what a list did not change
/// stays where it is.
#[derive(Debug)]
pub struct PodIndex {
    /// The configured name; `None`: that of the source.
    cluster_name: Option<Arc<str>>,
    selection: NamespaceSelection,
    identity: PodIdentity,
    namespaces: BTreeMap<Arc<str>, Namespace>,
    nodes: Nodes,
    /// How each list ended that counts.
    lists: BTreeMap<ListScope, ListOutcome>,
    /// Lists that have not ended, or that ended since the last observation.
    relists: BTreeMap<ListScope, Relist>,
    /// A second list, beside all that counts.
    audit: Option<Audit>,
    observation: Option<Observation>,
    published: Option<Arc<Snapshot>>,
    /// Namespaces that are perhaps another than in the published snapshot.
    dirty: BTreeSet<Arc<str>>,
    are_nodes_dirty: bool,
    /// Whether the rest of the snapshot is: completeness and the server's version.
    is_frame_dirty: bool,
    /// Since when images are there.
    seeing: Seeing,
}

/// A new snapshot, and the one that it takes the place of.
#[derive(Debug)]
pub struct Published {
    pub snapshot: Arc<Snapshot>,
    /// The one before it; `None` when it is the first.
    before: Option<Arc<Snapshot>>,
}

impl Published {
    /// What changed since the snapshot before; `None` when there is none. Looks at all images of the namespaces that changed.
    #[must_use]
    pub fn changes(&self) -> Option<Changes> {
        self.before.as_deref().map(|before| Changes::between(before, &self.snapshot))
    }
}

impl PodIndex {
    /// An empty index for one source. Snapshots have this name of the cluster; where it is empty, that of the source.
    #[must_use]
    pub fn new(cluster_name: &str, selection: NamespaceSelection) -> Self {
        // They stand in every snapshot, whatever the cluster has.
        let dirty = selection.include_entries().map(Arc::from).collect();
        Self {
            cluster_name: (!cluster_name.is_empty()).then(|| cluster_name.into()),
            selection,
            identity: PodIdentity::default(),
            namespaces: BTreeMap::new(),
            nodes: Nodes::new(),
            lists: BTreeMap::new(),
            relists: BTreeMap::new(),
            audit: None,
            observation: None,
            published: None,
            dirty,
            are_nodes_dirty: false,
            is_frame_dirty: true,
            seeing: Seeing::default(),
        }
    }

    /// Takes that for the same pod from now on.
    #[must_use]
    pub fn with_identity(self, identity: PodIdentity) -> Self {
        Self { identity, ..self }
    }

    /// Forgets what is known and every list under way, after a fault. Everything is compared with the last snapshot once
    /// more.
    pub fn reset(&mut self) {
        let name = self.cluster_name.as_deref().unwrap_or_default();
        let mut fresh = Self::new(name, self.selection.clone()).with_identity(self.identity);
        fresh.published = self.published.take();
        let published = fresh.published.iter().flat_map(|snapshot| snapshot.namespaces().iter());
        fresh.dirty.extend(published.map(|part| Arc::clone(part.name())));
        fresh.are_nodes_dirty = true;
        fresh.seeing = take(&mut self.seeing);
        *self = fresh;
    }

    /// When what is known was last seen to be true; `None` before the first observation.
    #[must_use]
    pub fn observed_at(&self) -> Option<Timestamp> {
        self.observation.as_ref().map(|observation| observation.observed_at)
    }

    /// The newest snapshot that was published.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.published.as_ref()
    }

    pub fn apply(&mut self, event: Event) {
        if let Some(audit) = &mut self.audit {
            match &event {
                Event::Applied(object) => audit.tell(&Subject::of(object)),
                Event::Deleted(key) => audit.tell(&Subject::of_key(key)),
                // Everything is read anew: there is nothing to compare.
                Event::RelistBegun(_) => self.audit = None,
                _ => {}
            }
        }
        match event {
            Event::RelistBegun(scope) => {
                let relist = Relist::new(&scope, self.identity);
                self.relists.insert(scope, relist);
            }
            Event::RelistEnded(scope) => {
                if let Some(relist) = self.relists.get_mut(&scope) {
                    relist.has_ended = true;
                }
            }
            Event::Refused { scope, reason } => {
                // Rights may end between two pages: what the first ones gave is no whole list.
                let mut relist = Relist::new(&scope, self.identity);
                (relist.outcome.refused, relist.has_ended) = (Some(reason), true);
                self.relists.insert(scope, relist);
            }
            Event::Unlisted(scope) => {
                if self.lists.remove(&scope).is_some() {
                    self.dirty.extend(self.namespaces.keys().cloned());
                    self.is_frame_dirty = true;
                }
            }
            Event::Applied(Object::Pod(pod)) => self.apply_pod(pod),
            Event::Applied(Object::Namespace(namespace)) => self.apply_namespace(namespace),
            Event::Applied(Object::Node(node)) => {
                let (name, node) = (Arc::clone(&node.name), Arc::new(node));
                self.nodes_under_way().insert(name, node);
            }
            Event::Deleted(ObjectKey::Pod(key)) => self.delete_pod(&key),
            Event::Deleted(ObjectKey::Namespace(name)) => self.delete_namespace(&name),
            Event::Deleted(ObjectKey::Node(name)) => drop(self.nodes_under_way().remove(&name)),
            Event::NamespaceUnknown(name) => match self.namespaces_under_way() {
                Some((_, unknown)) => drop(unknown.insert(name)),
                None => self.change_namespace(name, |namespace| {
                    (namespace.record, namespace.is_unknown) = (None, true);
                }),
            },
            Event::Skipped(item) => self.skip(item),
            Event::Observed(observation) => self.observe(observation),
            Event::Settled(scope) => {
                if let Some(relist) = self.relists.remove(&scope).filter(|relist| relist.has_ended) {
                    self.replace(scope, relist);
                }
            }
            Event::Seen(time) => {
                if let Some(observation) = &mut self.observation {
                    observation.observed_at = observation.observed_at.max(time);
                }
            }
        }
    }

    /// The next snapshot, or nothing when it would be the last one. Before the first observation there is none.
    pub fn publish(&mut self) -> Option<Published> {
        let mut seeing = take(&mut self.seeing);
        let published = self.publish_seen(&mut seeing);
        self.seeing = seeing;
        published
    }

    fn publish_seen(&mut self, seeing: &mut Seeing) -> Option<Published> {
        let Observation { observed_at, cluster_name, server_version, cut_short } = self.observation.as_ref()?;
        let last = self.published.as_deref();
        let mut parts = last.map(|last| last.namespaces().clone()).unwrap_or_default();
        let mut is_changed = last.is_none() || seeing.is_renewed();
        let mut dirty = take(&mut self.dirty);
        if seeing.is_renewed() {
            dirty.extend(parts.iter().map(|part| Arc::clone(part.name())));
        }
        for name in &dirty {
            let (old, new) = (parts.get(name), self.part(name));
            let is_same = old.map(|old| old.content_hash()) == new.as_ref().map(NamespacePart::content_hash);
            if is_same && !seeing.is_renewed() {
                continue;
            }
            let seen = seeing.advance(old.map(Arc::as_ref), new.as_ref(), *observed_at);
            match new {
                Some(new) => parts.insert(Arc::new(new.with_seen(seen))),
                None => parts.remove(name),
            }
            is_changed |= !is_same;
        }
        seeing.finish(*observed_at, |name| [last.and_then(|last| last.namespace(name)), parts.get(name)].map(deref));
        let same_nodes = last.filter(|_| !self.are_nodes_dirty).map(|last| Arc::clone(last.shared_nodes()));
        let nodes = same_nodes.unwrap_or_else(|| self.nodes.values().cloned().collect());
        is_changed |= last.is_some_and(|last| *last.shared_nodes() != nodes);
        let same_frame = last.filter(|_| !self.is_frame_dirty).map(|last| Arc::clone(last.frame()));
        let frame = same_frame.unwrap_or_else(|| {
            let completeness = Completeness::of(&self.lists, cut_short.clone());
            let name = self.cluster_name.as_ref().or(cluster_name.as_ref()).cloned().unwrap_or_default();
            Arc::new(Frame::new(name, server_version.clone(), completeness, cut_short.is_some()))
        });
        is_changed |= last.is_some_and(|last| *last.frame() != frame);
        (self.are_nodes_dirty, self.is_frame_dirty) = (false, false);
        let gone = dirty.iter().filter(|name| parts.get(name).is_none());
        gone.for_each(|name| drop(self.namespaces.remove(name)));
        if !is_changed {
            return None;
        }
        let generation = last.map_or(0, Snapshot::generation) + 1;
        let snapshot = Arc::new(Snapshot::new(generation, *observed_at, frame, parts, nodes, last));
        let before = self.published.replace(Arc::clone(&snapshot));
        Some(Published { snapshot, before })
    }

    fn apply_pod(&mut self, pod: PodRecord) {
        if !self.selection.selects(&pod.namespace) {
            return;
        }
        let known = self.namespaces.get(&pod.namespace).and_then(|namespace| namespace.pods().same_as(&pod));
        // One that is as it was stays the same allocation, so that an unchanged namespace is seen at once.
        let unchanged = known.filter(|known| *known.record == pod).cloned();
        if let Some(found) = self.pods_under_way(&pod.namespace) {
            found.insert(unchanged.unwrap_or_else(|| Pod::new(pod)));
        } else if unchanged.is_none() {
            let mut replaced = None;
            self.change_namespace(Arc::clone(&pod.namespace), |namespace| replaced = namespace.insert(Pod::new(pod)));
            replaced.iter().for_each(|pod| self.seeing.passed(pod));
        }
    }

    fn delete_pod(&mut self, PodKey { namespace, name, uid }: &PodKey) {
        if let Some(found) = self.pods_under_way(namespace) {
            found.get_mut(namespace).map(|pods| pods.remove(name, uid.as_deref()));
        } else if let Some(known) = self.namespaces.get_mut(namespace)
            && let Some(pod) = known.remove(name, uid.as_deref())
        {
            self.dirty.insert(Arc::clone(namespace));
            self.seeing.passed(&pod);
        }
    }

    fn apply_namespace(&mut self, record: NamespaceRecord) {
        let name = Arc::clone(&record.name);
        let record = Arc::new(record);
        match self.namespaces_under_way() {
            Some((listed, unknown)) => {
                unknown.remove(&name);
                listed.insert(name, record);
            }
            None => self.change_namespace(name, |namespace| {
                (namespace.record, namespace.is_unknown) = (Some(record), false);
            }),
        }
    }

    fn delete_namespace(&mut self, name: &Arc<str>) {
        match self.namespaces_under_way() {
            Some((listed, _)) => drop(listed.remove(name)),
            None => self.change_namespace(Arc::clone(name), |namespace| namespace.record = None),
        }
    }

    fn change_namespace(&mut self, name: Arc<str>, change: impl FnOnce(&mut Namespace)) {
        let empty = || Namespace::new(Pods::new(self.identity));
        change(self.namespaces.entry(Arc::clone(&name)).or_insert_with(empty));
        self.dirty.insert(name);
    }

    /// An item of a namespace that nobody asked for does not make the picture incomplete.
    fn skip(&mut self, item: SkippedItem) {
        if item.namespace.as_ref().is_some_and(|namespace| !self.selection.selects(namespace)) {
            return;
        }
        if let Some(relist) = self.relists.get_mut(&item.scope) {
            relist.outcome.skip(item);
        } else {
            self.is_frame_dirty |= self.lists.entry(item.scope.clone()).or_default().skip_once(item);
        }
    }

    fn pods_under_way(&mut self, namespace: &Arc<str>) -> Option<&mut FoundPods> {
        let of_all = self.relists.contains_key(&ListScope::AllPods);
        let scope = if of_all { ListScope::AllPods } else { ListScope::PodsOf(Arc::clone(namespace)) };
        match self.relists.get_mut(&scope) {
            Some(Relist { found: Found::Pods(pods), .. }) => Some(pods),
            _ => None,
        }
    }

    fn namespaces_under_way(&mut self) -> Option<(&mut Listed, &mut BTreeSet<Arc<str>>)> {
        match self.relists.get_mut(&ListScope::Namespaces) {
            Some(Relist { found: Found::Namespaces { listed, unknown }, .. }) => Some((listed, unknown)),
            _ => None,
        }
    }

    fn nodes_under_way(&mut self) -> &mut Nodes {
        if let Some(Relist { found: Found::Nodes(nodes), .. }) = self.relists.get_mut(&ListScope::Nodes) {
            return nodes;
        }
        self.are_nodes_dirty = true;
        &mut self.nodes
    }

    fn observe(&mut self, observation: Observation) {
        for (scope, relist) in take(&mut self.relists) {
            if relist.has_ended {
                self.replace(scope, relist);
            }
        }
        let observed_at = observation.observed_at;
        let known = self.observation.replace(observation);
        let known = known.map(|known| Observation { observed_at, ..known });
        self.is_frame_dirty |= known != self.observation;
    }

    /// What a list did not bring is gone.
    fn replace(&mut self, scope: ListScope, Relist { found, outcome, .. }: Relist) {
        match found {
            Found::Pods(mut pods) => {
                let known: BTreeSet<Arc<str>> = match &scope {
                    ListScope::PodsOf(namespace) => BTreeSet::from([Arc::clone(namespace)]),
                    _ => self.namespaces.keys().chain(pods.namespaces()).cloned().collect(),
                };
                known.into_iter().for_each(|name| self.replace_pods(name, |name| pods.take(name)));
            }
            Found::Namespaces { mut listed, unknown } => {
                let known: BTreeSet<Arc<str>> =
                    self.namespaces.keys().chain(listed.keys()).chain(&unknown).cloned().collect();
                for name in known {
                    let (record, is_unknown) = (listed.remove(&name), unknown.contains(&name));
                    let is_same = self
                        .namespaces
                        .get(&name)
                        .is_some_and(|known| known.record == record && known.is_unknown == is_unknown);
                    if !is_same {
                        self.change_namespace(name, |known| (known.record, known.is_unknown) = (record, is_unknown));
                    }
                }
            }
            Found::Nodes(nodes) => {
                self.are_nodes_dirty |= self.nodes != nodes;
                self.nodes = nodes;
            }
        }
        self.settle(scope, outcome);
    }

    fn replace_pods(&mut self, name: Arc<str>, pods: impl FnOnce(&str) -> Pods) {
        let pods = pods(&name);
        let identity = self.identity;
        let known = self.namespaces.entry(Arc::clone(&name)).or_insert_with(|| Namespace::new(Pods::new(identity)));
        if known.replace(pods) {
            self.seeing.listed(&name, self.observation.as_ref().map(|known| known.observed_at));
            self.dirty.insert(name);
        }
    }

    /// Notes how a list ended, on which the state of namespaces depends.
    fn settle(&mut self, scope: ListScope, outcome: ListOutcome) {
        if scope == ListScope::AllPods {
            // It stands for all the lists of single namespaces before it.
            let single = self.lists.extract_if(.., |scope, _| matches!(scope, ListScope::PodsOf(_)));
            for (scope, _) in single {
                if let ListScope::PodsOf(namespace) = scope {
                    self.dirty.insert(namespace);
                    self.is_frame_dirty = true;
                }
            }
        }
        let before = self.lists.get(&scope);
        if before == Some(&outcome) {
            return;
        }
        self.is_frame_dirty = true;
        let is_refusal_other = before.is_none_or(|before| before.refused != outcome.refused);
        match &scope {
            ListScope::AllPods if is_refusal_other => self.dirty.extend(self.namespaces.keys().cloned()),
            ListScope::PodsOf(namespace) if is_refusal_other => drop(self.dirty.insert(Arc::clone(namespace))),
            _ => {}
        }
        self.lists.insert(scope, outcome);
    }
}

fn deref(part: Option<&Arc<NamespacePart>>) -> Option<&NamespacePart> {
    part.map(Arc::as_ref)
}

type Listed = BTreeMap<Arc<str>, Arc<NamespaceRecord>>;
