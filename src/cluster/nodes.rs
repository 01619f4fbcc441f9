//! The list of nodes, beside the others: an addition to what is sent, without which everything else is as true.

use futures::future::{BoxFuture, Either, FutureExt as _, select};

use super::ends::ListEnd;
use super::error::ClusterError;
use super::list::Lists;
use crate::snapshot::{Event, ListScope};

const NODES: &str = "nodes";

/// Reads `rest`, and the nodes meanwhile when they are wanted. Whatever goes wrong with the nodes costs the nodes alone,
/// and is logged once and not at every poll.
pub(super) async fn beside_nodes<T>(
    lists: &Lists<'_>,
    rest: BoxFuture<'_, Result<T, ClusterError>>,
) -> Result<T, ClusterError> {
    if !lists.wants_nodes {
        return rest.await;
    }
    match select(rest, nodes(lists).boxed()).await {
        Either::Right((read, rest)) => {
            read?;
            rest.await
        }
        Either::Left((rest, nodes)) => {
            let rest = rest?;
            // A list of nodes that hangs must not hold up what is known already for all of its retries.
            let limit = lists.connection.timeout();
            match tokio::time::timeout(limit, nodes).await {
                Ok(read) => read?,
                Err(_elapsed) => {
                    leave_out(lists, &format!("they were not read {limit:?} after everything else")).await?;
                }
            }
            Ok(rest)
        }
    }
}

async fn nodes(lists: &Lists<'_>) -> Result<(), ClusterError> {
    match lists.read(&ListScope::Nodes).await {
        Ok(ListEnd::Read { .. }) => {
            lists.warned.is_well(NODES);
            Ok(())
        }
        Ok(ListEnd::Refused(reason)) => {
            leave_out(lists, &format!("{reason}; bind a ClusterRole with the verb list on nodes to that user")).await
        }
        Err(ClusterError::Abandoned) => Err(ClusterError::Abandoned),
        Err(error) => leave_out(lists, &error.to_string()).await,
    }
}

/// Drops what came of the list, which may be half of it: there are no nodes.
async fn leave_out(lists: &Lists<'_>, reason: &str) -> Result<(), ClusterError> {
    if lists.warned.is_news(NODES) {
        tracing::warn!("nodes are left out of what is sent: {reason}");
    }
    lists.send([Event::RelistBegun, Event::RelistEnded].map(|event| event(ListScope::Nodes)).into()).await
}
