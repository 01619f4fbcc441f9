//! Where the API server is and where that is set: what every message about a connection begins with.

use std::fmt;

use crate::inventory::excerpt;
use crate::remote::{Credentials, Proxy, Server};

/// The API server of a connection. Displays as `https://10.0.0.1:6443 (kubeconfig /home/ann/.kube/config, context
/// "dev")`.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub(in crate::cluster) address: String,
    pub(in crate::cluster) origin: Origin,
    pub(in crate::cluster) proxy: Option<Proxy>,
}

#[derive(Debug, Clone)]
pub(in crate::cluster) enum Origin {
    Kubeconfig { files: String, context: String, cluster: String, user: Option<String> },
    Inline,
    InCluster,
}

impl Endpoint {
    /// URL of the API server.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The server of a GET for `path`, as errors of calls speak of it.
    pub(in crate::cluster) fn server(&self, path: &str) -> Server<'_> {
        Server {
            name: format!("the API server {self}"),
            kind: "API server",
            is_https: self.address.starts_with("https"),
            address: self.server_setting(),
            other_name: match self.origin {
                Origin::Kubeconfig { .. } => ", or set tls-server-name there",
                Origin::Inline | Origin::InCluster => "",
            },
            authority: self.authority_setting(),
            credentials: Credentials::AnyKind(self.user_setting()),
            slow_advice: "raise kubernetes.request-timeout-seconds, or lower kubernetes.request-batch-size",
            request: Some(format!("GET {path}")),
            proxy: self.proxy.as_ref(),
        }
    }

    /// What leads there: the address, and the proxy if there is one.
    pub(in crate::cluster) fn way_setting(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("{} and {}", self.server_setting(), proxy.setting),
            None => self.server_setting(),
        }
    }

    /// Where the address is set.
    pub(in crate::cluster) fn server_setting(&self) -> String {
        match &self.origin {
            Origin::Kubeconfig { files, cluster, .. } => {
                format!("server of cluster \"{}\" in {files}", excerpt(cluster))
            }
            Origin::Inline => "kubeconfig.server".to_owned(),
            Origin::InCluster => "KUBERNETES_SERVICE_HOST".to_owned(),
        }
    }

    /// Where the authority that is trusted is set.
    pub(in crate::cluster) fn authority_setting(&self) -> String {
        match &self.origin {
            Origin::Kubeconfig { files, cluster, .. } => {
                format!("certificate-authority-data of cluster \"{}\" in {files}", excerpt(cluster))
            }
            Origin::Inline => "kubeconfig.cluster-cert".to_owned(),
            Origin::InCluster => "ca.crt of the pod's service account".to_owned(),
        }
    }

    pub(in crate::cluster) fn user_setting(&self) -> String {
        match &self.origin {
            Origin::Kubeconfig { files, user, .. } => match user {
                Some(user) => format!("the credentials of user \"{}\" in {files}", excerpt(user)),
                None => format!("the context in {files}, which names no user"),
            },
            Origin::Inline => "kubeconfig.user.*".to_owned(),
            Origin::InCluster => "the token of the pod's service account".to_owned(),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", excerpt(&self.address))?;
        match &self.origin {
            Origin::Kubeconfig { files, context, .. } => write!(f, "({files}, context \"{}\")", excerpt(context)),
            Origin::Inline => f.write_str("(kubeconfig.server)"),
            Origin::InCluster => f.write_str("(in-cluster)"),
        }
    }
}
