//! Acting as somebody else: `as`, `as-groups`, `as-uid` and `as-user-extra` of a kubeconfig's user, and the flags.

use std::collections::HashMap;

use http::header::HeaderName;

use super::credential::header;
use super::document::Entry;
use super::fault::KubeconfigError;
use crate::config::Impersonation;

const IMPERSONATE_USER: HeaderName = HeaderName::from_static("impersonate-user");
const IMPERSONATE_GROUP: HeaderName = HeaderName::from_static("impersonate-group");
const IMPERSONATE_UID: HeaderName = HeaderName::from_static("impersonate-uid");

/// What the user of a kubeconfig has.
pub(super) fn of_user(config: &mut kube::Config, user: &Entry) -> Result<(), KubeconfigError> {
    let other = Impersonation { user: user.text("as")?, groups: user.texts("as-groups")?, uid: user.text("as-uid")? };
    impersonate(config, &other, |field| user.setting(field))?;
    config.auth_info.impersonate_user_extra = user_extra(user)?;
    Ok(())
}

/// What the flags have, which win. Then all that is set is checked.
pub(super) fn of_flags(config: &mut kube::Config, flags: &Impersonation) -> Result<(), KubeconfigError> {
    impersonate(config, flags, |field| match field {
        "as" => "--as".to_owned(),
        field => format!("--{}", field.trim_end_matches('s')),
    })?;
    check(config)
}

/// `as-user-extra`, which goes to kube: it knows how these names are written as headers.
fn user_extra(user: &Entry) -> Result<Option<HashMap<String, Vec<String>>>, KubeconfigError> {
    let Some(extra) = user.entry("as-user-extra")? else { return Ok(None) };
    let mut values = HashMap::new();
    for key in extra.keys() {
        let texts = extra.texts(key)?;
        for text in &texts {
            header(&extra.setting(key), text)?;
        }
        values.insert(key.to_owned(), texts);
    }
    Ok(Some(values))
}

/// Adds the headers by which kai acts as somebody else. A field that is set replaces what an earlier call has set.
fn impersonate(
    config: &mut kube::Config,
    other: &Impersonation,
    setting: impl Fn(&str) -> String,
) -> Result<(), KubeconfigError> {
    let fields = [
        (IMPERSONATE_USER, "as", other.user.as_slice()),
        (IMPERSONATE_GROUP, "as-groups", other.groups.as_slice()),
        (IMPERSONATE_UID, "as-uid", other.uid.as_slice()),
    ];
    for (name, field, values) in fields {
        if !values.is_empty() {
            config.headers.retain(|(known, _)| *known != name);
        }
        for value in values {
            config.headers.push((name.clone(), header(&setting(field), value)?));
        }
    }
    Ok(())
}

/// Groups and a uid are those of a user: without one the API server refuses every request.
fn check(config: &kube::Config) -> Result<(), KubeconfigError> {
    let has = |wanted: &HeaderName| config.headers.iter().any(|(name, _)| name == wanted);
    let has_extra = config.auth_info.impersonate_user_extra.as_ref().is_some_and(|extra| !extra.is_empty());
    if !has(&IMPERSONATE_USER) && (has(&IMPERSONATE_GROUP) || has(&IMPERSONATE_UID) || has_extra) {
        return Err(KubeconfigError::Field {
            setting: "a group, a uid or an extra to act with".to_owned(),
            problem: "is set, and no user to act as; set `as` in the kubeconfig or the flag --as too".to_owned(),
        });
    }
    Ok(())
}
