//! `anchore.*` and what goes with a push: validated now, used once reports are pushed.

use super::routing;
use crate::config::effective::{Effective, missing};
use crate::config::problem::Problems;
use crate::config::settings::{
    AnchoreApi, AnchoreHttpSettings, AnchoreSettings, Password, PushTarget, PushWhen, RegistrationSettings,
};
use crate::config::url::check_http_url;

const URL: &str = "anchore.url";
const USER: &str = "anchore.user";
const PASSWORD: &str = "anchore.password";

pub(super) fn build(values: &Effective, problems: &mut Problems) -> AnchoreSettings {
    let push = push_target(values, problems);
    let text = |path: &str| values.text(path).map(str::to_owned);
    let limit = |path: &str| Some(values.number(path)).filter(|number| *number > 0);
    AnchoreSettings {
        account: values.text("anchore.account").unwrap_or("admin").to_owned(),
        api: AnchoreApi::Auto,
        push_when: PushWhen::Interval,
        push_incomplete: false,
        http: AnchoreHttpSettings {
            insecure: values.switch("anchore.http.insecure"),
            timeout: values.seconds("anchore.http.timeout-seconds"),
            compress: false,
            ca_certificate: None,
            client: None,
            proxy: None,
        },
        registration: RegistrationSettings {
            enabled: false,
            registration_id: text("anchore-registration.registration-id"),
            integration_name: text("anchore-registration.integration-name"),
            integration_description: text("anchore-registration.integration-description"),
        },
        health_report_interval: values.seconds("health-report-interval-seconds"),
        account_routes: routing::account_routes(values, push.is_some(), problems),
        route_by_label: routing::label_route(values),
        namespaces_per_report: limit("inventory-report-limits.namespaces")
            .map(|number| usize::try_from(number).unwrap_or(usize::MAX)),
        payload_threshold_bytes: limit("inventory-report-limits.payload-threshold-bytes"),
        metadata: routing::metadata(values, problems),
        push,
    }
}

/// The URL decides: KAI's chart writes a user and a password without one, and then nothing is pushed.
fn push_target(values: &Effective, problems: &mut Problems) -> Option<PushTarget> {
    let url = values.text(URL)?;
    if let Err(reason) = check_http_url(url) {
        problems.add(values.origin(URL), URL, reason);
    }
    let mut needed = |path: &str| {
        let text = values.text(path);
        if text.is_none() {
            let reason = missing(Some(values.get(path)), path);
            problems.add_missing(
                values.origin_or(path, URL),
                path,
                format!("{reason}, or empty {URL} to push nothing"),
            );
        }
        text.unwrap_or_default()
    };
    let (user, password) = (needed(USER).to_owned(), Password::Text(needed(PASSWORD).into()));
    problems
        .warn(values.origin(URL), format!("{URL}: this version of kai pushes nothing yet; the key is only checked"));
    Some(PushTarget { url: url.to_owned(), user, password })
}
