//! The OpenAPI document: the routes' own descriptions, and what holds for all of them.

use serde_json::Value;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, Header, InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, Response,
    ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use super::failures::{self, number_header, text_header};
use super::negotiate::essence;
use super::problem::ProblemDetails;
use super::routes;
use crate::inventory::Digest;
use crate::snapshot::ServerVersion;
use crate::views::{Format, INVENTORY_TYPE, ImageEntry, KaiReport, Layout, NamespaceImages};

/// Tags of the routes that answer with what kai knows of the cluster.
const DATA: [&str; 3] = ["inventory", "images", "history"];

const DESCRIPTION: &str = "\
Which container images run in a Kubernetes cluster, right now, where, and since when.

Every resource answers GET and HEAD. Data answers have a weak `ETag` of their content for `If-None-Match`, but for lists that are written while they are \
sent: `/v1/in-use`, and those of `/v1` in another format than JSON. \
`Inventory-Generation`, `Inventory-Observed-At` and `Inventory-Complete` describe the snapshot that the answer shows: \
while the cluster changes without a pause, long answers may be a moment behind short ones; \
`timestamp`, `generation` and `observed_at` inside a body are those of the snapshot in which this content first \
appeared. Answers are compressed with gzip when `Accept-Encoding` allows it, but for those of `/v1/changes`. Errors are problem details (RFC 9457), \
and their types are described at `/docs/problems`. Unknown parameters are refused, except `_`. kai echoes an \
`X-Request-Id` of at most 128 visible ASCII characters, or makes one.";

/// The OpenAPI 3.1 document of every documented route.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut document = routes::documented().into_openapi();
    document.info = InfoBuilder::new()
        .title("kai")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    document.tags = Some(vec![
        tag("inventory", "The inventory."),
        tag("images", "Which images, where, and what changes."),
        tag("history", "Since when, and what was."),
        tag("probes", "State of the process. These routes do not count against `server.max-concurrent-requests`."),
        tag("documentation", "Documentation."),
    ]);
    let mut components = ComponentsBuilder::from(document.components.take().unwrap_or_default());
    let mut schemas = vec![
        (ProblemDetails::name().into_owned(), ProblemDetails::schema()),
        (KaiReport::name().into_owned(), KaiReport::schema()),
    ];
    ProblemDetails::schemas(&mut schemas);
    KaiReport::schemas(&mut schemas);
    components = components.schemas_from_iter(schemas);
    for (name, _, response) in failures::components() {
        components = components.response(name, response);
    }
    document.components = Some(components.build());
    for (path, item) in &mut document.paths.paths {
        if let Some(operation) = &mut item.get {
            complete(path, operation);
        }
    }
    document
}

/// Adds what every operation of its kind answers.
fn complete(path: &str, operation: &mut Operation) {
    let is_data = operation.tags.iter().flatten().any(|tag| DATA.contains(&&**tag)) && path != "/v1/changes";
    // What is always written while it is sent has no tag.
    let has_etag = is_data && path != "/v1/in-use";
    let responses = &mut operation.responses.responses;
    if has_etag || path.starts_with("/openapi.") {
        responses.insert("304".into(), RefOr::T(not_modified()));
    }
    for (status, response) in responses.iter_mut() {
        let RefOr::T(response) = response else { continue };
        if is_data && matches!(status.as_str(), "200" | "304") {
            response.headers.extend(data_headers().into_iter().filter(|(name, _)| has_etag || name != "ETag"));
        }
        if path == "/inventory" && status == "200" {
            response
                .content
                .extend(Format::SERVED.map(|format| (essence(format).to_owned(), RefOr::T(report(format)))));
        }
        if status == "200" {
            for (format, example) in list_examples(path) {
                let content = ContentBuilder::new().schema(Some(String::schema())).example(Some(example.into()));
                response.content.insert(essence(format).to_owned(), RefOr::T(content.build()));
            }
        }
        let id = text_header("Id of the request: the client's, or a new one.", "4b1d9f20-2a");
        response.headers.insert("X-Request-Id".into(), RefOr::T(id));
    }
}

/// What whole lists of a route look like, besides JSON.
fn list_examples(path: &str) -> Vec<(Format, &'static str)> {
    let csv = match path {
        "/v1/images" => {
            "image,registry,repository,tag,digest,digest_kind,containers,pods,namespaces,owners,flags,first_seen,\
             last_seen,first_seen_exact,running\n\
             redis,docker.io,library/redis,latest,,,1,1,1,1,floating-tag no-digest,2026-11-24T09:14:01.312Z,,true,true\n"
        }
        "/v1/containers" | "/v1/images/{digest}" => {
            "namespace,pod,container,kind,image,digest,digest_kind,image_id,state,reason,started_at,node,owner_kind,\
             owner_name,owner_inferred,flags,first_seen,first_seen_exact\n\
             shop,cart-7d4b9c6f5-x2x8q,cart,container,quay.io/acme/cart:1.25,,,,waiting,ImagePullBackOff,,eu1-pool-a-1,\
             Deployment,cart,true,no-digest not-running,2026-11-24T09:14:01.312Z,true\n"
        }
        "/v1/registries" => "registry,repositories,images,containers,pods,namespaces,owners\nquay.io,4,9,31,12,2,5\n",
        "/v1/registries/{registry}/repositories" => {
            "repository,images,containers,pods,namespaces,owners\nacme/cart,2,6,6,1,1\n"
        }
        "/v1/in-use" => {
            let text = "quay.io/acme/cart:1.25\n\
                        quay.io/acme/cart@sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628\n";
            return vec![(Format::Text, text)];
        }
        _ => return Vec::new(),
    };
    let mut examples = vec![(Format::Csv, csv)];
    if path == "/v1/images" {
        examples.extend([
            (Format::Text, "quay.io/acme/cart:1.25\nredis\n"),
            (Format::Skopeo, "\"quay.io\":\n  images:\n    \"acme/cart\":\n      - \"1.25\"\n"),
            (
                Format::CycloneDx,
                "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"version\":1,\"components\":[]}",
            ),
        ]);
    }
    examples
}

/// The report in a format, with an example.
fn report(format: Format) -> utoipa::openapi::Content {
    let digest = "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628";
    let digest = Digest::parse(digest);
    let image = ImageEntry { tag: "quay.io/acme/cart:1.25".into(), repo_digest: digest.as_ref() };
    let report = KaiReport {
        timestamp: jiff::Timestamp::from_second(1_795_512_600).unwrap_or_default(),
        results: vec![NamespaceImages { namespace: "shop", images: vec![image] }],
        server_version_metadata: &ServerVersion {
            major: "1".into(),
            minor: "37".into(),
            git_version: "v1.37.2".into(),
            git_commit: "5c9b3a1f0e2d4c6b8a7f9e1d3c5b7a9f1e3d5c7b".into(),
            git_tree_state: "clean".into(),
            build_date: "2026-10-14T12:00:00Z".into(),
            go_version: "go1.26.8".into(),
            compiler: "gc".into(),
            platform: "linux/amd64".into(),
        },
        cluster_name: "prod-eu-1",
        inventory_type: INVENTORY_TYPE,
    };
    let mut text = Vec::new();
    // Writing to memory cannot fail; a test holds every content to have an example.
    let _ = format.write(&report, Layout::Compact, &mut text);
    let content = ContentBuilder::new();
    if let Ok(example) = serde_json::from_slice::<Value>(&text) {
        return content.schema(Some(Ref::from_schema_name(KaiReport::name()))).example(Some(example)).build();
    }
    let example = String::from_utf8_lossy(&text).into_owned();
    content.schema(Some(String::schema())).example(Some(example.into())).build()
}

fn not_modified() -> Response {
    ResponseBuilder::new().description("Not modified: `If-None-Match` has the current `ETag`.").build()
}

fn data_headers() -> [(String, RefOr<Header>); 6] {
    let headers = [
        (
            "ETag",
            text_header(
                "Weak tag of the content, without the time of observation.",
                "W/\"6f0cb1c5a92e47d3881f2d6a4be90357-json\"",
            ),
        ),
        ("Inventory-Generation", number_header("Number of the snapshot in this process, from 1.", 42)),
        ("Inventory-Observed-At", text_header("When the cluster was observed, RFC 3339 UTC.", "2026-11-24T09:30:00Z")),
        (
            "Inventory-Complete",
            text_header("`false` when something was refused or skipped; `/readyz?verbose` has the details.", "true"),
        ),
        ("Cache-Control", text_header("Clients must revalidate with `If-None-Match`.", "no-cache")),
        ("Vary", text_header("Request headers that the answer depends on.", "Accept, Accept-Encoding")),
    ];
    headers.map(|(name, header)| (name.to_owned(), RefOr::T(header)))
}

fn tag(name: &str, description: &str) -> utoipa::openapi::Tag {
    utoipa::openapi::tag::TagBuilder::new().name(name).description(Some(description)).build()
}
