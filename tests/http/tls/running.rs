//! A server with TLS of which files change, and clients of every kind.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kai::config::{Listen, ServerSettings, ServerTls};
use kai::feed::{SnapshotWriter, feed};
use kai::http::{Listeners, serve};
use reqwest::{Certificate, Client, ClientBuilder};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::certificates::Identity;
use crate::http_support::{Cluster, DEADLINE, OBSERVED, PODS, deps};

/// The files of a mounted Secret: names that lead through a link, which moves when the Secret changes.
pub(crate) struct Secret {
    folder: TempDir,
    versions: u32,
}

impl Secret {
    pub(crate) fn new(identity: &Identity) -> Self {
        let mut secret = Self { folder: tempfile::tempdir().expect("folder"), versions: 0 };
        secret.change(&identity.certificate, &identity.key, &identity.authority);
        for name in ["tls.crt", "tls.key", "ca.crt"] {
            std::os::unix::fs::symlink(Path::new("..data").join(name), secret.path(name)).expect("link");
        }
        secret
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn change(&mut self, certificate: &str, key: &str, authority: &str) {
        self.versions += 1;
        let version = format!("..version-{}", self.versions);
        std::fs::create_dir(self.path(&version)).expect("folder");
        for (name, text) in [("tls.crt", certificate), ("tls.key", key), ("ca.crt", authority)] {
            std::fs::write(self.path(&version).join(name), text).expect("file");
        }
        let next = self.path("..data_tmp");
        std::os::unix::fs::symlink(&version, &next).expect("link");
        std::fs::rename(&next, self.path("..data")).expect("rename");
    }

    pub(crate) fn tls(&self) -> ServerTls {
        ServerTls { certificate: self.path("tls.crt"), private_key: self.path("tls.key"), client_ca: None }
    }
}

/// A server of the usual cluster.
pub(crate) struct Running {
    pub(crate) url: String,
    pub(crate) probe_url: Option<String>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) task: JoinHandle<std::io::Result<()>>,
    _writer: SnapshotWriter,
}

pub(crate) fn start(tls: ServerTls, change: impl FnOnce(&mut ServerSettings)) -> Running {
    let (writer, reader) = feed();
    writer.publish(Cluster::new().relist(OBSERVED, &PODS));
    let deps = deps(reader, |settings| {
        settings.listen = any_port();
        settings.tls = Some(tls);
        change(settings);
    });
    let listeners = Listeners::open(&deps.settings).expect("listening");
    let (url, probe_url) = (listeners.url().expect("an address"), listeners.probe_url());
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(serve(listeners, deps, shutdown.clone()));
    Running { url, probe_url, shutdown, task, _writer: writer }
}

pub(crate) fn any_port() -> Listen {
    Listen::Address(([127, 0, 0, 1], 0).into())
}

pub(crate) fn server() -> Identity {
    Identity::new("127.0.0.1", 2999)
}

impl Running {
    pub(crate) fn address(&self) -> SocketAddr {
        self.url.strip_prefix("https://").expect("TLS").parse().expect("address")
    }

    /// A connection on which TLS was agreed with this authority. Blocks.
    pub(crate) async fn agreed(&self, authority: &str) -> TlsStream {
        let (address, authority) = (self.address(), authority.to_owned());
        blocking(move || {
            let mut stream = StreamOwned::new(connection(&authority), connect(address));
            stream.conn.complete_io(&mut stream.sock).expect("a handshake");
            stream
        })
        .await
    }

    pub(crate) async fn stop(self) -> Duration {
        let started = Instant::now();
        self.shutdown.cancel();
        timeout(DEADLINE, self.task).await.expect("in time").expect("no panic").expect("served");
        started.elapsed()
    }
}

pub(crate) type TlsStream = StreamOwned<ClientConnection, std::net::TcpStream>;

pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    timeout(DEADLINE, spawn_blocking(work)).await.expect("in time").expect("no panic")
}

pub(crate) fn connect(address: SocketAddr) -> std::net::TcpStream {
    let stream = std::net::TcpStream::connect(address).expect("connection");
    stream.set_read_timeout(Some(DEADLINE)).expect("works");
    stream
}

pub(crate) fn connection(authority: &str) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).expect("PEM")).expect("authority");
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    ClientConnection::new(Arc::new(config), ServerName::try_from("127.0.0.1").expect("name")).expect("works")
}

/// What comes until the server closes, however it does.
pub(crate) fn read_to_end(stream: &mut impl std::io::Read) -> String {
    let mut reply = Vec::new();
    let read = stream.read_to_end(&mut reply);
    let timed_out = read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
    assert!(!timed_out, "the server does not close");
    String::from_utf8_lossy(&reply).into_owned()
}

/// A client that trusts one authority.
pub(crate) fn trusting(authority: &str) -> ClientBuilder {
    let authority = Certificate::from_pem(authority.as_bytes()).expect("PEM");
    Client::builder().no_proxy().tls_certs_only([authority]).timeout(DEADLINE)
}

pub(crate) async fn get(client: ClientBuilder, url: &str) -> reqwest::Result<reqwest::Response> {
    client.build().expect("client").get(url).send().await
}

/// Asks over new connections until the answer comes.
pub(crate) async fn get_at_last(authority: &str, url: &str) {
    let begun = Instant::now();
    while let Err(error) = get(trusting(authority), url).await {
        assert!(begun.elapsed() < DEADLINE, "{error:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
