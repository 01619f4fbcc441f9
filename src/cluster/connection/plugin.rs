//! Credential plugins: programs of the kubeconfig that print a token or a client certificate.
//!
//! kube would run the program three times to make one client, on a thread that nothing can stop. Here it runs once, and
//! ends when whoever waits for it gives up.

use std::process::{Output, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use kube::config::{AuthInfo, Cluster, ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::endpoint::Endpoint;
use crate::cluster::ClusterError;
use crate::inventory::excerpt;
use crate::remote::os_reason;

/// A program that gives credentials, as the kubeconfig names it.
#[derive(Debug, Clone)]
pub(super) struct Plugin {
    exec: ExecConfig,
    cluster: Option<ExecAuthCluster>,
    /// Whether it has the terminal.
    interactive: bool,
}

/// What a plugin gave.
pub(super) struct Credential {
    token: Option<SecretString>,
    certificate: Option<(String, SecretString)>,
    pub(super) expires: Option<Timestamp>,
}

/// `ExecCredential` of `client.authentication.k8s.io`, as it is given to the program.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecInfo<'a> {
    kind: &'static str,
    api_version: &'a str,
    spec: ExecSpec<'a>,
}

#[derive(Serialize)]
struct ExecSpec<'a> {
    interactive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'a ExecAuthCluster>,
}

/// The same, as the program prints it.
#[derive(Deserialize)]
struct ExecCredential {
    status: Option<ExecStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecStatus {
    expiration_timestamp: Option<String>,
    token: Option<SecretString>,
    client_certificate_data: Option<String>,
    client_key_data: Option<SecretString>,
}

impl Plugin {
    /// Takes what the kubeconfig says; `Err` is what is wrong with the authority that the program is to be told.
    pub(super) fn new(exec: ExecConfig, cluster: &Cluster, has_terminal: bool) -> Result<Self, String> {
        let cluster = exec
            .provide_cluster_info
            .then(|| ExecAuthCluster::try_from(cluster))
            .transpose()
            .map_err(|error| error.to_string())?;
        let interactive = match exec.interactive_mode {
            Some(ExecInteractiveMode::Never) => false,
            Some(ExecInteractiveMode::Always) => true,
            // A program that may ask would wait for ever for an answer that nobody can give.
            Some(ExecInteractiveMode::IfAvailable) | None => has_terminal,
        };
        Ok(Self { exec, cluster, interactive })
    }

    fn command(&self) -> &str {
        self.exec.command.as_deref().unwrap_or_default()
    }

    /// Runs the program once.
    pub(super) async fn run(&self, endpoint: &Endpoint, deadline: Duration) -> Result<Credential, ClusterError> {
        let fault = |problem: String| ClusterError::Plugin {
            command: excerpt(self.command()).to_string(),
            setting: endpoint.user_setting(),
            problem,
        };
        if self.command().is_empty() {
            return Err(fault("no command is named; set exec.command".to_owned()));
        }
        let output = self.spawn(deadline).await.map_err(fault)?;
        if !output.status.success() {
            return Err(fault(failed(&output)));
        }
        read_credential(&output.stdout).map_err(fault)
    }

    async fn spawn(&self, deadline: Duration) -> Result<Output, String> {
        let info = ExecInfo {
            kind: "ExecCredential",
            api_version: self.exec.api_version.as_deref().unwrap_or("client.authentication.k8s.io/v1"),
            spec: ExecSpec { interactive: self.interactive, cluster: self.cluster.as_ref() },
        };
        let info = serde_json::to_string(&info).map_err(|error| format!("cannot be told what it is for: {error}"))?;
        let mut command = tokio::process::Command::new(self.command());
        command.args(self.exec.args.iter().flatten()).env("KUBERNETES_EXEC_INFO", info);
        for variable in self.exec.env.iter().flatten() {
            if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
                command.env(name, value);
            }
        }
        command.kill_on_drop(true).stdout(Stdio::piped());
        if self.interactive {
            command.stdin(Stdio::inherit()).stderr(Stdio::inherit());
        } else {
            command.stdin(Stdio::null()).stderr(Stdio::piped());
        }
        let run = async {
            let child = command.spawn().map_err(|error| self.not_started(&error))?;
            child.wait_with_output().await.map_err(|error| format!("cannot be read: {}", os_reason(&error)))
        };
        if self.interactive {
            // A person may take longer to log in than a server to answer.
            return run.await;
        }
        tokio::time::timeout(deadline, run)
            .await
            .unwrap_or_else(|_| Err(format!("did not end within {deadline:?} (kubernetes.request-timeout-seconds)")))
    }

    fn not_started(&self, error: &std::io::Error) -> String {
        if error.kind() != std::io::ErrorKind::NotFound {
            return format!("cannot be run: {}", os_reason(error));
        }
        let advice = match self.exec.install_hint.as_deref().map(str::trim).filter(|hint| !hint.is_empty()) {
            Some(hint) => format!("the kubeconfig says: {}", excerpt(hint)),
            None => "install it, or use a kubeconfig with a token or a client certificate".to_owned(),
        };
        format!("is not installed (not found in PATH); {advice}")
    }
}

impl Credential {
    pub(super) fn apply(self, auth: &mut AuthInfo) {
        auth.token = self.token;
        if let Some((certificate, key)) = self.certificate {
            use secrecy::ExposeSecret as _;
            auth.client_certificate_data = Some(BASE64.encode(certificate));
            auth.client_key_data = Some(BASE64.encode(key.expose_secret()).into());
        }
    }
}

/// What it printed to standard output may be a credential: only its complaints are shown.
fn failed(output: &Output) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    let complaint = complaint.trim();
    let said = if complaint.is_empty() { String::new() } else { format!(": {}", excerpt(complaint)) };
    format!("failed ({}){said}; run it by hand to see why", output.status)
}

fn read_credential(stdout: &[u8]) -> Result<Credential, String> {
    // The program's output is JSON by the book and YAML from some. The parser's message may show a credential.
    let printed: ExecCredential = serde_saphyr::from_slice(stdout)
        .map_err(|_| "printed something that is no ExecCredential; run it by hand to see what".to_owned())?;
    let status = printed.status.ok_or("printed an ExecCredential without a status; run it by hand to see why")?;
    let expires = status.expiration_timestamp.as_deref().map(str::parse).transpose();
    let expires = expires.map_err(|error| format!("printed an expirationTimestamp that is no time: {error}"))?;
    let certificate = status.client_certificate_data.zip(status.client_key_data);
    if status.token.is_none() && certificate.is_none() {
        return Err("printed neither a token nor a client certificate with its key".to_owned());
    }
    Ok(Credential { token: status.token, certificate, expires })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nothing("", "without a status")]
    #[case::secret_is_not_shown("s3cret", "no ExecCredential")]
    #[case::no_status(r#"{"kind":"ExecCredential"}"#, "without a status")]
    #[case::no_credential(r#"{"status":{}}"#, "neither a token nor")]
    #[case::certificate_without_key(r#"{"status":{"clientCertificateData":"x"}}"#, "neither a token nor")]
    #[case::no_time(r#"{"status":{"token":"t","expirationTimestamp":"soon"}}"#, "no time")]
    fn output_that_gives_nothing_says_why(#[case] stdout: &str, #[case] expected: &str) {
        let problem = read_credential(stdout.as_bytes()).err().unwrap();
        assert!(problem.contains(expected) && !problem.contains("s3cret"), "{problem}");
    }

    #[rstest]
    #[case::json(r#"{"status":{"token":"t","expirationTimestamp":"2026-11-24T10:00:00Z"}}"#)]
    #[case::yaml("status:\n  token: t\n  expirationTimestamp: \"2026-11-24T10:00:00Z\"\n")]
    fn a_token_and_its_end_are_read(#[case] stdout: &str) {
        use secrecy::ExposeSecret as _;
        let credential = read_credential(stdout.as_bytes()).unwrap();
        assert_eq!(credential.token.unwrap().expose_secret(), "t");
        assert_eq!(credential.expires, Some("2026-11-24T10:00:00Z".parse().unwrap()));
    }
}
