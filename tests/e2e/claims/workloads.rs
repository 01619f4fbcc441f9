//! Deployments, daemon sets and cron jobs are seen as the pods that controllers and nodes make of them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Cluster, Namespace, eventually, expected_results, images_of, results, shared};

super::claims! {
    AnyCluster: a_deployment_and_its_rollout_are_followed,
        a_daemon_set_runs_on_every_node_and_counts_once,
        a_cron_job_counts_while_it_runs_or_when_ended_pods_are_asked_for,
}

/// An image that exists, for nodes that really pull.
const IMAGE: &str = "registry.k8s.io/pause:3.9";
const NEWER: &str = "registry.k8s.io/pause:3.10";
const ROLLOUT: Duration = Duration::from_mins(2);

fn workload(kind: &str, api_version: &str, namespace: &Namespace<'_>, spec: &Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web", "namespace": namespace.name}, "spec": spec})
}

fn template(restart_policy: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"restartPolicy": restart_policy, "automountServiceAccountToken": false,
                 "containers": [{"name": "app", "image": IMAGE}]},
    })
}

/// Tags and digests that kai gives and a plain reading gives, once they agree: pods change while either reads.
fn agreed(cluster: &Cluster, namespace: &str, ignore_not_running: bool) -> Vec<String> {
    eventually("report that equals a plain reading", ROLLOUT, || {
        let ignore = ignore_not_running.to_string();
        let ended = cluster.kai().env("KAI_IGNORE_NOT_RUNNING", &ignore).args(&["-n", namespace]).run().ended_with(0);
        let list = cluster.kubectl_json(&["get", "pods,namespaces", "-A", "-o", "json"]);
        let kai = images_of(&results(&ended.stdout), namespace);
        let plain = images_of(&expected_results(&list, ignore_not_running), namespace);
        if kai == plain { Ok(kai) } else { Err(format!("{kai:?}, and in plain {plain:?}")) }
    })
}

fn tag(image: &str) -> &str {
    image.split(' ').next().unwrap_or_default()
}

fn a_deployment_and_its_rollout_are_followed() {
    let cluster = shared();
    let namespace = cluster.namespace("rollout");
    let spec = json!({"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template("Always")});
    cluster.create(&[workload("Deployment", "apps/v1", &namespace, &spec)]);
    let status = ["-n", &namespace.name, "rollout", "status", "deployment/web", "--timeout=150s"];
    cluster.kubectl(&status);
    let before = agreed(cluster, &namespace.name, true);
    assert_eq!(before.iter().map(|image| tag(image)).collect::<Vec<_>>(), [IMAGE], "three pods, one image");
    let service = cluster.kai().args(&["-n", &namespace.name]).serve().ready();
    cluster.kubectl(&["-n", &namespace.name, "set", "image", "deployment/web", &format!("app={NEWER}")]);
    cluster.kubectl(&status);
    let images = format!("/namespaces/{}/images", namespace.name);
    service.get_until(&images, ROLLOUT, |answer| {
        let images = answer.json()["images"].clone();
        let tags: Vec<&str> =
            images.as_array().into_iter().flatten().filter_map(|image| image["tag"].as_str()).collect();
        tags == [NEWER]
    });
}

fn a_daemon_set_runs_on_every_node_and_counts_once() {
    let cluster = shared();
    let namespace = cluster.namespace("daemons");
    let spec = json!({"selector": {"matchLabels": {"app": "web"}}, "template": template("Always")});
    cluster.create(&[workload("DaemonSet", "apps/v1", &namespace, &spec)]);
    cluster.kubectl(&["-n", &namespace.name, "rollout", "status", "daemonset/web", "--timeout=150s"]);
    let images = agreed(cluster, &namespace.name, true);
    assert_eq!(images.iter().map(|image| tag(image)).collect::<Vec<_>>(), [IMAGE]);
    let pods = cluster.kubectl(&["-n", &namespace.name, "get", "pods", "-o", "name"]).lines().count();
    let service = cluster.kai().args(&["-n", &namespace.name]).serve().ready();
    let namespaces = service.get("/namespaces").json();
    let found = namespaces["namespaces"]
        .as_array()
        .and_then(|all| all.iter().find(|entry| entry["name"] == namespace.name.as_str()));
    assert_eq!(found.map(|entry| entry["pods"].clone()), Some(json!(pods)), "{namespaces}");
}

fn a_cron_job_counts_while_it_runs_or_when_ended_pods_are_asked_for() {
    let cluster = shared();
    let namespace = cluster.namespace("cron");
    let job = json!({"spec": {"backoffLimit": 0, "template": template("Never")}});
    let spec = json!({"schedule": "* * * * *", "concurrencyPolicy": "Forbid", "jobTemplate": job});
    cluster.create(&[workload("CronJob", "batch/v1", &namespace, &spec)]);
    eventually("pod of the cron job that has begun", ROLLOUT, || {
        let pods = cluster.kubectl(&["-n", &namespace.name, "get", "pods", "-o", "jsonpath={.items[*].status.phase}"]);
        if pods.contains("Running") || pods.contains("Succeeded") { Ok(()) } else { Err(pods) }
    });
    let images = agreed(cluster, &namespace.name, false);
    assert_eq!(images.iter().map(|image| tag(image)).collect::<Vec<_>>(), [IMAGE]);
    // Whether it still runs decides about the default; the plain reading knows which.
    agreed(cluster, &namespace.name, true);
}
