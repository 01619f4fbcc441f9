//! Pods as a test wants them: no scheduler, controller or kubelet touches them, so that their status stays what it says.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Value, json};

/// Containers of a pod, and what a node reports of each.
pub(crate) struct Containers(Vec<[String; 4]>);

impl Containers {
    /// (name, image) of containers that run, reported as containerd does.
    pub(crate) fn running(containers: &[(&str, &str)]) -> Self {
        let reported = |&(name, image): &(&str, &str)| {
            let repository = image.split('@').next().unwrap_or(image);
            [name.to_owned(), image.to_owned(), image.to_owned(), format!("{repository}@{}", digest(image))]
        };
        Self(containers.iter().map(reported).collect())
    }

    /// (name, image, reported image, reported image ID) of containers that run.
    pub(crate) fn reported(containers: &[[&str; 4]]) -> Self {
        Self(containers.iter().map(|container| container.map(str::to_owned)).collect())
    }
}

/// A manifest digest, the same for the same text.
pub(crate) fn digest(of: &str) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    format!("sha256:{:064x}", hasher.finish())
}

/// A running pod; what is not said here can be added to the value.
pub(crate) fn pod(namespace: &str, name: &str, containers: &Containers) -> Value {
    let specs = containers.0.iter().map(|[name, image, ..]| json!({"name": name, "image": image}));
    let statuses = containers.0.iter().map(|[name, _, image, image_id]| {
        json!({"name": name, "image": image, "imageID": image_id, "ready": true, "restartCount": 0,
               "state": {"running": {"startedAt": "2026-11-01T06:00:00Z"}}})
    });
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name},
        // A scheduler that does not exist: nobody binds the pod to a node, so no node has anything to say of it.
        "spec": {"schedulerName": "by-hand", "automountServiceAccountToken": false, "containers": specs.collect::<Vec<_>>()},
        "status": {"phase": "Running", "containerStatuses": statuses.collect::<Vec<_>>()},
    })
}
