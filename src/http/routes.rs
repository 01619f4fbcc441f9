//! Every route, on one page.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http::{Method, StatusCode, Uri};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::data::{__path_get_inventory, __path_list_namespace_images, __path_list_namespaces};
use super::data::{get_inventory, list_namespace_images, list_namespaces};
use super::docs::{__path_get_docs, __path_get_openapi, __path_get_root};
use super::docs::{get_docs, get_docs_file, get_openapi, get_root};
use super::probes::{__path_get_health, __path_get_liveness, __path_get_readiness};
use super::probes::{get_health, get_liveness, get_readiness};
use super::problem::Problem;
use crate::inventory::excerpt;

/// The documented routes.
pub(super) fn documented() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::default()
        .routes(routes!(get_inventory))
        .routes(routes!(list_namespaces))
        .routes(routes!(list_namespace_images))
        .routes(routes!(get_health))
        .routes(routes!(get_liveness))
        .routes(routes!(get_readiness))
        .routes(routes!(get_openapi))
        .routes(routes!(get_docs))
        .routes(routes!(get_root))
}

/// All routes, and what answers elsewhere.
pub(super) fn router(app: Arc<App>) -> Router {
    Router::from(documented())
        .route("/docs/", get(get_docs))
        .route("/docs/{file}", get(get_docs_file))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app)
}

/// Whether the path is of a probe: those answer however many requests are under way.
pub(super) fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/livez" | "/readyz")
}

async fn not_found(uri: Uri) -> Problem {
    let detail = format!("There is no resource \"{}\"; /docs shows what there is.", excerpt(uri.path()));
    Problem::new(StatusCode::NOT_FOUND, detail)
}

async fn method_not_allowed(method: Method) -> Problem {
    let detail = format!("The method {} is not allowed here; use GET or HEAD.", excerpt(method.as_str()));
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}
