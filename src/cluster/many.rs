//! More included namespaces than are watched one by one: all pods are listed and watched, if that may be.

use http::StatusCode;

use super::error::ClusterError;
use super::list::{Lists, missing_right, path};
use super::page::PageReader;
use super::retry::RetryPolicy;
use crate::inventory::NamespaceSelection;
use crate::snapshot::ListScope;

/// The most namespaces that are watched one by one: each is a connection.
pub(super) const WATCHED_MAX: usize = 32;

/// How many namespaces are included, where they are more than are watched one by one.
pub(super) fn too_many(selection: &NamespaceSelection) -> Option<usize> {
    selection.included().map(|names| names.len()).filter(|names| *names > WATCHED_MAX)
}

/// The right to list all pods that is missing, if it is.
pub(super) async fn missing_right_to_all(
    lists: &Lists<'_>,
    retry: RetryPolicy,
) -> Result<Option<String>, ClusterError> {
    let scope = ListScope::AllPods;
    let path = format!("{}?limit=1", path(&scope));
    let reader = PageReader { scope: &scope, records: lists.records, metrics: &lists.connection.metrics, next: None };
    match lists.connection.get(&path, retry, &reader).await {
        Ok(_) => Ok(None),
        Err(failed) => match failed.kubernetes_words() {
            Some((StatusCode::FORBIDDEN, message)) => Ok(Some(missing_right("list", &scope, message))),
            _ => Err(lists.connection.error(&path, failed)),
        },
    }
}

/// Why so many namespaces are not watched.
pub(super) fn unwatchable(names: usize, missing: &str) -> String {
    format!(
        "namespace-selectors.include names {names} namespaces; more than {WATCHED_MAX} are watched as part of the whole \
         cluster, which kai may not list: {missing}"
    )
}
