//! Invented pods as a real cluster has them: about 8 KB of compact JSON each, with managed fields, environment, probes,
//! volumes and the statuses of containerd. The same numbers always give the same bytes.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};

const REGISTRIES: [&str; 5] = ["docker.io", "quay.io", "ghcr.io", "registry.k8s.io", "registry.example.com:5000"];
const TEAMS: [&str; 8] = ["payments", "search", "catalog", "identity", "billing", "shipping", "media", "platform"];
const PARTS: [&str; 10] =
    ["api", "worker", "web", "cache", "gateway", "scheduler", "exporter", "proxy", "indexer", "store"];
const ENVIRONMENT: [&str; 7] =
    ["LOG_LEVEL", "DATABASE_HOST", "DATABASE_PORT", "CACHE_URL", "OTEL_ENDPOINT", "HTTP_PROXY", "RELEASE"];
/// Replicas of one workload.
const REPLICAS: u64 = 4;
/// Pods on one node.
const PER_NODE: u64 = 30;

/// A cluster of that many pods, spread over that many namespaces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cluster {
    /// How many pods.
    pub(crate) pods: u64,
    /// How many namespaces, at least one.
    pub(crate) namespaces: u64,
}

impl Cluster {
    /// Writes what `kubectl get namespaces,pods --all-namespaces -o json` prints, but compact: a `List` of both kinds with
    /// sorted keys, its own kind behind its items.
    pub(crate) fn write_list(self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(br#"{"apiVersion":"v1","items":["#)?;
        for index in 0..self.namespaces {
            out.write_all(if index == 0 { b"" } else { b"," })?;
            serde_json::to_writer(&mut *out, &namespace(index))?;
        }
        for index in 0..self.pods {
            out.write_all(b",")?;
            let mut pod = self.pod(index);
            pod["apiVersion"] = json!("v1");
            pod["kind"] = json!("Pod");
            serde_json::to_writer(&mut *out, &pod)?;
        }
        out.write_all(b"],\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"\"}}\n")
    }

    /// Writes a page as the API server answers it: a `PodList` whose items do not say their kind.
    pub(crate) fn write_page(self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(br#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"90210","continue":"bmV4dA","remainingItemCount":9500},"items":["#)?;
        for index in 0..self.pods {
            out.write_all(if index == 0 { b"" } else { b"," })?;
            serde_json::to_writer(&mut *out, &self.pod(index))?;
        }
        out.write_all(b"]}\n")
    }

    /// Pod number `index`, without kind, as it stands in a list.
    pub(crate) fn pod(self, index: u64) -> Value {
        let workload = index / REPLICAS;
        let mut random = Random(workload);
        let namespace = namespace_name(workload % self.namespaces);
        let name = format!("{}-{}-{}", TEAMS[random.below(8)], PARTS[random.below(10)], workload);
        let template = hex(workload ^ 0x51, 10);
        let pod_name = format!("{name}-{template}-{}", hex(index ^ 0xabc, 5));
        let node = format!("node-{}.example.internal", index % (self.pods / PER_NODE + 1));
        let containers: Vec<Spec> = (0..=random.below(2)).map(|at| Spec::new(PARTS[at], random.below(400))).collect();
        let init: Vec<Spec> = (0..random.below(2)).map(|_| Spec::new("migrate", random.below(400))).collect();
        let address = format!("10.2.{}.{}", index / 250 % 250, index % 250);
        let phase = match random.below(40) {
            0 => "Pending",
            1 => "Succeeded",
            2 => "Failed",
            _ => "Running",
        };
        json!({
            "metadata": {
                "name": pod_name, "generateName": format!("{name}-{template}-"), "namespace": namespace,
                "uid": uuid(index), "resourceVersion": (1000 + index).to_string(), "generation": 1,
                "creationTimestamp": "2026-10-01T08:15:30Z",
                "labels": {
                    "app.kubernetes.io/name": name, "app.kubernetes.io/part-of": TEAMS[random.below(8)],
                    "app.kubernetes.io/managed-by": "Helm", "pod-template-hash": template,
                },
                "annotations": {
                    "checksum/config": hex(workload, 64), "prometheus.io/scrape": "true", "prometheus.io/port": "9090",
                },
                "ownerReferences": [{
                    "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{name}-{template}"),
                    "uid": uuid(workload ^ 0xffff_0000), "controller": true, "blockOwnerDeletion": true,
                }],
                "managedFields": [managed_spec(&containers), managed_status(&pod_name)],
            },
            "spec": {
                "volumes": [
                    {"name": "config", "configMap": {"name": format!("{name}-config"), "defaultMode": 420}},
                    {"name": "scratch", "emptyDir": {}},
                    {"name": "kube-api-access-x7x2p", "projected": {"defaultMode": 420, "sources": [
                        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                        {"downwardAPI": {"items": [{"path": "namespace",
                            "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
                    ]}},
                ],
                "initContainers": init.iter().map(Spec::to_init_json).collect::<Vec<_>>(),
                "containers": containers.iter().map(Spec::to_json).collect::<Vec<_>>(),
                "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
                "serviceAccountName": name, "serviceAccount": name, "nodeName": node,
                "securityContext": {"runAsNonRoot": true, "fsGroup": 2000}, "schedulerName": "default-scheduler",
                "tolerations": [
                    {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
                    {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
                ],
                "priority": 0, "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority",
            },
            "status": {
                "observedGeneration": 1, "phase": phase,
                "conditions": (["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"])
                    .map(|kind| json!({"type": kind, "status": "True", "observedGeneration": 1,
                        "lastProbeTime": null, "lastTransitionTime": "2026-10-01T08:15:42Z"})),
                "hostIP": "10.1.0.7", "hostIPs": [{"ip": "10.1.0.7"}],
                "podIP": address, "podIPs": [{"ip": address}],
                "startTime": "2026-10-01T08:15:30Z", "qosClass": "Burstable",
                "initContainerStatuses": init.iter().map(|spec| spec.status(phase, index)).collect::<Vec<_>>(),
                "containerStatuses": containers.iter().map(|spec| spec.status(phase, index)).collect::<Vec<_>>(),
            },
        })
    }
}

/// One container and the image that it runs.
struct Spec {
    name: &'static str,
    repository: String,
    tag: String,
    seed: u64,
}

impl Spec {
    fn new(name: &'static str, image: usize) -> Self {
        let mut random = Random(image as u64 ^ 0x00c0_ffee);
        let repository =
            format!("{}/{}/{}", REGISTRIES[random.below(5)], TEAMS[random.below(8)], PARTS[random.below(10)]);
        Self { name, repository, tag: format!("v1.{}.{}", image % 17, image), seed: image as u64 }
    }

    /// The image as the spec has it: most with a tag, a few without one, with a digest, or with both.
    fn written(&self) -> String {
        let Self { repository, tag, .. } = self;
        match self.seed % 20 {
            0 => repository.clone(),
            1 => self.image_id(),
            2 => format!("{repository}:{tag}@{}", self.image_id().rsplit('@').next().unwrap_or_default()),
            _ => format!("{repository}:{tag}"),
        }
    }

    fn to_json(&self) -> Value {
        let probe = |path: &str| {
            json!({"httpGet": {"path": path, "port": 8080, "scheme": "HTTP"}, "initialDelaySeconds": 5,
                "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3})
        };
        let environment = ENVIRONMENT
            .iter()
            .enumerate()
            .map(|(at, name)| match at % 3 {
                0 => json!({"name": name, "valueFrom": {"secretKeyRef": {"name": format!("{}-secret", self.name), "key": name.to_lowercase()}}}),
                _ => json!({"name": name, "value": format!("{}-{}.{}.svc.cluster.local:8{at}", self.name, name.to_lowercase(), hex(self.seed, 6))}),
            })
            .collect::<Vec<_>>();
        json!({
            "name": self.name, "image": self.written(),
            "args": ["--config=/etc/app/config.yaml", "--message=\"quoted\" {not: json}"],
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}, {"name": "metrics", "containerPort": 9090, "protocol": "TCP"}],
            "env": environment,
            "resources": {"limits": {"cpu": "500m", "memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "volumeMounts": [
                {"name": "config", "mountPath": "/etc/app", "readOnly": true}, {"name": "scratch", "mountPath": "/tmp"},
                {"name": "kube-api-access-x7x2p", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true},
            ],
            "livenessProbe": probe("/healthz"), "readinessProbe": probe("/readyz"),
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent",
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": true},
        })
    }

    /// An init container: the API takes probes of those alone that go on running.
    fn to_init_json(&self) -> Value {
        let mut container = self.to_json();
        if let Some(fields) = container.as_object_mut() {
            fields.retain(|key, _| !key.ends_with("Probe"));
        }
        container
    }

    fn status(&self, phase: &str, index: u64) -> Value {
        let id = format!("containerd://{}", hex(index ^ self.seed, 64));
        let (state, image_id) = match phase {
            "Pending" => (json!({"waiting": {"reason": "ContainerCreating"}}), String::new()),
            "Running" => (json!({"running": {"startedAt": "2026-10-01T08:15:41Z"}}), self.image_id()),
            _ => (
                json!({"terminated": {"exitCode": 0, "reason": "Completed", "containerID": id,
                    "startedAt": "2026-10-01T08:15:41Z", "finishedAt": "2026-10-01T09:00:00Z"}}),
                self.image_id(),
            ),
        };
        json!({
            "name": self.name, "image": format!("{}:{}", self.repository, self.tag), "imageID": image_id, "containerID": id,
            "state": state, "lastState": {}, "ready": phase == "Running", "restartCount": 0, "started": phase == "Running",
            "allocatedResources": {"cpu": "100m", "memory": "128Mi"},
            "volumeMounts": [{"name": "config", "mountPath": "/etc/app", "readOnly": true, "recursiveReadOnly": "Disabled"}],
        })
    }

    fn image_id(&self) -> String {
        format!("{}@sha256:{}", self.repository, hex(self.seed ^ 0x00d1_9e57, 64))
    }
}

fn namespace_name(index: u64) -> String {
    format!("{}-{index}", TEAMS[Random(index).below(8)])
}

/// Namespace number `index`.
pub(crate) fn namespace(index: u64) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": namespace_name(index), "uid": uuid(index ^ 0xeeee_0000),
            "labels": {"kubernetes.io/metadata.name": namespace_name(index)}},
        "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
    })
}

fn managed_spec(containers: &[Spec]) -> Value {
    let fields: serde_json::Map<String, Value> = containers
        .iter()
        .map(|spec| {
            let key = format!("k:{}", json!({"name": spec.name}));
            let environment: serde_json::Map<String, Value> = ENVIRONMENT
                .iter()
                .map(|name| (format!("k:{}", json!({"name": name})), json!({".": {}, "f:name": {}, "f:value": {}})))
                .collect();
            let fields = json!({".": {}, "f:args": {}, "f:env": environment, "f:image": {}, "f:imagePullPolicy": {},
                "f:livenessProbe": {".": {}, "f:failureThreshold": {}, "f:httpGet": {".": {}, "f:path": {}, "f:port": {}, "f:scheme": {}}},
                "f:name": {}, "f:resources": {".": {}, "f:limits": {".": {}, "f:memory": {}}}, "f:volumeMounts": {".": {}}});
            (key, fields)
        })
        .collect();
    json!({"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "time": "2026-10-01T08:15:30Z",
        "fieldsType": "FieldsV1", "fieldsV1": {
            "f:metadata": {"f:annotations": {".": {}, "f:checksum/config": {}}, "f:generateName": {}, "f:labels": {".": {}}},
            "f:spec": {"f:containers": fields, "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:schedulerName": {}}}})
}

fn managed_status(name: &str) -> Value {
    json!({"manager": "kubelet", "operation": "Update", "apiVersion": "v1", "time": "2026-10-01T08:15:42Z",
        "fieldsType": "FieldsV1", "subresource": "status", "fieldsV1": {"f:status": {
            "f:conditions": {format!("k:{}", json!({"type": name})): {".": {}, "f:lastProbeTime": {}, "f:status": {}, "f:type": {}}},
            "f:containerStatuses": {}, "f:hostIP": {}, "f:phase": {}, "f:podIP": {}, "f:startTime": {}}}})
}

/// A sequence of numbers that looks random and depends on its start alone (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap_or_default()
    }
}

fn hex(seed: u64, digits: usize) -> String {
    let mut random = Random(seed);
    let mut text = String::with_capacity(digits + 16);
    while text.len() < digits {
        let _ = write!(text, "{:016x}", random.next());
    }
    text.truncate(digits);
    text
}

fn uuid(seed: u64) -> String {
    let hex = hex(seed ^ 0x0075_7569, 32);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
