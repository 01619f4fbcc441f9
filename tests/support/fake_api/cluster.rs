//! What the fake cluster holds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fault::{Fault, On};

/// Namespaces with their pods, and what goes wrong when they are asked for.
#[derive(Debug, Default)]
pub(crate) struct FakeCluster {
    pub(super) namespaces: BTreeMap<String, Vec<Value>>,
    /// `metadata` of namespaces that have more than a name.
    pub(super) described: BTreeMap<String, Value>,
    pub(super) nodes: Vec<Value>,
    pub(super) faults: Vec<(On, Fault, u32)>,
    /// The bearer tokens that are accepted; any when empty.
    pub(super) tokens: Vec<String>,
    pub(super) gzip: bool,
    pub(super) protobuf: bool,
    /// A watch can begin with what is there.
    pub(super) initial_events: bool,
}

impl FakeCluster {
    /// Namespaces `ns-0`, `ns-1`, … with that many pods each.
    pub(crate) fn of(namespaces: usize, pods_each: usize) -> Self {
        let mut cluster = Self::default();
        for namespace in 0..namespaces {
            let name = format!("ns-{namespace}");
            let pods = (0..pods_each).map(|i| pod(&name, &format!("web-{i}"), "nginx:1.27")).collect();
            cluster.namespaces.insert(name, pods);
        }
        cluster
    }

    /// Breaks an answer, always.
    pub(crate) fn fault(self, on: On, fault: Fault) -> Self {
        self.fault_times(on, fault, u32::MAX)
    }

    /// Breaks an answer the first `times` times that it would be given.
    pub(crate) fn fault_times(mut self, on: On, fault: Fault, times: u32) -> Self {
        self.faults.push((on, fault, times));
        self
    }

    /// Accepts this bearer token, and no other but those named so.
    pub(crate) fn token(mut self, token: &str) -> Self {
        self.tokens.push(token.to_owned());
        self
    }

    /// Packs bodies for who accepts that.
    pub(crate) fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// Writes protobuf for who accepts that.
    pub(crate) fn protobuf(mut self) -> Self {
        self.protobuf = true;
        self
    }

    /// Answers a watch that asks for it with what is there, and the end of that.
    pub(crate) fn initial_events(mut self) -> Self {
        self.initial_events = true;
        self
    }

    /// Gives each namespace a uid and two labels: `team`, and one that nobody asks for.
    pub(crate) fn described(mut self) -> Self {
        for name in self.namespaces.keys() {
            let labels = json!({"team": format!("team of {name}"), "other": "x"});
            let metadata = json!({"name": name, "uid": format!("uid-{name}"), "labels": labels});
            self.described.insert(name.clone(), metadata);
        }
        self
    }

    /// Adds nodes `node-0`, `node-1`, …
    pub(crate) fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = (0..nodes).map(node).collect();
        self
    }

    /// Adds a node, whatever it is.
    pub(crate) fn with_node(mut self, node: Value) -> Self {
        self.nodes.push(node);
        self
    }

    /// Adds an object to a namespace, whatever it is.
    pub(crate) fn with(mut self, namespace: &str, object: Value) -> Self {
        self.namespaces.entry(namespace.to_owned()).or_default().push(object);
        self
    }
}

/// A running pod of one container, with more fields than kai keeps.
pub(crate) fn pod(namespace: &str, name: &str, image: &str) -> Value {
    let digest = format!("sha256:{}", "4".repeat(64));
    json!({
        "metadata": {
            "name": name, "namespace": namespace, "uid": format!("uid-{namespace}-{name}"), "resourceVersion": "7",
            "managedFields": [{"manager": "kubelet", "fieldsV1": {"f:status": {}}}]
        },
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": "main", "image": image, "env": [{"name": "PASSWORD", "value": "s3cret"}]}]
        },
        "status": {
            "phase": "Running",
            "containerStatuses": [{
                "name": "main", "image": image, "imageID": format!("docker.io/library/nginx@{digest}"),
                "state": {"running": {"startedAt": "2026-11-24T10:00:00Z"}}
            }]
        }
    })
}

fn node(at: usize) -> Value {
    json!({
        "metadata": {"name": format!("node-{at}"), "uid": format!("uid-node-{at}"), "labels": {"zone": "a"}},
        "status": {"nodeInfo": {"architecture": "amd64", "kubeletVersion": "v1.37.2"}}
    })
}
