//! `kai probe`: a health check for an image without a shell.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::bail;
use reqwest::Url;
use reqwest::redirect::{Action, Attempt, Policy};

use super::Exit;
use super::start::Failure;
use crate::inventory::excerpt;

const EXAMPLES: &str = "\
Examples:
  kai probe http://127.0.0.1:8080/readyz
  kai probe https://127.0.0.1:8443/readyz         an address of this host: its certificate is not checked
  HEALTHCHECK CMD [\"kai\", \"probe\", \"http://127.0.0.1:8080/livez\"]";

/// What to do about a certificate.
const TRUST: &str = "; trust its authority on this system (SSL_CERT_FILE), or pass --insecure";

/// Arguments of `kai probe`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Probe {
    /// URL of the request; 2xx is success
    #[arg(value_name = "URL")]
    url: String,

    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=300))]
    timeout_seconds: u64,

    /// Do not check the certificate. For this host (127.0.0.1, ::1, localhost) it is never checked
    #[arg(long)]
    insecure: bool,
}

impl Probe {
    /// The address, when it is one that can be asked.
    fn address(&self) -> anyhow::Result<Url> {
        let problem = match self.url.parse::<Url>() {
            Ok(url) if matches!(url.scheme(), "http" | "https") => return Ok(url),
            Ok(url) => format!("has the scheme {}, which kai does not support", excerpt(url.scheme())),
            Err(error) => format!("is no URL ({error})"),
        };
        let message = format!("\"{}\" {problem}; write it as http://127.0.0.1:8080/readyz", excerpt(&self.url));
        Err(Failure { exit: Exit::Usage, message }.into())
    }

    /// Asks once.
    pub(super) async fn run(&self) -> anyhow::Result<Exit> {
        let url = self.address()?;
        // What serves at an address of this host is the process that is meant, and its certificate is for another name.
        // Without TLS there is nothing to check either, and a system without authorities is no obstacle then.
        let unchecked = self.insecure || url.scheme() == "http" || is_of_this_host(&url);
        // A probe asks the process that was named: a proxy of the environment, or a redirect, would ask somebody else.
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_danger_accept_invalid_certs(unchecked)
            .redirect(Policy::custom(stay))
            .timeout(Duration::from_secs(self.timeout_seconds))
            .build()
            .map_err(|error| {
                let cause = root_cause(&error);
                anyhow::anyhow!("{} cannot be requested: {cause}{TRUST}", excerpt(&self.url))
            })?;
        let response = client.get(url).send().await.map_err(|error| {
            let cause = root_cause(&error);
            anyhow::anyhow!("{} did not answer: {cause}{}", excerpt(&self.url), advice(&cause))
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(Exit::Done);
        }
        let body = response.text().await.unwrap_or_default();
        bail!("{} answered {status}: {}", excerpt(&self.url), excerpt(&detail(&body)))
    }
}

/// Whether the URL names this host itself.
fn is_of_this_host(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host == "localhost", |address| address.is_loopback())
}

/// Follows a redirect to another path, and to nothing else.
fn stay(attempt: Attempt<'_>) -> Action {
    let origin = attempt.previous().first().map(Url::origin);
    if origin.is_some_and(|origin| origin == attempt.url().origin()) {
        Policy::default().redirect(attempt)
    } else {
        attempt.stop()
    }
}

/// What to do where TLS was not agreed on.
fn advice(cause: &str) -> &'static str {
    if cause.contains("CertificateRequired") {
        "; clients need a certificate there: probe the address of server.probe-listen"
    } else if cause.contains("peer certificate") {
        TRUST
    } else {
        ""
    }
}

/// The innermost cause: the outer ones only say that a request was sent.
fn root_cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "timed out".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// What a problem document says in words, else the body.
fn detail(body: &str) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_str(body).ok();
    problem.as_ref().and_then(|problem| problem["detail"].as_str()).unwrap_or(body).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://127.0.0.1:8443/livez", true)]
    #[case("https://127.9.9.9/livez", true)]
    #[case("https://[::1]:8443/livez", true)]
    #[case("https://LOCALHOST:8443/livez", true)]
    #[case("https://0.0.0.0:8443/livez", false)]
    #[case("https://kai.example.com/livez", false)]
    #[case("https://localhost.example.com/livez", false)]
    #[case("https://127.0.0.1.example.com/livez", false)]
    #[case("https://127.0.0.1@example.com/livez", false)]
    fn a_certificate_is_not_checked_at_an_address_of_this_host_alone(#[case] url: &str, #[case] expected: bool) {
        assert_eq!(is_of_this_host(&url.parse().expect("URL")), expected);
    }
}
