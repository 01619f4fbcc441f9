//! The report worked out from `kubectl get -o json` a second time, in the plainest way, without any code of kai's.
//!
//! It reads names by cutting strings and is right for names that are well formed, which is all that an API server's
//! pods in these tests have.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// The `results` that kai should print for this `List` of namespaces and pods; `running_only` is `ignore-not-running`.
pub(crate) fn expected_results(list: &Value, running_only: bool) -> Value {
    let mut namespaces: BTreeMap<&str, BTreeSet<(String, Option<String>)>> = BTreeMap::new();
    for item in array(&list["items"]) {
        let meta = &item["metadata"];
        if item["kind"] == "Namespace" {
            namespaces.entry(text(&meta["name"])).or_default();
            continue;
        }
        let images = namespaces.entry(text(&meta["namespace"])).or_default();
        if running_only && item["status"]["phase"] != "Running" {
            continue;
        }
        for (specs, statuses) in [
            ("initContainers", "initContainerStatuses"),
            ("containers", "containerStatuses"),
            ("ephemeralContainers", "ephemeralContainerStatuses"),
        ] {
            for container in array(&item["spec"][specs]) {
                let status = array(&item["status"][statuses]).iter().find(|status| status["name"] == container["name"]);
                let running =
                    status.and_then(|status| text(&status["imageID"]).split_once('@')).map(|(_, digest)| digest);
                images.insert(entry(text(&container["image"]), running));
            }
        }
        for volume in array(&item["spec"]["volumes"]) {
            if let Some(reference) = volume["image"]["reference"].as_str() {
                let mounts = array(&item["status"]["containerStatuses"])
                    .iter()
                    .flat_map(|status| array(&status["volumeMounts"]));
                let running = mounts
                    .filter(|mount| mount["name"] == volume["name"])
                    .find_map(|mount| mount["volumeStatus"]["image"]["imageRef"].as_str()?.split_once('@'));
                images.insert(entry(reference, running.map(|(_, digest)| digest)));
            }
        }
    }
    let results = namespaces.iter().map(|(namespace, images)| {
        let images: Vec<Value> = images
            .iter()
            .map(|(tag, digest)| match digest {
                Some(digest) => json!({"tag": tag, "repoDigest": digest}),
                None => json!({"tag": tag}),
            })
            .collect();
        json!({"namespace": namespace, "images": images})
    });
    results.collect()
}

fn entry(image: &str, running: Option<&str>) -> (String, Option<String>) {
    let (name, declared) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let digest = running.or(declared);
    let last = name.rsplit('/').next().unwrap_or(name);
    let tag = match (last.contains(':'), declared, digest) {
        (false, Some(_), Some(digest)) => format!("{name}:{}", digest.rsplit(':').next().unwrap_or(digest)),
        (false, ..) => format!("{name}:latest"),
        (true, ..) => name.to_owned(),
    };
    (tag, digest.map(str::to_owned))
}

/// The `results` of a report.
#[track_caller]
pub(crate) fn results(report: &str) -> Value {
    let report: Value = serde_json::from_str(report).unwrap_or_else(|error| panic!("{error} in {report:.500}"));
    assert!(report["results"].is_array(), "a report has results: {report:.500}");
    report["results"].clone()
}

/// Whether the namespace is among the results.
pub(crate) fn has_namespace(results: &Value, namespace: &str) -> bool {
    array(results).iter().any(|result| result["namespace"] == namespace)
}

/// The images of one namespace as `tag` or `tag digest`; panics when the namespace is not among the results.
#[track_caller]
pub(crate) fn images_of(results: &Value, namespace: &str) -> Vec<String> {
    let result = array(results).iter().find(|result| result["namespace"] == namespace);
    let result = result.unwrap_or_else(|| panic!("namespace {namespace} is among {results:.1000}"));
    let line = |image: &Value| match image["repoDigest"].as_str() {
        Some(digest) => format!("{} {digest}", text(&image["tag"])),
        None => text(&image["tag"]).to_owned(),
    };
    array(&result["images"]).iter().map(line).collect()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
