//! The handler that a scraper asks.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use super::App;
use super::failures::OfAny;
use super::params::{NoParams, Params};
use super::problem::Problem;
use crate::metrics::{self, Serving};

/// Metrics
///
/// Metrics in OpenMetrics text, whatever `Accept` is. They do not count against `server.max-concurrent-requests`.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "get_metrics",
    tag = "probes",
    responses((status = 200, description = "The metrics.", content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8", body = String, example = "# HELP kai_pods Pods in any phase.\n# TYPE kai_pods gauge\nkai_pods 42\n# EOF\n"), OfAny),
)]
pub(super) async fn get_metrics(
    State(app): State<Arc<App>>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Response, Problem> {
    let _turn = app.scraping.lock().await;
    let scraped = Arc::clone(&app);
    // The first scrape of a generation walks the whole snapshot.
    let text = tokio::task::spawn_blocking(move || {
        let serving = Serving {
            in_flight: scraped.gate.in_flight(),
            change_clients: scraped.changes.clients(),
            cache_hits: scraped.answers.hits(),
            cache_misses: scraped.answers.waits(),
            cache_bytes: scraped.answers.cached_bytes(),
            renders: scraped.answers.renders(),
            unread_bytes: scraped.answers.unread_bytes(),
        };
        scraped.metrics.text(serving)
    });
    let error = match text.await {
        Ok(Ok(text)) => {
            return Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE), (CACHE_CONTROL, "no-store")], text).into_response());
        }
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    Err(Problem::internal(format!("the metrics could not be written: {error}")))
}
