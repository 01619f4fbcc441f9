//! Whatever way an index came to its state, it is the index of a fresh list of that state.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::inventory::{NamespaceRecord, NamespaceSelection, NodeRecord, Phase, PodRecord};
use crate::testing::{container, pod_of};

const NAMESPACES: [&str; 3] = ["apps", "ops", "shop"];
/// Always in the snapshot, read or not.
const INCLUDED_TOO: [&str; 4] = ["apps", "gone", "ops", "shop"];

/// What a cluster has. Pods by namespace, name and what else is part of their identity.
#[derive(Debug, Clone, Default)]
struct State {
    pods: BTreeMap<(&'static str, String, Option<Box<str>>), PodRecord>,
    namespaces: BTreeSet<&'static str>,
    nodes: BTreeMap<Arc<str>, NodeRecord>,
}

#[derive(Debug, Clone)]
enum Step {
    Apply(&'static str, PodRecord),
    Delete(Index),
    NamespaceComes(&'static str),
    NamespaceGoes(&'static str),
    NodeComes(NodeRecord),
    NodeGoes(Index),
    /// Pods of all namespaces or of one; a list that ended, or one that was cut short.
    ListPods {
        of: Option<&'static str>,
        pods: Vec<(&'static str, PodRecord)>,
        begins_again: bool,
        ends: bool,
    },
    ListNamespaces {
        names: BTreeSet<&'static str>,
        ends: bool,
    },
    Publish,
}

fn pod(name: u16, uid: Option<u8>, images: &[u8], phase: Phase) -> PodRecord {
    let container = |(at, image): (usize, &u8)| container(&format!("c{at}"), &format!("image-{image}:1"), "");
    let containers = images.iter().enumerate().map(container);
    let uid = uid.map(|uid| format!("uid-{uid}").into());
    PodRecord { uid, phase, ..pod_of("", &format!("pod-{name}"), containers) }
}

fn any_pod() -> impl Strategy<Value = (&'static str, PodRecord)> {
    let images = prop::collection::vec(0..4_u8, 0..3);
    let phase = select(vec![Phase::Running, Phase::Pending]);
    (select(&NAMESPACES[..]), 0..6_u16, prop::option::of(0..2_u8), images, phase).prop_map(
        |(namespace, name, uid, images, phase)| {
            (namespace, PodRecord { namespace: namespace.into(), ..pod(name, uid, &images, phase) })
        },
    )
}

fn any_node() -> impl Strategy<Value = NodeRecord> {
    (0..3_u8, 0..2_u8).prop_map(|(name, version)| NodeRecord {
        name: format!("node-{name}").into(),
        kubelet_version: format!("v1.{version}").into(),
        ..NodeRecord::default()
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let some_namespaces = || prop::collection::btree_set(select(&NAMESPACES[..]), 0..3);
    let pods = prop::collection::vec(any_pod(), 0..12);
    prop_oneof![
        6 => any_pod().prop_map(|(namespace, pod)| Step::Apply(namespace, pod)),
        3 => any::<Index>().prop_map(Step::Delete),
        1 => select(&NAMESPACES[..]).prop_map(Step::NamespaceComes),
        1 => select(&NAMESPACES[..]).prop_map(Step::NamespaceGoes),
        1 => any_node().prop_map(Step::NodeComes),
        1 => any::<Index>().prop_map(Step::NodeGoes),
        2 => (prop::option::of(select(&NAMESPACES[..])), pods, any::<bool>(), prop::bool::weighted(0.7))
            .prop_map(|(of, pods, begins_again, ends)| Step::ListPods { of, pods, begins_again, ends }),
        1 => (some_namespaces(), prop::bool::weighted(0.7)).prop_map(|(names, ends)| Step::ListNamespaces { names, ends }),
        2 => Just(Step::Publish),
    ]
}

/// An index with what should be in it.
struct Driven {
    index: PodIndex,
    identity: PodIdentity,
    state: State,
}

impl Driven {
    /// After a list of nothing.
    fn new(identity: PodIdentity) -> Self {
        let selection = NamespaceSelection::new(INCLUDED_TOO.map(Box::from), Vec::new());
        let index = PodIndex::new("demo", selection).with_identity(identity);
        let mut driven = Self { index, identity, state: State::default() };
        driven.list(ListScope::AllPods, []);
        driven.list(ListScope::Namespaces, []);
        driven.observe();
        driven
    }

    fn list(&mut self, scope: ListScope, events: impl IntoIterator<Item = Event>) {
        self.index.apply(Event::RelistBegun(scope.clone()));
        events.into_iter().for_each(|event| self.index.apply(event));
        self.index.apply(Event::RelistEnded(scope));
    }

    fn observe(&mut self) {
        self.index.apply(Event::Observed(Observation::at(Timestamp::UNIX_EPOCH)));
    }

    fn key(&self, namespace: &'static str, pod: &PodRecord) -> (&'static str, String, Option<Box<str>>) {
        let uid = pod.uid.clone().filter(|_| self.identity == PodIdentity::NameAndUid);
        (namespace, pod.name.to_string(), uid)
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Apply(namespace, pod) => {
                self.state.pods.insert(self.key(namespace, &pod), pod.clone());
                self.index.apply(pod.into());
            }
            Step::Delete(which) => {
                let Some(at) = (!self.state.pods.is_empty()).then(|| which.index(self.state.pods.len())) else {
                    return;
                };
                let (namespace, name, uid) = self.state.pods.keys().nth(at).unwrap().clone();
                self.state.pods.remove(&(namespace, name.clone(), uid.clone()));
                let key = PodKey { namespace: namespace.into(), name: name.into(), uid };
                self.index.apply(Event::Deleted(ObjectKey::Pod(key)));
            }
            Step::NamespaceComes(name) => {
                self.state.namespaces.insert(name);
                self.index.apply(NamespaceRecord::named(name).into());
            }
            Step::NamespaceGoes(name) => {
                self.state.namespaces.remove(name);
                self.index.apply(Event::Deleted(ObjectKey::Namespace(name.into())));
            }
            Step::NodeComes(node) => {
                self.state.nodes.insert(Arc::clone(&node.name), node.clone());
                self.index.apply(node.into());
            }
            Step::NodeGoes(which) => {
                let name = which.get(&["node-0", "node-1", "node-2"]);
                self.state.nodes.remove(*name);
                self.index.apply(Event::Deleted(ObjectKey::Node((*name).into())));
            }
            Step::ListPods { of, pods, begins_again, ends } => {
                let pods: Vec<_> = pods.into_iter().filter(|(name, _)| of.is_none_or(|of| of == *name)).collect();
                let scope = of.map_or(ListScope::AllPods, |name| ListScope::PodsOf(name.into()));
                self.index.apply(Event::RelistBegun(scope.clone()));
                let first = pods.first().filter(|_| begins_again);
                for (_, pod) in first.into_iter().chain(&pods) {
                    if begins_again {
                        self.index.apply(Event::RelistBegun(scope.clone()));
                    }
                    self.index.apply(pod.clone().into());
                }
                let pods = if begins_again { &pods[pods.len().saturating_sub(1)..] } else { &pods[..] };
                if ends {
                    self.index.apply(Event::RelistEnded(scope));
                    self.state.pods.retain(|(name, ..), _| of.is_some_and(|of| of != *name));
                    for (namespace, pod) in pods {
                        self.state.pods.insert(self.key(namespace, pod), pod.clone());
                    }
                }
                self.observe();
            }
            Step::ListNamespaces { names, ends } => {
                self.index.apply(Event::RelistBegun(ListScope::Namespaces));
                names.iter().for_each(|name| self.index.apply(NamespaceRecord::named(*name).into()));
                if ends {
                    self.index.apply(Event::RelistEnded(ListScope::Namespaces));
                    self.state.namespaces = names;
                }
                self.observe();
            }
            Step::Publish => drop(self.index.publish()),
        }
    }

    /// The index of a list of the state, in the opposite order.
    fn fresh(&self) -> PodIndex {
        let mut fresh = Self::new(self.identity);
        fresh.list(ListScope::AllPods, self.state.pods.values().rev().cloned().map(Event::from));
        let namespaces = self.state.namespaces.iter().rev().map(|name| NamespaceRecord::named(*name));
        fresh.list(ListScope::Namespaces, namespaces.map(Event::from));
        fresh.list(ListScope::Nodes, self.state.nodes.values().rev().cloned().map(Event::from));
        fresh.observe();
        fresh.index
    }
}

/// Everything that a reader can see of it.
fn seen(snapshot: &Snapshot) -> String {
    let mut seen = format!("{} {} {:?}", snapshot.content_hash(), snapshot.images_hash(), snapshot.nodes());
    for part in snapshot.namespaces().iter() {
        let pods: Vec<_> = part.pods().collect();
        let images: Vec<_> = [true, false].map(|running| part.images(running).collect::<Vec<_>>()).into();
        let counted = (part.pod_count(), part.is_empty());
        let standing = (part.name(), part.state(), part.record());
        write!(seen, "\n{standing:?} {pods:?} {images:?} {counted:?}").unwrap();
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn an_index_of_any_events_is_the_index_of_a_fresh_list(
        steps in prop::collection::vec(any_step(), 0..40),
        by_uid in any::<bool>(),
    ) {
        let identity = if by_uid { PodIdentity::NameAndUid } else { PodIdentity::Name };
        let mut driven = Driven::new(identity);
        for step in steps {
            driven.take(step);
        }
        driven.index.publish();
        let mut fresh = driven.fresh();
        fresh.publish();
        let (driven, fresh) = (driven.index.snapshot().unwrap(), fresh.snapshot().unwrap());
        prop_assert_eq!(seen(driven), seen(fresh));
        prop_assert_eq!(Changes::between(driven, fresh), Changes::default());
    }
}
