//! `/v1/images` and `/v1/containers`: pages, the snapshot that they are of, and parameters that make no sense.

use std::collections::BTreeSet;

use crate::http_support::{Cluster, DEADLINE, OBSERVED, PODS, Reply, Server, request};
use rstest::rstest;
use serde_json::{Value, json};

fn rows<'a>(reply: &'a Value, name: &str) -> &'a Vec<Value> {
    reply[name].as_array().unwrap_or_else(|| panic!("no {name}: {reply}"))
}

/// A server of the usual cluster that follows it.
fn following(pods: &[(&str, &str)]) -> (Server, Cluster) {
    let mut cluster = Cluster::whole();
    let server = Server::with(|_| {}, Some(cluster.relist_all(OBSERVED, pods)));
    tokio::spawn(server.http.follow());
    (server, cluster)
}

async fn until_generation(server: &Server, path: &str, generation: u64) -> Reply {
    tokio::time::timeout(DEADLINE, async {
        loop {
            let reply = server.get(path).await;
            if reply.json()["generation"] == generation {
                return reply;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the generation")
}

#[tokio::test]
async fn an_image_is_a_flat_row_and_the_answer_says_of_what_it_is() {
    let reply = Server::new().get("/v1/images?image=docker.io/nginx").await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, Some("application/json")));
    assert_eq!(reply.header("inventory-generation"), Some("1"));
    let mut page = reply.json();
    let pin = page["pin"].take();
    assert!(pin.as_str().is_some_and(|pin| pin.ends_with("-1")), "{pin}");
    assert_eq!(
        page,
        json!({
            "generation": 1, "observed_at": OBSERVED, "pin": null, "complete": false, "total": 1, "next": null,
            "missing": [{"namespace": "refused",
                "reason": "pods is forbidden: cannot list resource \"pods\" in the namespace \"refused\""}],
            "images": [{
                "image": "nginx:1.27", "registry": "docker.io", "repository": "library/nginx", "tag": "1.27",
                "digest": null, "digest_kind": null, "containers": 1, "pods": 1, "namespaces": 1, "owners": 0,
                "flags": ["no-digest"], "first_seen": null, "last_seen": null, "first_seen_exact": false, "running": true,
            }],
        })
    );
}

#[tokio::test]
async fn a_container_is_a_flat_row() {
    let page = Server::new().get("/v1/containers?registry=quay.io").await.json();
    assert_eq!(
        page["containers"],
        json!([{
            "namespace": "shop", "pod": "pod-2", "container": "app", "kind": "container",
            "image": "quay.io/acme/cart:1.25", "digest": null, "digest_kind": null, "image_id": null, "state": "running", "reason": null,
            "started_at": null, "node": null, "owner_kind": null, "owner_name": null, "owner_inferred": false, "flags": ["no-digest"],
            "first_seen": null, "first_seen_exact": false,
        }])
    );
}

#[tokio::test]
async fn excluded_namespaces_are_in_no_answer() {
    let server = Server::new();
    for (path, name) in [("/v1/images", "images"), ("/v1/containers", "containers")] {
        let page = server.get(path).await.json();
        assert_eq!((page["total"].as_u64(), rows(&page, name).len()), (Some(3), 3), "coredns is left out: {page}");
    }
}

#[rstest]
#[case::images("/v1/images?limit=1", "images")]
#[case::by_count("/v1/images?sort=-containers&limit=1", "images")]
#[case::containers("/v1/containers?limit=1&namespace=apps&namespace=shop", "containers")]
#[tokio::test]
async fn links_lead_through_every_page(#[case] first: &str, #[case] name: &str) {
    let server = Server::new();
    let (mut next, mut seen) = (Some(first.to_owned()), BTreeSet::new());
    for _ in 0..4 {
        let Some(path) = next else { break };
        let reply = server.get(&path).await;
        let page = reply.json();
        assert_eq!((page["total"].as_u64(), rows(&page, name).len()), (Some(3), 1), "{path}");
        seen.insert(rows(&page, name)[0].to_string());
        next = reply.header("link").map(|link| {
            assert!(link.contains(page["next"].as_str().expect("a cursor")), "{link}");
            let (path, rel) = link.trim_start_matches('<').split_once('>').expect("a link");
            assert_eq!(rel, "; rel=\"next\"");
            path.to_owned()
        });
        assert_eq!(next.is_none(), page["next"].is_null());
    }
    assert_eq!((seen.len(), next), (3, None));
}

#[tokio::test]
async fn a_pin_keeps_its_snapshot_while_the_cluster_changes() {
    let (server, mut cluster) = following(&PODS);
    let first = server.get("/v1/images").await.json();
    let pin = first["pin"].as_str().expect("a pin").to_owned();
    server.writer.publish(cluster.relist_all(OBSERVED, &PODS[..1]));
    assert_eq!(until_generation(&server, "/v1/images", 2).await.json()["total"], 1);
    let pinned = server.get(&format!("/v1/images?pin={pin}")).await;
    assert_eq!((pinned.json(), pinned.header("inventory-generation")), (first, Some("1")));
}

#[tokio::test]
async fn rows_in_the_order_of_counts_are_pinned_by_their_first_page() {
    let (server, mut cluster) = following(&PODS);
    let first = server.get("/v1/images?sort=pods&limit=2").await.json();
    server.writer.publish(cluster.relist_all(OBSERVED, &PODS[..1]));
    until_generation(&server, "/v1/images", 2).await;
    let next = first["next"].as_str().expect("another page");
    let second = server.get(&format!("/v1/images?sort=pods&limit=2&cursor={next}")).await.json();
    assert_eq!((&second["generation"], &second["total"]), (&json!(1), &first["total"]));
}

#[tokio::test]
async fn pages_are_made_for_whoever_asks_and_never_ahead() {
    let (server, mut cluster) = following(&PODS);
    for path in ["/v1/images", "/v1/containers?limit=1", "/v1/registries"] {
        assert_eq!(server.get(path).await.status, 200);
    }
    for generation in 2..5 {
        server.writer.publish(cluster.relist_all(OBSERVED, &PODS[..generation - 1]));
        let reply = until_generation(&server, "/v1/containers", generation as u64).await;
        assert_eq!(reply.json()["total"], generation - 1);
    }
    let last = server.http.renders();
    server.writer.publish(cluster.relist_all(OBSERVED, &PODS));
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(server.http.renders(), last, "nobody has asked since");
}

#[rstest]
#[case::of_another_process("/v1/images?pin=00000000-1")]
#[case::no_pin("/v1/containers?pin=x")]
#[tokio::test]
async fn a_snapshot_that_is_not_kept_is_gone(#[case] path: &str) {
    let reply = Server::new().get(path).await;
    assert_eq!(reply.problem_type(), "snapshot-gone");
    let detail = reply.problem(410, path.split('?').next().expect("a path"));
    assert!(detail.ends_with("begin again without pin and cursor."), "{detail}");
}

#[rstest]
#[case::unknown("imge=x", "The parameter \"imge\" is unknown; the known ones are namespace")]
#[case::limit("limit=0", "The parameter \"limit\" is \"0\"; it must be a number from 1 to 1000.")]
#[case::large_limit("limit=1001", "The parameter \"limit\" is \"1001\"")]
#[case::sort(
    "sort=size",
    "it must be image or containers or pods or namespaces or owners or first_seen or last_seen; a - before it"
)]
#[case::flag("flag=odd", "it must be floating-tag or no-digest")]
#[case::state("state=Running", "it must be running or waiting or terminated or pending.")]
#[case::kind("kind=pod", "it must be container or init or sidecar or ephemeral or volume.")]
#[case::short_digest(
    "digest=sha256:abc",
    "it must be a manifest digest, or sha256: with its first 12 or more hex digits."
)]
#[case::registry("registry=acme", "it must be a registry: a host")]
#[case::repository("repository=nginx:1", "it must be a repository without tag and digest")]
#[case::empty("tag=", "The parameter \"tag\" is \"\"; it must be a tag.")]
#[case::cursor("cursor=x", "it is no cursor. Send `next` of the page before")]
#[case::no_pin("pin=", "The parameter \"pin\" is \"\"; it must be `pin` of an answer.")]
#[case::bytes("cursor=%ff", "it is no cursor")]
#[case::twice("limit=1&limit=2", "The parameter \"limit\" is given more than once")]
#[tokio::test]
async fn parameters_that_make_no_sense_are_named(#[case] query: &str, #[case] part: &str) {
    let reply = Server::new().get(&format!("/v1/images?{query}")).await;
    let detail = reply.problem(400, "/v1/images");
    assert!(detail.contains(part), "{detail}");
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_parameters_alone() {
    let server = Server::new();
    let page = server.get("/v1/images?limit=1").await.json();
    let cursor = page["next"].as_str().expect("another page");
    for query in ["&tag=7", "&sort=pods", "&sort=-image"] {
        let reply = server.get(&format!("/v1/images?cursor={cursor}{query}")).await;
        let detail = reply.problem(400, "/v1/images");
        assert!(detail.contains("it belongs to other parameters"), "{detail}");
    }
    assert_eq!(server.get(&format!("/v1/images?limit=5&cursor={cursor}")).await.status, 200, "a page may be longer");
    // Another process takes it, too.
    assert_eq!(Server::new().get(&format!("/v1/images?cursor={cursor}")).await.status, 200);
}

#[tokio::test]
async fn what_no_list_has_is_not_acceptable() {
    let reply = Server::new().get_with("/v1/images", &[("accept", "text/html")]).await;
    assert_eq!(reply.problem_type(), "not-acceptable");
}

#[tokio::test]
async fn registries_and_their_repositories_say_what_would_break_without_them() {
    let server = Server::new();
    let page = server.get("/v1/registries?sort=-images").await.json();
    let registry = |name: &str, repositories: usize, used: usize| {
        json!({"registry": name, "repositories": repositories, "images": used, "containers": used, "pods": used,
            "namespaces": 1, "owners": 0})
    };
    assert_eq!(page["registries"], json!([registry("docker.io", 2, 2), registry("quay.io", 1, 1)]));
    let page = server.get("/v1/registries/docker.io/repositories").await.json();
    let names: Vec<_> = rows(&page, "repositories").iter().map(|row| &row["repository"]).collect();
    assert_eq!(names, ["library/nginx", "library/redis"]);
    assert_eq!(server.get("/v1/registries/ghcr.io/repositories").await.json()["total"], 0);
    let bad = server.get("/v1/registries/acme/repositories").await;
    let detail = bad.problem(400, "/v1/registries/acme/repositories");
    assert!(detail.contains("it must be a registry"), "{detail}");
    let twice = server.get("/v1/registries/quay.io/repositories?registry=quay.io").await;
    assert!(twice.problem(400, "/v1/registries/quay.io/repositories").contains("the path names the registry"));
}

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Two pods of one digest under two names, and one of another image.
fn pinned() -> Server {
    let images = [format!("nginx@{DIGEST}"), format!("quay.io/mirror/nginx:1.27@{DIGEST}")];
    following(&[("apps", &images[0]), ("shop", &images[1]), ("shop", "redis:7")]).0
}

#[tokio::test]
async fn a_digest_tells_where_it_runs_under_each_of_its_names() {
    let server = pinned();
    for digest in [DIGEST, &DIGEST[..19], &DIGEST[7..20], &DIGEST.to_uppercase()[7..]] {
        let page = server.get(&format!("/v1/images/{digest}")).await.json();
        let names: Vec<_> = rows(&page, "images").iter().map(|row| &row["repository"]).collect();
        assert_eq!((json!(names), &page["total"]), (json!(["library/nginx", "mirror/nginx"]), &json!(2)), "{digest}");
        let places: Vec<_> = rows(&page, "containers").iter().map(|row| &row["namespace"]).collect();
        assert_eq!(places, ["apps", "shop"]);
    }
    let page = server.get(&format!("/v1/images/{DIGEST}?namespace=shop&limit=1")).await.json();
    assert_eq!((rows(&page, "images").len(), rows(&page, "containers").len()), (1, 1), "filters hold: {page}");
    let page = server.get(&format!("/v1/images/{DIGEST}?namespace=nowhere")).await.json();
    assert_eq!((&page["total"], rows(&page, "images").len()), (&json!(0), 0), "the digest runs elsewhere");
}

#[tokio::test]
async fn pages_of_one_image_follow_each_other() {
    let server = pinned();
    let first = server.get(&format!("/v1/images/{DIGEST}?limit=1")).await;
    let link =
        first.header("link").and_then(|link| link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")).expect("a link");
    let second = server.get(link).await.json();
    assert_eq!((&rows(&second, "containers")[0]["namespace"], &second["next"]), (&json!("shop"), &Value::Null));
}

#[tokio::test]
async fn a_digest_that_no_pod_reports_is_not_said_not_to_run() {
    let path = format!("/v1/images/sha256:{}", "f".repeat(64));
    let detail = pinned().get(&path).await.problem(404, &path);
    assert!(detail.starts_with("No pod reports the digest \"sha256:fff") && !detail.contains("readyz"), "{detail}");
    let reply = Server::new().get(&path).await;
    assert_eq!(reply.problem_type(), "unknown-digest");
    let detail = reply.problem(404, &path);
    assert!(detail.contains("not everything could be read, as /readyz?verbose says"), "{detail}");
}

#[rstest]
#[case::short(
    "sha256:0123456789a",
    "",
    "The digest in the path is \"sha256:0123456789a\"; it must be a manifest digest"
)]
#[case::long(
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
    "",
    "it must be a manifest digest"
)]
#[case::no_hex("sha256:xyzxyzxyzxyz", "", "it must be a manifest digest")]
#[case::bytes("%ff", "", "The digest in the path is not UTF-8 once decoded.")]
#[case::twice("sha256:0123456789ab", "?digest=sha256:0123456789ab", "the path names the digest")]
#[case::sort("sha256:0123456789ab", "?sort=pods", "it must be namespace or image or node or owner")]
#[tokio::test]
async fn a_path_that_is_no_digest_is_named(#[case] digest: &str, #[case] query: &str, #[case] part: &str) {
    let path = format!("/v1/images/{digest}");
    let detail = Server::new().get(&format!("{path}{query}")).await.problem(400, &path);
    assert!(detail.contains(part), "{detail}");
}

#[rstest]
#[case::images(
    "/v1/images",
    "images.csv",
    "image,registry,repository,tag,digest,digest_kind,containers,pods,namespaces,owners,flags,first_seen,last_seen,first_seen_exact,running"
)]
#[case::containers(
    "/v1/containers",
    "containers.csv",
    "namespace,pod,container,kind,image,digest,digest_kind,image_id,state,reason,started_at,node,owner_kind,owner_name,owner_inferred,flags,first_seen,first_seen_exact"
)]
#[case::registries(
    "/v1/registries",
    "registries.csv",
    "registry,repositories,images,containers,pods,namespaces,owners"
)]
#[case::repositories(
    "/v1/registries/docker.io/repositories",
    "repositories.csv",
    "repository,images,containers,pods,namespaces,owners"
)]
#[tokio::test]
async fn csv_has_the_fields_of_json_and_says_of_what_it_is(
    #[case] path: &str,
    #[case] file: &str,
    #[case] columns: &str,
) {
    let server = Server::new();
    let reply = server.get(&format!("{path}?format=csv")).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, Some("text/csv; charset=utf-8")));
    assert_eq!(reply.header("content-disposition"), Some(&*format!("attachment; filename=\"{file}\"")));
    assert_eq!((reply.header("inventory-generation"), reply.header("inventory-complete")), (Some("1"), Some("false")));
    let text = reply.text();
    let (header, rows) = text.split_once('\n').expect("a header");
    assert_eq!(header, columns);
    let json = server.get(path).await.json();
    let name = file.trim_end_matches(".csv");
    assert_eq!(rows.lines().count(), json[name].as_array().expect("rows").len());
    let keys: BTreeSet<&str> = json[name][0].as_object().expect("a row").keys().map(String::as_str).collect();
    assert_eq!(columns.split(',').collect::<BTreeSet<_>>(), keys, "each field is a column");
    assert_eq!(server.get_with(path, &[("accept", "text/csv")]).await.text(), text, "Accept asks for the same");
}

#[tokio::test]
async fn a_list_is_whole_however_long_it_is_and_compressed_where_that_is_wanted() {
    let pods: Vec<(String, String)> =
        (0..3_000).map(|at| ("apps".to_owned(), format!("quay.io/acme/app:{at:04}"))).collect();
    let pods: Vec<(&str, &str)> = pods.iter().map(|(namespace, image)| (&**namespace, &**image)).collect();
    let (server, _) = following(&pods);
    let text = server.get("/v1/images?format=text").await.text().to_owned();
    assert_eq!((text.lines().count(), text.lines().next()), (3_000, Some("quay.io/acme/app:0000")));
    let packed = server.get_with("/v1/images?format=text", &[("accept-encoding", "gzip")]).await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.gunzipped(), text.as_bytes());
    let head = server.send(request("HEAD", "/v1/containers?format=csv", &[])).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(server.http.renders(), 0, "what is written while it is sent is kept nowhere");
}

#[rstest]
#[case::limit(
    "/v1/images?format=csv&limit=5",
    "The parameter \"limit\" is for the format json; others are whole, and this is csv."
)]
#[case::cursor("/v1/containers?format=csv&cursor=x", "The parameter \"cursor\" is for the format json")]
#[case::reference(
    "/v1/images?reference=pinned",
    "The parameter \"reference\" is for the format text, skopeo, hauler and zarf, and this is json."
)]
#[case::version(
    "/v1/images?format=text&version=1.6",
    "The parameter \"version\" is for the format cyclonedx, and this is text."
)]
#[case::other_version("/v1/images?format=cyclonedx&version=1.5", "it must be 1.6 or 1.7.")]
#[case::other_reference("/v1/images?format=text&reference=short", "it must be written or canonical or pinned.")]
#[case::format("/v1/images?format=xml", "it must be json or csv or text or cyclonedx or skopeo or hauler or zarf.")]
#[case::of_images("/v1/containers?format=text", "it must be json or csv.")]
#[case::no_such("/v1/containers?version=1.6", "The parameter \"version\" is unknown")]
#[tokio::test]
async fn a_parameter_of_another_format_is_refused(#[case] path: &str, #[case] part: &str) {
    let detail = Server::new().get(path).await.problem(400, path.split('?').next().expect("a path"));
    assert!(detail.contains(part), "{detail}");
}
