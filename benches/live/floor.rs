//! The least that a reading of the cluster takes: its pages, in protobuf and compressed, fetched and not looked at.

use std::time::{Duration, Instant};

use http::Request;
use kube::Client;
use serde_json::Value;

const PAGE: &str = "/api/v1/pods?limit=500";

/// How long it takes on one connection. Tokens are asked for before: nobody waits for a page to be read.
pub(crate) async fn fetch(client: &Client) -> Result<Duration, String> {
    let mut pages = vec![PAGE.to_owned()];
    let metadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    while let Some(page) = pages.last() {
        let list = get(client, page, metadata, "identity").await?;
        let list: Value = serde_json::from_slice(&list).map_err(text)?;
        match list["metadata"]["continue"].as_str().filter(|token| !token.is_empty()) {
            Some(token) => pages.push(format!("{PAGE}&continue={token}")),
            None => break,
        }
    }
    let begun = Instant::now();
    for page in &pages {
        get(client, page, "application/vnd.kubernetes.protobuf", "gzip").await?;
    }
    Ok(begun.elapsed())
}

async fn get(client: &Client, path: &str, accept: &str, coding: &str) -> Result<Vec<u8>, String> {
    let request = Request::get(path).header("accept", accept).header("accept-encoding", coding);
    let request = request.body(kube::client::Body::empty()).map_err(text)?;
    let response = client.send(request).await.map_err(text)?;
    let status = response.status();
    let body = response.into_body().collect_bytes().await.map_err(text)?;
    if status.is_success() { Ok(body.into()) } else { Err(format!("GET {path}: {status}")) }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
