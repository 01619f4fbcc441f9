//! `anchore.*` and what goes with a push. Without a URL nothing of it matters, and only what could never be right is said.

use super::{Given, anchore_http, routing};
use crate::config::effective::{Effective, missing};
use crate::config::keys::REGISTRATION_ENABLED;
use crate::config::problem::Problems;
use crate::config::receiver::{
    AnchoreApi, AnchoreSettings, AnchoreUser, Password, PushTarget, PushWhen, RegistrationSettings,
};
use crate::config::url::check_http_url;

const URL: &str = "anchore.url";
const USER: &str = "anchore.user";
const PASSWORD: &str = "anchore.password";
const PASSWORD_FILE: &str = "anchore.password-file";
const ACCOUNT: &str = "anchore.account";

pub(super) fn build(given: Given<'_>, problems: &mut Problems) -> AnchoreSettings {
    let values = given.values;
    let push = push_target(given, problems);
    let pushing = push.is_some();
    let account_routes = routing::account_routes(values, pushing, problems);
    let metadata = routing::metadata(values, problems);
    let mut unused = Problems::default();
    let problems = if pushing { problems } else { &mut unused };
    let limit = |path: &str| Some(values.number(path)).filter(|number| *number > 0);
    let account = values.text(ACCOUNT).unwrap_or("admin");
    routing::check_account(values.origin(ACCOUNT), ACCOUNT, account, problems);
    AnchoreSettings {
        account: account.to_owned(),
        api: match values.word("anchore.api") {
            "inventories" => AnchoreApi::Inventories,
            "kubernetes-inventory-v1" => AnchoreApi::KubernetesInventoryV1,
            "kubernetes-inventory-v2" => AnchoreApi::KubernetesInventoryV2,
            _ => AnchoreApi::Auto,
        },
        push_when: match values.word("anchore.push-when") {
            "change" => PushWhen::Change,
            "both" => PushWhen::Both,
            _ => PushWhen::Interval,
        },
        push_incomplete: values.switch("anchore.push-incomplete"),
        http: anchore_http::build(given, problems),
        registration: registration(values),
        health_report_interval: values.seconds("health-report-interval-seconds"),
        account_routes,
        route_by_label: routing::label_route(values, problems),
        namespaces_per_report: limit("inventory-report-limits.namespaces")
            .map(|number| usize::try_from(number).unwrap_or(usize::MAX)),
        payload_threshold_bytes: limit("inventory-report-limits.payload-threshold-bytes"),
        metadata,
        push,
    }
}

/// The URL decides: KAI's chart writes a user and a password without one, and then nothing is pushed.
fn push_target(given: Given<'_>, problems: &mut Problems) -> Option<PushTarget> {
    let values = given.values;
    let url = values.text(URL)?;
    if let Err(reason) = check_http_url(url) {
        problems.add(values.origin(URL), URL, reason);
    }
    let user = values.text(USER);
    if user.is_none() {
        let reason = missing(Some(values.get(USER)), USER);
        let text = format!("{reason}, or empty {URL} to push nothing");
        problems.add_missing(values.origin_or(USER, URL), USER, text);
    }
    let password = password(given, problems);
    Some(PushTarget {
        url: url.to_owned(),
        credentials: AnchoreUser { user: user.unwrap_or_default().to_owned(), password },
    })
}

fn password(given: Given<'_>, problems: &mut Problems) -> Password {
    let Given { values, environment, .. } = given;
    let (setting, file) = (values.get(PASSWORD), values.text(PASSWORD_FILE));
    match (setting.text(), file) {
        (None, Some(file)) if setting.expanded_from.is_none() => {
            return Password::File(environment.resolve(file.as_ref()));
        }
        (_, Some(_)) => {
            let text = format!("is set, and so is {PASSWORD} ({}); keep one of them", setting.origin);
            problems.add(values.origin(PASSWORD_FILE), PASSWORD_FILE, text);
        }
        (Some(text), None) => return Password::Text(text.into()),
        (None, None) => {
            let reason = missing(Some(setting), PASSWORD);
            let text = format!("{reason}, or name a file with it in {PASSWORD_FILE}, or empty {URL} to push nothing");
            problems.add_missing(values.origin_or(PASSWORD, URL), PASSWORD, text);
        }
    }
    Password::Text(String::new().into())
}

fn registration(values: &Effective) -> RegistrationSettings {
    let text = |path: &str| values.text(path).map(str::to_owned);
    RegistrationSettings {
        enabled: values.switch(REGISTRATION_ENABLED),
        registration_id: text("anchore-registration.registration-id"),
        integration_name: text("anchore-registration.integration-name"),
        integration_description: text("anchore-registration.integration-description"),
    }
}
