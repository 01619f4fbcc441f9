//! The server itself: connections, their deadlines, and the end.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum_server::{Handle, Server};
use tokio_util::sync::CancellationToken;
use tower::make::Shared;

use super::connection::Watching;
use super::handshake::Handshake;
use super::renewal::Tls;
use super::{Http, HttpDeps, Listeners};
use crate::metrics::Metrics;

/// The longest that a client may take to send a request's head, and that a connection may stay without one: a client that
/// trickles holds nothing for ever.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest that a client may take to agree on TLS; the head comes after it.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the other end of an HTTP/2 connection is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// Bytes of a header list over HTTP/2: above kai's own limit, whose answer has the reason.
const HEADER_LIST: u32 = 64 * 1024;

/// How often connections that could not be accepted are logged at most.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// Serves on the listeners until `shutdown`, then is not ready, accepts nothing more and finishes the requests under way
/// within `server.shutdown-timeout-seconds`. Idle connections end at once. The probes answer until the last request is
/// finished.
///
/// # Errors
/// A listener cannot be used.
pub async fn serve(listeners: Listeners, deps: HttpDeps, shutdown: CancellationToken) -> io::Result<()> {
    let Listeners { all, tls, probes } = listeners;
    let http = Http::new(&deps)?;
    let deadline = deps.settings.request_timeout;
    let (handle, probe_handle) = (Handle::new(), Handle::new());
    let refused = Arc::new(RefusedConnections::new(deps.metrics.metrics().clone()));
    let feed = http.follow();
    let everything = async {
        match all {
            Some(listener) => serve_all(listener, tls, &http, handle.clone(), deadline, &refused).await?,
            None => shutdown.cancelled().await,
        }
        probe_handle.shutdown();
        Ok(())
    };
    let probes = async {
        match probes {
            Some(listener) => {
                let server = limited(axum_server::from_tcp(listener)?, probe_handle.clone(), deadline, &refused);
                server.map(Watching::new).serve(Shared::new(http.probes())).await
            }
            None => Ok(()),
        }
    };
    tokio::select! {
        result = async { tokio::try_join!(everything, probes) } => result.map(|((), ())| ()),
        never = follow(feed) => match never {},
        never = drain(&deps, &http, &handle, &shutdown) => match never {},
    }
}

async fn serve_all(
    listener: TcpListener,
    tls: Option<Tls>,
    http: &Http,
    handle: Handle<SocketAddr>,
    deadline: Duration,
    refused: &Arc<RefusedConnections>,
) -> io::Result<()> {
    let server = limited(axum_server::from_tcp(listener)?, handle, deadline, refused);
    let Some(tls) = tls else { return server.map(Watching::new).serve(Shared::new(http.service())).await };
    let acceptor = Handshake::new(tls.config(), HANDSHAKE_TIMEOUT.min(deadline));
    tokio::select! {
        result = server.acceptor(Watching::new(acceptor)).serve(Shared::new(http.service())) => result,
        never = tls.renew() => match never {},
    }
}

/// The limits of a connection, whatever it is accepted with.
fn limited<A>(
    server: Server<SocketAddr, A>,
    handle: Handle<SocketAddr>,
    deadline: Duration,
    refused: &Arc<RefusedConnections>,
) -> Server<SocketAddr, A> {
    let (head_timeout, refused) = (HEAD_TIMEOUT.min(deadline), Arc::clone(refused));
    let mut server = server.handle(handle).first_request_timeout(head_timeout).accept_error_handler(
        move |client, error| match client {
            // Of one client, such as a handshake that it gave up.
            Some(client) => tracing::debug!(%client, %error, "a connection could not be accepted"),
            None => refused.note(error),
        },
    );
    let builder = server.http_builder();
    builder.http1().header_read_timeout(head_timeout);
    builder.http2().keep_alive_interval(PING_INTERVAL).max_header_list_size(HEADER_LIST);
    server
}

/// Connections that the system did not let kai accept. Logged at once, and then at most once a minute.
struct RefusedConnections {
    metrics: Metrics,
    logged: Mutex<Option<(Instant, u64)>>,
}

impl RefusedConnections {
    fn new(metrics: Metrics) -> Self {
        Self { metrics, logged: Mutex::default() }
    }

    fn note(&self, error: &io::Error) {
        let count = self.metrics.http().connection_refused();
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match *logged {
            Some((at, _)) if at.elapsed() < LOG_INTERVAL => return,
            Some((_, before)) => before,
            None => 0,
        };
        *logged = Some((Instant::now(), count));
        tracing::warn!(
            %error,
            count = count - before,
            "connections could not be accepted; when files are too many, raise the limit of open files (ulimit -n)"
        );
    }
}

/// The feed may end before the server does, as when a dump was read from standard input: the last snapshot stays.
async fn follow(feed: impl Future<Output = ()>) -> Infallible {
    feed.await;
    std::future::pending().await
}

async fn drain(deps: &HttpDeps, http: &Http, handle: &Handle<SocketAddr>, shutdown: &CancellationToken) -> Infallible {
    shutdown.cancelled().await;
    deps.health.drain();
    handle.graceful_shutdown(Some(deps.settings.shutdown_timeout));
    http.end_streams().await;
    std::future::pending().await
}
