//! The handlers of what the cluster runs.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, Uri};

use super::App;
use super::negotiate::Format;
use super::problem::Problem;
use super::query::{self, InventoryParams};
use super::question::Question;
use super::reply::{acceptable_format, answer};
use crate::views::{KaiReport, NamespaceImages, NamespaceList};

/// Which images run in the cluster
///
/// The report of every namespace, or of those that are asked for, in the shape that Anchore's KAI made known. Namespaces
/// that are excluded or could not be read are left out. Answered from memory: the cluster is never asked.
#[utoipa::path(
    get,
    path = "/inventory",
    operation_id = "get_inventory",
    tag = "inventory",
    params(
        ("namespace" = Option<Vec<String>>, Query, explode = true, description = "Only this namespace; repeat it for several. A name that is unknown or excluded is answered with 404, one that could not be read with 503.", example = json!(["shop"])),
        ("format" = Option<String>, Query, description = "How the report is written; goes before `Accept`.", example = "json"),
    ),
    responses((
        status = 200,
        description = "The report.",
        content(
            (KaiReport = "application/json", example = json!({
                "timestamp": "2026-11-24T09:30:00Z",
                "results": [{"namespace": "shop", "images": [{
                    "tag": "quay.io/acme/cart:1.25",
                    "repoDigest": "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628",
                }]}],
                "serverVersionMetadata": {
                    "major": "1", "minor": "37", "gitVersion": "v1.37.2",
                    "gitCommit": "5c9b3a1f0e2d4c6b8a7f9e1d3c5b7a9f1e3d5c7b", "gitTreeState": "clean",
                    "buildDate": "2026-10-14T12:00:00Z", "goVersion": "go1.26.8", "compiler": "gc",
                    "platform": "linux/amd64",
                },
                "cluster_name": "prod-eu-1",
                "inventory_type": "kubernetes",
            })),
            (String = "text/csv", example = "namespace,tag,repo_digest\nshop,quay.io/acme/cart:1.25,sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628\n"),
        ),
    )),
)]
pub(super) async fn get_inventory(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let InventoryParams { namespaces, format } = InventoryParams::of(&uri)?;
    let format = match format {
        Some(format) => format,
        None => acceptable_format(&headers, &[Format::Json, Format::Csv])?,
    };
    answer(&app, &headers, |snapshot| Question::inventory(snapshot, &namespaces, format)).await
}

/// Which namespaces kai knows
///
/// Every namespace with how it stands: read, excluded by the configuration, refused by the cluster (with the reason), or
/// included by name and unknown to the cluster.
#[utoipa::path(
    get,
    path = "/namespaces",
    operation_id = "list_namespaces",
    tag = "inventory",
    responses((status = 200, description = "The namespaces, sorted by name.", body = NamespaceList, content_type = "application/json", example = json!({
        "generation": 42, "observed_at": "2026-11-24T09:30:00Z", "complete": false,
        "namespaces": [
            {"name": "billing", "state": "refused", "reason": "pods is forbidden: User \"kai\" cannot list resource \"pods\" in API group \"\" in the namespace \"billing\"", "pods": 0, "containers": 0, "images": 0},
            {"name": "shop", "state": "read", "reason": null, "pods": 12, "containers": 31, "images": 9},
        ],
    }))),
)]
pub(super) async fn list_namespaces(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    query::none(&uri)?;
    acceptable_format(&headers, &[Format::Json])?;
    answer(&app, &headers, |_| Ok(Question::Namespaces)).await
}

/// Which images run in one namespace
///
/// One element of the report's `results`; with no images it is there all the same.
#[utoipa::path(
    get,
    path = "/namespaces/{namespace}/images",
    operation_id = "list_namespace_images",
    tag = "inventory",
    params(("namespace" = String, Path, description = "Name of the namespace.", example = "shop")),
    responses((status = 200, description = "The images, sorted.", body = NamespaceImages, content_type = "application/json", example = json!({
        "namespace": "shop",
        "images": [{
            "tag": "quay.io/acme/cart:1.25",
            "repoDigest": "sha256:b9b4fa9b3e13e1d02583fe3bf0e8578f78e8b257dbafc9cbed599cacc7bb6628",
        }],
    }))),
)]
pub(super) async fn list_namespace_images(
    State(app): State<Arc<App>>,
    namespace: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Ok(Path(namespace)) = namespace else {
        return Err(Problem::bad_request("The namespace in the path is not UTF-8 once decoded; write its name."));
    };
    query::none(&uri)?;
    acceptable_format(&headers, &[Format::Json])?;
    answer(&app, &headers, |snapshot| Question::images(snapshot, &namespace)).await
}
