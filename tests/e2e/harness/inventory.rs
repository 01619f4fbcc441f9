//! What a report says, whatever its form: namespaces, and images in them. Two that are equal say the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::cluster::Cluster;
use super::expected::expected_results;
use super::objects::digest;

/// Namespaces and what runs in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Inventory {
    /// Those without images included.
    pub(crate) namespaces: BTreeSet<String>,
    /// (namespace, tag, digest).
    pub(crate) images: BTreeSet<(String, String, Option<String>)>,
}

impl Inventory {
    /// Of the `results` of a KAI report.
    pub(crate) fn of_results(results: &Value) -> Self {
        let mut inventory = Self::default();
        for result in list(results) {
            let namespace = text(&result["namespace"]);
            inventory.namespaces.insert(namespace.to_owned());
            for image in list(&result["images"]) {
                inventory.add(namespace, text(&image["tag"]), image["repoDigest"].as_str());
            }
        }
        inventory
    }

    /// Of a payload whose lists are joined by ids. Panics when one of these is not unique or leads nowhere.
    #[track_caller]
    pub(crate) fn of_payload(body: &Value) -> Self {
        let (namespaces, nodes, pods) = (by_id(body, "namespaces"), by_id(body, "nodes"), by_id(body, "pods"));
        let named = namespaces.values().map(|namespace| text(&namespace["name"]).to_owned());
        let mut inventory = Self { namespaces: named.collect(), images: BTreeSet::new() };
        assert_eq!(inventory.namespaces.len(), namespaces.len(), "each namespace is there once: {body:.2000}");
        for pod in pods.values() {
            let node = pod["node_uid"].as_str();
            assert!(node.is_none_or(|node| nodes.contains_key(node)), "the node is there: {pod}");
        }
        for container in by_id(body, "containers").values() {
            let found =
                |list: &BTreeMap<&str, &'_ Value>, uid: &Value| list.get(text(uid)).map(|found| (*found).clone());
            let pod = found(&pods, &container["pod_uid"]).unwrap_or_else(|| panic!("the pod is there: {container}"));
            let namespace = found(&namespaces, &pod["namespace_uid"]);
            let namespace = namespace.unwrap_or_else(|| panic!("the namespace is there: {pod}"));
            let (tag, digest) = (text(&container["image_tag"]), container["image_digest"].as_str());
            inventory.add(text(&namespace["name"]), tag, digest);
        }
        inventory
    }

    /// Of a cluster as it is now, read in the plainest way.
    pub(crate) fn of_cluster(cluster: &Cluster) -> Self {
        let list = cluster.kubectl_json(&["get", "pods,namespaces", "-A", "-o", "json"]);
        Self::of_results(&expected_results(&list, true))
    }

    /// An image that runs with this digest, if with any.
    pub(crate) fn add(&mut self, namespace: &str, tag: &str, digest: Option<&str>) {
        self.images.insert((namespace.to_owned(), tag.to_owned(), digest.map(str::to_owned)));
    }

    /// The image of a pod that `Namespace::create_pod` made.
    pub(crate) fn add_created(&mut self, namespace: &str, image: &str) {
        self.add(namespace, image, Some(&digest(image)));
    }

    /// An image that no longer runs in the namespace.
    #[track_caller]
    pub(crate) fn remove(&mut self, namespace: &str, tag: &str) {
        let before = self.images.len();
        self.images.retain(|(in_namespace, its_tag, _)| (in_namespace.as_str(), its_tag.as_str()) != (namespace, tag));
        assert_eq!(self.images.len() + 1, before, "{tag} ran in {namespace}");
    }

    /// The same of one namespace alone.
    pub(crate) fn of(&self, namespace: &str) -> Self {
        let (mut namespaces, mut images) = (self.namespaces.clone(), self.images.clone());
        namespaces.retain(|name| name == namespace);
        images.retain(|(in_namespace, ..)| in_namespace == namespace);
        Self { namespaces, images }
    }
}

/// The elements of a payload's list by their ids.
#[track_caller]
fn by_id<'v>(body: &'v Value, name: &str) -> BTreeMap<&'v str, &'v Value> {
    let id = if name == "containers" { "id" } else { "uid" };
    let elements = list(&body[name]);
    let by_id: BTreeMap<&str, &Value> = elements.iter().map(|element| (text(&element[id]), element)).collect();
    assert_eq!(by_id.len(), elements.len(), "each {id} of {name} is there once: {elements:#?}");
    by_id
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
