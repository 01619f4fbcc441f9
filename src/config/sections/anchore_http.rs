//! `anchore.http.*`: how the receiver is spoken to.

use std::path::Path;

use super::Given;
use crate::config::keys::{
    ANCHORE_CA_CERTIFICATE, ANCHORE_CLIENT_CERTIFICATE, ANCHORE_CLIENT_KEY, ANCHORE_COMPRESS, ANCHORE_INSECURE,
    ANCHORE_PROXY, ANCHORE_TIMEOUT, Key, Text,
};
use crate::config::pem::{Meaning, meaning};
use crate::config::problem::Problems;
use crate::config::receiver::{AnchoreHttpSettings, ClientCertificate, Pem};
use crate::config::url::check_proxy_url;

pub(super) fn build(given: Given<'_>, problems: &mut Problems) -> AnchoreHttpSettings {
    let values = given.values;
    let insecure = values.switch(ANCHORE_INSECURE);
    let ca_certificate = pem(given, ANCHORE_CA_CERTIFICATE, problems);
    if insecure && ca_certificate.is_some() {
        let text = format!(
            "{ANCHORE_INSECURE}: is true, so the certificate of the receiver is not checked at all, and {ANCHORE_CA_CERTIFICATE} does \
             nothing; set {ANCHORE_INSECURE} to false, or empty {ANCHORE_CA_CERTIFICATE}"
        );
        problems.warn(values.origin(ANCHORE_INSECURE), text);
    }
    AnchoreHttpSettings {
        insecure,
        timeout: values.seconds(ANCHORE_TIMEOUT),
        compress: values.switch(ANCHORE_COMPRESS),
        ca_certificate,
        client: client(given, problems),
        proxy: proxy(given, problems),
    }
}

/// Both or neither.
fn client(given: Given<'_>, problems: &mut Problems) -> Option<ClientCertificate> {
    let values = given.values;
    for (needed, because) in
        [(ANCHORE_CLIENT_KEY, ANCHORE_CLIENT_CERTIFICATE), (ANCHORE_CLIENT_CERTIFICATE, ANCHORE_CLIENT_KEY)]
    {
        let (setting, other) = (values.get(needed), values.get(because));
        if setting.text().is_none() && setting.expanded_from.is_none() && other.text().is_some() {
            let reason = values.missing(needed);
            let text = format!(
                "{reason}, because {because} is set and has no use without it; both may name the same file, or empty {because}"
            );
            problems.add_missing(values.origin_or(needed, because), needed, text);
        }
    }
    let (certificate, key) =
        (pem(given, ANCHORE_CLIENT_CERTIFICATE, problems), pem(given, ANCHORE_CLIENT_KEY, problems));
    Some(ClientCertificate { certificate: certificate?, key: key? })
}

/// `None` when it is not set, or after a problem. What the text or the file holds is found by who uses it.
fn pem(given: Given<'_>, key: Key<Text>, problems: &mut Problems) -> Option<Pem> {
    let text = text(given, key, problems)?;
    match meaning(text) {
        Ok(Meaning::Text) => Some(Pem::Text(text.into())),
        Ok(Meaning::Path) => Some(Pem::File(given.environment.resolve(Path::new(text)))),
        Err(reason) => {
            problems.add(given.values.origin(key), key, reason);
            None
        }
    }
}

fn proxy(given: Given<'_>, problems: &mut Problems) -> Option<secrecy::SecretString> {
    let text = text(given, ANCHORE_PROXY, problems)?;
    if let Err(reason) = check_proxy_url(text) {
        problems.add(given.values.origin(ANCHORE_PROXY), ANCHORE_PROXY, reason);
    }
    Some(text.into())
}

/// A text that need not be set; but one that names a variable was meant to be.
fn text<'a>(given: Given<'a>, key: Key<Text>, problems: &mut Problems) -> Option<&'a str> {
    let setting = given.values.get(key);
    if setting.text().is_none() && setting.expanded_from.is_some() {
        problems.add(&setting.origin, key, format!("{}, or empty the key", given.values.missing(key)));
    }
    setting.text()
}
