//! The server itself: connections, their deadlines, and the end.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum_server::{Handle, Server};
use tokio_util::sync::CancellationToken;
use tower::make::Shared;

use super::handshake::Handshake;
use super::renewal::Tls;
use super::{HttpDeps, HttpService, Listeners, service};

/// The longest that a client may take to send a request's head, and that a connection may stay without one: a client that
/// trickles holds nothing for ever.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest that a client may take to agree on TLS; the head comes after it.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the other end of an HTTP/2 connection is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// Bytes of a header list over HTTP/2: above kai's own limit, whose answer says what is wrong.
const HEADER_LIST: u32 = 64 * 1024;

/// Serves on the listeners until `shutdown`, then is not ready, accepts nothing more and finishes the requests under way
/// within `server.shutdown-timeout-seconds`. Idle connections end at once. The probes answer until the last request is
/// finished.
///
/// # Errors
/// A listener cannot be used.
pub async fn serve(listeners: Listeners, deps: HttpDeps, shutdown: CancellationToken) -> io::Result<()> {
    let Listeners { all, tls, probes } = listeners;
    let service = service(&deps);
    let of_probes = service.of_probes(&deps);
    let deadline = deps.settings.request_timeout;
    let (handle, probe_handle) = (Handle::new(), Handle::new());
    let feed = service.follow();
    let everything = async {
        match all {
            Some(listener) => serve_all(listener, tls, service, handle.clone(), deadline).await?,
            None => shutdown.cancelled().await,
        }
        probe_handle.shutdown();
        Ok(())
    };
    let probes = async {
        match probes {
            Some(listener) => serve_plain(listener, of_probes, probe_handle.clone(), deadline).await,
            None => Ok(()),
        }
    };
    tokio::select! {
        result = async { tokio::try_join!(everything, probes) } => result.map(|((), ())| ()),
        never = follow(feed) => match never {},
        never = drain(&deps, &handle, &shutdown) => match never {},
    }
}

async fn serve_all(
    listener: TcpListener,
    tls: Option<Tls>,
    service: HttpService,
    handle: Handle<SocketAddr>,
    deadline: Duration,
) -> io::Result<()> {
    let Some(tls) = tls else { return serve_plain(listener, service, handle, deadline).await };
    let acceptor = Handshake::new(tls.config(), HANDSHAKE_TIMEOUT.min(deadline));
    let server = axum_server::from_tcp(listener)?.acceptor(acceptor);
    tokio::select! {
        result = limited(server, handle, deadline).serve(Shared::new(service)) => result,
        never = tls.renew() => match never {},
    }
}

async fn serve_plain(
    listener: TcpListener,
    service: HttpService,
    handle: Handle<SocketAddr>,
    deadline: Duration,
) -> io::Result<()> {
    limited(axum_server::from_tcp(listener)?, handle, deadline).serve(Shared::new(service)).await
}

/// The limits of a connection, whatever it is accepted with.
fn limited<A>(server: Server<SocketAddr, A>, handle: Handle<SocketAddr>, deadline: Duration) -> Server<SocketAddr, A> {
    let head_timeout = HEAD_TIMEOUT.min(deadline);
    let mut server = server.handle(handle).first_request_timeout(head_timeout).accept_error_handler(|_, error| {
        tracing::debug!(%error, "a connection could not be accepted");
    });
    let builder = server.http_builder();
    builder.http1().header_read_timeout(head_timeout);
    builder.http2().keep_alive_interval(PING_INTERVAL).max_header_list_size(HEADER_LIST);
    server
}

/// The feed may end before the server does, as when a dump was read from standard input: the last snapshot stays.
async fn follow(feed: impl Future<Output = ()>) -> Infallible {
    feed.await;
    std::future::pending().await
}

async fn drain(deps: &HttpDeps, handle: &Handle<SocketAddr>, shutdown: &CancellationToken) -> Infallible {
    shutdown.cancelled().await;
    deps.health.drain();
    handle.graceful_shutdown(Some(deps.settings.shutdown_timeout));
    std::future::pending().await
}
