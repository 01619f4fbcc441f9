//! What the settings mean: every value checked, every default filled in.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::receiver::{AnchoreSettings, Password};
use crate::inventory::{NamespaceSelection, ReportPolicy};
use crate::views::Format;

/// All settings.
#[derive(Debug)]
pub struct Settings {
    /// `output`: how a report is printed.
    pub output: Format,
    /// `quiet`: no log below error.
    pub quiet: bool,
    /// `log.*`
    pub log: LogSettings,
    /// `mode`: once, or as a service.
    pub mode: Mode,
    /// `verbose-inventory-reports`: the service prints each new report.
    pub verbose_inventory_reports: bool,
    /// `kubeconfig.*`, `kubernetes.*`
    pub cluster: ClusterSettings,
    /// `namespaces`, `namespace-selectors.{include,exclude}`
    pub selection: NamespaceSelection,
    /// `missing-tag-policy`, `ignore-not-running`, `namespace-selectors.ignore-empty`, `missing-registry-override`
    pub report: ReportPolicy,
    /// `polling-interval-seconds`, `collection.*`
    pub collection: CollectionSettings,
    /// `server.*`
    pub server: ServerSettings,
    /// `history.*`
    pub history: HistorySettings,
    /// `metrics.*`
    pub metrics: MetricsSettings,
    /// `anchore.*` and what is pushed with it
    pub anchore: AnchoreSettings,
}

/// Once, or as a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// List, print, end.
    Adhoc,
    /// Poll and serve until stopped.
    Periodic,
}

/// `log.*`
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// JSON lines instead of text.
    pub structured: bool,
    /// The least level that is written, `-v` and `quiet` applied.
    pub level: tracing::level_filters::LevelFilter,
    /// Appended to instead of stderr.
    pub file: Option<PathBuf>,
}

/// How to reach the cluster.
#[derive(Debug)]
pub struct ClusterSettings {
    /// Where the connection is described.
    pub source: KubeconfigSource,
    /// `--context`: which context of the kubeconfig; the current one when absent.
    pub context: Option<String>,
    /// `--as`, `--as-group`, `--as-uid`: whom to act as.
    pub impersonation: Impersonation,
    /// `kubeconfig.cluster`: the cluster's name in reports.
    pub name: Option<String>,
    /// Deadline of one request.
    pub request_timeout: Duration,
    /// Items of one page of a list; at least 1.
    pub page_size: u32,
    /// Most requests at once when namespaces are listed one by one; at least 1.
    pub workers: usize,
}

/// Whom to act as on the API server, by the right `impersonate`. Nobody but itself when nothing is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Impersonation {
    pub user: Option<String>,
    pub groups: Vec<String>,
    pub uid: Option<String>,
}

/// Where the connection to the cluster is described.
#[derive(Debug)]
pub enum KubeconfigSource {
    Path(PathBuf),
    /// The service account of the pod.
    InCluster,
    Inline(Box<InlineCluster>),
    /// `KUBECONFIG`, then `~/.kube/config`, then the service account.
    Search,
}

/// `kubeconfig.{server, cluster-cert, user.*}`; certificates and keys are PEM, already decoded from base64.
#[derive(Debug)]
pub struct InlineCluster {
    /// URL of the API server.
    pub server: String,
    /// The authority to trust; the system's when absent.
    pub cluster_cert: Option<Vec<u8>>,
    pub user: InlineUser,
}

/// `kubeconfig.user.*`
#[derive(Debug)]
pub enum InlineUser {
    Token(SecretString),
    /// A client certificate with its key.
    PrivateKey {
        /// PEM.
        client_cert: Vec<u8>,
        /// PEM.
        private_key: SecretString,
    },
}

/// `collection.method`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectionMethod {
    /// Watches the cluster where that is allowed, else polls it.
    Auto,
    /// Watches, and is not ready where that is not allowed.
    Watch,
    Poll,
}

/// When and how long to collect.
#[derive(Debug, Clone)]
pub struct CollectionSettings {
    /// How the service learns of changes.
    pub method: CollectionMethod,
    /// From the start of one poll to the start of the next.
    pub interval: Duration,
    /// Deadline of one poll.
    pub cycle_timeout: Duration,
    /// From one list to the next while the cluster is watched; `None`: never again.
    pub verify_interval: Option<Duration>,
    /// The age at which readiness falls; `None`: never for age.
    pub stale_after: Option<Duration>,
}

/// `server.*`
#[derive(Debug, Clone)]
pub struct ServerSettings {
    pub listen: Listen,
    /// Where the probes and `/metrics` answer besides, without TLS and without the inventory; `None`: nowhere.
    pub probe_listen: Listen,
    /// What `listen` is served with; `None`: without TLS.
    pub tls: Option<ServerTls>,
    /// Deadline of one request.
    pub request_timeout: Duration,
    /// Requests at once, beyond which 503 is answered.
    pub max_concurrent_requests: usize,
    /// How long a stop waits for requests under way.
    pub shutdown_timeout: Duration,
    /// Bound of the cache of rendered bodies.
    pub cache_max_bytes: u64,
    /// Origins that may read from a browser: exact origins, or `*` alone.
    pub cors_origins: Vec<String>,
    /// Hosts that are answered for on a loopback address besides loopback addresses and `localhost`.
    pub allowed_hosts: Vec<String>,
}

/// `history.*`
#[derive(Debug, Clone)]
pub struct HistorySettings {
    pub store: HistoryStore,
    /// Nothing is kept that was last seen longer ago.
    pub retention_days: u32,
    /// Rows that are kept at most; at least 1.
    pub max_rows: u64,
}

/// `history.store`, with what it needs.
#[derive(Debug, Clone)]
pub enum HistoryStore {
    /// It ends with the process.
    Memory,
    /// The file.
    Sqlite(PathBuf),
    /// The database of a fleet.
    Postgres(Box<PostgresSettings>),
}

/// `history.postgres.*`
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    pub host: PostgresHost,
    pub port: u16,
    pub user: String,
    pub database: String,
    /// That of the URL, or a file that is read at every connect; `None`: the server asks for none.
    pub password: Option<Password>,
    pub tls: PostgresTls,
    /// The authority that signed the server's certificate; `None`: those of the system.
    pub ca_file: Option<PathBuf>,
    /// What tells the cluster from others; `None`: the uid of its namespace kube-system.
    pub cluster_id: Option<String>,
    /// Only what others write is read: there is no cluster.
    pub is_read_only: bool,
}

/// Where a PostgreSQL server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostgresHost {
    Name(String),
    /// The folder of its Unix socket.
    Socket(PathBuf),
}

/// `sslmode` of the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostgresTls {
    Never,
    /// Certificate and host name are checked.
    Verified,
}

/// `metrics.*`
#[derive(Debug, Clone, Default)]
pub struct MetricsSettings {
    /// How many images get a series of their own; 0: none.
    pub image_info_limit: u32,
}

/// `server.tls.*`: files in PEM, read by who serves, and again when they change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTls {
    /// The certificate, with those that link it to its authority behind it.
    pub certificate: PathBuf,
    pub private_key: PathBuf,
    /// The authorities of which a client must show a certificate; `None`: no client is asked for one.
    pub client_ca: Option<PathBuf>,
}

/// `server.listen` and `server.probe-listen`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// `none`, or an empty `server.probe-listen`: nothing.
    None,
    /// An address with a port.
    Address(std::net::SocketAddr),
    /// Every address of this host at a port, IPv6 and IPv4, else IPv4 alone (`[::]:8080`).
    DualStack(u16),
}

impl Listen {
    /// The port; 0 stands for any that is free.
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::None => None,
            Self::Address(address) => Some(address.port()),
            Self::DualStack(port) => Some(*port),
        }
    }
}
