//! Everything around the routes, on one page and in its order.
//!
//! Composed statically: one service for all requests, and none of these layers boxes a future.

use std::any::Any;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body::Body as HttpBody;
use tower::layer::layer_fn;
use tower::{BoxError, Service, ServiceBuilder, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use super::App;
use super::access;
use super::problem::Problem;
use super::request_id::{RequestIds, accept_id, id_of};
use super::routes::MatchedRoute;
use super::unread::Unread;
use super::{cors, limits};
use crate::config::ServerSettings;

/// The routes with everything around them.
pub(super) fn layered<B>(
    app: &Arc<App>,
    settings: &ServerSettings,
    router: Router,
) -> impl Service<Request<B>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + use<B>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let (observed, guarded) = (Arc::clone(app), Arc::clone(app));
    ServiceBuilder::new()
        .map_request(accept_id)
        .layer(SetRequestIdLayer::x_request_id(RequestIds::new()))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(layer_fn(move |inner| observe(Arc::clone(&observed), inner)))
        .layer(SetResponseHeaderLayer::overriding(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn Any + Send>| Problem::of_panic(&*panic).into_response()))
        .option_layer(cors::layer(&settings.cors_origins))
        .layer(RequestBodyLimitLayer::new(limits::BODY))
        .layer(layer_fn(move |inner| guard(Arc::clone(&guarded), inner)))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, settings.request_timeout))
        .service(router)
}

/// Writes problems, counts and logs: every answer passes here, also those of the other layers.
fn observe<S, B, R>(
    app: Arc<App>,
    mut inner: S,
) -> impl Service<Request<B>, Response = Response, Error = Infallible, Future: Send> + Clone + Send
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible, Future: Send + 'static> + Clone + Send,
    R: HttpBody<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    service_fn(move |request: Request<B>| {
        let (app, started) = (Arc::clone(&app), Instant::now());
        let (method, uri, id) = (request.method().clone(), request.uri().clone(), id_of(&request));
        let answer = inner.call(request);
        async move {
            let mut response = answer.await?.map(Body::new);
            if response.status().is_client_error() || response.status().is_server_error() {
                response = Problem::write(response, uri.path(), &id);
                if method == Method::HEAD {
                    *response.body_mut() = Body::empty();
                }
            } else if response.status() == StatusCode::NOT_MODIFIED {
                // The framework says 0 for an empty body; of 304 it would be the length of the answer that is not sent.
                response.headers_mut().remove(CONTENT_LENGTH);
            }
            let elapsed = started.elapsed();
            let route = response.extensions_mut().remove::<MatchedRoute>();
            let route = route.as_ref().map_or("other", MatchedRoute::as_str);
            app.metrics.metrics().http().answered(route, &method, response.status(), elapsed);
            access::log(&method, &uri, &response, &id, elapsed);
            Ok(response)
        }
    })
}

/// Refuses what is too large and what is not for this server.
fn guard<S, B>(
    app: Arc<App>,
    mut inner: S,
) -> impl Service<Request<B>, Response = Response, Error = Infallible, Future: Send> + Clone + Send
where
    S: Service<Request<B>, Response = Response, Error = Infallible, Future: Send> + Clone + Send,
    B: HttpBody,
{
    service_fn(move |request: Request<B>| {
        if !request.body().is_end_stream()
            && let Some(unread) = request.extensions().get::<Unread>()
        {
            unread.note_body();
        }
        let refused = limits::check(&request).and_then(|()| app.hosts.check(&request)).err();
        let answer = match refused {
            None => Ok(inner.call(request)),
            Some(problem) => Err(problem.into_response()),
        };
        async move {
            match answer {
                Ok(answer) => answer.await,
                Err(refused) => Ok(refused),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Listen, MetricsSettings};
    use crate::feed::feed;
    use crate::health::{Health, PushBoard};
    use crate::history::HistoryReader;
    use crate::http::request_id::X_REQUEST_ID;
    use crate::http::{Http, HttpDeps};
    use crate::inventory::ReportPolicy;
    use crate::metrics::{Exposition, Metrics};
    use axum::routing::get;
    use http::HeaderMap;
    use http::header::HOST;
    use http_body_util::BodyExt;
    use std::time::Duration;
    use tower::ServiceExt;

    /// The layers around other routes.
    async fn answer(router: Router, path: &str) -> (StatusCode, HeaderMap, serde_json::Value) {
        let (_writer, reader) = feed();
        let settings = ServerSettings {
            listen: Listen::None,
            probe_listen: Listen::None,
            tls: None,
            request_timeout: Duration::from_millis(100),
            max_concurrent_requests: 1,
            shutdown_timeout: Duration::from_secs(5),
            cache_max_bytes: 1024,
            cors_origins: Vec::new(),
            allowed_hosts: Vec::new(),
        };
        let health = Health::new(reader.clone(), None, Duration::from_secs(5), PushBoard::default());
        let policy = ReportPolicy::default();
        let metrics = Exposition::new(Metrics::default(), health.clone(), &policy, &MetricsSettings::default());
        let (history, retry_after) = (HistoryReader::closed(), Duration::from_secs(5));
        let deps = HttpDeps { reader, health, metrics, policy, history, settings, retry_after };
        let http = Http::new(&deps).expect("the OpenAPI document");
        let request = Request::get(path).header(HOST, "localhost").body(Body::empty()).expect("request");
        let Ok(response) = layered(&http.app, &http.settings, router).oneshot(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("body").to_bytes();
        (parts.status, parts.headers, serde_json::from_slice(&body).expect("json"))
    }

    async fn boom() -> Response {
        panic!("on purpose");
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_with_the_request_id_and_not_its_text() {
        let (status, headers, problem) = answer(Router::new().route("/boom", get(boom)), "/boom").await;
        assert_eq!(
            (status, &problem["type"]),
            (StatusCode::INTERNAL_SERVER_ERROR, &"/docs/problems#internal-error".into())
        );
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(problem["request_id"].as_str(), headers[X_REQUEST_ID].to_str().ok());
        assert!(!problem.to_string().contains("on purpose"), "{problem}");
    }

    #[tokio::test]
    async fn an_answer_that_is_not_ready_in_time_is_504() {
        let (status, _, problem) = answer(Router::new().route("/slow", get(std::future::pending::<()>)), "/slow").await;
        assert_eq!(
            (status, &problem["type"]),
            (StatusCode::GATEWAY_TIMEOUT, &"/docs/problems#deadline-exceeded".into())
        );
    }

    #[tokio::test]
    async fn an_error_of_the_framework_becomes_a_problem() {
        let teapot = || async { (StatusCode::IM_A_TEAPOT, "short and stout") };
        let (status, headers, problem) = answer(Router::new().route("/pot", get(teapot)), "/pot").await;
        assert_eq!((status, problem["status"].as_u64()), (StatusCode::IM_A_TEAPOT, Some(418)));
        assert_eq!(
            (&headers["content-type"], &headers["x-content-type-options"]),
            (&"application/problem+json".parse().expect("header"), &"nosniff".parse().expect("header"))
        );
    }
}
