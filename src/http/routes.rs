//! Every route, on one page.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::MatchedPath;
use axum::response::Response;
use axum::routing::get;
use http::header::LOCATION;
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use tower::layer::layer_fn;
use tower::{Service, service_fn};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::changes::{__path_list_changes, list_changes};
use super::data::{__path_get_inventory, __path_list_namespace_images, __path_list_namespaces};
use super::data::{get_inventory, list_namespace_images, list_namespaces};
use super::docs::{__path_get_docs, __path_get_openapi, __path_get_openapi_yaml, __path_get_problem_types};
use super::docs::{__path_get_root, get_docs, get_docs_below, get_docs_file, get_openapi, get_openapi_yaml};
use super::docs::{get_problem_types, get_root};
use super::history::{__path_get_history, __path_list_clusters, __path_list_history, __path_list_in_use};
use super::history::{get_history, list_clusters, list_history, list_in_use};
use super::images::{
    __path_get_image, __path_list_containers, __path_list_images, __path_list_registries, __path_list_repositories,
};
use super::images::{get_image, list_containers, list_images, list_registries, list_repositories};
use super::metrics::{__path_get_metrics, get_metrics};
use super::probes::{__path_get_health, __path_get_liveness, __path_get_readiness};
use super::probes::{get_health, get_liveness, get_readiness};
use super::problem::{Problem, ProblemKind};
use crate::inventory::excerpt;

pub(super) fn documented() -> OpenApiRouter<Arc<App>> {
    data()
        .merge(probes())
        .routes(routes!(get_openapi))
        .routes(routes!(get_openapi_yaml))
        .routes(routes!(get_docs))
        .routes(routes!(get_problem_types))
        .routes(routes!(get_root))
}

fn data() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::default()
        .routes(routes!(get_inventory))
        .routes(routes!(list_namespaces))
        .routes(routes!(list_namespace_images))
        .routes(routes!(list_images))
        .routes(routes!(get_image))
        .routes(routes!(list_containers))
        .routes(routes!(list_registries))
        .routes(routes!(list_repositories))
        .routes(routes!(list_changes))
        .routes(routes!(list_history))
        .routes(routes!(get_history))
        .routes(routes!(list_in_use))
        .routes(routes!(list_clusters))
}

/// What an orchestrator and a monitor ask. Only `metrics.image-info-limit` lets it show what runs in the cluster.
fn probes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::default()
        .routes(routes!(get_health))
        .routes(routes!(get_liveness))
        .routes(routes!(get_readiness))
        .routes(routes!(get_metrics))
}

/// The routes of `server.probe-listen`, and what answers elsewhere.
pub(super) fn probe_router(app: Arc<App>) -> Router {
    finish(Router::from(probes()).fallback(not_a_probe), app)
}

/// All routes, and what answers elsewhere.
pub(super) fn router(app: Arc<App>) -> Router {
    let slashed = data().into_openapi().paths.paths.into_keys().map(|path| format!("{path}/"));
    let redirects = slashed.fold(Router::new(), |router, path| router.route(&path, get(without_slash)));
    let router = Router::from(documented())
        .merge(redirects)
        .route("/docs/", get(get_docs_below))
        .route("/docs/{file}", get(get_docs_file));
    finish(router.fallback(not_found), app)
}

fn finish(router: Router<Arc<App>>, app: Arc<App>) -> Router {
    router.method_not_allowed_fallback(method_not_allowed).route_layer(layer_fn(mark)).with_state(app)
}

/// The template of the route that answered, to count by. There are no more of them than routes.
#[derive(Debug, Clone)]
pub(super) struct MatchedRoute(MatchedPath);

impl MatchedRoute {
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Marks an answer with its route: outside the router nobody knows it.
fn mark<S, B>(
    mut inner: S,
) -> impl Service<Request<B>, Response = Response, Error = Infallible, Future: Send + 'static> + Clone + Send + Sync + 'static
where
    S: Service<Request<B>, Response = Response, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static,
    B: 'static,
{
    service_fn(move |request: Request<B>| {
        let route = request.extensions().get::<MatchedPath>().cloned().map(MatchedRoute);
        let answer = inner.call(request);
        async move {
            let mut response = answer.await?;
            if let Some(route) = route {
                response.extensions_mut().insert(route);
            }
            Ok(response)
        }
    })
}

/// Leads to the data route without the slash: relative, so that it also works behind a path of a proxy.
async fn without_slash(uri: Uri) -> Response {
    let last = uri.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut response = Response::default();
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    // Both are parts of an address that was read already.
    if let Ok(location) = HeaderValue::try_from(format!("../{last}{query}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

async fn not_found(uri: Uri) -> Problem {
    let detail = format!("There is no resource \"{}\"; /docs lists the resources.", excerpt(uri.path()));
    Problem::new(ProblemKind::UnknownResource, detail)
}

async fn not_a_probe(uri: Uri) -> Problem {
    let detail = format!(
        "There is no resource \"{}\" at the address of server.probe-listen; use the address of server.listen.",
        excerpt(uri.path())
    );
    Problem::new(ProblemKind::UnknownResource, detail)
}

async fn method_not_allowed(method: Method) -> Problem {
    let detail = format!("The method {} is not allowed here; use GET or HEAD.", excerpt(method.as_str()));
    Problem::new(ProblemKind::MethodNotAllowed, detail)
}
