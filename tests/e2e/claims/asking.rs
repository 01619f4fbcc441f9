//! Questions about images: the answers are those of a second, plain reading of what kubectl gives.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Containers, Namespace, Service, digest, pod, shared};

super::claims! {
    AnyCluster: rows_of_containers_and_images_are_those_of_kubectl,
        the_command_line_and_a_running_kai_say_where_an_image_runs,
        pages_hold_every_pod_that_stays_while_others_come_and_go;
}

const LIMIT: Duration = Duration::from_mins(1);

/// Every row of a route, page by page.
fn rows_of(service: &Service, path: &str, name: &str) -> Vec<Value> {
    let (mut rows, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(address) = next {
        let answer = service.get(&address);
        assert_eq!(answer.status, 200, "{answer:?}");
        let page = answer.json();
        rows.extend(page[name].as_array().expect("rows").clone());
        next = page["next"].as_str().map(|cursor| format!("{path}&cursor={cursor}"));
    }
    rows
}

/// Without any code of kai's: containers of these pods in the fields of `/v1/containers`, sorted. Pods of these tests have
/// no image volumes and no update in place.
fn expected(pods: &Value) -> BTreeSet<String> {
    let mut rows = BTreeSet::new();
    for pod in pods["items"].as_array().expect("a list") {
        let owner = pod["metadata"]["ownerReferences"].as_array().and_then(|owners| owners.first());
        let hash = pod["metadata"]["labels"]["pod-template-hash"].as_str();
        let (owner_kind, owner_name, inferred) = match (owner, hash) {
            (Some(owner), Some(hash)) if owner["kind"] == "ReplicaSet" => {
                let name = owner["name"].as_str().expect("a name").trim_end_matches(hash).trim_end_matches('-');
                (json!("Deployment"), json!(name), true)
            }
            (Some(owner), _) => (owner["kind"].clone(), owner["name"].clone(), false),
            (None, _) => (Value::Null, Value::Null, false),
        };
        for (kind, specs, statuses) in
            [("container", "containers", "containerStatuses"), ("init", "initContainers", "initContainerStatuses")]
        {
            for container in pod["spec"][specs].as_array().into_iter().flatten() {
                let status = pod["status"][statuses].as_array().into_iter().flatten();
                let status = status.clone().find(|status| status["name"] == container["name"]);
                let running = status.and_then(|status| status["imageID"].as_str()?.split_once('@')).map(|(_, it)| it);
                let state = status.and_then(|status| status["state"].as_object()?.keys().next().cloned());
                let started = status.and_then(|status| status["state"]["running"]["startedAt"].as_str());
                rows.insert(
                    json!({
                        "namespace": pod["metadata"]["namespace"], "pod": pod["metadata"]["name"],
                        "container": container["name"], "kind": kind, "image": container["image"],
                        "digest": running, "state": state.unwrap_or_else(|| "pending".to_owned()), "started_at": started,
                        "node": pod["spec"]["nodeName"], "owner_kind": owner_kind, "owner_name": owner_name,
                        "owner_inferred": inferred,
                    })
                    .to_string(),
                );
            }
        }
    }
    rows
}

/// The same fields of kai's rows.
fn said(rows: &[Value]) -> BTreeSet<String> {
    let fields = [
        "namespace",
        "pod",
        "container",
        "kind",
        "image",
        "digest",
        "state",
        "started_at",
        "node",
        "owner_kind",
        "owner_name",
        "owner_inferred",
    ];
    let row = |row: &Value| {
        let fields = fields.iter().map(|field| ((*field).to_owned(), row[*field].clone()));
        Value::Object(fields.collect()).to_string()
    };
    rows.iter().map(row).collect()
}

fn filled(namespace: &Namespace<'_>) {
    let containers = Containers::running(&[("app", "quay.io/acme/app:1"), ("side", "docker.io/library/proxy")]);
    let mut first = pod(&namespace.name, "first", &containers);
    first["spec"]["initContainers"] = json!([{"name": "setup", "image": "setup:3"}]);
    namespace
        .cluster
        .create(&[first, pod(&namespace.name, "second", &Containers::running(&[("app", "proxy:latest")]))]);
    let name = &namespace.name;
    namespace.cluster.kubectl(&["-n", name, "create", "deployment", "web", "--image=web:1", "--replicas=2"]);
}

fn rows_of_containers_and_images_are_those_of_kubectl() {
    let (cluster, namespace) = (shared(), shared().namespace("asking"));
    filled(&namespace);
    let service = cluster.kai().args(&["-n", &namespace.name]).serve().ready();
    let path = format!("/v1/containers?namespace={}&limit=2", namespace.name);
    let kubectl = || cluster.kubectl_json(&["-n", &namespace.name, "get", "pods", "-o", "json"]);
    let deadline = std::time::Instant::now() + LIMIT;
    loop {
        let (pods, rows) = (kubectl(), rows_of(&service, &path, "containers"));
        // A pod of the deployment may change between the two readings.
        if pods["items"].as_array().is_some_and(|pods| pods.len() == 4) && said(&rows) == expected(&pods) {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{:#?}\nkubectl: {:#?}", said(&rows), expected(&pods));
        std::thread::sleep(Duration::from_millis(200));
    }
    let images = rows_of(&service, &format!("/v1/images?namespace={}&limit=1", namespace.name), "images");
    let names: Vec<_> = images.iter().map(|row| (row["image"].as_str().expect("text"), row["pods"].as_u64())).collect();
    let expected = [
        ("docker.io/library/proxy", Some(1)),
        ("proxy:latest", Some(1)),
        ("quay.io/acme/app:1", Some(1)),
        ("setup:3", Some(1)),
        ("web:1", Some(2)),
    ];
    assert_eq!(names, expected);
    let proxies = service.get(&format!("/v1/images?image=proxy&namespace={}", namespace.name)).json();
    assert_eq!(proxies["total"], 2, "one image in two spellings: {proxies}");
}

fn the_command_line_and_a_running_kai_say_where_an_image_runs() {
    let (cluster, namespace) = (shared(), shared().namespace("where"));
    filled(&namespace);
    let service = cluster.kai().args(&["-n", &namespace.name]).serve().ready();
    let digest = digest("quay.io/acme/app:1");
    let path = format!("/v1/images/{digest}");
    let answer = service.get_until(&path, LIMIT, |answer| answer.status == 200).json();
    let ended = cluster.kai().args(&["where", &digest, "-n", &namespace.name, "-o", "json"]).run().ended_with(0);
    let printed: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(
        said(printed["containers"].as_array().expect("rows")),
        said(answer["containers"].as_array().expect("rows"))
    );
    let table = cluster.kai().args(&["where", "acme/app:1", "-n", &namespace.name]).run();
    table.ended_with(1);
    let table = cluster.kai().args(&["where", "quay.io/acme/app", "-n", &namespace.name]).run().ended_with(0);
    assert!(table.stdout.contains("Pod/first") && table.stdout.contains(&digest), "{}", table.stdout);
}

fn pages_hold_every_pod_that_stays_while_others_come_and_go() {
    let (cluster, namespace) = (shared(), shared().namespace("paging"));
    let stays: Vec<_> = (0..20)
        .map(|at| pod(&namespace.name, &format!("stays-{at:02}"), &Containers::running(&[("app", "app:1")])))
        .collect();
    cluster.create(&stays);
    let service = cluster.kai().args(&["-n", &namespace.name]).serve().ready();
    let path = format!("/v1/containers?namespace={}&limit=3", namespace.name);
    service.get_until(&path, LIMIT, |answer| answer.json()["total"] == 20);
    for round in 0..3 {
        let (mut seen, mut next) = (Vec::new(), Some(path.clone()));
        let mut turn = 0;
        while let Some(address) = next {
            let page = service.get(&address).json();
            seen.extend(page["containers"].as_array().expect("rows").iter().map(|row| row["pod"].to_string()));
            next = page["next"].as_str().map(|cursor| format!("{path}&cursor={cursor}"));
            // Names before, among and behind those that stay.
            let name = format!("{}-{round}-{turn}", ["a", "stays-1", "z"][turn % 3]);
            if turn % 2 == 0 {
                namespace.create_pod(&name, "other:1");
            } else {
                let last = format!("{}-{round}-{}", ["a", "stays-1", "z"][(turn - 1) % 3], turn - 1);
                cluster.kubectl(&["-n", &namespace.name, "delete", "pod", &last, "--grace-period=0", "--force"]);
            }
            turn += 1;
        }
        let unique: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(unique.len(), seen.len(), "none comes twice: {seen:?}");
        let staying = (0..20).map(|at| format!("\"stays-{at:02}\"")).filter(|name| !unique.contains(name));
        assert_eq!(staying.collect::<Vec<_>>(), Vec::<String>::new(), "{seen:?}");
    }
}
