//! Realistic pods, the same ones for the same numbers: what the loader sends to an API server and a made dump holds.
//!
//! They have what real pods are heavy with (environment, probes, volumes, conditions) and statuses as containerd writes
//! them, because a client that is quick on bare pods may be slow on these.

use serde_json::{Map, Value, json};

const REGISTRIES: [&str; 5] =
    ["", "docker.io/library/", "quay.io/platform/", "registry.example.com:5000/", "ghcr.io/acme/"];
const APPS: [&str; 16] = [
    "checkout", "ledger", "search", "catalog", "gateway", "billing", "mailer", "session", "reports", "worker", "audit",
    "pricing", "stock", "tracker", "exporter", "cache",
];

/// Numbers that look random and are the same for the same seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(digits);
        text
    }

    fn uid(&mut self) -> String {
        let hex = self.hex(32);
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }
}

fn pick<'a>(from: &[&'a str], at: u64) -> &'a str {
    usize::try_from(at).ok().and_then(|at| from.get(at % from.len())).copied().unwrap_or_default()
}

/// The name of a namespace, `team-0000` onwards.
pub(crate) fn namespace(index: u64) -> String {
    format!("team-{index:04}")
}

/// Pod number `index` of a cluster with so many namespaces (spread evenly), without managedFields: about 6 kB as JSON.
///
/// Its owner does not exist, nor does its node: a cluster with controllers would remove it.
pub(crate) fn pod(index: u64, namespaces: u64) -> Value {
    let mut dice = Dice(index);
    // Replicas of one workload share images, so the image is drawn from the workload, not from the pod.
    let workload = index / namespaces.max(1) % 40 + (index % namespaces.max(1)) * 40;
    let mut kind = Dice(workload ^ 0x5eed);
    let app = pick(&APPS, kind.next());
    let revision = kind.hex(10);
    let name = format!("{app}-{revision}-{index:05x}");
    let mut containers = vec![(app.to_owned(), image(app, &mut kind))];
    if kind.below(2) == 0 {
        containers.push(("proxy".to_owned(), image("proxy", &mut Dice(workload % 3))));
    }
    let mut init = Vec::new();
    if kind.below(4) == 0 {
        init.push(("migrate".to_owned(), image(app, &mut kind), false));
    }
    if kind.below(8) == 0 {
        init.push(("logs".to_owned(), image("shipper", &mut Dice(7)), true));
    }
    let phase = match dice.below(100) {
        0 => "Pending",
        1 => "Succeeded",
        2 => "Failed",
        _ => "Running",
    };
    let started = phase != "Pending";
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace(index % namespaces.max(1)),
            "labels": {
                "app.kubernetes.io/name": app, "app.kubernetes.io/instance": format!("{app}-prod"),
                "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": format!("{app}-1.4.2"),
                "pod-template-hash": revision,
            },
            "annotations": {
                "checksum/config": kind.hex(64), "prometheus.io/scrape": "true", "prometheus.io/port": "9090",
                "kubectl.kubernetes.io/restartedAt": "2026-10-01T08:15:00Z",
            },
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{app}-{revision}"), "uid": kind.uid(),
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "nodeName": format!("worker-{:03}", dice.below(100)),
            "serviceAccountName": app,
            "restartPolicy": "Always",
            "priority": 0,
            "securityContext": {"runAsNonRoot": true, "fsGroup": 2000, "seccompProfile": {"type": "RuntimeDefault"}},
            "tolerations": [
                {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
                {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            ],
            "initContainers": init.iter().map(|(name, image, sidecar)| {
                let mut container = container(name, &image.written, &mut dice);
                if *sidecar {
                    container["restartPolicy"] = json!("Always");
                } else {
                    // The API takes probes and lifecycles of ordinary and sidecar containers only.
                    for probe in ["livenessProbe", "readinessProbe"] {
                        container.as_object_mut().map(|fields| fields.remove(probe));
                    }
                }
                container
            }).collect::<Vec<_>>(),
            "containers": containers.iter().map(|(name, image)| container(name, &image.written, &mut dice)).collect::<Vec<_>>(),
            "volumes": volumes(app),
        },
        "status": {
            "phase": phase,
            "qosClass": "Burstable",
            "startTime": "2026-11-01T06:00:00Z",
            "hostIP": "10.1.0.17", "hostIPs": [{"ip": "10.1.0.17"}],
            "podIP": format!("10.2.{}.{}", index / 250 % 250, index % 250), "podIPs": [{"ip": format!("10.2.{}.{}", index / 250 % 250, index % 250)}],
            "conditions": ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].map(|name| json!({
                "type": name, "status": if started { "True" } else { "False" }, "lastProbeTime": null,
                "lastTransitionTime": "2026-11-01T06:00:04Z",
            })),
            "initContainerStatuses": init.iter().filter(|_| started)
                .map(|(name, image, sidecar)| status(name, image, if *sidecar { phase } else { "Succeeded" }, &mut dice)).collect::<Vec<_>>(),
            "containerStatuses": containers.iter().filter(|_| started)
                .map(|(name, image)| status(name, image, phase, &mut dice)).collect::<Vec<_>>(),
        },
    })
}

/// What a field manager that set the whole pod leaves in `metadata.managedFields`; an API server adds its own.
pub(crate) fn managed_fields(pod: &Value) -> Value {
    let part = |name: &str| json!({format!("f:{name}"): fields(&pod[name])});
    json!([
        {"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "time": "2026-11-01T06:00:00Z",
         "fieldsType": "FieldsV1", "fieldsV1": part("spec")},
        {"manager": "kubelet", "operation": "Update", "apiVersion": "v1", "time": "2026-11-01T06:00:04Z",
         "fieldsType": "FieldsV1", "fieldsV1": part("status"), "subresource": "status"},
    ])
}

fn fields(value: &Value) -> Value {
    match value {
        Value::Object(object) => object.iter().map(|(key, value)| (format!("f:{key}"), fields(value))).collect(),
        Value::Array(items) => items
            .iter()
            .filter_map(|item| {
                let name = item.get("name").or_else(|| item.get("type"))?;
                let mut set = Map::from_iter([(".".to_owned(), json!({}))]);
                if let Value::Object(inner) = fields(item) {
                    set.extend(inner);
                }
                Some((format!("k:{}", json!({"name": name})), Value::Object(set)))
            })
            .collect(),
        _ => json!({}),
    }
}

struct Image {
    /// As the spec has it.
    written: String,
    /// The repository as containerd resolves it.
    resolved: String,
    digest: String,
}

fn image(app: &str, dice: &mut Dice) -> Image {
    let registry = pick(&REGISTRIES, dice.next());
    let repository = format!("{registry}{app}");
    let resolved = if registry.is_empty() { format!("docker.io/library/{app}") } else { repository.clone() };
    let digest = format!("sha256:{}", dice.hex(64));
    let tag = format!("{}.{}.{}", dice.below(4), dice.below(30), dice.below(10));
    let written = match dice.below(20) {
        0 => repository,
        1 => format!("{repository}@{digest}"),
        2 => format!("{repository}:{tag}@{digest}"),
        _ => format!("{repository}:{tag}"),
    };
    Image { written, resolved, digest }
}

fn container(name: &str, image: &str, dice: &mut Dice) -> Value {
    let probe = |path: &str| {
        json!({"httpGet": {"path": path, "port": 8080, "scheme": "HTTP"}, "initialDelaySeconds": 5, "periodSeconds": 10,
               "timeoutSeconds": 2, "successThreshold": 1, "failureThreshold": 3})
    };
    let mut env: Vec<Value> = (0..8 + dice.below(8))
        .map(|index| json!({"name": format!("SETTING_{index}"), "value": format!("https://service-{index}.internal.example.com/{}", dice.hex(12))}))
        .collect();
    env.push(json!({"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}));
    env.push(json!({"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "credentials", "key": "password"}}}));
    json!({
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["--config=/etc/app/config.yaml", "--log-format=json", "--listen=:8080"],
        "env": env,
        "ports": [{"name": format!("p{}", dice.below(10000)), "containerPort": 8080, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "livenessProbe": probe("/livez"),
        "readinessProbe": probe("/readyz"),
        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/app", "readOnly": true},
            {"name": "scratch", "mountPath": "/tmp"},
            {"name": "kube-api-access", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true},
        ],
    })
}

fn volumes(app: &str) -> Value {
    json!([
        {"name": "config", "configMap": {"name": format!("{app}-config"), "defaultMode": 420}},
        {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}},
        {"name": "kube-api-access", "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
        ]}},
    ])
}

fn status(name: &str, image: &Image, phase: &str, dice: &mut Dice) -> Value {
    let state = match phase {
        "Running" => json!({"running": {"startedAt": "2026-11-01T06:00:03Z"}}),
        _ => json!({"terminated": {
            "exitCode": i32::from(phase == "Failed"), "reason": if phase == "Failed" { "Error" } else { "Completed" },
            "startedAt": "2026-11-01T06:00:03Z", "finishedAt": "2026-11-01T06:05:00Z",
        }}),
    };
    let tagged = image.written.split('@').next().unwrap_or_default();
    json!({
        "name": name,
        // containerd answers with the name it has for the content: with a tag, if it pulled by one.
        "image": if image.written.contains('@') { format!("sha256:{}", dice.hex(64)) } else {
            let tag = tagged.rsplit('/').next().and_then(|last| last.split_once(':')).map_or("latest", |(_, tag)| tag);
            format!("{}:{tag}", image.resolved)
        },
        "imageID": format!("{}@{}", image.resolved, image.digest),
        "containerID": format!("containerd://{}", dice.hex(64)),
        "ready": phase == "Running",
        "started": phase == "Running",
        "restartCount": dice.below(5),
        "state": state,
        "lastState": {},
    })
}
