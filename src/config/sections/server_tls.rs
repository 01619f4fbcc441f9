//! `server.tls.*`: the files with which kai proves who it is, and with which clients have to.

use std::path::{Path, PathBuf};

use super::Given;
use crate::config::keys::{
    Key, SERVER_PROBE_LISTEN, SERVER_TLS_CERTIFICATE, SERVER_TLS_CLIENT_CA, SERVER_TLS_PRIVATE_KEY, Text,
};
use crate::config::pem::{Meaning, meaning};
use crate::config::problem::Problems;
use crate::config::settings::ServerTls;

/// The certificate and its key together, or neither; an authority of clients only with them.
pub(super) fn build(given: Given<'_>, problems: &mut Problems) -> Option<ServerTls> {
    let values = given.values;
    let because = [SERVER_TLS_CERTIFICATE, SERVER_TLS_PRIVATE_KEY, SERVER_TLS_CLIENT_CA]
        .into_iter()
        .find(|key| values.text(*key).is_some())?;
    for needed in [SERVER_TLS_CERTIFICATE, SERVER_TLS_PRIVATE_KEY] {
        if values.text(needed).is_none() {
            let reason = values.missing(needed);
            let text = format!("{reason}, because {because} is set and has no use without it; or empty {because}");
            problems.add_missing(values.origin_or(needed, because), needed, text);
        }
    }
    if values.text(SERVER_TLS_CLIENT_CA).is_some() && values.text(SERVER_PROBE_LISTEN).is_none() {
        let text = format!(
            "{SERVER_TLS_CLIENT_CA}: is set, so probes need a client certificate, which the kubelet does not have; set \
             {SERVER_PROBE_LISTEN}"
        );
        problems.warn(values.origin(SERVER_TLS_CLIENT_CA), text);
    }
    let (certificate, private_key) =
        (file(given, SERVER_TLS_CERTIFICATE, problems), file(given, SERVER_TLS_PRIVATE_KEY, problems));
    let client_ca = file(given, SERVER_TLS_CLIENT_CA, problems);
    Some(ServerTls { certificate: certificate?, private_key: private_key?, client_ca })
}

/// `None` when it is not set, or after a problem. What the file holds is found by who uses it.
fn file(given: Given<'_>, key: Key<Text>, problems: &mut Problems) -> Option<PathBuf> {
    let text = given.values.text(key)?;
    if meaning(text) == Ok(Meaning::Path) {
        return Some(given.environment.resolve(Path::new(text)));
    }
    let reason = "is not a path; put the PEM text into a file and write its path here, so that it can be renewed";
    problems.add(given.values.origin(key), key, reason);
    None
}
