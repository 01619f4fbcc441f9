//! `kai probe`: a health check for an image without a shell.

use std::time::Duration;

use anyhow::bail;

use super::Exit;
use super::start::Failure;
use crate::inventory::excerpt;

const EXAMPLES: &str = "\
Examples:
  kai probe http://127.0.0.1:8080/readyz
  HEALTHCHECK CMD [\"kai\", \"probe\", \"http://127.0.0.1:8080/livez\"]";

/// Arguments of `kai probe`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Probe {
    /// Address to ask; succeeds when the answer is 2xx
    #[arg(value_name = "URL")]
    url: String,

    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=300))]
    timeout_seconds: u64,
}

impl Probe {
    /// The address, when it is one that can be asked.
    fn address(&self) -> anyhow::Result<reqwest::Url> {
        let problem = match self.url.parse::<reqwest::Url>() {
            Ok(url) if matches!(url.scheme(), "http" | "https") => return Ok(url),
            Ok(url) => format!("has the scheme {}, which is not asked", excerpt(url.scheme())),
            Err(error) => format!("is no URL ({error})"),
        };
        let message = format!("\"{}\" {problem}; write it as http://127.0.0.1:8080/readyz", excerpt(&self.url));
        Err(Failure { exit: Exit::Usage, message }.into())
    }

    /// Asks once.
    pub(super) async fn run(&self) -> anyhow::Result<Exit> {
        let url = self.address()?;
        // A probe asks the process beside it: a proxy of the environment would ask somebody else.
        let client =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(self.timeout_seconds)).build()?;
        let response = client.get(url).send().await.map_err(|error| {
            let cause = root_cause(&error);
            anyhow::anyhow!("{} did not answer: {cause}", excerpt(&self.url))
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(Exit::Done);
        }
        let body = response.text().await.unwrap_or_default();
        bail!("{} answered {status}: {}", excerpt(&self.url), excerpt(&detail(&body)))
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
