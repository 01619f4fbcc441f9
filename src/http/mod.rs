//! HTTP: answers out of memory, to anyone who asks.
//!
//! `routes` has every route and `service` everything around them, each on one page. A data request becomes a `question`,
//! which `answers` looks up in the `cache` of rendered bodies for the `generation` that is served; a new generation is
//! served once the bodies that readers asked for in the last one are rendered, so that steady readers never wait.
//!
//! `listen` opens the addresses; with `server.tls` the files are read by `tls`, and again by `renewal` when they change;
//! `handshake` accepts connections with them.

mod access;
mod answers;
mod cache;
mod conditional;
mod cors;
mod data;
mod docs;
mod generation;
mod handshake;
mod limits;
mod listen;
mod metrics;
mod negotiate;
mod openapi;
mod probes;
mod problem;
mod query;
mod question;
mod renewal;
mod reply;
mod request_id;
mod routes;
mod serve;
mod service;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderValue;

use crate::config::ServerSettings;
use crate::feed::SnapshotReader;
use crate::health::Health;
use crate::inventory::ReportPolicy;
use crate::metrics::Exposition;
pub use listen::{BindError, ListenError, Listeners};
pub use openapi::openapi;
pub use serve::serve;
pub use service::{HttpService, ReplyBody, ReplyFuture};
pub use tls::TlsError;

/// What HTTP is made from.
#[derive(Debug, Clone)]
pub struct HttpDeps {
    /// Where snapshots come from.
    pub reader: SnapshotReader,
    /// What the probes answer from.
    pub health: Health,
    /// Where requests are counted, and what is told of everything.
    pub metrics: Exposition,
    /// How reports are written.
    pub policy: ReportPolicy,
    /// `server.*`
    pub settings: ServerSettings,
    /// What `Retry-After` says, in whole seconds, at least one.
    pub retry_after: Duration,
}

/// What handlers share.
#[derive(Debug)]
struct App {
    answers: Arc<answers::Answers>,
    health: Health,
    metrics: Exposition,
    /// One scrape after another: they count against no limit, and each takes a thread.
    scraping: tokio::sync::Mutex<()>,
    slots: limits::Slots,
    document: docs::Document,
    retry_after: HeaderValue,
}

/// The whole of HTTP without a socket.
#[must_use]
pub fn service(deps: &HttpDeps) -> HttpService {
    let HttpDeps { reader, health, metrics, policy, settings, retry_after } = deps;
    let app = App {
        answers: Arc::new(answers::Answers::new(reader.clone(), policy.clone(), settings.cache_max_bytes)),
        health: health.clone(),
        metrics: metrics.clone(),
        scraping: tokio::sync::Mutex::default(),
        slots: limits::Slots::new(settings.max_concurrent_requests),
        document: docs::Document::new(),
        retry_after: retry_after.as_secs().max(1).into(),
    };
    HttpService::new(Arc::new(app), deps)
}
