//! The way to the server: what the settings say, made into a connection. Password and authority are read each time, so that new ones count.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::Failure;
use crate::config::{Password, PostgresHost, PostgresSettings, PostgresTls};
use crate::history::error::PostgresError;
use crate::pem;

/// Of the connection alone; the thread of the history waits for it, and nobody else.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A peer that is gone without a word is noticed within a minute, by both ends: the server keeps a cluster's lock no longer than that.
const KEEPALIVE: Duration = Duration::from_secs(30);
const SESSION: [&str; 5] = [
    "SET tcp_keepalives_idle TO 30",
    "SET tcp_keepalives_interval TO 10",
    "SET tcp_keepalives_count TO 3",
    "SET idle_in_transaction_session_timeout TO '60s'",
    // What kai has given up on does not run for ever.
    "SET statement_timeout TO '5min'",
];
/// The most that is read of a password file: a wrong path may lead to something endless.
const PASSWORD_MAX: u64 = 64 * 1024;

/// A connection, and the task that moves its bytes while the runtime runs.
pub(super) struct Link {
    pub(super) client: Client,
    task: JoinHandle<()>,
}

impl Link {
    pub(super) async fn open(settings: &PostgresSettings) -> Result<Self, Failure> {
        let config = config(settings)?;
        match settings.tls {
            PostgresTls::Never => connect(&config, NoTls).await,
            PostgresTls::Verified => connect(&config, tls(settings.ca_file.as_deref())?).await,
        }
    }

    /// Says good-bye to the server, which then gives the lock free at once.
    pub(super) async fn close(self) {
        let Self { client, task } = self;
        drop(client);
        drop(tokio::time::timeout(Duration::from_secs(1), task).await);
    }

    /// Drops a connection that is of no use any more.
    pub(super) async fn abort(self) {
        self.task.abort();
        drop(self.task.await);
    }
}

async fn connect<T>(config: &Config, tls: T) -> Result<Link, Failure>
where
    T: MakeTlsConnect<Socket>,
    T::TlsConnect: Send,
    T::Stream: Send + 'static,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, connection) = config.connect(tls).await?;
    let task = tokio::spawn(async move {
        // Why it ended, every statement says.
        drop(connection.await);
    });
    client.batch_execute(&SESSION.join(";")).await?;
    Ok(Link { client, task })
}

fn config(settings: &PostgresSettings) -> Result<Config, PostgresError> {
    let PostgresSettings { host, port, user, database, password, tls, .. } = settings;
    let mut config = Config::new();
    match host {
        PostgresHost::Name(name) => config.host(name),
        PostgresHost::Socket(folder) => config.host_path(folder),
    };
    config.port(*port).user(user).dbname(database).application_name("kai");
    config.connect_timeout(CONNECT_TIMEOUT).keepalives_idle(KEEPALIVE).tcp_user_timeout(KEEPALIVE);
    config.ssl_mode(match tls {
        PostgresTls::Never => SslMode::Disable,
        PostgresTls::Verified => SslMode::Require,
    });
    match password {
        None => {}
        Some(Password::Text(password)) => drop(config.password(password.expose_secret())),
        Some(Password::File(path)) => drop(config.password(first_line(path)?.expose_secret())),
    }
    Ok(config)
}

fn first_line(path: &Path) -> Result<SecretString, PostgresError> {
    let failed = |reason: String| PostgresError::File { key: "password-file", path: path.to_owned(), reason };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    file.take(PASSWORD_MAX).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.into()),
        _ => Err(failed("its first line is empty, and should be the password".to_owned())),
    }
}

fn tls(ca_file: Option<&Path>) -> Result<MakeRustlsConnect, PostgresError> {
    let Some(path) = ca_file else {
        let (tls, _unreadable) = MakeRustlsConnect::with_native_certs().map_err(|errors| {
            let reasons: Vec<_> = errors.iter().map(ToString::to_string).collect();
            PostgresError::Authorities(reasons.join(", "))
        })?;
        return Ok(tls);
    };
    let failed = |reason: String| PostgresError::File { key: "ca-file", path: path.to_owned(), reason };
    let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let certificates = pem::certificates(&text).map_err(|error| failed(error.to_string()))?;
    let authorities = pem::authorities(&certificates).map_err(|error| failed(error.to_string()))?;
    let provider = CryptoProvider::get_default().cloned();
    let provider = provider.unwrap_or_else(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| failed(error.to_string()))?;
    Ok(MakeRustlsConnect::new(builder.with_root_certificates(authorities).with_no_client_auth()))
}

/// The server as a message names it.
pub(super) fn named(settings: &PostgresSettings) -> String {
    let PostgresSettings { host, port, user, database, .. } = settings;
    match host {
        PostgresHost::Name(name) => format!("{user}@{name}:{port}/{database}"),
        PostgresHost::Socket(folder) => format!("{user}@{}:{port}/{database}", folder.display()),
    }
}
