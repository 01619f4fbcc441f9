//! HTTP: answers out of memory, to anyone who asks.
//!
//! `routes` has every route and `layers` everything around them, each on one page. A data request becomes a `question`,
//! which `answers` looks up among the bodies of the `generation` that is served and in the `cache`; a new generation is
//! served once the bodies that readers asked for in the last one are there, so that steady readers never wait.
//!
//! `listen` opens the addresses; with `server.tls` the files are read by `tls`, and again by `renewal` when they change;
//! `handshake` accepts connections with them, and `connection` ends those that stop reading.

mod access;
mod answers;
mod cache;
mod changes;
mod connection;
mod cors;
mod data;
mod docs;
mod failures;
mod generation;
mod gzip;
mod handshake;
mod history;
mod host;
mod images;
mod layers;
mod limits;
mod listen;
mod metrics;
mod negotiate;
mod openapi;
mod params;
mod pins;
mod probes;
mod problem;
mod process;
mod question;
mod rendered;
mod renewal;
mod reply;
mod request_id;
mod routes;
mod row_params;
mod rows;
mod segments;
mod serve;
mod tls;
mod unread;
mod whole;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderValue, Request};
use axum::response::Response;
use bytes::Bytes;
use tower::{BoxError, Service};

use crate::config::ServerSettings;
use crate::feed::SnapshotReader;
use crate::health::Health;
use crate::history::HistoryReader;
use crate::inventory::ReportPolicy;
use crate::metrics::Exposition;
pub use listen::{ListenError, Listeners};
pub use openapi::openapi;
pub use serve::serve;

/// How long clients may take to be sent the end of a stream.
const STREAMS_END: Duration = Duration::from_secs(1);

/// What HTTP is made from.
#[derive(Debug, Clone)]
pub struct HttpDeps {
    pub reader: SnapshotReader,
    /// What the probes answer from.
    pub health: Health,
    /// Where requests are counted, and what `/metrics` shows.
    pub metrics: Exposition,
    pub policy: ReportPolicy,
    /// What answers questions about the past.
    pub history: HistoryReader,
    /// `server.*`
    pub settings: ServerSettings,
    /// The value of `Retry-After`, in whole seconds, at least one.
    pub retry_after: Duration,
}

#[derive(Debug)]
struct App {
    answers: Arc<answers::Answers>,
    health: Health,
    metrics: Exposition,
    /// One scrape after another: they count against no limit, and each takes a thread.
    scraping: tokio::sync::Mutex<()>,
    gate: limits::Gate,
    pins: pins::Pins,
    changes: Arc<changes::ChangeLog>,
    history: HistoryReader,
    hosts: host::Hosts,
    document: docs::Document,
    retry_after: HeaderValue,
}

/// The whole of HTTP without a socket.
#[derive(Debug, Clone)]
pub struct Http {
    app: Arc<App>,
    settings: Arc<ServerSettings>,
}

impl Http {
    /// Renders the OpenAPI document, and nothing else yet.
    ///
    /// # Errors
    /// The document cannot be written.
    pub fn new(deps: &HttpDeps) -> std::io::Result<Self> {
        let HttpDeps { reader, health, metrics, policy, history, settings, retry_after } = deps;
        let retry_after = HeaderValue::from(retry_after.as_secs().max(1));
        let pins = pins::Pins::new();
        let process = process::Process::new(policy.clone(), pins.boot());
        let changes = changes::ChangeLog::new(pins.boot(), reader.clone(), metrics.metrics().clone());
        let app = App {
            answers: Arc::new(answers::Answers::new(reader.clone(), process, settings.cache_max_bytes)),
            health: health.clone(),
            metrics: metrics.clone(),
            scraping: tokio::sync::Mutex::default(),
            gate: limits::Gate::new(settings.max_concurrent_requests, retry_after.clone()),
            pins,
            changes: Arc::new(changes),
            history: history.clone(),
            hosts: host::Hosts::of(settings),
            document: docs::Document::new(&openapi())?,
            retry_after,
        };
        Ok(Self { app: Arc::new(app), settings: Arc::new(settings.clone()) })
    }

    /// Every route with its layers.
    pub fn service<B>(
        &self,
    ) -> impl Service<Request<B>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + use<B>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        layers::layered(&self.app, &self.settings, routes::router(Arc::clone(&self.app)))
    }

    /// The probes and `/metrics` alone: what `server.probe-listen` answers.
    fn probes<B>(
        &self,
    ) -> impl Service<Request<B>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + use<B>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        layers::layered(&self.app, &self.settings, routes::probe_router(Arc::clone(&self.app)))
    }

    /// How many bodies were rendered since the start.
    #[must_use]
    pub fn renders(&self) -> u64 {
        self.app.answers.renders()
    }

    /// How many answers had to wait for a render.
    #[must_use]
    pub fn waits(&self) -> u64 {
        self.app.answers.waits()
    }

    /// Serves each new snapshot once the bodies that readers asked for in the last one are rendered, and tells what has
    /// changed. Ends when the feed does. Without it the service stays with the first snapshot.
    pub fn follow(&self) -> impl Future<Output = ()> + Send + 'static {
        let (answers, changes) = (Arc::clone(&self.app.answers), Arc::clone(&self.app.changes));
        async {
            tokio::join!(answers.follow(), changes.follow());
        }
    }

    /// Ends the answers that go on for as long as their client stays, and soon the connections of clients that do not take
    /// the end.
    async fn end_streams(&self) {
        self.app.changes.stop();
        tokio::time::sleep(STREAMS_END).await;
        self.app.changes.give_up_all();
    }
}
