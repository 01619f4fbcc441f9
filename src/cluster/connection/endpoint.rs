//! Where the API server is and who said so: what every message about a connection begins with.

use std::fmt;

use crate::inventory::excerpt;
use crate::remote::Proxy;

/// The API server of a connection. Displays as `https://10.0.0.1:6443 (kubeconfig /home/ann/.kube/config, context
/// "dev")`.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub(in crate::cluster) address: String,
    pub(in crate::cluster) origin: Origin,
    pub(in crate::cluster) proxy: Option<Proxy>,
}

/// Who described the connection.
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

    /// Where the file of that authority is named.
    pub(in crate::cluster) fn authority_file_setting(&self) -> String {
        self.authority_setting().replacen("certificate-authority-data", "certificate-authority", 1)
    }

    /// Whose credentials are sent.
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
