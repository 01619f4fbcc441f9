//! The handlers of what the cluster runs.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;

use super::App;
use super::failures::{OfData, OfNamespaces};
use super::params::{InventoryParams, NoParams, Params};
use super::problem::{Problem, ProblemKind};
use super::question::{Lane, Question};
use super::reply::Asked;
use crate::views::{Format, NamespaceImages, NamespaceList};

/// Which images run in the cluster
///
/// The report of all namespaces, or of the requested ones, in the format of Anchore's KAI. Namespaces that are excluded
/// or could not be read are left out. kai answers from memory and does not contact the cluster. `timestamp` is the time
/// of the snapshot in which this content first appeared; `Inventory-Observed-At` has the time of the newest observation.
/// In CSV an apostrophe stands before a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return.
#[utoipa::path(
    get,
    path = "/inventory",
    operation_id = "get_inventory",
    tag = "inventory",
    params(InventoryParams),
    responses((status = 200, description = "The report, in the format that was asked for."), OfNamespaces),
)]
pub(super) async fn get_inventory(
    State(app): State<Arc<App>>,
    Params(params): Params<InventoryParams>,
    asked: Asked,
) -> Result<Response, Problem> {
    let format = match params.format {
        Some(format) => format,
        None => asked.format(&Format::SERVED)?,
    };
    asked.answer(&app, Lane::Long, |snapshot| Question::inventory(snapshot, &params.namespace, format)).await
}

/// Namespaces
///
/// Every namespace with its state: read, excluded by the configuration, refused by the cluster (with the reason), or
/// included by name and unknown to the cluster. `generation` and `observed_at` are those of the snapshot in which this
/// content first appeared; the headers have those of the newest one.
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
    })), OfData),
)]
pub(super) async fn list_namespaces(
    State(app): State<Arc<App>>,
    Params(NoParams {}): Params<NoParams>,
    asked: Asked,
) -> Result<Response, Problem> {
    asked.format(&[Format::Json])?;
    asked.answer(&app, Lane::Long, |_| Ok(Question::Namespaces)).await
}

/// Which images run in one namespace
///
/// One element of the report's `results`. A namespace without images has one too.
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
    })), OfNamespaces),
)]
pub(super) async fn list_namespace_images(
    State(app): State<Arc<App>>,
    namespace: Result<Path<String>, PathRejection>,
    Params(NoParams {}): Params<NoParams>,
    asked: Asked,
) -> Result<Response, Problem> {
    let Ok(Path(namespace)) = namespace else {
        let detail = "The namespace in the path is not UTF-8 once decoded; write its name.";
        return Err(Problem::new(ProblemKind::BadParameter, detail));
    };
    asked.format(&[Format::Json])?;
    asked.answer(&app, Lane::Short, |snapshot| Question::images(snapshot, &namespace)).await
}
