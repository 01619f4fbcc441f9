//! Which account a namespace's inventory goes to, and which labels and annotations go with it.

use std::collections::BTreeMap;

use regex::Regex;

use super::selection::patterns;
use crate::config::effective::{Effective, missing};
use crate::config::keys::ACCOUNT_ROUTES;
use crate::config::layer::Route;
use crate::config::problem::Problems;
use crate::config::settings::{AccountRoute, LabelRoute, MetadataSettings};
use crate::config::value::Setting;
use crate::inventory::{KeyFilter, MetadataRule, excerpt};

/// `account-routes`. `pushing`: credentials that are missing matter.
pub(super) fn account_routes(
    values: &Effective,
    pushing: bool,
    problems: &mut Problems,
) -> BTreeMap<String, AccountRoute> {
    let mut routes = BTreeMap::new();
    for route in values.routes() {
        let path = format!("{ACCOUNT_ROUTES}.{}", route.account);
        if route.account.is_empty() {
            problems.add(&route.origin, ACCOUNT_ROUTES, "an account has an empty name; write the account's name");
        }
        if pushing {
            check_credentials(&path, route, problems);
        }
        let items = route.namespaces.as_ref().map_or(&[][..], Setting::items);
        let namespaces = patterns(&format!("{path}.namespaces"), items, problems);
        let text = |setting: &Option<Setting>| setting.as_ref().and_then(Setting::text).map(str::to_owned);
        let entry = AccountRoute {
            user: text(&route.user),
            password: text(&route.password).map(Into::into),
            namespaces: namespaces.into_iter().map(|(_, pattern)| pattern).collect(),
        };
        routes.insert(route.account.clone(), entry);
    }
    routes
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
pub(super) fn label_route(values: &Effective) -> Option<LabelRoute> {
    let key = values.text("account-route-by-namespace-label.key")?;
    Some(LabelRoute {
        key: key.to_owned(),
        default_account: values.text("account-route-by-namespace-label.default-account").map(str::to_owned),
        ignore_missing_label: values.switch("account-route-by-namespace-label.ignore-missing-label"),
    })
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
