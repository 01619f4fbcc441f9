//! Which lists make a relist, and when a refusal is an error.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use http::{Response, StatusCode};
use jiff::Timestamp;
use kube::client::Body;
use serde::Deserialize;

use super::answer;
use super::error::ClusterError;
use super::list::{ListEnd, Lists, path};
use super::request::{Failure, Reader, Requests};
use super::retry::Patience;
use crate::inventory::{NamespaceSelection, excerpt};
use crate::snapshot::{Event, ListScope, RelistEnd, ServerVersion};

const CLUSTER_WIDE_ADVICE: &str = "bind a ClusterRole with the verb list on pods and namespaces to that user, or name in \
                                   namespace-selectors.include the namespaces in which it may list pods";

const INCLUDED_ADVICE: &str = "bind a Role with the verb list on pods to that user in each namespace of \
                               namespace-selectors.include";

/// Reads everything that is selected once.
pub(super) async fn relist(
    lists: &Lists<'_>,
    selection: &NamespaceSelection,
    workers: usize,
) -> Result<(), ClusterError> {
    lists.say(vec![Event::RelistBegun]).await?;
    let version = async { Ok(server_version(lists).await) };
    let server_version = match selection.included() {
        None => {
            let ((), version) = futures::try_join!(cluster_wide(lists), version)?;
            version
        }
        Some(included) => {
            let ((), version) = futures::try_join!(by_namespace(lists, &included, workers), version)?;
            version
        }
    };
    let end = RelistEnd { observed_at: Timestamp::now(), server_version, cut_short: None };
    lists.say(vec![Event::RelistEnded(end)]).await
}

/// One list of all pods and one of all namespaces.
async fn cluster_wide(lists: &Lists<'_>) -> Result<(), ClusterError> {
    let (pods, _) = futures::try_join!(lists.read(&ListScope::AllPods), lists.read(&ListScope::Namespaces))?;
    match pods {
        ListEnd::Read(_) => Ok(()),
        ListEnd::Refused(reason) => Err(nothing_readable(lists.requests, reason, CLUSTER_WIDE_ADVICE)),
    }
}

/// One list for each included namespace: needs no right beyond them.
async fn by_namespace(lists: &Lists<'_>, included: &[&str], workers: usize) -> Result<(), ClusterError> {
    // Named as boxes: the compiler cannot tell that a stream of the bare futures may move between threads.
    let namespaces: Vec<BoxFuture<'_, Result<Option<String>, ClusterError>>> =
        included.iter().map(|name| one_namespace(lists, Arc::from(*name)).boxed()).collect();
    let refusals: Vec<Option<String>> = stream::iter(namespaces).buffer_unordered(workers.max(1)).try_collect().await?;
    let is_refused = !refusals.is_empty() && refusals.iter().all(Option::is_some);
    match refusals.into_iter().flatten().next() {
        Some(reason) if is_refused => Err(nothing_readable(lists.requests, reason, INCLUDED_ADVICE)),
        _ => Ok(()),
    }
}

/// Lists one namespace; yields the reason when it is refused.
async fn one_namespace(lists: &Lists<'_>, namespace: Arc<str>) -> Result<Option<String>, ClusterError> {
    if !can_be_a_namespace(&namespace) {
        tracing::warn!("\"{}\" in namespace-selectors.include can be no namespace's name", excerpt(&namespace));
        lists.say(vec![Event::NamespaceUnknown(namespace)]).await?;
        return Ok(None);
    }
    match lists.read(&ListScope::PodsOf(Arc::clone(&namespace))).await? {
        ListEnd::Refused(reason) => Ok(Some(reason)),
        ListEnd::Read(0) if !exists(lists.requests, &namespace).await? => {
            lists.say(vec![Event::NamespaceUnknown(namespace)]).await?;
            Ok(None)
        }
        ListEnd::Read(_) => Ok(None),
    }
}

/// Whether the cluster has the namespace, as far as kai may know: listing the pods of one that does not exist gives an
/// empty list.
async fn exists(requests: &Requests, namespace: &str) -> Result<bool, ClusterError> {
    let path = format!("{}/{namespace}", path(&ListScope::Namespaces));
    match requests.get(&path, Patience::Patient, &Existence).await {
        Ok(()) => Ok(true),
        Err(failed) => match failed.status() {
            Some(StatusCode::NOT_FOUND) => Ok(false),
            Some(StatusCode::FORBIDDEN) => Ok(true),
            _ => Err(requests.error(&path, failed)),
        },
    }
}

/// That there is an answer is answer enough.
struct Existence;

impl Reader for Existence {
    type Output = ();

    async fn read(&self, _: Response<Body>) -> Result<(), Failure> {
        Ok(())
    }
}

/// RFC 1123. Anything else would make another URL than that of a namespace.
fn can_be_a_namespace(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn nothing_readable(requests: &Requests, reason: String, advice: &'static str) -> ClusterError {
    ClusterError::NothingReadable { endpoint: Box::new(requests.endpoint.clone()), reason, advice }
}

/// `GET /version`. It is an ornament of the report: whatever goes wrong with it costs no inventory, and is said once and
/// not at every poll.
async fn server_version(lists: &Lists<'_>) -> ServerVersion {
    let path = "/version";
    match lists.requests.get(path, Patience::Patient, &VersionReader).await {
        Ok(info) => {
            lists.is_version_hidden.store(false, Ordering::Relaxed);
            info.into()
        }
        Err(failed) => {
            let error = lists.requests.error(path, failed);
            if !lists.is_version_hidden.swap(true, Ordering::Relaxed) {
                tracing::warn!("the server's version stays empty in reports: {error}");
            }
            ServerVersion::default()
        }
    }
}

struct VersionReader;

impl Reader for VersionReader {
    type Output = VersionInfo;

    async fn read(&self, response: Response<Body>) -> Result<VersionInfo, Failure> {
        let text = answer::read_text(response.into_body()).await.map_err(|error| Failure::of(&error))?;
        serde_json::from_str(&text).map_err(|error| Failure::Malformed(error.to_string()))
    }
}

/// The body of `/version`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct VersionInfo {
    major: String,
    minor: String,
    git_version: String,
    git_commit: String,
    git_tree_state: String,
    build_date: String,
    go_version: String,
    compiler: String,
    platform: String,
}

impl From<VersionInfo> for ServerVersion {
    fn from(info: VersionInfo) -> Self {
        let VersionInfo {
            major,
            minor,
            git_version,
            git_commit,
            git_tree_state,
            build_date,
            go_version,
            compiler,
            platform,
        } = info;
        Self { major, minor, git_version, git_commit, git_tree_state, build_date, go_version, compiler, platform }
    }
}
