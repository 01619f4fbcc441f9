//! A running kai, asked over HTTP.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{Client, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::filters::Filters;
use super::output::to_stdout;
use crate::cli::Exit;
use crate::cli::start::Failure;
use crate::inventory::excerpt;
use crate::remote::causes;

/// Rows of a page: the most that kai gives.
const PAGE: &str = "1000";
/// The longest wait for a page.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(super) struct Server {
    client: Client,
    address: Url,
}

/// A page that says where the next one is.
pub(super) trait Paged: DeserializeOwned {
    /// The cursor of the next page, and the snapshot of this one.
    fn next(&self) -> Option<(String, Option<String>)>;
    /// Takes the rows of the next page in.
    fn append(&mut self, next: Self);
}

impl Server {
    pub(super) fn new(address: &str) -> anyhow::Result<Self> {
        let problem = match address.parse::<Url>() {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {
                let client = Client::builder().timeout(PATIENCE).build().context("HTTP cannot be spoken")?;
                return Ok(Self { client, address: url });
            }
            Ok(url) => format!("has the scheme {}", excerpt(url.scheme())),
            Err(error) => format!("is no URL ({error})"),
        };
        let message = format!("the server \"{}\" {problem}; write it as http://127.0.0.1:8080", excerpt(address));
        Err(Failure { exit: Exit::Usage, message }.into())
    }

    /// Every page, in one, of one snapshot.
    pub(super) async fn whole<P: Paged>(&self, path: &str, filters: &Filters) -> anyhow::Result<P> {
        let mut query: Vec<(&str, String)> = filters.0.clone();
        query.push(("limit", PAGE.to_owned()));
        let mut whole: P = self.page(path, &query).await?;
        let mut next = whole.next();
        while let Some((cursor, pin)) = next {
            let further = [("cursor", Some(cursor)), ("pin", pin)].map(|(name, value)| Some((name, value?)));
            let query: Vec<_> = query.iter().cloned().chain(further.into_iter().flatten()).collect();
            let page: P = self.page(path, &query).await?;
            next = page.next();
            whole.append(page);
        }
        Ok(whole)
    }

    async fn page<P: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<P> {
        let response = self.get(path, query).await?;
        let body = response.bytes().await.map_err(|error| self.failed(&error))?;
        serde_json::from_slice(&body).with_context(|| format!("{} does not answer as kai does", self.shown()))
    }

    /// An answer; `None` when the server knows nothing of that name.
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> anyhow::Result<Option<T>> {
        let response = self.send(path, query).await?;
        if response.status() == StatusCode::NOT_FOUND {
            let problem: serde_json::Value = response.json().await.unwrap_or_default();
            // Another program, or a kai without this route, knows no digest either.
            if problem["type"].as_str().is_some_and(|kind| kind.ends_with("#unknown-digest")) {
                return Ok(None);
            }
            bail!("{} has no {path}; is it a kai that keeps a history?", self.shown());
        }
        let body = self.succeeded(response).await?.bytes().await.map_err(|error| self.failed(&error))?;
        let answer = serde_json::from_slice(&body);
        answer.map(Some).with_context(|| format!("{} does not answer as kai does", self.shown()))
    }

    /// Prints an answer as it comes. Whether the server says that it is complete.
    pub(super) async fn copy(&self, path: &str, filters: &Filters) -> anyhow::Result<bool> {
        let mut response = self.get(path, &filters.0).await?;
        let is_complete = response.headers().get("inventory-complete").is_none_or(|value| value != "false");
        while let Some(piece) = response.chunk().await.map_err(|error| self.failed(&error))? {
            to_stdout(|out| out.write_all(&piece))?;
        }
        Ok(is_complete)
    }

    /// The answer, when it is a good one.
    pub(super) async fn get(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<Response> {
        let response = self.send(path, query).await?;
        self.succeeded(response).await
    }

    async fn send(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<Response> {
        let mut url = self.address.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url.query_pairs_mut().extend_pairs(query);
        self.client.get(url).send().await.map_err(|error| self.failed(&error))
    }

    async fn succeeded(&self, response: Response) -> anyhow::Result<Response> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.text().await.unwrap_or_default();
        let problem: Option<serde_json::Value> = serde_json::from_str(&body).ok();
        let detail = problem.as_ref().and_then(|problem| problem["detail"].as_str()).unwrap_or(&body);
        if status == StatusCode::BAD_REQUEST {
            return Err(Failure { exit: Exit::Usage, message: format!("{}: {}", self.shown(), excerpt(detail)) }.into());
        }
        bail!("{} answered {status}: {}", self.shown(), excerpt(detail))
    }

    fn failed(&self, error: &reqwest::Error) -> anyhow::Error {
        let cause = if error.is_timeout() { Some("timed out".to_owned()) } else { None };
        let cause = cause.or_else(|| causes(error).last().map(ToString::to_string)).unwrap_or_default();
        anyhow::anyhow!("{} did not answer: {}", self.shown(), excerpt(&cause))
    }

    /// The address without the password that it may have.
    fn shown(&self) -> String {
        let mut url = self.address.clone();
        // Fails on addresses without a host, which have no password.
        let _unchanged = url.set_password(None);
        excerpt(url.as_str()).to_string()
    }
}
