//! `anchore.*` and what goes with a push. Without `anchore.url` nothing of it matters, and only what could never be right
//! is a problem.

use super::{Given, anchore_http, routing};
use crate::config::effective::Effective;
use crate::config::keys::{
    ANCHORE_ACCOUNT, ANCHORE_API, ANCHORE_PASSWORD, ANCHORE_PASSWORD_FILE, ANCHORE_PUSH_INCOMPLETE,
    ANCHORE_PUSH_MIN_INTERVAL, ANCHORE_PUSH_WHEN, ANCHORE_URL, ANCHORE_USER, HEALTH_REPORT_INTERVAL,
    INTEGRATION_DESCRIPTION, INTEGRATION_NAME, Key, REGISTRATION_ENABLED, REGISTRATION_ID, REPORT_BYTES,
    REPORT_NAMESPACES,
};
use crate::config::problem::Problems;
use crate::config::receiver::{AnchoreSettings, AnchoreUser, Password, PushTarget, RegistrationSettings};
use crate::config::url::check_http_url;

pub(super) fn build(given: Given<'_>, problems: &mut Problems) -> AnchoreSettings {
    let values = given.values;
    let push = push_target(given, problems);
    let pushing = push.is_some();
    let account_routes = routing::account_routes(values, pushing, problems);
    let metadata = routing::metadata(values, problems);
    let mut unused = Problems::default();
    let problems = if pushing { problems } else { &mut unused };
    let limit = |key: Key<u64>| Some(values.number(key)).filter(|number| *number > 0);
    let account = values.text(ANCHORE_ACCOUNT).unwrap_or("admin");
    routing::check_account(values.origin(ANCHORE_ACCOUNT), ANCHORE_ACCOUNT.path, account, problems);
    AnchoreSettings {
        account: account.to_owned(),
        api: values.word(ANCHORE_API),
        push_when: values.word(ANCHORE_PUSH_WHEN),
        push_min_interval: values.seconds(ANCHORE_PUSH_MIN_INTERVAL),
        push_incomplete: values.switch(ANCHORE_PUSH_INCOMPLETE),
        http: anchore_http::build(given, problems),
        registration: registration(values),
        health_report_interval: values.seconds(HEALTH_REPORT_INTERVAL),
        account_routes,
        route_by_label: routing::label_route(values, problems),
        namespaces_per_report: limit(REPORT_NAMESPACES).map(|number| usize::try_from(number).unwrap_or(usize::MAX)),
        payload_threshold_bytes: limit(REPORT_BYTES),
        metadata,
        push,
    }
}

/// The ANCHORE_URL decides: KAI's chart writes a user and a password without one, and then nothing is pushed.
fn push_target(given: Given<'_>, problems: &mut Problems) -> Option<PushTarget> {
    let values = given.values;
    let Some(url) = values.text(ANCHORE_URL) else {
        // One that names a variable was meant to be set, and nothing would be sent.
        if values.get(ANCHORE_URL).expanded_from.is_some() {
            let text = format!("{}, or empty the key to push nothing", values.missing(ANCHORE_URL));
            problems.add(values.origin(ANCHORE_URL), ANCHORE_URL, text);
        }
        return None;
    };
    if let Err(reason) = check_http_url(url) {
        problems.add(values.origin(ANCHORE_URL), ANCHORE_URL, reason);
    }
    let user = values.text(ANCHORE_USER);
    if user.is_none() {
        let reason = values.missing(ANCHORE_USER);
        let text = format!("{reason}, or empty {ANCHORE_URL} to push nothing");
        problems.add_missing(values.origin_or(ANCHORE_USER, ANCHORE_URL), ANCHORE_USER, text);
    }
    let password = password(given, problems);
    Some(PushTarget {
        url: url.to_owned(),
        credentials: AnchoreUser { user: user.unwrap_or_default().to_owned(), password },
    })
}

fn password(given: Given<'_>, problems: &mut Problems) -> Password {
    let Given { values, environment, .. } = given;
    let (setting, file) = (values.get(ANCHORE_PASSWORD), values.text(ANCHORE_PASSWORD_FILE));
    match (setting.text(), file) {
        (None, Some(file)) if setting.expanded_from.is_none() => {
            return Password::File(environment.resolve(file.as_ref()));
        }
        (_, Some(_)) => {
            let text = format!("is set, and so is {ANCHORE_PASSWORD} ({}); keep one of them", setting.origin);
            problems.add(values.origin(ANCHORE_PASSWORD_FILE), ANCHORE_PASSWORD_FILE, text);
        }
        (Some(text), None) => return Password::Text(text.into()),
        (None, None) => {
            let reason = values.missing(ANCHORE_PASSWORD);
            let text = format!(
                "{reason}, or name a file with it in {ANCHORE_PASSWORD_FILE}, or empty {ANCHORE_URL} to push nothing"
            );
            problems.add_missing(values.origin_or(ANCHORE_PASSWORD, ANCHORE_URL), ANCHORE_PASSWORD, text);
        }
    }
    Password::Text(String::new().into())
}

fn registration(values: &Effective) -> RegistrationSettings {
    let text = |key| values.text(key).map(str::to_owned);
    RegistrationSettings {
        enabled: values.switch(REGISTRATION_ENABLED),
        registration_id: text(REGISTRATION_ID),
        integration_name: text(INTEGRATION_NAME),
        integration_description: text(INTEGRATION_DESCRIPTION),
    }
}
