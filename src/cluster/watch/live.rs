//! What the streams bring, how each of them stands, and why watching ends.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::cluster::error::ClusterError;
use crate::cluster::list::path;
use crate::snapshot::{Event, ListScope};

/// What the streams brought.
#[derive(Debug)]
pub struct Live {
    /// In order; none when nothing happened.
    pub events: Vec<Event>,
    /// Up to when all streams were heard of.
    pub observed_at: Timestamp,
    /// Why one of them is not watched at the moment, if that is so.
    pub lost: Option<String>,
}

/// Why watching ended.
#[derive(Debug)]
pub(crate) enum WatchEnd {
    /// Everything has to be read anew.
    Relist,
    /// As before, with a kubeconfig and credentials that are read anew.
    Reconnect,
    /// As before, after a pause: credentials cannot be had, or a defect of kai.
    Failed(ClusterError),
    /// It may not be watched, or cannot be: the reason. Only polling is left.
    Poll(String),
    /// As before, and polling is not wanted: watching is tried again after that time.
    Stalled { reason: String, wait: Duration },
    /// Nobody takes the events any more.
    Abandoned,
}

/// How each stream stands.
#[derive(Debug)]
pub(super) struct Seen(Mutex<BTreeMap<ListScope, Standing>>);

#[derive(Debug)]
struct Standing {
    /// When it was last heard of.
    at: Timestamp,
    /// Why there is none.
    lost: Option<String>,
}

impl Seen {
    /// Of streams that begin now.
    pub(super) fn new<'s>(scopes: impl Iterator<Item = &'s ListScope>) -> Self {
        let now = Timestamp::now();
        Self(Mutex::new(scopes.map(|scope| (scope.clone(), Standing { at: now, lost: None })).collect()))
    }

    /// A frame has come.
    pub(super) fn hear(&self, scope: &ListScope) {
        self.change(scope, |standing| standing.at = Timestamp::now());
    }

    /// There is no stream, for that reason.
    pub(super) fn lose(&self, scope: &ListScope, reason: &str) {
        self.change(scope, |standing| {
            // Once for as long as it lasts.
            if standing.lost.is_none() {
                tracing::warn!("the watch is lost, and tried again: {reason}");
            }
            standing.lost = Some(reason.to_owned());
        });
    }

    /// There is a stream again.
    pub(super) fn regain(&self, scope: &ListScope) {
        self.change(scope, |standing| {
            if standing.lost.take().is_some() {
                tracing::info!("the watch of {} goes on", path(scope));
            }
        });
    }

    /// Up to when all pods were heard of, and why a stream is lost. Nothing depends on nodes. Namespaces change seldom, and
    /// while their stream is quiet the pods' age is what is asked for; once it is lost it counts.
    pub(super) fn by_all(&self) -> (Timestamp, Option<String>) {
        let standings = self.lock();
        let needed = || standings.iter().filter(|(scope, _)| **scope != ListScope::Nodes);
        let counts =
            |(scope, standing): &(&ListScope, &Standing)| **scope != ListScope::Namespaces || standing.lost.is_some();
        let at = needed().filter(counts).map(|(_, standing)| standing.at).min();
        (at.unwrap_or_else(Timestamp::now), needed().find_map(|(_, standing)| standing.lost.clone()))
    }

    fn change(&self, scope: &ListScope, change: impl FnOnce(&mut Standing)) {
        if let Some(standing) = self.lock().get_mut(scope) {
            change(standing);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ListScope, Standing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
