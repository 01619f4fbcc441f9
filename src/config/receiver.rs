//! What the settings of a push mean: the receiver, who speaks to it, and what is sent to which account.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::inventory::{Detail, MetadataRule, NamespacePattern};

/// `anchore.*`, `account-routes`, `account-route-by-namespace-label`, `inventory-report-limits`, `metadata-collection`,
/// `anchore-registration`
#[derive(Debug, Clone)]
pub struct AnchoreSettings {
    /// What is pushed where; `None` when `anchore.url` is empty.
    pub push: Option<PushTarget>,
    /// Account that inventories go to.
    pub account: String,
    /// `anchore.api`
    pub api: AnchoreApi,
    /// `anchore.push-when`
    pub push_when: PushWhen,
    /// `anchore.push-min-interval-seconds`: the shortest time from one push for changes to the next.
    pub push_min_interval: Duration,
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

impl AnchoreSettings {
    /// What must be kept of the cluster while it is read, for what will be sent of it: nothing when nothing is pushed.
    #[must_use]
    pub fn detail(&self) -> Detail {
        if self.push.is_none() {
            return Detail::default();
        }
        let namespace_label = self.route_by_label.as_ref().map(|route| route.key.as_str().into());
        match self.api {
            AnchoreApi::Inventories => {
                Detail { namespace_objects: namespace_label.is_some(), namespace_label, ..Detail::default() }
            }
            // Which of them the receiver takes is known only once it was asked, and the cluster is read before that.
            AnchoreApi::Auto | AnchoreApi::KubernetesInventoryV1 | AnchoreApi::KubernetesInventoryV2 => {
                let MetadataSettings { nodes, namespaces, pods } = self.metadata.clone();
                Detail {
                    pods,
                    namespaces,
                    namespace_label,
                    nodes: Some(nodes),
                    namespace_objects: true,
                    container_ids: true,
                }
            }
        }
    }

    /// Who sends the inventory of an account: the route's own user, else the default one. `None` when nothing is pushed.
    #[must_use]
    pub fn credentials(&self, account: &str) -> Option<&AnchoreUser> {
        let default = &self.push.as_ref()?.credentials;
        let own = self.account_routes.get(account).and_then(|route| route.credentials.as_ref());
        Some(own.unwrap_or(default))
    }
}

#[derive(Debug, Clone)]
pub struct PushTarget {
    /// `anchore.url`
    pub url: String,
    /// `anchore.user` with `anchore.password` or `anchore.password-file`
    pub credentials: AnchoreUser,
}

/// Who speaks to the receiver.
#[derive(Debug, Clone)]
pub struct AnchoreUser {
    pub user: String,
    pub password: Password,
}

/// Where the password comes from.
#[derive(Debug, Clone)]
pub enum Password {
    /// `anchore.password`, or that of `history.postgres.url`.
    Text(SecretString),
    /// `anchore.password-file`, `history.postgres.password-file`: its first line, read again when it changes.
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
    Interval,
    Change,
    Both,
}

/// `anchore.http.*`
#[derive(Debug, Clone)]
pub struct AnchoreHttpSettings {
    /// Skip the check of the receiver's certificate.
    pub insecure: bool,
    /// Deadline of one request.
    pub timeout: Duration,
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
    pub key: Pem,
}

/// Certificates or keys: a file, or the text itself.
#[derive(Debug, Clone)]
pub enum Pem {
    /// A file that holds them.
    File(PathBuf),
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
#[derive(Debug, Clone)]
pub struct AccountRoute {
    /// Own credentials; the default's when absent.
    pub credentials: Option<AnchoreUser>,
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
#[derive(Debug, Default, Clone)]
pub struct MetadataSettings {
    /// `nodes`
    pub nodes: MetadataRule,
    /// `namespaces`
    pub namespaces: MetadataRule,
    /// `pods`
    pub pods: MetadataRule,
}
