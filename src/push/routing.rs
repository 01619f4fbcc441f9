//! Which account each namespace's inventory goes to, and by which rule.
//!
//! An account route that names the namespace exactly comes first, then one whose expression matches it, then the
//! namespace's label, then `anchore.account`. What two rules of equal rank claim for different accounts goes to neither:
//! data in the wrong account is worse than data that is missing and reported as missing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::{AccountRoute, AnchoreSettings, LabelRoute};
use crate::inventory::{NamespacePattern, excerpt};
use crate::snapshot::{NamespacePart, NamespaceState, Snapshot};

/// Where every namespace of a snapshot goes that may be sent.
#[derive(Debug, Default)]
pub(super) struct Routing {
    /// What each account gets, sorted by account.
    pub(super) shares: Vec<Share>,
    /// How each namespace came to its account, or to none; sorted by namespace.
    pub(super) decisions: Vec<Decision>,
}

#[derive(Debug)]
pub(super) struct Share {
    pub(super) account: Arc<str>,
    /// Its namespaces, sorted by name.
    pub(super) namespaces: Vec<Arc<NamespacePart>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) namespace: Arc<str>,
    /// Its account, or why it has none.
    pub(super) route: Result<Route, NoRoute>,
    /// The accounts to which k8s-inventory would have sent it, when they are others: it takes every entry of
    /// `account-routes` for an expression that is found anywhere in the name.
    pub(super) k8s_inventory: Option<Vec<Arc<str>>>,
}

/// An account, and the rule that led there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) account: Arc<str>,
    /// The setting that decided.
    pub(super) rule: String,
}

/// Why a namespace goes to no account.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoRoute {
    /// `ignore-missing-label`, as the user wants it.
    Ignored(String),
    /// An error: it is not clear which account is right.
    Unclear(String),
}

impl Routing {
    /// Routes the namespaces of a snapshot that may be sent as whole. What could not be read is left out; see
    /// [`Snapshot::vouches_for`].
    #[must_use]
    pub(super) fn of(snapshot: &Snapshot, settings: &AnchoreSettings) -> Self {
        let mut shares: BTreeMap<Arc<str>, Vec<Arc<NamespacePart>>> = BTreeMap::new();
        let mut decisions = Vec::new();
        for part in snapshot.namespaces().iter().filter(|part| snapshot.vouches_for(part)) {
            let by_route = by_account_route(part.name(), &settings.account_routes);
            let is_routed = matches!(by_route, Some(Ok(_)));
            let route = by_route.unwrap_or_else(|| by_default(part, settings));
            // What the cluster does not have can have no label either.
            if part.state() == NamespaceState::Unknown && settings.route_by_label.is_some() && !is_routed {
                continue;
            }
            if let Ok(Route { account, .. }) = &route {
                shares.entry(Arc::clone(account)).or_default().push(Arc::clone(part));
            }
            let k8s_inventory = k8s_inventory(part.name(), &route, is_routed, settings);
            decisions.push(Decision { namespace: Arc::clone(part.name()), route, k8s_inventory });
        }
        let shares = shares.into_iter().map(|(account, namespaces)| Share { account, namespaces }).collect();
        Self { shares, decisions }
    }

    /// The namespaces that go nowhere although they should, each with the reason.
    pub(super) fn unclear(&self) -> impl Iterator<Item = (&Arc<str>, &str)> {
        self.decisions.iter().filter_map(|decision| match &decision.route {
            Err(NoRoute::Unclear(reason)) => Some((&decision.namespace, reason.as_str())),
            Ok(_) | Err(NoRoute::Ignored(_)) => None,
        })
    }
}

/// The one entry of `account-routes` that claims the namespace; `None` when none does.
fn by_account_route(namespace: &str, routes: &BTreeMap<String, AccountRoute>) -> Option<Result<Route, NoRoute>> {
    let claims = |exact: bool| -> Vec<(&str, &NamespacePattern)> {
        routes
            .iter()
            .filter_map(|(account, route)| {
                let mut wanted = route.namespaces.iter().filter(|pattern| is_exact(pattern) == exact);
                wanted.find(|pattern| pattern.matches(namespace)).map(|pattern| (account.as_str(), pattern))
            })
            .collect()
    };
    let exact = claims(true);
    let claims = if exact.is_empty() { claims(false) } else { exact };
    match claims.as_slice() {
        [] => None,
        [(account, pattern)] => Some(Ok(Route { account: Arc::from(*account), rule: rule_of(account, pattern) })),
        several => {
            let rules: Vec<String> = several.iter().map(|(account, pattern)| rule_of(account, pattern)).collect();
            let rules = rules.join(" and ");
            Some(Err(NoRoute::Unclear(format!("{rules} both match it; name it exactly in the one it belongs to"))))
        }
    }
}

fn is_exact(pattern: &NamespacePattern) -> bool {
    matches!(pattern, NamespacePattern::Exact(_))
}

fn rule_of(account: &str, pattern: &NamespacePattern) -> String {
    let kind = if is_exact(pattern) { "exactly" } else { "expression" };
    format!("account-routes.{} ({kind} {})", excerpt(account), excerpt(pattern.as_str()))
}

/// Where a namespace goes that no account route claims.
fn by_default(part: &NamespacePart, settings: &AnchoreSettings) -> Result<Route, NoRoute> {
    let Some(LabelRoute { key, default_account, ignore_missing_label }) = &settings.route_by_label else {
        return Ok(Route { account: settings.account.as_str().into(), rule: "anchore.account".to_owned() });
    };
    let Some(record) = part.record() else {
        let reason = format!(
            "its labels could not be read, and {} decides (account-route-by-namespace-label.key); allow get on \
             namespaces, or name it in account-routes",
            excerpt(key)
        );
        return Err(NoRoute::Unclear(reason));
    };
    let label = record.metadata.label(key).filter(|account| !account.trim().is_empty());
    match (label, default_account) {
        (Some(account), _) => Ok(Route { account: Arc::clone(account), rule: format!("label {}", excerpt(key)) }),
        (None, _) if *ignore_missing_label => Err(NoRoute::Ignored(format!(
            "it has no label {}, and account-route-by-namespace-label.ignore-missing-label is set",
            excerpt(key)
        ))),
        (None, Some(account)) => Ok(Route {
            account: account.as_str().into(),
            rule: "account-route-by-namespace-label.default-account".to_owned(),
        }),
        (None, None) => Ok(Route { account: settings.account.as_str().into(), rule: "anchore.account".to_owned() }),
    }
}

/// Where k8s-inventory would have sent it, when that is not where it goes.
fn k8s_inventory(
    namespace: &str,
    route: &Result<Route, NoRoute>,
    is_routed: bool,
    settings: &AnchoreSettings,
) -> Option<Vec<Arc<str>>> {
    let matches = |route: &AccountRoute| route.namespaces.iter().any(|pattern| is_found(pattern, namespace));
    let accounts: Vec<Arc<str>> = settings
        .account_routes
        .iter()
        .filter(|(_, route)| matches(route))
        .map(|(account, _)| Arc::from(account.as_str()))
        .collect();
    let is_same = match (route, accounts.as_slice()) {
        (Ok(route), [only]) => is_routed && route.account == *only,
        (_, []) => true,
        _ => false,
    };
    (!is_same).then_some(accounts)
}

/// A DNS label has no character that an expression gives a meaning to.
fn is_found(pattern: &NamespacePattern, namespace: &str) -> bool {
    match pattern {
        NamespacePattern::Exact(name) => namespace.contains(&**name),
        NamespacePattern::Regex(_) => pattern.matches(namespace),
    }
}
