//! What of the process's surroundings decides how the cluster is reached.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use crate::remote::ProxyVariables;

/// Where a pod finds its service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Variables and places that decide how the cluster is reached. An input like any other, so that a test can say what
/// it wants without changing its process.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `KUBECONFIG`: kubeconfig files, separated as in `PATH`.
    pub kubeconfig: Option<OsString>,
    /// The user's home, for `~/.kube/config`.
    pub home: Option<PathBuf>,
    /// `HTTPS_PROXY` or `https_proxy`.
    pub https_proxy: Option<String>,
    /// `HTTP_PROXY` or `http_proxy`.
    pub http_proxy: Option<String>,
    /// `NO_PROXY` or `no_proxy`.
    pub no_proxy: Option<String>,
    /// `KUBERNETES_SERVICE_HOST`, set in every pod.
    pub service_host: Option<String>,
    /// `KUBERNETES_SERVICE_PORT`, set in every pod.
    pub service_port: Option<String>,
    /// Folder with `token` and `ca.crt` of the pod's service account.
    pub service_account: PathBuf,
    /// Whether a credential plugin may ask the user something.
    pub interactive: bool,
}

impl Environment {
    /// What this process was started with.
    #[must_use]
    pub fn of_process() -> Self {
        let proxies = ProxyVariables::of_process();
        Self {
            kubeconfig: std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty()),
            home: std::env::home_dir().filter(|home| !home.as_os_str().is_empty()),
            https_proxy: proxies.https,
            http_proxy: proxies.http,
            no_proxy: proxies.exempt,
            service_host: text("KUBERNETES_SERVICE_HOST"),
            service_port: text("KUBERNETES_SERVICE_PORT"),
            service_account: SERVICE_ACCOUNT.into(),
            interactive: std::io::stdin().is_terminal(),
        }
    }

    pub(super) fn proxies(&self) -> ProxyVariables {
        ProxyVariables { https: self.https_proxy.clone(), http: self.http_proxy.clone(), exempt: self.no_proxy.clone() }
    }
}

fn text(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}
