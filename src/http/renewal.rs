//! Certificates that change while kai runs: those who mount or renew them replace files, and kai takes the new ones.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;

use super::tls::{self, TlsError};
use crate::config::ServerTls;
use crate::files::FileStamp;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Of certificate, key and authorities.
type Stamps = [Option<FileStamp>; 3];

/// What TLS is served with, and where it came from.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    files: Arc<ServerTls>,
    /// As the files were before they were read.
    seen: Stamps,
    config: RustlsConfig,
}

impl Tls {
    /// Reads the files for the first time.
    pub(super) fn open(files: &ServerTls) -> Result<Self, TlsError> {
        let seen = stamps(files);
        let config = RustlsConfig::from_config(tls::read(files)?);
        Ok(Self { files: Arc::new(files.clone()), seen, config })
    }

    /// What connections are accepted with: always the newest that could be read.
    pub(super) fn config(&self) -> RustlsConfig {
        self.config.clone()
    }

    /// Reads the files again when they have changed, for as long as it is polled. Connections that are open stay as they
    /// are; files that cannot be used change nothing, and are logged once.
    pub(super) async fn renew(self) -> Infallible {
        let Self { files, seen, config } = self;
        let (mut read, mut before) = (seen, seen);
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(now) = look(&files).await else { continue };
            // The certificate is written before its key or after it: only files that rest belong together.
            let rests = now == before;
            before = now;
            if !rests || now == read {
                continue;
            }
            read = now;
            let reread = Arc::clone(&files);
            match tokio::task::spawn_blocking(move || tls::read(&reread)).await {
                Ok(Ok(renewed)) => {
                    config.reload_from_config(renewed);
                    tracing::info!("server.tls: the files have changed and are in use");
                }
                Ok(Err(error)) => tracing::warn!("{error}; the previous files stay in use"),
                Err(error) => tracing::warn!("server.tls: the files could not be read: {error}"),
            }
        }
    }
}

/// Off the async workers: a mounted file may be on a disk that does not answer.
async fn look(files: &Arc<ServerTls>) -> Option<Stamps> {
    let files = Arc::clone(files);
    tokio::task::spawn_blocking(move || stamps(&files)).await.ok()
}

/// The files as they are now; none is of a file that is not there.
fn stamps(files: &ServerTls) -> Stamps {
    let ServerTls { certificate, private_key, client_ca } = files;
    let stamp = |path: &Path| FileStamp::read(path).ok();
    [stamp(certificate), stamp(private_key), client_ca.as_deref().and_then(stamp)]
}
