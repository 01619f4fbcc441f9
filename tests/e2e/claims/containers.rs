//! Every kind of container counts, and what nodes report of it is read alike.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Cluster, Containers, Namespace, expected_results, images_of, pod, results, shared};

super::claims! {
    AnyCluster: an_ephemeral_container_added_through_its_subresource_appears,
        init_and_sidecar_containers_count,
        image_volumes_count,
        statuses_of_every_runtime_are_read_alike,
        an_image_patched_in_place_is_never_joined_to_the_old_digest;
    OwnControlPlane: static_pods_count,
}

const H: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const C: &str = "2222222222222222222222222222222222222222222222222222222222222222";

/// What kai reports of one namespace, and what a plain reading gives.
fn reported(cluster: &Cluster, namespace: &str) -> (Vec<String>, Vec<String>) {
    let ended = cluster.kai().args(&["-n", namespace]).run().ended_with(0);
    let list = cluster.kubectl_json(&["-n", namespace, "get", "pods", "-o", "json"]);
    (images_of(&results(&ended.stdout), namespace), images_of(&expected_results(&list, true), namespace))
}

/// The same, and both hold these images, by their tags.
#[track_caller]
fn assert_reported(namespace: &Namespace<'_>, tags: &[&str]) {
    let (kai, plain) = reported(namespace.cluster, &namespace.name);
    assert_eq!(kai, plain);
    let found: Vec<&str> = kai.iter().filter_map(|image| image.split(' ').next()).collect();
    assert_eq!(found, tags);
}

fn an_ephemeral_container_added_through_its_subresource_appears() {
    let cluster = shared();
    let namespace = cluster.namespace("debug");
    namespace.create_pod("web", "web:1");
    let service = cluster.kai().args(&["-n", &namespace.name]).serve().ready();
    let images = format!("/namespaces/{}/images", namespace.name);
    service.get_until(&images, Duration::from_secs(30), |answer| answer.body.contains("web:1"));
    let debug = ["-n", &namespace.name, "debug", "web", "--image=toolbox:7", "-c", "toolbox", "--profile=general"];
    cluster.kubectl(&debug);
    service.get_until(&images, Duration::from_secs(30), |answer| answer.body.contains("toolbox:7"));
    let statuses = json!([{"name": "toolbox", "image": "toolbox:7", "imageID": format!("toolbox@{H}"), "ready": false,
        "restartCount": 0, "state": {"running": {"startedAt": "2026-11-01T06:00:00Z"}}}]);
    cluster.patch_status(&namespace.name, "web", &json!({"ephemeralContainerStatuses": statuses}));
    service.get_until(&images, Duration::from_secs(30), |answer| answer.body.contains(H));
    assert_reported(&namespace, &["toolbox:7", "web:1"]);
}

fn init_and_sidecar_containers_count() {
    let namespace = shared().namespace("init");
    let mut object = pod(&namespace.name, "web", &Containers::running(&[("app", "web:1")]));
    object["spec"]["initContainers"] = json!([
        {"name": "migrate", "image": "migrate:2"}, {"name": "proxy", "image": "proxy", "restartPolicy": "Always"},
    ]);
    object["status"]["initContainerStatuses"] = json!([
        // In another order than the spec: they belong together by name.
        {"name": "proxy", "image": "proxy:latest", "imageID": format!("docker.io/library/proxy@{H}"), "ready": true,
         "restartCount": 0, "state": {"running": {"startedAt": "2026-11-01T06:00:00Z"}}},
        {"name": "migrate", "image": "migrate:2", "imageID": format!("sha256:{C}"), "ready": true, "restartCount": 0,
         "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}},
    ]);
    namespace.cluster.create(&[object]);
    assert_reported(&namespace, &["migrate:2", "proxy:latest", "web:1"]);
    let (kai, _) = reported(namespace.cluster, &namespace.name);
    assert!(kai.contains(&format!("proxy:latest {H}")) && kai.contains(&"migrate:2".to_owned()), "{kai:?}");
}

fn image_volumes_count() {
    let namespace = shared().namespace("volumes");
    let mut object = pod(&namespace.name, "web", &Containers::running(&[("app", "web:1")]));
    object["spec"]["volumes"] = json!([
        {"name": "model", "image": {"reference": "registry.example.com/models/small:3", "pullPolicy": "IfNotPresent"}},
        {"name": "pinned", "image": {"reference": format!("registry.example.com/models/large@{H}")}},
    ]);
    object["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "model", "mountPath": "/small"}, {"name": "pinned", "mountPath": "/large"}]);
    namespace.cluster.create(&[object]);
    let pinned = format!("registry.example.com/models/large:{}", &H["sha256:".len()..]);
    assert_reported(&namespace, &[&pinned, "registry.example.com/models/small:3", "web:1"]);
}

fn statuses_of_every_runtime_are_read_alike() {
    let namespace = shared().namespace("runtimes");
    let d = format!("docker-pullable://nginx@{H}");
    let cases = [
        ["docker", "nginx:1.25", "nginx:1.25", &d],
        ["docker-untagged", "nginx", "nginx:latest", &d],
        ["docker-local", "local:dev", "local:dev", &format!("docker://sha256:{C}")],
        ["containerd", "redis:7", "docker.io/library/redis:7", &format!("docker.io/library/redis@{H}")],
        ["containerd-pinned", &format!("alpine@{H}"), &format!("sha256:{C}"), &format!("docker.io/library/alpine@{H}")],
        ["containerd-loaded", "app:dev", "docker.io/library/app:dev", &format!("sha256:{C}")],
        [
            "both",
            &format!("registry.example.com/c:v1@{H}"),
            &format!("sha256:{C}"),
            &format!("registry.example.com/c@{H}"),
        ],
        ["crio", "quay.io/a/b:1", "quay.io/a/b:1", C],
        [
            "port",
            "registry.example.com:5000/team/app",
            "registry.example.com:5000/team/app:latest",
            &format!("registry.example.com:5000/team/app@{H}"),
        ],
        ["other-tag", "api:158", "api:157", &format!("api@{H}")],
        ["virtual", "worker:9", "worker:9", ""],
    ];
    namespace.cluster.create(&[pod(&namespace.name, "all", &Containers::reported(&cases))]);
    let (kai, plain) = reported(namespace.cluster, &namespace.name);
    assert_eq!(kai, plain);
    let hex = &H["sha256:".len()..];
    let mut expected = [
        format!("nginx:1.25 {H}"),
        format!("nginx:latest {H}"),
        "local:dev".to_owned(),
        format!("redis:7 {H}"),
        format!("alpine:{hex} {H}"),
        "app:dev".to_owned(),
        format!("registry.example.com/c:v1 {H}"),
        "quay.io/a/b:1".to_owned(),
        format!("registry.example.com:5000/team/app:latest {H}"),
        format!("api:158 {H}"),
        "worker:9".to_owned(),
    ];
    expected.sort();
    assert_eq!(kai, expected);
}

fn an_image_patched_in_place_is_never_joined_to_the_old_digest() {
    let cluster = shared();
    let namespace = cluster.namespace("patched");
    cluster.create(&[pod(
        &namespace.name,
        "web",
        &Containers::reported(&[["app", "web:1", "web:1", &format!("web@{H}")]]),
    )]);
    let read = || cluster.kubectl_json(&["-n", &namespace.name, "get", "pod", "web", "-o", "json"]);
    let observed = read()["metadata"]["generation"].clone();
    cluster.patch_status(&namespace.name, "web", &json!({"observedGeneration": observed}));
    let image = r#"{"spec": {"containers": [{"name": "app", "image": "web:2"}]}}"#;
    cluster.kubectl(&["-n", &namespace.name, "patch", "pod", "web", "-p", image]);
    let now = read();
    assert_ne!(
        now["metadata"]["generation"], now["status"]["observedGeneration"],
        "the node has not seen the patch yet"
    );
    let (kai, _) = reported(cluster, &namespace.name);
    assert_eq!(kai, [format!("web:1 {H}"), "web:2".to_owned()]);
}

fn static_pods_count() {
    let namespace = shared().namespace("static");
    let preloaded = format!("sha256:{C}");
    let image = "registry.k8s.io/kube-proxy:v1.37.2";
    let mut object =
        pod(&namespace.name, "kube-proxy-node-001", &Containers::reported(&[["proxy", image, image, &preloaded]]));
    // As a kubelet mirrors a file of its own; the API takes such pods only with a node.
    object["metadata"]["annotations"] = json!({
        "kubernetes.io/config.mirror": "3a1c", "kubernetes.io/config.hash": "3a1c", "kubernetes.io/config.source": "file",
    });
    object["spec"]["nodeName"] = json!("node-001");
    object["metadata"]["ownerReferences"] = json!([{"apiVersion": "v1", "kind": "Node", "name": "node-001", "controller": true, "uid": uid_of_node("node-001")}]);
    namespace.cluster.create(&[object]);
    assert_reported(&namespace, &[image]);
}

fn uid_of_node(name: &str) -> String {
    shared().kubectl(&["get", "node", name, "-o", "jsonpath={.metadata.uid}"])
}
