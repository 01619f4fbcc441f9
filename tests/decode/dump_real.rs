//! Real dumps of other people's clusters, read in place: each against a plain reading of the same file, and against counts
//! that were checked by eye.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

use kai::decode::{DecodeError, DumpEnd, Records, read_dump};
use kai::inventory::{ContainerKind, ContainerState, PodRecord};
use kai::snapshot::{Event, Object};
use serde_json::Value;

#[expect(clippy::print_stdout, reason = "whoever runs the tests must see that this one did not")]
fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/cases/dumps");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("NOT RUN: {} is absent, so no real dump was read", folder.display());
    None
}

fn read(bytes: &[u8]) -> (Vec<PodRecord>, Result<DumpEnd, DecodeError>) {
    let (mut pods, mut skipped) = (Vec::new(), Vec::new());
    let mut input = bytes;
    let end = read_dump(&mut input, &mut Records::default(), &mut |event| {
        match event {
            Event::Applied(Object::Pod(pod)) => pods.push(pod),
            other => skipped.push(other),
        }
        ControlFlow::Continue(())
    });
    assert!(skipped.is_empty() || end.is_err(), "{skipped:?}");
    (pods, end)
}

/// One line per container: what a plain reading of the document says.
fn plain_lines(document: &Value) -> Vec<String> {
    let items = document["items"].as_array().cloned().unwrap_or_else(|| vec![document.clone()]);
    let mut lines = Vec::new();
    for pod in &items {
        let owner = plain_owner(pod);
        let lists = [
            ("initContainers", "initContainerStatuses"),
            ("containers", "containerStatuses"),
            ("ephemeralContainers", "ephemeralContainerStatuses"),
        ];
        for (kind, statuses) in lists {
            let statuses: BTreeMap<&str, &Value> = pod["status"][statuses]
                .as_array()
                .into_iter()
                .flatten()
                .map(|status| (status["name"].as_str().expect("a name"), status))
                .collect();
            for container in pod["spec"][kind].as_array().into_iter().flatten() {
                let name = container["name"].as_str().expect("a name");
                let status = statuses.get(name).copied().unwrap_or(&Value::Null);
                lines.push(format!(
                    "{}/{} {} {owner} {kind} {name} {} {} {}",
                    pod["metadata"]["namespace"].as_str().expect("a namespace"),
                    pod["metadata"]["name"].as_str().expect("a name"),
                    pod["status"]["phase"].as_str().unwrap_or("Unknown"),
                    container["image"].as_str().expect("an image"),
                    plain_running(status["imageID"].as_str().unwrap_or("")),
                    plain_state(pod, status),
                ));
            }
        }
    }
    lines
}

fn plain_owner(pod: &Value) -> String {
    let annotations = &pod["metadata"]["annotations"];
    let is_static = annotations["kubernetes.io/config.mirror"].is_string()
        || annotations["kubernetes.io/config.source"].as_str() == Some("file");
    if is_static {
        return format!("Node:{}", pod["spec"]["nodeName"].as_str().expect("a node"));
    }
    let owners = pod["metadata"]["ownerReferences"].as_array();
    owners
        .into_iter()
        .flatten()
        .find(|owner| owner["controller"] == Value::Bool(true))
        .map_or("-".to_owned(), |owner| {
            format!("{}:{}", owner["kind"].as_str().expect("a kind"), owner["name"].as_str().expect("a name"))
        })
}

fn plain_running(image_id: &str) -> String {
    match image_id.rsplit_once('@') {
        Some((_, digest)) => digest.to_owned(),
        None if image_id.is_empty() => "none".to_owned(),
        None => format!("id:sha256:{}", image_id.trim_start_matches("docker://").trim_start_matches("sha256:")),
    }
}

fn plain_state(pod: &Value, status: &Value) -> String {
    let state = status["state"].as_object();
    match state.and_then(|state| state.iter().next()) {
        Some((word, cause)) => {
            let word = format!("{}{}", word[..1].to_uppercase(), &word[1..]);
            format!("{word}:{}", cause["reason"].as_str().unwrap_or(""))
        }
        None if pod["status"]["phase"] == "Failed" => {
            format!("Terminated:{}", pod["status"]["reason"].as_str().unwrap_or(""))
        }
        None => "Pending:".to_owned(),
    }
}

/// The same lines of what kai read.
fn lines(pods: &[PodRecord]) -> Vec<String> {
    let mut lines = Vec::new();
    for pod in pods {
        let owner = pod.owner.as_ref().map_or("-".to_owned(), |owner| format!("{}:{}", owner.kind, owner.name));
        for entry in &pod.containers {
            let kind = match entry.kind {
                ContainerKind::Container => "containers",
                ContainerKind::Init | ContainerKind::Sidecar => "initContainers",
                ContainerKind::Ephemeral => "ephemeralContainers",
                ContainerKind::Volume => "volumes",
            };
            let running = match (&entry.running, &entry.image_id) {
                (Some(digest), _) => digest.to_string(),
                (None, Some(id)) => format!("id:{id}"),
                (None, None) => "none".to_owned(),
            };
            let state = match entry.state {
                ContainerState::Pending => "Pending",
                ContainerState::Waiting => "Waiting",
                ContainerState::Running => "Running",
                ContainerState::Terminated => "Terminated",
            };
            let reason = entry.reason.as_deref().unwrap_or("");
            lines.push(format!(
                "{}/{} {:?} {owner} {kind} {} {} {running} {state}:{reason}",
                pod.namespace,
                pod.name,
                pod.phase,
                entry.name,
                entry.image.written(),
            ));
        }
    }
    lines
}

/// Pods, containers, with a running digest, with only an image ID, neither reported nor ended, static pods.
type Counts = [usize; 6];

fn counts(pods: &[PodRecord]) -> Counts {
    let entries = || pods.iter().flat_map(|pod| &pod.containers);
    let is_static = |pod: &&PodRecord| pod.owner.as_ref().is_some_and(|owner| &*owner.kind == "Node");
    [
        pods.len(),
        entries().count(),
        entries().filter(|entry| entry.running.is_some()).count(),
        entries().filter(|entry| entry.image_id.is_some()).count(),
        entries().filter(|entry| entry.state == ContainerState::Pending).count(),
        pods.iter().filter(is_static).count(),
    ]
}

const FILES: [(&str, Counts); 10] = [
    ("digitalocean-docker-hyperkube.json", [9, 9, 7, 0, 2, 5]),
    ("docker-init-crashloop.json", [1, 2, 1, 0, 0, 0]),
    ("k3s-default.json", [6, 6, 4, 0, 2, 0]),
    ("k3s-kube-system.json", [7, 8, 8, 0, 0, 0]),
    ("kind-image-id-only.txt", [1, 1, 0, 1, 0, 0]),
    ("kubeadm-docker-metallb.json", [11, 16, 16, 0, 0, 0]),
    ("kubelet-evicted.json", [4, 5, 2, 0, 2, 1]),
    ("minikube-containerd-1.35.yaml", [25, 25, 17, 7, 1, 4]),
    ("minikube-docker-1.16.yaml", [17, 17, 8, 7, 1, 4]),
    ("openshift-crio.json", [2, 2, 2, 0, 0, 0]),
];

#[test]
fn real_dumps_read_as_a_plain_reading_reads_them() {
    let Some(folder) = folder() else { return };
    for (name, expected) in FILES {
        let mut text = std::fs::read_to_string(folder.join(name)).expect("a dump");
        if name == "kind-image-id-only.txt" {
            // Its first two lines are those of the tool that ran kubectl.
            text = text.splitn(3, '\n').nth(2).expect("three lines").to_owned();
        }
        let (pods, end) = read(text.as_bytes());
        let end = end.unwrap_or_else(|error| panic!("{name}: {error}"));
        let document: Value = if text.trim_start().starts_with('{') {
            serde_json::from_str(&text).expect("JSON")
        } else {
            serde_saphyr::from_str(&text).expect("YAML")
        };
        assert_eq!(lines(&pods), plain_lines(&document), "{name}");
        assert_eq!(
            (usize::try_from(end.pods).expect("a count"), end.namespaces, end.cut_short),
            (pods.len(), 0, None),
            "{name}"
        );
        assert!(pods.iter().all(|pod| pod.stray_statuses.is_empty()), "{name}");
        assert_eq!(counts(&pods), expected, "{name}");
    }
}

#[test]
fn a_real_dump_behind_lines_of_a_tool_is_refused() {
    let Some(folder) = folder() else { return };
    let bytes = std::fs::read(folder.join("kind-image-id-only.txt")).expect("a dump");
    let (pods, end) = read(&bytes);
    let error = end.expect_err("refused").to_string();
    assert!(error.starts_with("line 1 is not part of a Kubernetes object: `{\"toolset_name\":"), "{error}");
    assert_eq!(pods.len(), 0);
}

#[test]
fn a_real_dump_cut_anywhere_keeps_what_came_before_and_says_so() {
    let Some(folder) = folder() else { return };
    for name in ["k3s-default.json", "openshift-crio.json", "minikube-docker-1.16.yaml"] {
        let bytes = std::fs::read(folder.join(name)).expect("a dump");
        let whole = lines(&read(&bytes).0);
        for length in (1..bytes.trim_ascii_end().len()).step_by(997) {
            let (pods, end) = read(&bytes[..length]);
            assert!(whole.starts_with(&lines(&pods)), "{name} cut to {length}");
            match end {
                Err(error) => assert_eq!(pods.len(), 0, "{name} cut to {length}: {error}"),
                // YAML does not tell whether a list goes on once its kind has come.
                Ok(end) => assert!(end.cut_short.is_some() || name.ends_with("yaml"), "{name} cut to {length}"),
            }
        }
    }
}
