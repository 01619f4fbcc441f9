//! One namespace, asked for by its name: whether it is there, and what it is where that is wanted.

use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde::Deserialize;

use super::error::ClusterError;
use super::failure::Failure;
use super::list::{Lists, path};
use super::page::{lock, undecodable};
use super::request::Reader;
use super::retry::RetryPolicy;
use crate::decode::read_one_namespace;
use crate::inventory::NamespaceRecord;
use crate::snapshot::ListScope;

/// More than the API server stores of one object.
const BODY_MAX: usize = 8 * 1024 * 1024;

/// The API server's answer about a namespace.
pub(super) enum Found {
    /// It is there; the record when it is wanted.
    There(Option<NamespaceRecord>),
    /// 404.
    Unknown,
    /// 403, in the server's words.
    Hidden(String),
}

/// Asks for the namespace: listing the pods of one that does not exist gives an empty list.
pub(super) async fn get_namespace(lists: &Lists<'_>, namespace: &str) -> Result<Found, ClusterError> {
    let path = format!("{}/{namespace}", path(&ListScope::Namespaces));
    match lists.connection.get(&path, RetryPolicy::WhileItHelps, &NamespaceReader(lists)).await {
        Ok(record) => Ok(Found::There(record)),
        Err(failed) => match failed.kubernetes_words() {
            Some((StatusCode::NOT_FOUND, _)) => Ok(Found::Unknown),
            Some((StatusCode::FORBIDDEN, message)) => Ok(Found::Hidden(message.to_owned())),
            _ => Err(lists.connection.error(&path, failed)),
        },
    }
}

struct NamespaceReader<'a>(&'a Lists<'a>);

impl Reader for NamespaceReader<'_> {
    type Output = Option<NamespaceRecord>;

    async fn read(&self, response: Response<Body>) -> Result<Option<NamespaceRecord>, Failure> {
        let Self(lists) = self;
        if !lists.wants_namespaces {
            // That there is an answer is answer enough.
            return Ok(None);
        }
        let bytes = read_body(response).await?;
        read_one_namespace(&bytes, &mut lock(lists.records)).map(Some).map_err(undecodable)
    }
}

/// Reads the uid of a namespace, whatever else of it is kept.
pub(super) struct UidReader;

#[derive(Deserialize)]
struct Named {
    metadata: Uid,
}

#[derive(Deserialize)]
struct Uid {
    uid: String,
}

impl Reader for UidReader {
    type Output = String;

    async fn read(&self, response: Response<Body>) -> Result<String, Failure> {
        let bytes = read_body(response).await?;
        let named: Named = serde_json::from_slice(&bytes).map_err(|error| Failure::Malformed(error.to_string()))?;
        Ok(named.metadata.uid)
    }
}

async fn read_body(response: Response<Body>) -> Result<Vec<u8>, Failure> {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|error| Failure::of(&error))?.into_data() {
            if bytes.len() + data.len() > BODY_MAX {
                return Err(Failure::Malformed(format!("a namespace of more than {} MiB", BODY_MAX >> 20)));
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}
