//! What the settings mean: every value checked, every default filled in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::inventory::{MetadataRule, NamespacePattern, NamespaceSelection, OutputFormat, ReportPolicy};

/// Everything that kai was told.
#[derive(Debug)]
pub struct Settings {
    /// `output`: how a report is printed.
    pub output: OutputFormat,
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
    /// `kubeconfig.cluster`: the cluster's name in reports.
    pub name: Option<String>,
    /// Deadline of one request.
    pub request_timeout: Duration,
    /// Items of one page of a list; at least 1.
    pub page_size: u32,
    /// Most requests at once when namespaces are listed one by one; at least 1.
    pub workers: usize,
}

/// Where the connection to the cluster is described.
#[derive(Debug)]
pub enum KubeconfigSource {
    /// This file.
    Path(PathBuf),
    /// The service account of the pod.
    InCluster,
    /// In the settings themselves.
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
    /// Who kai is.
    pub user: InlineUser,
}

/// `kubeconfig.user.*`
#[derive(Debug)]
pub enum InlineUser {
    /// A bearer token.
    Token(SecretString),
    /// A client certificate with its key.
    PrivateKey {
        /// PEM.
        client_cert: Vec<u8>,
        /// PEM.
        private_key: SecretString,
    },
}

/// When and how long to collect.
#[derive(Debug, Clone)]
pub struct CollectionSettings {
    /// From the start of one poll to the start of the next.
    pub interval: Duration,
    /// Deadline of one poll.
    pub cycle_timeout: Duration,
    /// The age at which readiness falls; `None`: never for age.
    pub stale_after: Option<Duration>,
}

/// `server.*`
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Where to listen.
    pub listen: Listen,
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
}

/// `server.listen`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// `none`: no HTTP.
    None,
    /// An address with a port.
    Address(std::net::SocketAddr),
    /// Every address of this host at a port, IPv6 and IPv4, else IPv4 alone (`[::]:8080`).
    DualStack(u16),
}

/// `anchore.*`, `account-routes`, `account-route-by-namespace-label`, `inventory-report-limits`, `metadata-collection`,
/// `anchore-registration`: validated now, used by the push.
#[derive(Debug)]
pub struct AnchoreSettings {
    /// What is pushed where; `None` when `anchore.url` is empty.
    pub push: Option<PushTarget>,
    /// Account that inventories go to.
    pub account: String,
    /// `anchore.api`
    pub api: AnchoreApi,
    /// `anchore.push-when`
    pub push_when: PushWhen,
    /// `anchore.push-incomplete`: what could be read is sent although something is missing.
    pub push_incomplete: bool,
    /// `anchore.http.*`
    pub http: AnchoreHttpSettings,
    /// `anchore-registration.*`
    pub registration: RegistrationSettings,
    /// `health-report-interval-seconds`
    pub health_report_interval: Duration,
    /// Account to route.
    pub account_routes: BTreeMap<String, AccountRoute>,
    /// `account-route-by-namespace-label.*`
    pub route_by_label: Option<LabelRoute>,
    /// `inventory-report-limits.namespaces`; `None`: no limit.
    pub namespaces_per_report: Option<usize>,
    /// `inventory-report-limits.payload-threshold-bytes`; `None`: no limit.
    pub payload_threshold_bytes: Option<u64>,
    /// `metadata-collection.*`
    pub metadata: MetadataSettings,
}

/// A receiver, complete.
#[derive(Debug)]
pub struct PushTarget {
    /// `anchore.url`
    pub url: String,
    /// `anchore.user`
    pub user: String,
    /// `anchore.password` or `anchore.password-file`
    pub password: Password,
}

/// Where the password comes from.
#[derive(Debug, Clone)]
pub enum Password {
    /// `anchore.password`
    Text(SecretString),
    /// `anchore.password-file`: its first line, read again when it changes.
    File(PathBuf),
}

/// `anchore.api`: how inventories are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnchoreApi {
    /// The newest that the receiver takes.
    Auto,
    /// KAI's: `POST /v1/enterprise/inventories`.
    Inventories,
    /// `POST /v1/enterprise/kubernetes-inventory`.
    KubernetesInventoryV1,
    /// `POST /v2/kubernetes-inventory`.
    KubernetesInventoryV2,
}

/// `anchore.push-when`: when the service sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushWhen {
    /// At every polling interval.
    Interval,
    /// When something has changed.
    Change,
    /// Both.
    Both,
}

/// `anchore.http.*`
#[derive(Debug, Clone)]
pub struct AnchoreHttpSettings {
    /// Skip the check of the receiver's certificate.
    pub insecure: bool,
    /// Deadline of one request.
    pub timeout: Duration,
    /// Send bodies in gzip.
    pub compress: bool,
    /// Authorities to trust beside the system's.
    pub ca_certificate: Option<Pem>,
    /// Who kai is to the receiver's TLS.
    pub client: Option<ClientCertificate>,
    /// Proxy for the receiver, instead of that of the proxy variables. May hold a password.
    pub proxy: Option<SecretString>,
}

/// `anchore.http.{client-certificate, client-key}`
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The certificate, and those between it and the authority.
    pub certificate: Pem,
    /// Its key.
    pub key: Pem,
}

/// Certificates or keys: a file, or the text itself.
#[derive(Debug, Clone)]
pub enum Pem {
    /// A file that holds them.
    File(PathBuf),
    /// They themselves.
    Text(SecretString),
}

/// `anchore-registration.*`
#[derive(Debug, Clone, Default)]
pub struct RegistrationSettings {
    /// `enabled`, or any other key of the section is set.
    pub enabled: bool,
    /// `registration-id`
    pub registration_id: Option<String>,
    /// `integration-name`
    pub integration_name: Option<String>,
    /// `integration-description`
    pub integration_description: Option<String>,
}

/// `account-routes.<account>`
#[derive(Debug)]
pub struct AccountRoute {
    /// Own user; the default's when absent.
    pub user: Option<String>,
    /// Own password.
    pub password: Option<SecretString>,
    /// Namespaces whose inventory goes to the account.
    pub namespaces: Vec<NamespacePattern>,
}

/// `account-route-by-namespace-label.*`
#[derive(Debug, Clone)]
pub struct LabelRoute {
    /// The label that names the account.
    pub key: String,
    /// Account of namespaces without the label.
    pub default_account: Option<String>,
    /// Leave namespaces without the label out.
    pub ignore_missing_label: bool,
}

/// `metadata-collection.*`
#[derive(Debug, Default)]
pub struct MetadataSettings {
    /// `nodes`
    pub nodes: MetadataRule,
    /// `namespaces`
    pub namespaces: MetadataRule,
    /// `pods`
    pub pods: MetadataRule,
}
