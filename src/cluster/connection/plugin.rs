//! Credential plugins: programs of the kubeconfig that print a token or a client certificate.
//!
//! kube would run the program three times to make one client, on a thread that nothing can stop. Here it runs once, and
//! ends, with the programs that it has started, when whoever waits for it gives up.

use std::process::{Output, Stdio};
use std::time::Duration;

use http::HeaderValue;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::credential::{Identity, bearer};
use super::document::{Entry, parse_yaml};
use super::endpoint::Endpoint;
use super::fault::{ConnectError, KubeconfigError};
use crate::inventory::excerpt;
use crate::remote::os_reason;

/// A program that gives credentials, as the kubeconfig names it.
#[derive(Debug, Clone)]
pub(super) struct Plugin {
    command: String,
    args: Vec<String>,
    variables: Vec<(String, String)>,
    install_hint: Option<String>,
    /// `ExecCredential` of `client.authentication.k8s.io`, as it is given to the program.
    info: String,
    /// Whether it has the terminal.
    interactive: bool,
}

#[derive(Debug)]
pub(super) struct Credential {
    pub(super) authorization: Option<HeaderValue>,
    pub(super) identity: Option<Identity>,
    pub(super) expires: Option<Timestamp>,
}

impl Plugin {
    /// Takes what the kubeconfig has in `exec`. `cluster` is what the program learns of the cluster, if it asks for that.
    pub(super) fn read(exec: &Entry, cluster: Value, has_terminal: bool) -> Result<Self, KubeconfigError> {
        let Some(command) = exec.text("command")? else {
            return Err(exec.fault("command", "is not set; write the program that gives credentials".to_owned()));
        };
        // A relative path is one of the kubeconfig's folder; a bare name is looked up in PATH.
        let command = match exec.file("command")? {
            Some(path) if command.contains(std::path::MAIN_SEPARATOR) => path.to_string_lossy().into_owned(),
            _ => command,
        };
        let interactive = match exec.text("interactiveMode")?.map(|mode| mode.to_ascii_lowercase()).as_deref() {
            Some("never") => false,
            Some("always") => true,
            // A program that may ask would wait for ever for an answer that nobody can give.
            Some("ifavailable") | None => has_terminal,
            Some(_) => {
                let problem = "is none of Never, IfAvailable and Always; write one of them";
                return Err(exec.fault("interactiveMode", problem.to_owned()));
            }
        };
        let mut variables = Vec::new();
        for variable in exec.entries("env")? {
            if let Some(name) = variable.text("name")? {
                variables.push((name, variable.text("value")?.unwrap_or_default()));
            }
        }
        let version = exec.text("apiVersion")?.unwrap_or_else(|| "client.authentication.k8s.io/v1".to_owned());
        let mut info = json!({"kind": "ExecCredential", "apiVersion": version, "spec": {"interactive": interactive}});
        if exec.switch("provideClusterInfo")? {
            info["spec"]["cluster"] = cluster;
        }
        Ok(Self {
            command,
            args: exec.texts("args")?,
            variables,
            install_hint: exec.text("installHint")?,
            info: info.to_string(),
            interactive,
        })
    }

    pub(super) async fn run(&self, endpoint: &Endpoint, deadline: Duration) -> Result<Credential, ConnectError> {
        let fault = |problem: String| ConnectError::Plugin {
            command: excerpt(&self.command).to_string(),
            setting: endpoint.user_setting(),
            problem,
        };
        let output = self.spawn(deadline).await.map_err(fault)?;
        if !output.status.success() {
            return Err(fault(failed(&output)));
        }
        read_credential(&output.stdout).map_err(fault)
    }

    async fn spawn(&self, deadline: Duration) -> Result<Output, String> {
        let mut command = tokio::process::Command::new(&self.command);
        command.args(&self.args).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.env("KUBERNETES_EXEC_INFO", &self.info);
        command.kill_on_drop(true).stdout(Stdio::piped());
        if self.interactive {
            // In kai's own group: another one could not read the terminal.
            command.stdin(Stdio::inherit()).stderr(Stdio::inherit());
        } else {
            command.stdin(Stdio::null()).stderr(Stdio::piped());
            #[cfg(unix)]
            command.process_group(0);
        }
        let run = async {
            let child = command.spawn().map_err(|error| self.not_started(&error))?;
            let group = Group(child.id().filter(|_| !self.interactive));
            let output = child.wait_with_output().await;
            // What it left running on purpose stays.
            group.keep();
            output.map_err(|error| format!("cannot be read: {}", os_reason(&error)))
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
        let advice = match self.install_hint.as_deref().map(str::trim).filter(|hint| !hint.is_empty()) {
            Some(hint) => format!("the kubeconfig says: {}", excerpt(hint)),
            None => "install it, or use a kubeconfig with a token or a client certificate".to_owned(),
        };
        format!("is not installed (not found in PATH); {advice}")
    }
}

/// A program that leads a process group, with everything it has started; ended when it is dropped.
struct Group(Option<u32>);

impl Group {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(leader) = self.0 else { return };
        if cfg!(unix) {
            let kill = std::process::Command::new("kill")
                .args(["-KILL", "--", &format!("-{leader}")])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            if let Err(error) = kill {
                tracing::debug!("the programs of a credential plugin could not be ended: {error}");
            }
        }
    }
}

/// What it printed to standard output may be a credential: only its complaints are shown.
fn failed(output: &Output) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    let complaint = complaint.trim();
    let words = if complaint.is_empty() { String::new() } else { format!(": {}", excerpt(complaint)) };
    format!("failed ({}){words}; run it by hand to see why", output.status)
}

fn read_credential(stdout: &[u8]) -> Result<Credential, String> {
    // The program's output is JSON by the book and YAML from some. The parser's message may show a credential.
    let none = || "printed something that is not an ExecCredential; run it by hand to see what".to_owned();
    let printed = std::str::from_utf8(stdout).ok().and_then(|text| parse_yaml(text).ok()).ok_or_else(none)?;
    let printed = printed.into_iter().next().unwrap_or_default();
    if !printed.is_object() && !printed.is_null() {
        return Err(none());
    }
    let status = printed.get("status").and_then(Value::as_object);
    let status = status.ok_or("printed an ExecCredential without a status; run it by hand to see why")?;
    let text = |field: &str| match status.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
        Some(_) => Err(format!("printed a {field} that is no text; run it by hand to see why")),
    };
    let expires = text("expirationTimestamp")?.map(str::parse).transpose();
    let expires = expires.map_err(|error| format!("printed an expirationTimestamp that is no time: {error}"))?;
    let unusable = |error: KubeconfigError| format!("gives no usable credentials: {error}");
    let authorization = text("token")?.map(|token| bearer("its token", token)).transpose().map_err(unusable)?;
    let pair = text("clientCertificateData")?.zip(text("clientKeyData")?);
    let identity = pair.map(|(certificate, key)| {
        Identity::new(("its clientCertificateData", certificate.as_bytes()), ("its clientKeyData", key.as_bytes()))
    });
    let identity = identity.transpose().map_err(unusable)?;
    if authorization.is_none() && identity.is_none() {
        return Err("printed neither a token nor a client certificate with its key".to_owned());
    }
    Ok(Credential { authorization, identity, expires })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nothing("", "without a status")]
    #[case::secret_is_not_shown("s3cret", "not an ExecCredential")]
    #[case::no_status(r#"{"kind":"ExecCredential"}"#, "without a status")]
    #[case::no_credential(r#"{"status":{}}"#, "neither a token nor")]
    #[case::empty_fields(
        r#"{"status":{"token":"","clientCertificateData":"","clientKeyData":"","expirationTimestamp":""}}"#,
        "neither a token nor"
    )]
    #[case::certificate_without_key(r#"{"status":{"clientCertificateData":"x"}}"#, "neither a token nor")]
    #[case::no_time(r#"{"status":{"token":"t","expirationTimestamp":"soon"}}"#, "no time")]
    #[case::number(r#"{"status":{"token":7}}"#, "a token that is no text")]
    #[case::line_break(r#"{"status":{"token":"s3\ncret"}}"#, "its token cannot be used: it has a line break in it")]
    fn output_that_gives_nothing_says_why(#[case] stdout: &str, #[case] expected: &str) {
        let problem = read_credential(stdout.as_bytes()).err().unwrap();
        assert!(problem.contains(expected) && !problem.contains("s3"), "{problem}");
    }

    #[rstest]
    #[case::json(r#"{"status":{"token":"t","expirationTimestamp":"2026-11-24T10:00:00Z"}}"#)]
    #[case::yaml("status:\n  token: t\n  expirationTimestamp: \"2026-11-24T10:00:00Z\"\n")]
    #[case::line_break_at_its_end(r#"{"status":{"token":"t\n","expirationTimestamp":"2026-11-24T10:00:00Z"}}"#)]
    #[case::other_fields_empty(
        r#"{"status":{"token":"t","clientKeyData":"","clientCertificateData":null,"expirationTimestamp":"2026-11-24T10:00:00Z"}}"#
    )]
    fn a_token_and_its_end_are_read(#[case] stdout: &str) {
        let credential = read_credential(stdout.as_bytes()).unwrap();
        assert_eq!(credential.authorization.unwrap(), "Bearer t");
        assert_eq!(credential.expires, Some("2026-11-24T10:00:00Z".parse().unwrap()));
        assert!(credential.identity.is_none());
    }
}
