//! Any cluster, and any dump that a hand has been at: every kind of container, updates under way, ids that are missing,
//! odd or shared, nodes that are there or not.

use std::sync::Arc;

use kai::inventory::{
    ContainerKind, Metadata, MissingTagPolicy, NamespaceRecord, NodeRecord, Phase, PodRecord, ReportPolicy,
};
use kai::snapshot::{Event, Snapshot};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use super::cluster::{Container, node, pod, snapshot_including, values};

const NAMESPACES: [&str; 5] = ["a", "b", "c", "d", "e"];
const NODES: [&str; 3] = ["n1", "n2", "n3"];

fn uid() -> impl Strategy<Value = Option<Box<str>>> {
    let mut odd = vec![None, Some(""), Some("0123456789abcdef0123456789abcdef")];
    odd.extend([Some("11111111-1111-4111-8111-111111111111"), Some("ABCDEF01-1111-4111-8111-111111111111")]);
    let unique = any::<u128>().prop_map(|number| Some(Uuid::from_u128(number).to_string().into()));
    prop_oneof![3 => unique, 2 => select(odd).prop_map(|uid| uid.map(Box::from))]
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let pairs = || btree_map("[a-c]{1,2}", "[a-z\"\\\\]{0,20}", 0..3);
    (pairs(), pairs()).prop_map(|(labels, annotations)| {
        let kept = |pairs: std::collections::BTreeMap<String, String>| {
            values(&pairs.iter().map(|(key, value)| (&**key, &**value)).collect::<Vec<_>>())
        };
        Metadata { labels: kept(labels), annotations: kept(annotations) }
    })
}

fn container() -> impl Strategy<Value = Container> {
    use ContainerKind::{Container as Plain, Ephemeral, Init, Sidecar, Volume};
    let images =
        ["x", "x:1", "x:2", "reg.example.com/x:1", "x@sha256:{H}", "x:1@sha256:{H}", "x:1@sha256:{O}", "${IMG}"];
    let status_images = ["", "", "x:1", "docker.io/library/x:2", "reg.example.com/x:1"];
    let running = ["", "x@sha256:{H}", "x@sha256:{O}", "reg.example.com/x@sha256:{H}", "sha256:{H}"];
    let ids = prop_oneof![
        2 => Just(String::new()),
        2 => (0..4_u8).prop_map(|number| format!("r://shared-{number}")),
        6 => "[0-9a-f]{12}".prop_map(|id| format!("r://{id}")),
    ];
    let kinds = select(vec![Plain, Plain, Init, Sidecar, Ephemeral, Volume]);
    let texts = (select(images.to_vec()), select(status_images.to_vec()), select(running.to_vec()));
    (select(vec!["app", "proxy", "log"]), kinds, texts, ids, any::<bool>()).prop_map(
        |(name, kind, (image, status_image, running), id, behind)| {
            let id = if kind == Volume { String::new() } else { id };
            let status_image = status_image.to_owned();
            Container { kind, status_image, behind, ..Container::new(name, image, running, &id) }
        },
    )
}

fn pods() -> impl Strategy<Value = Vec<PodRecord>> {
    let phases = select(vec![Phase::Running, Phase::Running, Phase::Running, Phase::Pending, Phase::Failed]);
    let nodes = proptest::option::weighted(0.8, select(NODES.to_vec()));
    let rest = (vec(container(), 0..3), uid(), phases, nodes, proptest::option::of(metadata()));
    btree_map((select(NAMESPACES[..4].to_vec()), "[p-s]{1,2}"), rest, 0..18).prop_map(|pods| {
        let pods = pods.into_iter().map(|((namespace, name), (containers, uid, phase, node, metadata))| PodRecord {
            uid,
            phase,
            node: node.map(Arc::from),
            metadata: metadata.map(Box::new),
            ..pod(namespace, &name, &containers)
        });
        pods.collect()
    })
}

/// A snapshot of [`NAMESPACES`]: some listed with a uid, some known by their pods alone, some that do not exist.
pub(crate) fn any_snapshot() -> impl Strategy<Value = Arc<Snapshot>> {
    let namespaces = btree_map(select(NAMESPACES[..4].to_vec()), (uid(), metadata()), 0..4);
    let nodes = btree_map(select(NODES.to_vec()), (uid(), metadata()), 0..6);
    (namespaces, nodes, pods()).prop_map(|(namespaces, nodes, pods)| {
        let namespaces = namespaces
            .into_iter()
            .map(|(name, (uid, metadata))| Event::from(NamespaceRecord { name: name.into(), uid, metadata }));
        let nodes = nodes.into_iter().map(|(name, (uid, metadata))| {
            Event::from(NodeRecord { uid, metadata, architecture: "arm64".into(), ..node(name) })
        });
        snapshot_including(&NAMESPACES, namespaces.chain(nodes).chain(pods.into_iter().map(Event::from)))
    })
}

pub(crate) fn any_policy() -> impl Strategy<Value = ReportPolicy> {
    let missing_tags =
        select(vec![MissingTagPolicy::Digest, MissingTagPolicy::Insert("NONE".into()), MissingTagPolicy::Drop]);
    let registries = select(vec![None, Some("reg.example.com")]);
    (missing_tags, any::<bool>(), any::<bool>(), registries).prop_map(
        |(missing_tag, ignore_not_running, ignore_empty, registry)| ReportPolicy {
            missing_tag,
            ignore_not_running,
            ignore_empty,
            missing_registry_override: registry.map(Box::from),
        },
    )
}
