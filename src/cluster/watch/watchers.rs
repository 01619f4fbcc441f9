//! The streams of a cluster side by side, and what ends them all.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures::future::{FutureExt as _, select_all};
use tokio::sync::mpsc::Sender;

use super::follow::Follower;
use super::live::{Live, Seen, WatchEnd};
use super::state::{Fallback, Watcher};
use crate::cluster::ends::Relisted;
use crate::cluster::request::Connection;
use crate::decode::Records;
use crate::snapshot::ListScope;

/// A right that is missing may be given.
const PAUSE: Duration = Duration::from_mins(1);

/// How each watch of a cluster stands. It outlives its streams and its connection.
#[derive(Debug)]
pub(crate) struct Watchers {
    fallback: Fallback,
    by_scope: BTreeMap<ListScope, Watcher>,
}

impl Watchers {
    pub(crate) fn new(fallback: Fallback) -> Self {
        Self { fallback, by_scope: BTreeMap::new() }
    }

    /// Whether what cannot be watched is polled.
    pub(crate) fn polls(&self) -> bool {
        self.fallback == Fallback::Poll
    }

    /// Watches each list that was read, until one of them has to be read again.
    pub(in crate::cluster) async fn follow(
        &mut self,
        connection: &Connection,
        records: &Mutex<Records>,
        relisted: &Relisted,
        live: &Sender<Live>,
    ) -> WatchEnd {
        if let Some(reason) = &relisted.unwatchable {
            return self.without_watch(reason.clone());
        }
        self.by_scope.retain(|scope, _| relisted.versions.contains_key(scope));
        for scope in relisted.versions.keys() {
            self.by_scope.entry(scope.clone()).or_insert_with(|| Watcher::new(self.fallback, true));
        }
        let seen = Seen::new(relisted.versions.keys());
        let followers = self.by_scope.iter_mut().map(|(scope, watcher)| {
            let version = relisted.versions.get(scope).copied().flatten();
            let is_unsure = AtomicBool::new(false);
            let follower = Follower { connection, records, scope, live, seen: &seen, is_unsure };
            async move {
                match (scope, follower.run(watcher, version).await) {
                    // Nothing depends on them: they are read again with everything.
                    (ListScope::Nodes, WatchEnd::Poll(reason) | WatchEnd::Stalled { reason, .. }) => {
                        tracing::warn!("nodes are not watched, and read with each list of everything: {reason}");
                        pending().await
                    }
                    (_, end) => end,
                }
            }
            .boxed()
        });
        let followers: Vec<_> = followers.collect();
        if followers.is_empty() {
            return WatchEnd::Poll("no list can be watched".to_owned());
        }
        select_all(followers).await.0
    }

    fn without_watch(&self, reason: String) -> WatchEnd {
        match self.fallback {
            Fallback::Poll => WatchEnd::Poll(reason),
            Fallback::Never => WatchEnd::Stalled { reason, wait: PAUSE },
        }
    }
}
