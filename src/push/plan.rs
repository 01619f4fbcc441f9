//! What is to be sent of a snapshot, to whom, and whether it may be sent at all.

use std::sync::Arc;

use jiff::Timestamp;

use super::routing::{Routing, Share};
use crate::config::{AnchoreSettings, NO_CLUSTER_NAME};
use crate::feed::Latest;
use crate::inventory::{excerpt, join_first};
use crate::snapshot::{Completeness, NamespacePart, Snapshot};

/// As many missing things as a message names.
const NAMED: usize = 10;

/// One push: a report for each account, or the reason why nothing is sent.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) snapshot: Arc<Snapshot>,
    /// When that was last seen to be true.
    pub(super) observed_at: Timestamp,
    pub(super) routing: Routing,
    /// Why nothing is sent: something is missing, or the cluster has no name.
    pub(super) withheld: Option<String>,
    /// Whether `anchore.account` gets a report even of nothing: it is the only account that there is.
    is_single: bool,
}

/// What one account is sent.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) snapshot: Arc<Snapshot>,
    /// When that was last seen to be true.
    pub(super) observed_at: Timestamp,
    pub(super) account: Arc<str>,
    pub(super) namespaces: Arc<[Arc<NamespacePart>]>,
    /// Whether it is sent even with no namespace in it.
    pub(super) even_if_empty: bool,
    /// Nodes that run none of the pods that are sent stand in the report of the default account.
    pub(super) with_idle_nodes: bool,
}

impl Plan {
    /// Plans the push of a snapshot.
    #[must_use]
    pub(super) fn of(latest: &Latest, settings: &AnchoreSettings) -> Self {
        let Latest { snapshot, observed_at, .. } = latest;
        let is_single = settings.account_routes.is_empty() && settings.route_by_label.is_none();
        let mut routing = Routing::of(snapshot, settings);
        if is_single && routing.shares.is_empty() {
            routing.shares.push(Share { account: settings.account.as_str().into(), namespaces: Vec::new() });
        }
        let withheld = if snapshot.cluster_name().is_empty() {
            Some(NO_CLUSTER_NAME.to_owned())
        } else if snapshot.is_complete() || settings.push_incomplete {
            None
        } else {
            let lacks = lacks(snapshot.completeness());
            Some(format!("the inventory is incomplete: {lacks}; anchore.push-incomplete sends what could be read"))
        };
        Self { snapshot: Arc::clone(snapshot), observed_at: *observed_at, routing, withheld, is_single }
    }

    /// The report for each account, sorted by account.
    pub(super) fn reports<'p>(&'p self, settings: &'p AnchoreSettings) -> impl Iterator<Item = Report> + 'p {
        self.routing.shares.iter().map(|share| Report {
            snapshot: Arc::clone(&self.snapshot),
            observed_at: self.observed_at,
            account: Arc::clone(&share.account),
            namespaces: share.namespaces.clone().into(),
            even_if_empty: self.is_single,
            with_idle_nodes: *share.account == *settings.account,
        })
    }
}

/// What is missing, in words.
fn lacks(completeness: &Completeness) -> String {
    let missing = completeness.missing.iter().map(|missing| match &missing.namespace {
        Some(namespace) => format!("namespace {}: {}", excerpt(namespace), excerpt(&missing.reason)),
        None => excerpt(&missing.reason).to_string(),
    });
    let skipped = completeness.skipped_samples.iter().map(|item| format!("{}: {}", item.item, item.problem));
    let all = completeness.missing.len() as u64 + completeness.skipped;
    let named: Vec<String> = missing.chain(skipped).take(NAMED).collect();
    join_first(&named, "; ", all)
}
