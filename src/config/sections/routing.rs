//! Which account a namespace's inventory goes to, and which labels and annotations go with it.

use std::collections::BTreeMap;

use regex::Regex;

use super::selection::patterns;
use crate::config::effective::{Effective, missing};
use crate::config::keys::{
    ACCOUNT_ROUTES, Key, List, NAMESPACE_ANNOTATIONS, NAMESPACE_LABELS, NAMESPACES_DISABLED, NODE_ANNOTATIONS,
    NODE_LABELS, NODES_DISABLED, POD_ANNOTATIONS, POD_LABELS, PODS_DISABLED, ROUTE_LABEL, ROUTE_LABEL_DEFAULT,
    ROUTE_LABEL_IGNORE_MISSING,
};
use crate::config::layer::Route;
use crate::config::problem::{Origin, Problems};
use crate::config::receiver::{AccountRoute, AnchoreUser, LabelRoute, MetadataSettings, Password};
use crate::config::value::{Item, Setting};
use crate::inventory::{KeyFilter, MetadataRule, NamespacePattern, excerpt};

/// `account-routes`. `pushing`: what is missing or contradicts itself matters.
pub(super) fn account_routes(
    values: &Effective,
    pushing: bool,
    problems: &mut Problems,
) -> BTreeMap<String, AccountRoute> {
    let (mut routes, mut listed) = (BTreeMap::new(), BTreeMap::new());
    for route in values.routes() {
        let path = format!("{ACCOUNT_ROUTES}.{}", route.account);
        if route.account.is_empty() {
            problems.add(&route.origin, ACCOUNT_ROUTES, "an account has an empty name; write the account's name");
        }
        let items = route.namespaces.as_ref().map_or(&[][..], Setting::items);
        let namespaces = patterns(&format!("{path}.namespaces"), items, problems);
        let text = |setting: &Option<Setting>| setting.as_ref().and_then(Setting::text).map(str::to_owned);
        let credentials = text(&route.user).zip(text(&route.password));
        let entry = AccountRoute {
            credentials: credentials
                .map(|(user, password)| AnchoreUser { user, password: Password::Text(password.into()) }),
            namespaces: namespaces.iter().map(|(_, pattern)| pattern.clone()).collect(),
        };
        if pushing {
            check_account(&route.origin, &path, &route.account, problems);
            check_credentials(&path, route, problems);
            check_distinct(route, &namespaces, &mut listed, problems);
            // An account that labels name may have its credentials here and no namespaces.
            let serves_labels = entry.credentials.is_some() && values.text(ROUTE_LABEL).is_some();
            if items.is_empty() && !serves_labels {
                let text = format!(
                    "{}: names no namespaces, so that nothing goes to this account by its route; \
                     list them in its key namespaces, or remove it",
                    excerpt(&path)
                );
                problems.warn(&route.origin, text);
            }
        }
        routes.insert(route.account.clone(), entry);
    }
    routes
}

/// An account travels in a header, which takes no other characters.
pub(super) fn check_account(origin: &Origin, key: &str, account: &str, problems: &mut Problems) {
    let fits = account.bytes().all(|byte| matches!(byte, b' '..=b'~')) && account.trim() == account;
    if !fits {
        let text = format!(
            "\"{}\" is not a valid account name; use ASCII letters, digits and punctuation, without a space at either end",
            excerpt(account)
        );
        problems.add(origin, key, text);
    }
}

/// A namespace that two routes name exactly: it is unknown which of them is meant, and it must not go to both. `listed`
/// has the first route that names each.
fn check_distinct<'a>(
    route: &'a Route,
    namespaces: &[(&'a Item, NamespacePattern)],
    listed: &mut BTreeMap<&'a str, (&'a str, &'a Origin)>,
    problems: &mut Problems,
) {
    for (item, _) in namespaces.iter().filter(|(_, pattern)| matches!(pattern, NamespacePattern::Exact(_))) {
        let (account, place) = *listed.entry(&item.text).or_insert((&route.account, &item.origin));
        if account != route.account {
            let text = format!(
                "\"{}\" is listed for the account \"{}\" too ({place}); a namespace goes to one account, so keep one of them",
                excerpt(&item.text),
                excerpt(account)
            );
            problems.add(&item.origin, format!("{ACCOUNT_ROUTES}.{}.namespaces", route.account), text);
        }
    }
}

/// Both or neither: half a pair would be completed with the other account's half.
fn check_credentials(path: &str, route: &Route, problems: &mut Problems) {
    let credentials = [("user", &route.user), ("password", &route.password)];
    let given = credentials.map(|(_, setting)| setting.as_ref().is_some_and(|setting| setting.text().is_some()));
    for ((name, setting), given_here) in credentials.into_iter().zip(given) {
        let names_a_variable = setting.as_ref().is_some_and(|setting| setting.expanded_from.is_some());
        if given_here || !(names_a_variable || given.contains(&true)) {
            continue;
        }
        let origin = setting.as_ref().map_or(&route.origin, |setting| &setting.origin);
        let key = format!("{path}.{name}");
        let reason = missing(setting.as_ref(), "");
        problems.add_missing(origin, &key, format!("{reason}; an account has its own user and password, or neither"));
    }
}

/// `account-route-by-namespace-label.*`; the key decides.
pub(super) fn label_route(values: &Effective, problems: &mut Problems) -> Option<LabelRoute> {
    let (default_account, ignore_missing_label) =
        (values.text(ROUTE_LABEL_DEFAULT), values.switch(ROUTE_LABEL_IGNORE_MISSING));
    let Some(key) = values.text(ROUTE_LABEL) else {
        let mut idle = |path: &str, origin| {
            let text =
                format!("{path}: does nothing while {ROUTE_LABEL} is empty; name the label there, or empty this key");
            problems.warn(origin, text);
        };
        if default_account.is_some() {
            idle(ROUTE_LABEL_DEFAULT.path, values.origin(ROUTE_LABEL_DEFAULT));
        }
        if ignore_missing_label {
            idle(ROUTE_LABEL_IGNORE_MISSING.path, values.origin(ROUTE_LABEL_IGNORE_MISSING));
        }
        return None;
    };
    if let Some(account) = default_account {
        check_account(values.origin(ROUTE_LABEL_DEFAULT), ROUTE_LABEL_DEFAULT.path, account, problems);
    }
    Some(LabelRoute { key: key.to_owned(), default_account: default_account.map(str::to_owned), ignore_missing_label })
}

/// `metadata-collection.*`
pub(super) fn metadata(values: &Effective, problems: &mut Problems) -> MetadataSettings {
    let mut rule = |annotations, labels, disabled| {
        let mut filter = |list| expressions(values, list, problems);
        let (annotations, labels) = (filter(annotations), filter(labels));
        if values.switch(disabled) {
            return MetadataRule::default();
        }
        // An empty list names all of them, as in k8s-inventory.
        let filter = |list: Vec<Regex>| if list.is_empty() { KeyFilter::All } else { KeyFilter::Matching(list.into()) };
        MetadataRule { labels: filter(labels), annotations: filter(annotations) }
    };
    MetadataSettings {
        nodes: rule(NODE_ANNOTATIONS, NODE_LABELS, NODES_DISABLED),
        namespaces: rule(NAMESPACE_ANNOTATIONS, NAMESPACE_LABELS, NAMESPACES_DISABLED),
        pods: rule(POD_ANNOTATIONS, POD_LABELS, PODS_DISABLED),
    }
}

fn expressions(values: &Effective, key: Key<List>, problems: &mut Problems) -> Vec<Regex> {
    let mut expressions = Vec::new();
    for item in values.items(key) {
        if item.text.is_empty() {
            problems.add(&item.origin, key, "an empty entry selects nothing; remove it");
            continue;
        }
        match Regex::new(&item.text) {
            Ok(expression) => expressions.push(expression),
            Err(error) => {
                // The last line says what is wrong; those before it draw the expression.
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                let reason = last.strip_prefix("error: ").unwrap_or(last);
                let text =
                    format!("\"{}\" is not a regular expression: {}; correct it", excerpt(&item.text), excerpt(reason));
                problems.add(&item.origin, key, text);
            }
        }
    }
    expressions
}
