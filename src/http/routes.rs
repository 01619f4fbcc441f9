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
use super::metrics::{__path_get_metrics, get_metrics};
use super::probes::{__path_get_health, __path_get_liveness, __path_get_readiness};
use super::probes::{get_health, get_liveness, get_readiness};
use super::problem::Problem;
use crate::inventory::excerpt;
use crate::metrics::Route;

/// The documented routes.
pub(super) fn documented() -> OpenApiRouter<Arc<App>> {
    probes()
        .routes(routes!(get_inventory))
        .routes(routes!(list_namespaces))
        .routes(routes!(list_namespace_images))
        .routes(routes!(get_openapi))
        .routes(routes!(get_docs))
        .routes(routes!(get_root))
}

/// What an orchestrator and a monitor ask. Only `metrics.image-info-limit` lets it tell what runs in the cluster.
fn probes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::default()
        .routes(routes!(get_health))
        .routes(routes!(get_liveness))
        .routes(routes!(get_readiness))
        .routes(routes!(get_metrics))
}

/// The routes of `server.probe-listen`, and what answers elsewhere.
pub(super) fn probe_router(app: Arc<App>) -> Router {
    Router::from(probes()).fallback(not_a_probe).method_not_allowed_fallback(method_not_allowed).with_state(app)
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

/// Whether the path is answered however many requests are under way: who watches kai must see it then too.
pub(super) fn is_unlimited(path: &str) -> bool {
    is_probe(path) || path == "/metrics"
}

/// The route that a path belongs to, to count by.
pub(super) fn route_of(path: &str) -> Route {
    match path {
        "/inventory" => Route::Inventory,
        "/namespaces" => Route::Namespaces,
        "/healthz" => Route::Healthz,
        "/livez" => Route::Livez,
        "/readyz" => Route::Readyz,
        "/metrics" => Route::Metrics,
        "/openapi.json" => Route::Openapi,
        "/docs" | "/docs/" => Route::Docs,
        "/" => Route::Root,
        path => match path.split('/').collect::<Vec<_>>()[..] {
            ["", "namespaces", namespace, "images"] if !namespace.is_empty() => Route::NamespaceImages,
            ["", "docs", _] => Route::DocsFile,
            _ => Route::Other,
        },
    }
}

async fn not_found(uri: Uri) -> Problem {
    let detail = format!("There is no resource \"{}\"; /docs shows what there is.", excerpt(uri.path()));
    Problem::new(StatusCode::NOT_FOUND, detail)
}

async fn not_a_probe(uri: Uri) -> Problem {
    let detail = format!(
        "There is no resource \"{}\" at this address, that of server.probe-listen; everything else is at that of \
         server.listen.",
        excerpt(uri.path())
    );
    Problem::new(StatusCode::NOT_FOUND, detail)
}

async fn method_not_allowed(method: Method) -> Problem {
    let detail = format!("The method {} is not allowed here; use GET or HEAD.", excerpt(method.as_str()));
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn every_documented_route_is_counted_under_its_template() {
        let document = documented().into_openapi();
        assert!(document.paths.paths.len() >= 10);
        for path in document.paths.paths.keys() {
            assert_eq!(route_of(&path.replace("{namespace}", "shop")).as_str(), path);
        }
    }

    #[rstest]
    #[case("/docs/", Route::Docs)]
    #[case("/docs/swagger-ui.css", Route::DocsFile)]
    #[case("/namespaces/%73hop/images", Route::NamespaceImages)]
    #[case("/namespaces//images", Route::Other)]
    #[case("/namespaces/shop/images/", Route::Other)]
    #[case("/inventory/", Route::Other)]
    #[case("/docs/a/b", Route::Other)]
    #[case("*", Route::Other)]
    #[case("", Route::Other)]
    fn a_path_is_counted_under_one_template_of_few(#[case] path: &str, #[case] route: Route) {
        assert_eq!(route_of(path), route);
    }
}
