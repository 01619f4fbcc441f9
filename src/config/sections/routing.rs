//! Which account a namespace's inventory goes to, and which labels and annotations go with it.

use std::collections::BTreeMap;

use regex::Regex;

use super::selection::patterns;
use crate::config::effective::{Effective, missing};
use crate::config::keys::ACCOUNT_ROUTES;
use crate::config::layer::Route;
use crate::config::problem::{Origin, Problems};
use crate::config::receiver::{AccountRoute, AnchoreUser, LabelRoute, MetadataSettings, Password};
use crate::config::value::{Item, Setting};
use crate::inventory::{KeyFilter, MetadataRule, NamespacePattern, excerpt};

const LABEL_KEY: &str = "account-route-by-namespace-label.key";
const LABEL_DEFAULT: &str = "account-route-by-namespace-label.default-account";
const LABEL_IGNORE: &str = "account-route-by-namespace-label.ignore-missing-label";

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
            let serves_labels = entry.credentials.is_some() && values.text(LABEL_KEY).is_some();
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
            "\"{}\" is no name of an account; write letters, digits and signs of ASCII, without a space at either end",
            excerpt(account)
        );
        problems.add(origin, key, text);
    }
}

/// A namespace that two routes name exactly: nothing says which of them is meant, and it must not go to both. `listed`
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
            problems.add(&item.origin, &format!("{ACCOUNT_ROUTES}.{}.namespaces", route.account), text);
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
        let reason = missing(setting.as_ref(), &key);
        problems.add_missing(origin, &key, format!("{reason}; an account has its own user and password, or neither"));
    }
}

/// `account-route-by-namespace-label.*`; the key decides.
pub(super) fn label_route(values: &Effective, problems: &mut Problems) -> Option<LabelRoute> {
    let (default_account, ignore_missing_label) = (values.text(LABEL_DEFAULT), values.switch(LABEL_IGNORE));
    let Some(key) = values.text(LABEL_KEY) else {
        let idle = [(LABEL_DEFAULT, default_account.is_some()), (LABEL_IGNORE, ignore_missing_label)];
        for (path, _) in idle.into_iter().filter(|(_, set)| *set) {
            let text =
                format!("{path}: does nothing while {LABEL_KEY} is empty; name the label there, or empty this key");
            problems.warn(values.origin(path), text);
        }
        return None;
    };
    if let Some(account) = default_account {
        check_account(values.origin(LABEL_DEFAULT), LABEL_DEFAULT, account, problems);
    }
    Some(LabelRoute { key: key.to_owned(), default_account: default_account.map(str::to_owned), ignore_missing_label })
}

/// `metadata-collection.*`
pub(super) fn metadata(values: &Effective, problems: &mut Problems) -> MetadataSettings {
    let mut rule = |kind: &str| {
        let mut filter = |list: &str| expressions(values, &format!("metadata-collection.{kind}.{list}"), problems);
        let (annotations, labels) = (filter("include-annotations"), filter("include-labels"));
        if values.switch(&format!("metadata-collection.{kind}.disable")) {
            return MetadataRule::default();
        }
        // An empty list names all of them, as the successor has it.
        let filter = |list: Vec<Regex>| if list.is_empty() { KeyFilter::All } else { KeyFilter::Matching(list.into()) };
        MetadataRule { labels: filter(labels), annotations: filter(annotations) }
    };
    MetadataSettings { nodes: rule("nodes"), namespaces: rule("namespaces"), pods: rule("pods") }
}

fn expressions(values: &Effective, path: &str, problems: &mut Problems) -> Vec<Regex> {
    let mut expressions = Vec::new();
    for item in values.items(path) {
        if item.text.is_empty() {
            problems.add(&item.origin, path, "an empty entry selects nothing; remove it");
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
                    format!("\"{}\" is no regular expression: {}; correct it", excerpt(&item.text), excerpt(reason));
                problems.add(&item.origin, path, text);
            }
        }
    }
    expressions
}
