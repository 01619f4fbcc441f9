//! What a pod's three image fields say together: one named row for each case of the rules.
//!
//! A row is a pod as the API server gives it and, line by line, all that kai makes of it: a line for each container with
//! whatever is not ordinary, then a `=>` line for each entry of the report in which every phase counts. What a line does
//! not name is absent. `{H}` and `{D}` stand for manifest digests, `{C}` for a config digest, `{B}` for 128 hex digits.
//!
//! The rules: R0 spec and status are joined by name within their kind. R1 repository and tag come from the spec. R2 with
//! neither tag nor digest the tag is `latest`, implied. R3 the running digest stands behind the only `@` of `imageID`; a
//! bare hash is an image ID and no digest. R4 else the declared digest is reported. R5 a tag beside a digest is kept.
//! R6 another repository in `imageID` is kept as the resolved one. R7 what does not parse stays raw. R8 names compare in
//! canonical form and are reported as written.

use kai::decode::{ListDecoder, Records};
use kai::inventory::{ContainerKind, ContainerRecord, ContainerState, Digest, PodRecord, ReportPolicy};
use kai::snapshot::{Event, ListScope, Object};
use kai::testing::cluster;
use kai::views::NamespaceImages;
use rstest::rstest;
use serde_json::{Value, json};

const SYMBOLS: [(&str, &str); 4] = [
    ("{H}", "b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628"),
    ("{D}", "5f9489a26c408807dbbae5fd231507545aa27942272fba7b88a8492ed8845a46"),
    ("{C}", "c0ffee5f1c2b0a49e1f5d3c7b9a8e6d4f2c0b8a697f5e3d1c9b7a5f3e1d0c8b6"),
    (
        "{B}",
        "dabcad7a3f98537c6ffd24d7d048b3ff83612d6f1a56c8df7a579c868e4352da7a00195a0f850bcf02d279aef47e595b9943a1faf3f1117943b19a2bc0c933ae",
    ),
];

fn filled(text: &str) -> String {
    SYMBOLS.iter().fold(text.to_owned(), |text, (symbol, hex)| text.replace(symbol, hex))
}

fn symbolic(text: &str) -> String {
    SYMBOLS.iter().fold(text.to_owned(), |text, (symbol, hex)| text.replace(hex, symbol))
}

/// A pod with these members of `spec` and `status`.
fn pod(spec: &Value, status: &Value) -> Value {
    json!({"metadata": {"name": "pod", "namespace": "apps"}, "spec": spec, "status": status})
}

fn pod_in_phase(phase: &str, spec: &[Value], statuses: &[Value]) -> Value {
    pod(&json!({ "containers": spec }), &json!({"phase": phase, "containerStatuses": statuses}))
}

fn running() -> Value {
    json!({"running": {"startedAt": "2026-11-01T00:00:00Z"}})
}

fn status(image: &str, image_id: &str, state: &Value) -> Value {
    json!({"name": "app", "image": image, "imageID": image_id, "state": state})
}

fn app(image: &str) -> Value {
    json!({"name": "app", "image": image})
}

/// A pod of one running container.
fn runs(spec: &str, image: &str, image_id: &str) -> Value {
    pod_in_phase("Running", &[app(spec)], &[status(image, image_id, &running())])
}

/// A pod whose one container waits.
fn waits(phase: &str, reason: &str, spec: &str, image: &str, image_id: &str) -> Value {
    pod_in_phase(phase, &[app(spec)], &[status(image, image_id, &json!({"waiting": {"reason": reason}}))])
}

/// A pod whose one container ended.
fn ended(phase: &str, reason: &str, spec: &str, image: &str, image_id: &str) -> Value {
    pod_in_phase(phase, &[app(spec)], &[status(image, image_id, &json!({"terminated": {"reason": reason}}))])
}

/// A pod of which no status is known.
fn unreported(phase: &str, spec: &str) -> Value {
    pod(&json!({"containers": [app(spec)]}), &json!({ "phase": phase }))
}

/// The pod with `metadata.generation` and `status.observedGeneration`.
fn observed(mut pod: Value, generation: i64, observed: i64) -> Value {
    pod["metadata"]["generation"] = generation.into();
    pod["status"]["observedGeneration"] = observed.into();
    pod
}

/// A pod whose spec has changed while the node still runs what it ran.
fn behind(pod: Value) -> Value {
    observed(pod, 2, 1)
}

fn annotated(mut pod: Value, key: &str, value: &str) -> Value {
    pod["metadata"]["annotations"][key] = value.into();
    pod["spec"]["nodeName"] = "node-1".into();
    pod
}

fn two_spellings_and_the_canonical_one() -> Value {
    let spellings = ["docker.io/nginx:1", "index.docker.io/library/nginx:1", "nginx:1"];
    let named = |name: &str, mut value: Value| {
        value["name"] = name.into();
        value
    };
    let spec: Vec<Value> = spellings.iter().map(|image| named(image, app(image))).collect();
    let status = status("nginx:1", "docker-pullable://docker.io/nginx@sha256:{H}", &running());
    let statuses: Vec<Value> = spellings.iter().map(|image| named(image, status.clone())).collect();
    pod_in_phase("Running", &spec, &statuses)
}

fn decoded(pods: &[Value]) -> Vec<PodRecord> {
    let body = filled(&json!({"kind": "PodList", "apiVersion": "v1", "items": pods}).to_string());
    let mut decoder = ListDecoder::new(ListScope::AllPods);
    let mut events = Vec::new();
    decoder.push(body.as_bytes(), &mut Records::default(), &mut events).expect("a list");
    decoder.finish().expect("a whole list");
    events
        .into_iter()
        .map(|event| match event {
            Event::Applied(Object::Pod(pod)) => pod,
            other => panic!("no pod: {other:?}"),
        })
        .collect()
}

/// The lines of a container: canonical name, tag, and whatever else there is to say.
fn container_line(container: &ContainerRecord) -> String {
    let ContainerRecord {
        name: _,
        kind,
        image,
        running,
        image_id,
        resolved_repository,
        updating_from,
        state,
        reason,
        flags,
        started_at: _,
        container_id: _,
    } = container;
    let mut line = match kind {
        ContainerKind::Container => String::new(),
        ContainerKind::Init => "init ".into(),
        ContainerKind::Sidecar => "sidecar ".into(),
        ContainerKind::Ephemeral => "ephemeral ".into(),
        ContainerKind::Volume => "volume ".into(),
    };
    let mut say = |words: &[&str]| line.extend(words.iter().copied());
    say(&[&image.canonical_name()]);
    say(&if image.has_parts() { [" ", image.tag().unwrap_or("-")] } else { [" ", "raw"] });
    say(&[if image.is_tag_implied() { "(implied)" } else { "" }]);
    say(&[if image.is_digest_unsupported() { " unsupported" } else { "" }]);
    for (word, value) in [
        (" declares ", image.digest().map(Digest::as_str)),
        (" runs ", running.as_ref().map(Digest::as_str)),
        (" id ", image_id.as_deref()),
        (" resolved ", resolved_repository.as_deref()),
        (" updating from ", updating_from.as_ref().map(|image| image.written())),
    ] {
        if let Some(value) = value {
            say(&[word, value]);
        }
    }
    for (word, flag) in [
        (" mismatch", flags.digest_mismatch),
        (" unknown-prefix", flags.unknown_prefix),
        (" ambiguous", flags.ambiguous_tag),
    ] {
        say(&[if flag { word } else { "" }]);
    }
    let state = match state {
        ContainerState::Running => "",
        ContainerState::Pending => " pending",
        ContainerState::Waiting => " waiting",
        ContainerState::Terminated => " terminated",
    };
    say(&[state]);
    if let Some(reason) = reason {
        say(&[" ", reason]);
    }
    line
}

fn pod_lines(pod: &PodRecord) -> Vec<String> {
    let mut lines: Vec<String> = pod.containers.iter().map(container_line).collect();
    lines.extend(pod.owner.iter().map(|owner| format!("owner {} {}", owner.kind, owner.name)));
    lines.extend(pod.stray_statuses.iter().map(|name| format!("stray {name}")));
    lines
}

fn report_lines(pods: Vec<PodRecord>, policy: &ReportPolicy) -> Vec<String> {
    let pods = pods.into_iter().enumerate();
    let pods = pods.map(|(number, pod)| PodRecord { name: format!("{}-{number}", pod.name).into(), ..pod });
    let snapshot = cluster().with(pods).snapshot();
    let part = snapshot.namespace("apps").expect("the namespace of the pods");
    let images = NamespaceImages::of(part, policy).images;
    let digest = |digest: Option<Digest>| digest.map_or("-".into(), |digest| digest.to_string());
    images.into_iter().map(|image| format!("=> {} {}", image.tag, digest(image.repo_digest.cloned()))).collect()
}

#[rstest]
#[case::e01_docker_tag(
    [runs("nginx:1.25", "nginx:1.25", "docker-pullable://nginx@sha256:{H}")],
    &["docker.io/library/nginx 1.25 runs sha256:{H}", "=> nginx:1.25 sha256:{H}"],
)]
#[case::e02_docker_without_tag(
    [runs("nginx", "nginx:latest", "docker-pullable://nginx@sha256:{H}")],
    &["docker.io/library/nginx latest(implied) runs sha256:{H}", "=> nginx:latest sha256:{H}"],
)]
#[case::e03_docker_local_build(
    [runs("foo:dev", "foo:dev", "docker://sha256:{C}")],
    &["docker.io/library/foo dev id sha256:{C}", "=> foo:dev -"],
)]
#[case::e04_containerd_tag(
    [runs("nginx:1.25", "docker.io/library/nginx:1.25", "docker.io/library/nginx@sha256:{H}")],
    &["docker.io/library/nginx 1.25 runs sha256:{H}", "=> nginx:1.25 sha256:{H}"],
)]
#[case::e05_containerd_without_tag(
    [runs("nginx", "docker.io/library/nginx:latest", "docker.io/library/nginx@sha256:{H}")],
    &["docker.io/library/nginx latest(implied) runs sha256:{H}", "=> nginx:latest sha256:{H}"],
)]
#[case::e06_docker_hub_alias(
    [runs("index.docker.io/library/nginx:x", "nginx:x", "docker-pullable://nginx@sha256:{H}")],
    &["docker.io/library/nginx x runs sha256:{H}", "=> index.docker.io/library/nginx:x sha256:{H}"],
)]
#[case::e07_tag_and_digest(
    [runs("r.io/c:v1@sha256:{H}", "sha256:{C}", "r.io/c@sha256:{H}")],
    &["r.io/c v1 declares sha256:{H} runs sha256:{H}", "=> r.io/c:v1 sha256:{H}"],
)]
#[case::e08_digest_only_containerd_without_tag(
    [runs("alpine@sha256:{H}", "sha256:{C}", "docker.io/library/alpine@sha256:{H}")],
    &["docker.io/library/alpine - declares sha256:{H} runs sha256:{H}", "=> alpine:{H} sha256:{H}"],
)]
#[case::e09_digest_only_and_the_node_has_a_tag(
    [runs("a@sha256:{H}", "a:2025-latest", "a@sha256:{H}")],
    &["docker.io/library/a - declares sha256:{H} runs sha256:{H}", "=> a:{H} sha256:{H}"],
)]
#[case::e10_sideloaded_containerd(
    [runs("app:dev", "docker.io/library/app:dev", "sha256:{C}")],
    &["docker.io/library/app dev id sha256:{C}", "=> app:dev -"],
)]
#[case::e11_sideloaded_containerd_without_tag(
    [runs("app", "docker.io/library/app:latest", "sha256:{C}")],
    &["docker.io/library/app latest(implied) id sha256:{C}", "=> app:latest -"],
)]
#[case::e12_kind_load_with_digests(
    [runs("app:dev", "docker.io/library/app:dev", "docker.io/library/import-2026-06-03@sha256:{H}")],
    &[
        "docker.io/library/app dev runs sha256:{H} resolved docker.io/library/import-2026-06-03",
        "=> app:dev sha256:{H}",
    ],
)]
#[case::e13_crio_normal(
    [runs("quay.io/a/b:1", "quay.io/a/b:1", "quay.io/a/b@sha256:{H}")],
    &["quay.io/a/b 1 runs sha256:{H}", "=> quay.io/a/b:1 sha256:{H}"],
)]
#[case::e14_crio_bare_hash(
    [runs("quay.io/a/b:1", "quay.io/a/b:1", "{C}")],
    &["quay.io/a/b 1 id sha256:{C}", "=> quay.io/a/b:1 -"],
)]
#[case::e15_crio_bare_hash_with_digest_in_spec(
    [runs("quay.io/a/b@sha256:{H}", "quay.io/a/b@sha256:{H}", "{C}")],
    &["quay.io/a/b - declares sha256:{H} id sha256:{C}", "=> quay.io/a/b:{H} sha256:{H}"],
)]
#[case::e16_registry_with_port_without_tag(
    [runs("reg:5000/t/app", "reg:5000/t/app:latest", "reg:5000/t/app@sha256:{H}")],
    &["reg:5000/t/app latest(implied) runs sha256:{H}", "=> reg:5000/t/app:latest sha256:{H}"],
)]
#[case::e17_port_without_status(
    [unreported("Pending", "reg:5000/t/app")],
    &["reg:5000/t/app latest(implied) pending", "=> reg:5000/t/app:latest -"],
)]
#[case::e18_localhost(
    [runs("localhost/foo", "localhost/foo:latest", "localhost/foo@sha256:{H}")],
    &["localhost/foo latest(implied) runs sha256:{H}", "=> localhost/foo:latest sha256:{H}"],
)]
#[case::e19_two_tags_of_one_content(
    [runs("r/api:158", "r/api:157", "r/api@sha256:{H}")],
    &["docker.io/r/api 158 runs sha256:{H} ambiguous", "=> r/api:158 sha256:{H}"],
)]
#[case::e19_two_tags_and_the_node_is_up_to_date(
    [observed(runs("r/api:158", "r/api:157", "r/api@sha256:{H}"), 2, 2)],
    &["docker.io/r/api 158 runs sha256:{H} ambiguous", "=> r/api:158 sha256:{H}"],
)]
#[case::e20_two_repositories_of_one_content(
    [runs("gcr.io/p/x:1", "gcr.io/other/y:1", "gcr.io/other/y@sha256:{H}")],
    &["gcr.io/p/x 1 runs sha256:{H} resolved gcr.io/other/y ambiguous", "=> gcr.io/p/x:1 sha256:{H}"],
)]
#[case::e21_host_without_dot_or_port(
    [runs("registry/app:1", "docker.io/registry/app:1", "docker.io/registry/app@sha256:{H}")],
    &["docker.io/registry/app 1 runs sha256:{H}", "=> registry/app:1 sha256:{H}"],
)]
#[case::e22_upper_case_first_part(
    [runs("FOO/bar:1", "FOO/bar:1", "FOO/bar@sha256:{H}")],
    &["FOO/bar 1 runs sha256:{H}", "=> FOO/bar:1 sha256:{H}"],
)]
#[case::e23_upper_case_path(
    [waits("Pending", "InvalidImageName", "Foo:1", "Foo:1", "")],
    &["Foo:1 raw waiting InvalidImageName", "=> Foo:1 -"],
)]
#[case::e23_unexpanded_variable(
    [waits("Pending", "InvalidImageName", "${IMG}", "${IMG}", "")],
    &["${IMG} raw waiting InvalidImageName", "=> ${IMG} -"],
)]
#[case::e23_raw_with_a_digest_inside(
    [waits("Pending", "InvalidImageName", "Foo@sha256:{H}", "Foo@sha256:{H}", "")],
    &["Foo@sha256:{H} raw waiting InvalidImageName", "=> Foo@sha256:{H} -"],
)]
#[case::e23_raw_that_runs(
    [runs("${IMG}", "r/a:1", "r/a@sha256:{H}")],
    &["${IMG} raw runs sha256:{H} resolved r/a", "=> ${IMG} sha256:{H}"],
)]
#[case::e24_ipv6_registry(
    [runs("[fd00::1]:5000/a", "[fd00::1]:5000/a:latest", "[fd00::1]:5000/a@sha256:{H}")],
    &["[fd00::1]:5000/a latest(implied) runs sha256:{H}", "=> [fd00::1]:5000/a:latest sha256:{H}"],
)]
#[case::e25_tag_of_128(
    [runs("r/a:{B}", "r/a:{B}", "r/a@sha256:{H}")],
    &["docker.io/r/a {B} runs sha256:{H}", "=> r/a:{B} sha256:{H}"],
)]
#[case::e25_tag_of_129(
    [waits("Pending", "InvalidImageName", "r/a:{B}0", "r/a:{B}0", "")],
    &["r/a:{B}0 raw waiting InvalidImageName", "=> r/a:{B}0 -"],
)]
#[case::e26_name_over_255(
    [waits("Pending", "InvalidImageName", "q.io/{B}{B}:1", "q.io/{B}{B}:1", "")],
    &["q.io/{B}{B}:1 raw waiting InvalidImageName", "=> q.io/{B}{B}:1 -"],
)]
#[case::e26_name_of_64_hex(
    [waits("Pending", "InvalidImageName", "{C}", "{C}", "")],
    &["{C} raw waiting InvalidImageName", "=> {C} -"],
)]
#[case::e27_sha512(
    [runs("r/a@sha512:{B}", "sha256:{C}", "r/a@sha512:{B}")],
    &["docker.io/r/a - declares sha512:{B} runs sha512:{B}", "=> r/a:{B} sha512:{B}"],
)]
#[case::e28_foreign_algorithm(
    [waits("Pending", "InvalidImageName", "r/a@sha256+b64u:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", "", "")],
    &[
        "docker.io/r/a - unsupported declares sha256+b64u:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU waiting InvalidImageName",
        "=> r/a:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU sha256+b64u:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
    ],
)]
#[case::e28_foreign_algorithm_with_tag(
    [waits("Pending", "InvalidImageName", "r/a:1@blake3:{H}", "", "")],
    &["docker.io/r/a 1 unsupported declares blake3:{H} waiting InvalidImageName", "=> r/a:1 blake3:{H}"],
)]
#[case::e28_foreign_algorithm_in_image_id(
    [runs("r/a:1", "r/a:1", "r/a@blake3:{H}")],
    &["docker.io/r/a 1 runs blake3:{H}", "=> r/a:1 blake3:{H}"],
)]
#[case::e28_known_algorithm_of_a_wrong_length(
    [waits("Pending", "InvalidImageName", "r/a:1@sha256:{H}00", "", "")],
    &["r/a:1@sha256:{H}00 raw waiting InvalidImageName", "=> r/a:1@sha256:{H}00 -"],
)]
#[case::e29_declared_and_running_differ(
    [runs("a@sha256:{D}", "sha256:{C}", "a@sha256:{H}")],
    &["docker.io/library/a - declares sha256:{D} runs sha256:{H} mismatch", "=> a:{H} sha256:{H}"],
)]
#[case::e29_declared_and_running_differ_with_tag(
    [runs("a:1@sha256:{D}", "a:1", "a@sha256:{H}")],
    &["docker.io/library/a 1 declares sha256:{D} runs sha256:{H} mismatch", "=> a:1 sha256:{H}"],
)]
#[case::e30_waiting_for_pull(
    [waits("Pending", "ErrImagePull", "nginx:bad", "nginx:bad", "")],
    &["docker.io/library/nginx bad waiting ErrImagePull", "=> nginx:bad -"],
)]
#[case::e31_not_scheduled(
    [unreported("Pending", "nginx")],
    &["docker.io/library/nginx latest(implied) pending", "=> nginx:latest -"],
)]
#[case::e31_without_any_status(
    [json!({"metadata": {"name": "pod", "namespace": "apps"}, "spec": {"containers": [app("nginx")]}})],
    &["docker.io/library/nginx latest(implied) pending", "=> nginx:latest -"],
)]
#[case::e32_status_unknown_without_digest(
    [ended("Failed", "ContainerStatusUnknown", "a:1", "a:1", "")],
    &["docker.io/library/a 1 terminated ContainerStatusUnknown", "=> a:1 -"],
)]
#[case::e32_status_unknown_with_digest(
    [ended("Failed", "ContainerStatusUnknown", "a:1", "a:1", "a@sha256:{H}")],
    &["docker.io/library/a 1 runs sha256:{H} terminated ContainerStatusUnknown", "=> a:1 sha256:{H}"],
)]
#[case::e33_completed(
    [ended("Succeeded", "Completed", "job:1", "job:1", "job@sha256:{H}")],
    &["docker.io/library/job 1 runs sha256:{H} terminated Completed", "=> job:1 sha256:{H}"],
)]
#[case::e34_restarted_many_times(
    [pod_in_phase("Running", &[app("a:1")], &[json!({
        "name": "app", "image": "a:1", "imageID": "a@sha256:{H}", "restartCount": 17, "state": running(),
        "lastState": {"terminated": {"reason": "Error", "exitCode": 1, "containerID": "containerd://{C}"}},
    })])],
    &["docker.io/library/a 1 runs sha256:{H}", "=> a:1 sha256:{H}"],
)]
#[case::e35_patched_in_place(
    [behind(runs("a:2", "a:1", "a@sha256:{H}"))],
    &["docker.io/library/a 2 runs sha256:{H} updating from a:1", "=> a:1 sha256:{H}", "=> a:2 -"],
)]
#[case::e35_patched_from_the_canonical_name_of_the_node(
    [behind(runs("index.docker.io/library/a:2", "docker.io/library/a:1", "docker.io/library/a@sha256:{H}"))],
    &[
        "docker.io/library/a 2 runs sha256:{H} updating from index.docker.io/library/a:1",
        "=> index.docker.io/library/a:1 sha256:{H}",
        "=> index.docker.io/library/a:2 -",
    ],
)]
#[case::e35_patched_to_another_repository(
    [behind(runs("new.io/a:1", "old.io/a:1", "old.io/a@sha256:{H}"))],
    &[
        "new.io/a 1 runs sha256:{H} resolved old.io/a updating from old.io/a:1",
        "=> new.io/a:1 -",
        "=> old.io/a:1 sha256:{H}",
    ],
)]
#[case::e35_patched_from_digest_to_digest(
    [behind(runs("a@sha256:{D}", "sha256:{C}", "a@sha256:{H}"))],
    &[
        "docker.io/library/a - declares sha256:{D} runs sha256:{H} updating from a@sha256:{H}",
        "=> a:{D} sha256:{D}",
        "=> a:{H} sha256:{H}",
    ],
)]
#[case::e35_patched_from_tag_to_digest(
    [behind(runs("a@sha256:{D}", "a:1", "a@sha256:{H}"))],
    &[
        "docker.io/library/a - declares sha256:{D} runs sha256:{H} updating from a:1",
        "=> a:1 sha256:{H}",
        "=> a:{D} sha256:{D}",
    ],
)]
#[case::e35_patched_to_a_tag_with_the_digest_that_runs(
    [behind(runs("a:2@sha256:{H}", "a:1", "a@sha256:{H}"))],
    &[
        "docker.io/library/a 2 declares sha256:{H} runs sha256:{H} updating from a:1",
        "=> a:1 sha256:{H}",
        "=> a:2 sha256:{H}",
    ],
)]
#[case::e35_patched_to_what_is_no_reference(
    [behind(runs("${IMG}", "a:1", "a@sha256:{H}"))],
    &["${IMG} raw runs sha256:{H} resolved a updating from a:1", "=> ${IMG} -", "=> a:1 sha256:{H}"],
)]
#[case::e35_from_a_tag_as_long_as_a_hash(
    [behind(runs("app:2", "app:{C}", "app@sha256:{H}"))],
    &["docker.io/library/app 2 runs sha256:{H} updating from app:{C}", "=> app:2 -", "=> app:{C} sha256:{H}"],
)]
#[case::e35_pinned_to_the_digest_that_runs_is_done(
    [behind(runs("a@sha256:{H}", "a:1", "a@sha256:{H}"))],
    &["docker.io/library/a - declares sha256:{H} runs sha256:{H}", "=> a:{H} sha256:{H}"],
)]
#[case::e35_behind_for_another_reason(
    [behind(runs("a:1", "docker.io/library/a:1", "a@sha256:{H}"))],
    &["docker.io/library/a 1 runs sha256:{H}", "=> a:1 sha256:{H}"],
)]
#[case::e35_behind_and_the_node_names_no_tag(
    [behind(runs("a:2", "sha256:{C}", "a@sha256:{H}"))],
    &["docker.io/library/a 2 runs sha256:{H}", "=> a:2 sha256:{H}"],
)]
#[case::e35_behind_without_a_running_digest(
    [behind(runs("a:2", "a:1", "sha256:{C}"))],
    &["docker.io/library/a 2 id sha256:{C}", "=> a:2 -"],
)]
#[case::e35_the_new_image_cannot_be_pulled(
    [waits("Running", "ImagePullBackOff", "a:2", "a:1", "a@sha256:{H}")],
    &["docker.io/library/a 2 waiting ImagePullBackOff", "=> a:2 -"],
)]
#[case::e35_the_new_image_cannot_be_pulled_and_the_node_is_behind(
    [behind(waits("Running", "ErrImagePull", "a:2", "a:1", "a@sha256:{H}"))],
    &["docker.io/library/a 2 waiting ErrImagePull", "=> a:2 -"],
)]
#[case::e35_the_new_digest_cannot_be_pulled(
    [waits("Running", "ErrImagePull", "a@sha256:{D}", "a:1", "a@sha256:{H}")],
    &["docker.io/library/a - declares sha256:{D} waiting ErrImagePull", "=> a:{D} sha256:{D}"],
)]
#[case::e35_the_new_name_is_invalid(
    [waits("Running", "InvalidImageName", "${IMG}", "a:1", "a@sha256:{H}")],
    &["${IMG} raw waiting InvalidImageName", "=> ${IMG} -"],
)]
#[case::e36_sidecar_beside_an_init_container(
    [pod(
        &json!({"initContainers": [
            {"name": "proxy", "image": "p:1", "restartPolicy": "Always"},
            {"name": "setup", "image": "s:1"},
        ]}),
        &json!({"phase": "Running", "initContainerStatuses": [
            {"name": "setup", "image": "s:1", "imageID": "s@sha256:{D}", "state": {"terminated": {"reason": "Completed"}}},
            {"name": "proxy", "image": "p:1", "imageID": "p@sha256:{H}", "state": running()},
        ]}),
    )],
    &[
        "sidecar docker.io/library/p 1 runs sha256:{H}",
        "init docker.io/library/s 1 runs sha256:{D} terminated Completed",
        "=> p:1 sha256:{H}",
        "=> s:1 sha256:{D}",
    ],
)]
#[case::e37_ephemeral(
    [pod(
        &json!({"containers": [app("a:1")], "ephemeralContainers": [{"name": "debug", "image": "busybox"}]}),
        &json!({
            "phase": "Running",
            "containerStatuses": [status("a:1", "a@sha256:{D}", &running())],
            "ephemeralContainerStatuses": [
                {"name": "debug", "image": "busybox:latest", "imageID": "busybox@sha256:{H}", "state": {"terminated": {"reason": "Completed"}}},
            ],
        }),
    )],
    &[
        "docker.io/library/a 1 runs sha256:{D}",
        "ephemeral docker.io/library/busybox latest(implied) runs sha256:{H} terminated Completed",
        "=> a:1 sha256:{D}",
        "=> busybox:latest sha256:{H}",
    ],
)]
#[case::e38_image_volume(
    [pod(
        &json!({"containers": [app("a:1")], "volumes": [
            {"name": "model", "image": {"reference": "quay.io/m/model:1", "pullPolicy": "Always"}},
            {"name": "words", "image": {"reference": "quay.io/m/words:1"}},
            {"name": "plain", "image": {"reference": "quay.io/m/plain"}},
            {"name": "template", "image": {}},
            {"name": "tmp", "emptyDir": {}},
        ]}),
        &json!({"phase": "Running", "containerStatuses": [{
            "name": "app", "image": "a:1", "imageID": "sha256:{C}", "state": running(),
            "volumeMounts": [
                {"name": "model", "volumeStatus": {"image": {"imageRef": "quay.io/m/model@sha256:{H}"}}},
                {"name": "words", "imageRef": "quay.io/m/words@sha256:{D}"},
                {"name": "tmp"},
            ],
        }]}),
    )],
    &[
        "docker.io/library/a 1 id sha256:{C}",
        "volume quay.io/m/model 1 runs sha256:{H}",
        "volume quay.io/m/words 1 runs sha256:{D}",
        "volume quay.io/m/plain latest(implied)",
        "=> a:1 -",
        "=> quay.io/m/model:1 sha256:{H}",
        "=> quay.io/m/plain:latest -",
        "=> quay.io/m/words:1 sha256:{D}",
    ],
)]
#[case::e39_static_pod(
    [annotated(runs("registry.k8s.io/etcd:3", "registry.k8s.io/etcd:3", "sha256:{C}"), "kubernetes.io/config.mirror", "1f")],
    &["registry.k8s.io/etcd 3 id sha256:{C}", "owner Node node-1", "=> registry.k8s.io/etcd:3 -"],
)]
#[case::e40_one_tag_of_two_digests(
    [runs("s:latest", "s:latest", "s@sha256:{H}"), runs("s:latest", "s:latest", "s@sha256:{D}")],
    &[
        "docker.io/library/s latest runs sha256:{H}",
        "docker.io/library/s latest runs sha256:{D}",
        "=> s:latest sha256:{D}",
        "=> s:latest sha256:{H}",
    ],
)]
#[case::e41_unknown_prefix_before_a_digest(
    [runs("r/a:1", "r/a:1", "cri-o://r/a@sha256:{H}")],
    &["docker.io/r/a 1 runs sha256:{H} unknown-prefix", "=> r/a:1 sha256:{H}"],
)]
#[case::e41_unknown_prefix_before_a_bare_hash(
    [runs("r/a:1", "r/a:1", "other://{C}")],
    &["docker.io/r/a 1 id sha256:{C} unknown-prefix", "=> r/a:1 -"],
)]
#[case::e42_arn(
    [waits("Pending", "InvalidImageName", "arn:aws:ecr:eu-west-1:1:repository/a", "", "")],
    &["arn:aws:ecr:eu-west-1:1:repository/a raw waiting InvalidImageName", "=> arn:aws:ecr:eu-west-1:1:repository/a -"],
)]
#[case::e43_image_id_with_tag_and_digest(
    [runs("r/a:1", "r/a:1", "r/other:2@sha256:{H}")],
    &["docker.io/r/a 1 runs sha256:{H} resolved r/other", "=> r/a:1 sha256:{H}"],
)]
#[case::e44_crio_digest_only(
    [runs("quay.io/a/b@sha256:{H}", "quay.io/a/b@sha256:{H}", "quay.io/a/b@sha256:{H}")],
    &["quay.io/a/b - declares sha256:{H} runs sha256:{H}", "=> quay.io/a/b:{H} sha256:{H}"],
)]
#[case::e45_preloaded_docker(
    [runs("registry.k8s.io/x:1", "registry.k8s.io/x:1", "docker://sha256:{C}")],
    &["registry.k8s.io/x 1 id sha256:{C}", "=> registry.k8s.io/x:1 -"],
)]
#[case::e46_docker_of_kubernetes_1_2(
    [runs("r/a:1", "r/a:1", "docker://{C}")],
    &["docker.io/r/a 1 id sha256:{C}", "=> r/a:1 -"],
)]
#[case::e47_docker_tag_and_digest(
    [runs("r/c:v1@sha256:{H}", "r/c@sha256:{H}", "docker-pullable://r/c@sha256:{H}")],
    &["docker.io/r/c v1 declares sha256:{H} runs sha256:{H}", "=> r/c:v1 sha256:{H}"],
)]
#[case::e47_docker_digest_only(
    [runs("r/c@sha256:{H}", "sha256:{C}", "docker-pullable://r/c@sha256:{H}")],
    &["docker.io/r/c - declares sha256:{H} runs sha256:{H}", "=> r/c:{H} sha256:{H}"],
)]
#[case::e48_evicted_without_statuses(
    [pod(&json!({"containers": [app("a:1")]}), &json!({"phase": "Failed", "reason": "Evicted"}))],
    &["docker.io/library/a 1 terminated Evicted", "=> a:1 -"],
)]
#[case::e49_first_start_without_tag(
    [waits("Pending", "ContainerCreating", "nginx", "nginx", "")],
    &["docker.io/library/nginx latest(implied) waiting ContainerCreating", "=> nginx:latest -"],
)]
#[case::e50_crash_loop(
    [waits("Running", "CrashLoopBackOff", "a:1", "docker.io/library/a:1", "a@sha256:{H}")],
    &["docker.io/library/a 1 runs sha256:{H} waiting CrashLoopBackOff", "=> a:1 sha256:{H}"],
)]
#[case::e50_crash_loop_under_another_name_of_the_content(
    [waits("Running", "CrashLoopBackOff", "a:2", "a:1", "a@sha256:{H}")],
    &["docker.io/library/a 2 runs sha256:{H} ambiguous waiting CrashLoopBackOff", "=> a:2 sha256:{H}"],
)]
#[case::e51_running_without_image_id(
    [runs("a:1", "a:1", "")],
    &["docker.io/library/a 1", "=> a:1 -"],
)]
#[case::e51_running_without_image_id_with_digest(
    [runs("a:1@sha256:{D}", "a:1@sha256:{D}", "")],
    &["docker.io/library/a 1 declares sha256:{D}", "=> a:1 sha256:{D}"],
)]
#[case::e52_fewer_statuses_and_a_stray_one(
    [pod_in_phase(
        "Running",
        &[json!({"name": "bare", "image": "b"}), app("a:1")],
        &[
            json!({"name": "stray", "image": "s:1", "imageID": "s@sha256:{D}", "state": running()}),
            status("a:1", "a@sha256:{H}", &running()),
        ],
    )],
    &[
        "docker.io/library/b latest(implied) pending",
        "docker.io/library/a 1 runs sha256:{H}",
        "stray stray",
        "=> a:1 sha256:{H}",
        "=> b:latest -",
    ],
)]
#[case::e53_one_tag_with_and_without_a_digest(
    [runs("a:1", "a:1", "a@sha256:{H}"), waits("Pending", "ContainerCreating", "a:1", "a:1", "")],
    &[
        "docker.io/library/a 1 runs sha256:{H}",
        "docker.io/library/a 1 waiting ContainerCreating",
        "=> a:1 -",
        "=> a:1 sha256:{H}",
    ],
)]
#[case::e54_spellings_of_one_repository(
    [two_spellings_and_the_canonical_one()],
    &[
        "docker.io/library/nginx 1 runs sha256:{H}",
        "docker.io/library/nginx 1 runs sha256:{H}",
        "docker.io/library/nginx 1 runs sha256:{H}",
        "=> docker.io/nginx:1 sha256:{H}",
        "=> index.docker.io/library/nginx:1 sha256:{H}",
        "=> nginx:1 sha256:{H}",
    ],
)]
#[case::e55_static_pod_of_the_kubelet_itself(
    [annotated(unreported("Running", "registry.k8s.io/etcd:3"), "kubernetes.io/config.source", "file")],
    &["registry.k8s.io/etcd 3 pending", "owner Node node-1", "=> registry.k8s.io/etcd:3 -"],
)]
#[case::e56_tag_has_moved_on_to_a_config_id(
    [runs("nginx", "sha256:{C}", "nginx@sha256:{H}")],
    &["docker.io/library/nginx latest(implied) runs sha256:{H}", "=> nginx:latest sha256:{H}"],
)]
#[case::e56_tag_has_moved_on_to_another_name(
    [runs("nginx", "r:stable", "nginx@sha256:{H}")],
    &["docker.io/library/nginx latest(implied) runs sha256:{H} ambiguous", "=> nginx:latest sha256:{H}"],
)]
#[case::e57_digest_in_spec_and_docker_image_id(
    [runs("r/a@sha256:{H}", "r/a@sha256:{H}", "docker://sha256:{C}")],
    &["docker.io/r/a - declares sha256:{H} id sha256:{C}", "=> r/a:{H} sha256:{H}"],
)]
#[case::r3_two_at_signs_are_no_digest(
    [runs("r/a:1", "r/a:1", "r/a@sha256:{D}@sha256:{H}")],
    &["docker.io/r/a 1", "=> r/a:1 -"],
)]
#[case::r3_wrong_length_is_no_digest(
    [runs("r/a:1", "r/a:1", "r/a@sha256:{H}00")],
    &["docker.io/r/a 1", "=> r/a:1 -"],
)]
#[case::r3_upper_case_hex_is_no_digest(
    [runs("r/a:1", "r/a:1", "r/a@sha256:ABCDEF{B}")],
    &["docker.io/r/a 1", "=> r/a:1 -"],
)]
#[case::r3_a_name_with_a_long_tag_is_no_image_id(
    [runs("app:{C}", "app:{C}", "app:{C}")],
    &["docker.io/library/app {C}", "=> app:{C} -"],
)]
fn rule<const N: usize>(#[case] pods: [Value; N], #[case] expected: &[&str]) {
    let pods = decoded(&pods);
    let policy = ReportPolicy { ignore_not_running: false, ..ReportPolicy::default() };
    let mut lines: Vec<String> = pods.iter().flat_map(pod_lines).collect();
    lines.extend(report_lines(pods, &policy));
    let lines: Vec<String> = lines.iter().map(|line| symbolic(line)).collect();
    assert_eq!(lines, expected);
}

/// E30, E31, E33, E48 and image volumes of such pods: by default only pods in phase Running count.
#[rstest]
#[case::e31_pending(unreported("Pending", "a:1"), &[])]
#[case::e30_waits_as_a_whole(waits("Pending", "ErrImagePull", "a:1", "a:1", ""), &[])]
#[case::e33_succeeded(ended("Succeeded", "Completed", "a:1", "a:1", "a@sha256:{H}"), &[])]
#[case::e48_evicted(pod(&json!({"containers": [app("a:1")]}), &json!({"phase": "Failed", "reason": "Evicted"})), &[])]
#[case::unknown(unreported("Unknown", "a:1"), &[])]
#[case::image_volume_of_a_pending_pod(
    pod(&json!({"volumes": [{"name": "v", "image": {"reference": "v:1"}}]}), &json!({"phase": "Pending"})),
    &[],
)]
#[case::image_volume_of_a_running_pod(
    pod(&json!({"volumes": [{"name": "v", "image": {"reference": "v:1"}}]}), &json!({"phase": "Running"})),
    &["=> v:1 -"],
)]
#[case::e50_one_container_of_a_running_pod_waits(
    waits("Running", "CrashLoopBackOff", "a:1", "a:1", "a@sha256:{H}"),
    &["=> a:1 sha256:{H}"],
)]
fn pods_that_do_not_run_are_left_out_by_default(#[case] pod: Value, #[case] expected: &[&str]) {
    let lines = report_lines(decoded(&[pod]), &ReportPolicy::default());
    assert_eq!(lines.iter().map(|line| symbolic(line)).collect::<Vec<_>>(), expected);
}
