//! The server itself: connections, their deadlines, and the end.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

use axum_server::Handle;
use tokio_util::sync::CancellationToken;
use tower::make::Shared;

use super::{HttpDeps, service};

/// The longest that a client may take to send a request's head, and that a connection may stay without one: a client that
/// trickles holds nothing for ever.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How often the other end of an HTTP/2 connection is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// Bytes of a header list over HTTP/2: above kai's own limit, whose answer says what is wrong.
const HEADER_LIST: u32 = 64 * 1024;

/// Serves on the listener until `shutdown`, then is not ready, accepts nothing more and finishes the requests under way
/// within `server.shutdown-timeout-seconds`. Idle connections end at once.
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(listener: TcpListener, deps: HttpDeps, shutdown: CancellationToken) -> io::Result<()> {
    let service = service(&deps);
    let handle = Handle::new();
    let mut server = axum_server::from_tcp(listener)?.handle(handle.clone());
    let head_timeout = HEAD_TIMEOUT.min(deps.settings.request_timeout);
    server = server.first_request_timeout(head_timeout).accept_error_handler(|_, error| {
        tracing::debug!(%error, "a connection could not be accepted");
    });
    let builder = server.http_builder();
    builder.http1().header_read_timeout(head_timeout);
    builder.http2().keep_alive_interval(PING_INTERVAL).max_header_list_size(HEADER_LIST);
    tokio::select! {
        result = server.serve(Shared::new(service.clone())) => result,
        never = follow(service.follow()) => match never {},
        never = drain(deps, handle, shutdown) => match never {},
    }
}

/// The feed may end before the server does, as when a dump was read from standard input: the last snapshot stays.
async fn follow(feed: impl Future<Output = ()>) -> Infallible {
    feed.await;
    std::future::pending().await
}

async fn drain(deps: HttpDeps, handle: Handle<std::net::SocketAddr>, shutdown: CancellationToken) -> Infallible {
    shutdown.cancelled().await;
    deps.health.drain();
    handle.graceful_shutdown(Some(deps.settings.shutdown_timeout));
    std::future::pending().await
}
