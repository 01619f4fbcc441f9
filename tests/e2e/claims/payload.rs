//! What a receiver is told of a real cluster, over each of its interfaces.

use std::time::Duration;

use kai::views::PayloadForm;
use serde_json::{Map, Value, json};

use crate::anchore_schema::assert_valid;
use crate::fake_anchore::scenario::Scenario;
use crate::harness::{
    Anchore, Cluster, Containers, Inventory, Namespace, digest, eventually, inventory_of, pod, results, shared,
};

super::claims! {
    AnyCluster: the_payload_says_what_the_printed_report_says,
        an_old_receiver_gets_the_printed_report,
        nodes_namespaces_and_pods_are_sent_with_what_the_cluster_says_of_them,
}

const LIMIT: Duration = Duration::from_mins(1);

/// What a node would call the container `app` of the pod `mixed`: no two pods of a cluster share it.
fn container_id(namespace: &Namespace<'_>) -> String {
    digest(&namespace.name).replace("sha256:", "containerd://")
}

/// Of every kind: a sidecar, an image volume, a container that runs another image than is wanted, one without any status.
fn create_mixed_pods(namespace: &Namespace<'_>) {
    let images = [("app", "registry.example.com:5000/web:1"), ("copy", "registry.example.com:5000/web:1")];
    let mut mixed = pod(&namespace.name, "mixed", &Containers::running(&images));
    mixed["metadata"]["labels"] = json!({"app": "web", "tier": "front"});
    mixed["metadata"]["annotations"] = json!({"example.com/owner": "ann"});
    mixed["spec"]["initContainers"] = json!([{"name": "proxy", "image": "proxy", "restartPolicy": "Always"}]);
    mixed["spec"]["volumes"] = json!([{"name": "model", "image": {"reference": "models/small:3"}}]);
    mixed["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "model", "mountPath": "/model"}]);
    mixed["status"]["containerStatuses"][0]["containerID"] = json!(container_id(namespace));
    namespace.cluster.create(&[mixed]);
    namespace.create_pod("patched", "patched:1");
    let observed = namespace.cluster.kubectl(&[
        "-n",
        &namespace.name,
        "get",
        "pod",
        "patched",
        "-o",
        "jsonpath={.metadata.generation}",
    ]);
    let observed: u64 = observed.parse().expect("a number");
    namespace.cluster.patch_status(&namespace.name, "patched", &json!({"observedGeneration": observed}));
    let image = r#"{"spec": {"containers": [{"name": "app", "image": "patched:2"}]}}"#;
    namespace.cluster.kubectl(&["-n", &namespace.name, "patch", "pod", "patched", "-p", image]);
}

/// A pod that a node runs. Pretended nodes give its container no id.
fn create_pod_on_node(namespace: &Namespace<'_>, node: &str) {
    let mut object = pod(&namespace.name, "agent", &Containers::running(&[("app", "registry.k8s.io/pause:3.9")]));
    object["spec"]["nodeName"] = json!(node);
    object["status"] = Value::Null;
    namespace.cluster.create(&[object]);
    let wait = ["wait", "pod/agent", "--for=jsonpath={.status.phase}=Running", "--timeout=150s"];
    namespace.cluster.kubectl(&[&["-n", &namespace.name], &wait[..]].concat());
}

/// Nodes, once they have said what they are.
fn nodes(cluster: &Cluster) -> Vec<Value> {
    eventually("node that has said what it is", LIMIT, || {
        let nodes = cluster.kubectl_json(&["get", "nodes", "-o", "json"])["items"].clone();
        let nodes = nodes.as_array().cloned().unwrap_or_default();
        let is_known =
            |node: &Value| node["status"]["nodeInfo"]["architecture"].as_str().is_some_and(|arch| !arch.is_empty());
        if !nodes.is_empty() && nodes.iter().all(is_known) { Ok(nodes) } else { Err(format!("{nodes:?}")) }
    })
}

fn the_payload_says_what_the_printed_report_says() {
    let cluster = shared();
    let namespace = cluster.namespace("payload");
    create_mixed_pods(&namespace);
    create_pod_on_node(&namespace, nodes(cluster)[0]["metadata"]["name"].as_str().expect("a name"));
    let anchore = Anchore::start(Scenario::v2());
    // One run, so that both are of one moment of a cluster that changes.
    let ended = cluster.kai().pushing_to(&anchore).args(&["--cluster-name", "real"]).run().ended_with(0);
    let printed: Value = serde_json::from_str(&ended.stdout).expect("a report");
    let received = anchore.received();
    let paths: Vec<&str> = received.iter().map(|received| received.path.as_str()).collect();
    assert_eq!(paths, ["/v2/kubernetes-inventory"]);
    let (body, said) = (received[0].json(), inventory_of(&received[0]));
    assert_eq!(said, Inventory::of_results(&printed["results"]));
    for field in ["cluster_name", "timestamp", "serverVersionMetadata"] {
        assert_eq!(body[field], printed[field], "{field}");
    }
    assert_eq!(body["cluster_name"], "real");

    let said = said.of(&namespace.name);
    let tags: Vec<&str> = said.images.iter().map(|(_, tag, _)| tag.as_str()).collect();
    let expected = [
        "models/small:3",
        "patched:1",
        "patched:2",
        "proxy:latest",
        "registry.example.com:5000/web:1",
        "registry.k8s.io/pause:3.9",
    ];
    assert_eq!(tags, expected);
    assert_ids(cluster, &namespace, &body);
}

/// Container ids of the cluster where it has any; all others are the same in another process.
#[track_caller]
fn assert_ids(cluster: &Cluster, namespace: &Namespace<'_>, body: &Value) {
    let pods = cluster.kubectl_json(&["-n", &namespace.name, "get", "pods", "-o", "json"]);
    let uids: Vec<&Value> = pods["items"].as_array().into_iter().flatten().map(|pod| &pod["metadata"]["uid"]).collect();
    let own = |body: &Value| -> Vec<Value> {
        let containers = body["containers"].as_array().expect("a list").iter();
        containers.filter(|container| uids.contains(&&container["pod_uid"])).cloned().collect()
    };
    let sent = own(body);
    assert_eq!(sent.len(), 7, "{sent:#?}");
    let id = container_id(namespace);
    let with_own_id: Vec<&Value> = sent.iter().filter(|container| container["id"] == id.as_str()).collect();
    assert!(matches!(with_own_id[..], [container] if container["name"] == "app"), "{sent:#?}");
    let anchore = Anchore::start(Scenario::v2());
    let dry_run = cluster.kai().pushing_to(&anchore).args(&["--cluster-name", "real", "push", "--dry-run"]);
    let shown: Value = serde_json::from_str(&dry_run.run().ended_with(0).stdout).expect("JSON");
    assert_eq!(own(&shown["requests"][0]["body"]), sent, "another process gives the same ids");
    assert!(anchore.received().is_empty(), "a dry run asks the receiver nothing");
}

fn an_old_receiver_gets_the_printed_report() {
    let cluster = shared();
    let namespace = cluster.namespace("old");
    create_mixed_pods(&namespace);
    let anchore = Anchore::start(Scenario::inventories_only());
    let ended = cluster.kai().pushing_to(&anchore).run().ended_with(0);
    let received = anchore.received();
    let paths: Vec<&str> = received.iter().map(|received| received.path.as_str()).collect();
    let steps =
        ["/v2/kubernetes-inventory", "/version", "/v1/enterprise/kubernetes-inventory", "/v1/enterprise/inventories"];
    assert_eq!(paths, steps);
    let body = received[3].json();
    assert_valid(PayloadForm::Inventories, &body);
    assert_eq!(body, serde_json::from_str::<Value>(&ended.stdout).expect("a report"));
    let said = Inventory::of_results(&results(&ended.stdout));
    assert_eq!(said, inventory_of(&received[0]), "the newer interfaces were told the same");
    assert_eq!(said, inventory_of(&received[2]));
}

fn nodes_namespaces_and_pods_are_sent_with_what_the_cluster_says_of_them() {
    let cluster = shared();
    let namespace = cluster.namespace("metadata");
    cluster.kubectl(&["label", "namespace", &namespace.name, "team=blue"]);
    cluster.kubectl(&["annotate", "namespace", &namespace.name, "example.com/owner=ann"]);
    create_mixed_pods(&namespace);
    let name = nodes(cluster)[0]["metadata"]["name"].as_str().expect("a name").to_owned();
    create_pod_on_node(&namespace, &name);
    let read = || {
        let own = |what: &str| cluster.kubectl_json(&["-n", &namespace.name, "get", what, "-o", "json"]);
        let one = cluster.kubectl_json(&["get", "namespace", &namespace.name, "-o", "json"]);
        let pods = own("pods")["items"].as_array().cloned().unwrap_or_default();
        (nodes(cluster).iter().map(node).collect::<Vec<_>>(), object(&one), pods.iter().map(object).collect::<Vec<_>>())
    };
    // Controllers write on nodes and namespaces when they please.
    let (body, (nodes, own, mut pods)) = eventually("cluster that keeps still while it is read", LIMIT, || {
        let before = read();
        let anchore = Anchore::start(Scenario::v2());
        cluster.kai().pushing_to(&anchore).args(&["push"]).run().ended_with(0);
        let after = read();
        if before == after { Ok((anchore.wait_for(1)[0].json(), after)) } else { Err(format!("{after:?}")) }
    });
    let sorted = |list: &Value| {
        let mut list = list.as_array().cloned().unwrap_or_default();
        list.sort_by_key(|element| element["name"].to_string());
        list
    };
    assert_eq!(sorted(&body["nodes"]), nodes, "all nodes, those that run nothing too");
    let uid = own["uid"].clone();
    assert!(sorted(&body["namespaces"]).contains(&own), "{own} is in {}", body["namespaces"]);
    let node_uid = nodes.iter().find(|node| node["name"] == json!(name)).map(|node| node["uid"].clone());
    for pod in &mut pods {
        pod["namespace_uid"] = uid.clone();
        if pod["name"] == "agent" {
            pod["node_uid"] = node_uid.clone().expect("it is there");
        }
    }
    let mut sent = sorted(&body["pods"]);
    sent.retain(|pod| pod["namespace_uid"] == uid);
    assert_eq!(sent, pods);
}

/// Name, uid, labels and annotations of an object, as they are sent.
fn object(object: &Value) -> Value {
    let meta = &object["metadata"];
    let mut sent = Map::from_iter([("name".to_owned(), meta["name"].clone()), ("uid".to_owned(), meta["uid"].clone())]);
    for field in ["labels", "annotations"] {
        if meta[field].as_object().is_some_and(|values| !values.is_empty()) {
            sent.insert(field.to_owned(), meta[field].clone());
        }
    }
    sent.into()
}

/// A node as it is sent.
fn node(node: &Value) -> Value {
    let mut sent = object(node);
    let info = &node["status"]["nodeInfo"];
    for (field, of_node) in [
        ("arch", "architecture"),
        ("operating_system", "operatingSystem"),
        ("kernel_version", "kernelVersion"),
        ("kubelet_version", "kubeletVersion"),
        ("kube_proxy_version", "kubeProxyVersion"),
        ("container_runtime_version", "containerRuntimeVersion"),
    ] {
        if info[of_node].as_str().is_some_and(|text| !text.is_empty()) {
            sent[field] = info[of_node].clone();
        }
    }
    sent
}
