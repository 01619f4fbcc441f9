//! Everything around the routes, on one page and in its order: request id, limits, CORS, concurrency, the cache's short
//! cut, body, deadline, panics, problems, metrics, access log.
//!
//! One service by hand and not a stack of layers: each layer would box every answer once more, and an answer out of the
//! cache costs less than that.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::FutureExt;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body::Body as HttpBody;
use http_body_util::{Either, Full};
use tower::{Service, ServiceExt};

use super::access::Access;
use super::cors::Cors;
use super::limits::{self, Slot};
use super::problem::Problem;
use super::reply::cached_inventory;
use super::request_id::{RequestId, RequestIds, X_REQUEST_ID};
use super::{App, HttpDeps, routes};

/// A body out of the cache, or one that a handler made.
pub type ReplyBody = Either<Full<Bytes>, Body>;
type Reply = Response<ReplyBody>;

/// The whole of HTTP as a service: cheap to clone, one for each connection.
#[derive(Debug, Clone)]
pub struct HttpService(Arc<Front>);

#[derive(Debug)]
struct Front {
    app: Arc<App>,
    router: Router,
    /// Whether the inventory is among the routes.
    has_data: bool,
    ids: RequestIds,
    cors: Option<Cors>,
    request_timeout: Duration,
}

/// An answer that is there, or one that is being made.
pub struct ReplyFuture(Work);

enum Work {
    Done(Option<Reply>),
    Running(Pin<Box<dyn Future<Output = Reply> + Send>>),
}

impl HttpService {
    pub(super) fn new(app: Arc<App>, deps: &HttpDeps) -> Self {
        let router = routes::router(Arc::clone(&app));
        Self::around(router, true, app, deps)
    }

    /// The probes and `/metrics` alone: what `server.probe-listen` answers.
    pub(super) fn of_probes(&self, deps: &HttpDeps) -> Self {
        let app = Arc::clone(&self.0.app);
        Self::around(routes::probe_router(Arc::clone(&app)), false, app, deps)
    }

    fn around(router: Router, has_data: bool, app: Arc<App>, deps: &HttpDeps) -> Self {
        Self(Arc::new(Front {
            app,
            router,
            has_data,
            ids: RequestIds::new(),
            cors: Cors::of(&deps.settings.cors_origins),
            request_timeout: deps.settings.request_timeout,
        }))
    }

    /// How many bodies were rendered since the start.
    #[must_use]
    pub fn renders(&self) -> u64 {
        self.0.app.answers.renders()
    }

    /// How many answers had to wait for a render.
    #[must_use]
    pub fn waits(&self) -> u64 {
        self.0.app.answers.waits()
    }

    /// Serves each new snapshot once the bodies that readers asked for in the last one are rendered. Ends when the feed
    /// does. Without it the service stays with the first snapshot.
    pub fn follow(&self) -> impl Future<Output = ()> + Send + 'static {
        Arc::clone(&self.0.app.answers).follow()
    }
}

impl<B> Service<Request<B>> for HttpService
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Reply;
    type Error = Infallible;
    type Future = ReplyFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ReplyFuture {
        ReplyFuture(self.0.call(request))
    }
}

impl Future for ReplyFuture {
    type Output = Result<Reply, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Work::Done(reply) => reply.take().map_or(Poll::Pending, |reply| Poll::Ready(Ok(reply))),
            Work::Running(work) => work.as_mut().poll(context).map(Ok),
        }
    }
}

impl Front {
    fn call<B>(self: &Arc<Self>, request: Request<B>) -> Work
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let access = Access::begin();
        let id = self.ids.of(request.headers());
        let finish = |reply| {
            Work::Done(Some(self.finish(
                reply,
                request.method(),
                request.uri(),
                request.headers(),
                id.clone().into_header(),
                access,
            )))
        };
        let fail = |problem: Problem| problem.render(request.uri().path(), id.as_str()).map(Either::Right);

        if let Err(problem) = limits::check(request.uri(), request.headers()) {
            return finish(fail(problem));
        }
        if let Some(reply) = self.cors.as_ref().and_then(|cors| cors.preflight(request.method(), request.headers())) {
            return finish(reply.map(Either::Left));
        }
        let slot = if routes::is_unlimited(request.uri().path()) { None } else { Some(self.app.slots.take()) };
        if let Some(None) = slot {
            return finish(fail(Problem::unavailable(
                "kai answers as many requests at once as server.max-concurrent-requests allows; try again later.",
                &self.app.retry_after,
            )));
        }
        if self.has_data && is_plain_inventory(&request) {
            match catch_unwind(AssertUnwindSafe(|| cached_inventory(&self.app, request.headers()))) {
                Ok(Some(reply)) => return finish(reply.map(Either::Left)),
                Ok(None) => {}
                Err(panic) => {
                    log_panic(&*panic, id.as_str());
                    return finish(fail(Problem::internal()));
                }
            }
        }
        Work::Running(Box::pin(Arc::clone(self).handle(request, slot.flatten(), id, access)))
    }

    /// A request that has to be read or routed.
    async fn handle<B>(
        self: Arc<Self>,
        request: Request<B>,
        _slot: Option<Slot>,
        id: RequestId,
        access: Access,
    ) -> Reply
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let (parts, body) = request.into_parts();
        let (method, uri, headers) = (parts.method.clone(), parts.uri.clone(), parts.headers.clone());
        let handled = AssertUnwindSafe(async {
            limits::read_body(body).await?;
            let Ok(response) = self.router.clone().oneshot(Request::from_parts(parts, Body::empty())).await;
            Ok(response)
        });
        let outcome = tokio::time::timeout(self.request_timeout, handled.catch_unwind()).await;
        let response = match outcome {
            Ok(Ok(Ok(response))) => told(response, uri.path(), id.as_str()),
            Ok(Ok(Err(problem))) => Problem::render(problem, uri.path(), id.as_str()),
            Ok(Err(panic)) => {
                log_panic(&*panic, id.as_str());
                Problem::internal().render(uri.path(), id.as_str())
            }
            Err(_) => Problem::too_slow().render(uri.path(), id.as_str()),
        };
        self.finish(response.map(Either::Right), &method, &uri, &headers, id.into_header(), access)
    }

    /// What every answer gets.
    fn finish(
        &self,
        mut reply: Reply,
        method: &Method,
        uri: &Uri,
        request: &HeaderMap,
        id: http::HeaderValue,
        access: Access,
    ) -> Reply {
        if let Some(cors) = &self.cors {
            cors.allow(request, reply.headers_mut());
        }
        if reply.status() == StatusCode::NOT_MODIFIED {
            // The framework says 0 for an empty body; of 304 it would be the length of the answer that is not sent.
            reply.headers_mut().remove(CONTENT_LENGTH);
        }
        if method == Method::HEAD {
            if let Some(length) = reply.body().size_hint().exact()
                && !reply.headers().contains_key(CONTENT_LENGTH)
                && reply.status() != StatusCode::NOT_MODIFIED
            {
                reply.headers_mut().insert(CONTENT_LENGTH, length.into());
            }
            *reply.body_mut() = Either::Left(Full::default());
        }
        let elapsed = access.elapsed();
        self.app.metrics.metrics().http().answered(routes::route_of(uri.path()), method, reply.status(), elapsed);
        access.end(method, uri, &reply, &id, elapsed);
        reply.headers_mut().insert(X_REQUEST_ID, id);
        reply
    }
}

/// The request that readers send over and over.
fn is_plain_inventory<B: HttpBody>(request: &Request<B>) -> bool {
    (request.method() == Method::GET || request.method() == Method::HEAD)
        && request.uri().path() == "/inventory"
        && request.uri().query().is_none()
        && request.body().is_end_stream()
}

/// Gives a handler's problem its path and id. An error that is no problem, as of the framework, becomes one.
fn told(mut response: Response<Body>, path: &str, id: &str) -> Response<Body> {
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if response.status().is_client_error() || response.status().is_server_error() => {
            Problem::new(response.status(), "The request could not be answered.")
        }
        None => return response,
    };
    let allow = response.headers_mut().remove(http::header::ALLOW);
    Problem { allow, ..problem }.render(path, id)
}

fn log_panic(panic: &(dyn std::any::Any + Send), id: &str) {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(
        request_id = id,
        panic = text.unwrap_or("of another type than text"),
        "answering a request panicked"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Listen, MetricsSettings, ServerSettings};
    use crate::feed::feed;
    use crate::health::{Health, PushBoard};
    use crate::inventory::ReportPolicy;
    use crate::metrics::{Exposition, Metrics};
    use axum::routing::get;
    use http_body_util::BodyExt;

    async fn boom() -> Response<Body> {
        panic!("on purpose");
    }

    /// The service around other routes.
    async fn answer(router: Router, path: &str) -> (StatusCode, HeaderMap, serde_json::Value) {
        let (_writer, reader) = feed();
        let settings = ServerSettings {
            listen: Listen::None,
            probe_listen: Listen::None,
            tls: None,
            request_timeout: Duration::from_secs(5),
            max_concurrent_requests: 1,
            shutdown_timeout: Duration::from_secs(5),
            cache_max_bytes: 1024,
            cors_origins: Vec::new(),
        };
        let health = Health::new(reader.clone(), None, Duration::from_secs(5), PushBoard::default());
        let policy = ReportPolicy::default();
        let metrics = Exposition::new(Metrics::default(), health.clone(), &policy, &MetricsSettings::default());
        let deps = HttpDeps { reader, health, metrics, policy, settings, retry_after: Duration::from_secs(5) };
        let service = HttpService::around(router, true, Arc::clone(&super::super::service(&deps).0.app), &deps);
        for _ in 0..2 {
            // Twice: what went wrong holds no place.
            let request = Request::get(path).body(Body::empty()).expect("request");
            let Ok(reply) = service.clone().oneshot(request).await;
            assert!(reply.status() != StatusCode::SERVICE_UNAVAILABLE);
        }
        let request = Request::get(path).body(Body::empty()).expect("request");
        let Ok(reply) = service.oneshot(request).await;
        let (parts, body) = reply.into_parts();
        let body = body.collect().await.expect("body").to_bytes();
        (parts.status, parts.headers, serde_json::from_slice(&body).expect("json"))
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_with_the_request_id_and_not_its_text() {
        let (status, headers, problem) = answer(Router::new().route("/boom", get(boom)), "/boom").await;
        assert_eq!(
            (status, &headers["content-type"]),
            (StatusCode::INTERNAL_SERVER_ERROR, &"application/problem+json".parse().expect("header"))
        );
        assert_eq!(problem["request_id"].as_str(), headers[X_REQUEST_ID].to_str().ok());
        assert!(!problem.to_string().contains("on purpose"), "{problem}");
    }

    #[tokio::test]
    async fn an_error_of_the_framework_becomes_a_problem() {
        let teapot = || async { (StatusCode::IM_A_TEAPOT, "short and stout") };
        let (status, headers, problem) = answer(Router::new().route("/pot", get(teapot)), "/pot").await;
        assert_eq!((status, problem["status"].as_u64()), (StatusCode::IM_A_TEAPOT, Some(418)));
        assert_eq!(headers["content-type"], "application/problem+json");
    }
}
