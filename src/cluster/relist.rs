//! Which lists make a relist, and when a refusal is an error.

use std::sync::{Arc, PoisonError};

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use http::Response;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::version::Info;
use kube::client::Body;

use super::ends::{ListEnd, Relisted};
use super::error::ClusterError;
use super::failure::Failure;
use super::list::Lists;
use super::many::{missing_right_to_all, too_many, unwatchable};
use super::namespace::{Found, get_namespace};
use super::nodes::beside_nodes;
use super::rejection::read_text;
use super::request::{Connection, Reader};
use super::retry::RetryPolicy;
use crate::inventory::{NamespaceSelection, excerpt, is_dns_label, join_names};
use crate::snapshot::{Event, ListScope, Observation, ServerVersion};

const CLUSTER_WIDE_ADVICE: &str = "bind a ClusterRole with the verb list on pods and namespaces to that user, or name in \
                                   namespace-selectors.include the namespaces in which it may list pods";

const INCLUDED_ADVICE: &str = "bind a Role with the verb list on pods to that user in each namespace of \
                               namespace-selectors.include";

const NAMESPACE_ADVICE: &str = "their uids are made from their names, and their labels are unknown; bind a Role with the \
                                verb get on namespaces to that user in each namespace of namespace-selectors.include";

const VERSION: &str = "version";

/// Reads everything that is selected once.
pub(super) async fn relist(
    lists: &Lists<'_>,
    selection: &NamespaceSelection,
    workers: usize,
) -> Result<Relisted, ClusterError> {
    let version = async { Ok(server_version(lists).await) };
    let pods = async {
        match selection.included() {
            Some(included) if !reads_all(lists, selection).await? => by_namespace(lists, &included, workers).await,
            _ => cluster_wide(lists).await,
        }
    };
    let ((), server_version) = beside_nodes(lists, async { futures::try_join!(pods, version) }.boxed()).await?;
    let cluster_name = lists.connection.cluster_name().map(Arc::from);
    let observed_at = Timestamp::now();
    let observation = Observation { observed_at, cluster_name, server_version, cut_short: None };
    lists.send(vec![Event::Observed(observation)]).await?;
    Ok(lists.relisted.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

/// Whether all pods are read although namespaces are included by name: that is one watch in place of many.
async fn reads_all(lists: &Lists<'_>, selection: &NamespaceSelection) -> Result<bool, ClusterError> {
    let Some(names) = too_many(selection).filter(|_| lists.are_watched) else { return Ok(false) };
    let missing = missing_right_to_all(lists, RetryPolicy::WhileItHelps).await?;
    let unwatchable = missing.map(|missing| unwatchable(names, &missing));
    let reads_all = unwatchable.is_none();
    if !reads_all {
        // The right may have been there.
        lists.send(vec![Event::Unlisted(ListScope::AllPods)]).await?;
    }
    lists.relisted.lock().unwrap_or_else(PoisonError::into_inner).unwatchable = unwatchable;
    Ok(reads_all)
}

/// One list of all pods and one of all namespaces.
async fn cluster_wide(lists: &Lists<'_>) -> Result<(), ClusterError> {
    let (pods, _) = futures::try_join!(lists.read(&ListScope::AllPods), lists.read(&ListScope::Namespaces))?;
    match pods {
        ListEnd::Read { .. } => Ok(()),
        ListEnd::Refused(reason) => Err(nothing_readable(lists.connection, reason, CLUSTER_WIDE_ADVICE)),
    }
}

/// One list for each included namespace: needs no right beyond them. What each of them is as an object, as far as it may
/// be asked for, makes the list of namespaces.
async fn by_namespace(lists: &Lists<'_>, included: &[&str], workers: usize) -> Result<(), ClusterError> {
    lists.send(vec![Event::RelistBegun(ListScope::Namespaces)]).await?;
    // Named as boxes: the compiler does not see that a stream of the bare futures may move between threads.
    let namespaces: Vec<BoxFuture<'_, Result<Outcome, ClusterError>>> =
        included.iter().map(|name| one_namespace(lists, Arc::from(*name)).boxed()).collect();
    let outcomes: Vec<Outcome> = stream::iter(namespaces).buffer_unordered(workers.max(1)).try_collect().await?;
    lists.send(vec![Event::RelistEnded(ListScope::Namespaces)]).await?;
    let is_refused = outcomes.iter().all(|outcome| matches!(outcome, Outcome::Refused(_)));
    let (mut refused, mut hidden) = (None, Vec::new());
    for outcome in outcomes {
        match outcome {
            Outcome::Read => {}
            Outcome::Refused(reason) => refused = Some(reason),
            Outcome::Hidden(namespace, message) => hidden.push((namespace, message)),
        }
    }
    warn_of_hidden(lists, hidden);
    match refused {
        Some(reason) if is_refused => Err(nothing_readable(lists.connection, reason, INCLUDED_ADVICE)),
        _ => Ok(()),
    }
}

/// What became of a namespace that is included by name.
enum Outcome {
    Read,
    /// Its pods may not be listed: the right that is missing.
    Refused(String),
    /// Its pods were listed, and it may not be asked for itself: its name, and the server's words.
    Hidden(Arc<str>, String),
}

async fn one_namespace(lists: &Lists<'_>, namespace: Arc<str>) -> Result<Outcome, ClusterError> {
    // Anything else would make another URL than that of a namespace.
    if !is_dns_label(&namespace) {
        tracing::warn!("\"{}\" in namespace-selectors.include is not a valid namespace name", excerpt(&namespace));
        lists.send(vec![Event::NamespaceUnknown(namespace)]).await?;
        return Ok(Outcome::Read);
    }
    let pods = match lists.read(&ListScope::PodsOf(Arc::clone(&namespace))).await? {
        ListEnd::Refused(reason) => return Ok(Outcome::Refused(reason)),
        ListEnd::Read { items, .. } => items,
    };
    if pods > 0 && !lists.wants_namespaces {
        return Ok(Outcome::Read);
    }
    let found = get_namespace(lists, &namespace).await?;
    match found {
        Found::Hidden(message) if lists.wants_namespaces => return Ok(Outcome::Hidden(namespace, message)),
        Found::Unknown if pods == 0 => lists.send(vec![Event::NamespaceUnknown(namespace)]).await?,
        // Deleted since its pods were listed, or there, and that is all that is asked.
        Found::Unknown | Found::Hidden(_) | Found::There(None) => {}
        Found::There(Some(record)) => {
            lists.warned.is_well(&topic(&namespace));
            lists.send(vec![Event::from(record)]).await?;
        }
    }
    Ok(Outcome::Read)
}

fn topic(namespace: &str) -> String {
    format!("namespace {namespace}")
}

/// One warning of those that are news, however many they are.
fn warn_of_hidden(lists: &Lists<'_>, mut hidden: Vec<(Arc<str>, String)>) {
    hidden.retain(|(namespace, _)| lists.warned.is_news(&topic(namespace)));
    hidden.sort();
    let Some((_, message)) = hidden.first() else { return };
    let names: Vec<_> = hidden.iter().map(|(namespace, _)| namespace).collect();
    let names = join_names(&names, 1);
    tracing::warn!("missing right: get namespaces in namespace {names} ({message}): {NAMESPACE_ADVICE}");
}

fn nothing_readable(connection: &Connection, reason: String, advice: &'static str) -> ClusterError {
    ClusterError::NothingReadable { endpoint: Box::new(connection.endpoint().clone()), reason, advice }
}

/// `GET /version`. It is an ornament of the report: whatever goes wrong with it costs no inventory, and is logged once and
/// not at every poll.
async fn server_version(lists: &Lists<'_>) -> ServerVersion {
    let path = "/version";
    match lists.connection.get(path, RetryPolicy::WhileItHelps, &VersionReader).await {
        Ok(version) => {
            lists.warned.is_well(VERSION);
            version
        }
        Err(failed) => {
            let error = lists.connection.error(path, failed);
            if lists.warned.is_news(VERSION) {
                tracing::warn!("the server's version stays empty in reports: {error}");
            }
            ServerVersion::default()
        }
    }
}

struct VersionReader;

impl Reader for VersionReader {
    type Output = ServerVersion;

    async fn read(&self, response: Response<Body>) -> Result<ServerVersion, Failure> {
        let text = read_text(response.into_body()).await.map_err(|error| Failure::of(&error))?;
        let info: Info = serde_json::from_str(&text).map_err(|error| Failure::Malformed(error.to_string()))?;
        Ok(ServerVersion {
            major: info.major,
            minor: info.minor,
            git_version: info.git_version,
            git_commit: info.git_commit,
            git_tree_state: info.git_tree_state,
            build_date: info.build_date,
            go_version: info.go_version,
            compiler: info.compiler,
            platform: info.platform,
        })
    }
}
