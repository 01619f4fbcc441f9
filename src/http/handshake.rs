//! TLS is agreed on, or refused in a way that the client hears.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use axum_server::accept::Accept;
use axum_server::tls_rustls::RustlsConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The longest that a refused client is listened to.
const LINGER: Duration = Duration::from_secs(1);
/// The most bytes that a refused client is listened to.
const LINGER_BYTES: u64 = 64 * 1024;

/// Accepts connections with the newest files of `server.tls`.
#[derive(Clone)]
pub(super) struct Handshake {
    config: RustlsConfig,
    /// The longest that a client may take.
    timeout: Duration,
}

impl Handshake {
    pub(super) fn new(config: RustlsConfig, timeout: Duration) -> Self {
        Self { config, timeout }
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Handshake {
    type Stream = TlsStream<TcpStream>;
    type Service = S;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, S)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let (acceptor, longest) = (TlsAcceptor::from(self.config.get_inner()), self.timeout);
        Box::pin(async move {
            match timeout(longest, acceptor.accept(stream).into_fallible()).await? {
                Ok(stream) => Ok((stream, service)),
                Err((error, refused)) => {
                    linger(refused).await;
                    Err(error)
                }
            }
        })
    }
}

/// Closes a connection on which an alert was sent, once the client has closed it too. With TLS 1.3 a client's request is
/// on its way before its certificate is refused: to close with that unread resets the connection, and the client may then
/// see a broken pipe in place of the alert with the reason.
async fn linger(mut stream: TcpStream) {
    let heard = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(LINGER_BYTES), &mut tokio::io::sink()).await
    };
    // Whether it goes away or not, nothing more is sent to it.
    let _ended = timeout(LINGER, heard).await;
}
