//! `kubeconfig.{server, cluster-cert, user.*}`: a connection written in the settings themselves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use crate::config::effective::Effective;
use crate::config::keys::{
    KUBECONFIG_CLUSTER_CERT, KUBECONFIG_SERVER, KUBECONFIG_USER_CLIENT_CERT, KUBECONFIG_USER_PRIVATE_KEY,
    KUBECONFIG_USER_TOKEN, KUBECONFIG_USER_TYPE, Key, Text,
};
use crate::config::problem::{Origin, Problems};
use crate::config::settings::{InlineCluster, InlineUser};
use crate::config::url::check_http_url;
use crate::config::words::UserType;
use crate::pem;

/// `None` when nothing of it is written. `kubeconfig.cluster` is only a name and no part of it.
pub(super) fn build(values: &Effective, problems: &mut Problems) -> Option<InlineCluster> {
    let before = [values.get(KUBECONFIG_SERVER), values.get(KUBECONFIG_CLUSTER_CERT), values.get(KUBECONFIG_USER_TYPE)];
    let behind = [KUBECONFIG_USER_CLIENT_CERT, KUBECONFIG_USER_PRIVATE_KEY, KUBECONFIG_USER_TOKEN];
    let mut written = before.into_iter().chain(behind.map(|key| values.get(key)));
    let first = &written.find(|setting| setting.text().is_some())?.origin;
    let mut reader = Reader { values, problems, first };
    let server = reader.needed(KUBECONFIG_SERVER);
    if !server.is_empty()
        && let Err(reason) = check_http_url(server)
    {
        reader.problems.add(values.origin(KUBECONFIG_SERVER), KUBECONFIG_SERVER, reason);
    }
    let user = match values.word_if_set(KUBECONFIG_USER_TYPE) {
        Some(UserType::Token) => InlineUser::Token(reader.needed(KUBECONFIG_USER_TOKEN).into()),
        Some(UserType::PrivateKey) => InlineUser::PrivateKey {
            client_cert: reader.needed_pem(KUBECONFIG_USER_CLIENT_CERT, Pem::Certificate).unwrap_or_default(),
            private_key: reader.private_key(),
        },
        None => {
            let text = "is not set, and other keys of kubeconfig describe a connection; write private_key or token, or \
                        empty those keys";
            reader.problems.add_missing(values.get(KUBECONFIG_USER_TYPE).origin_or(first), KUBECONFIG_USER_TYPE, text);
            InlineUser::Token(SecretString::default())
        }
    };
    let cluster_cert = match values.text(KUBECONFIG_CLUSTER_CERT) {
        Some(_) => reader.needed_pem(KUBECONFIG_CLUSTER_CERT, Pem::Certificate),
        None => None,
    };
    Some(InlineCluster { server: server.to_owned(), cluster_cert, user })
}

/// What a PEM text must hold.
#[derive(Clone, Copy)]
enum Pem {
    Certificate,
    PrivateKey,
}

struct Reader<'a, 'b> {
    values: &'a Effective,
    problems: &'b mut Problems,
    /// Where a key is written: because of it the others are needed.
    first: &'a Origin,
}

impl<'a> Reader<'a, '_> {
    /// A value without which there is no connection.
    fn needed(&mut self, key: Key<Text>) -> &'a str {
        let text = self.values.text(key);
        if text.is_none() {
            let reason = self.values.missing(key);
            let text = format!("{reason}, because other keys of kubeconfig describe a connection that needs it");
            self.problems.add_missing(self.values.get(key).origin_or(self.first), key, text);
        }
        text.unwrap_or_default()
    }

    /// The PEM text that a value encodes; `None` after a problem. No part of the value is ever shown.
    fn needed_pem(&mut self, key: Key<Text>, kind: Pem) -> Option<Vec<u8>> {
        let written = self.needed(key);
        if written.is_empty() {
            return None;
        }
        let result = decode(written, kind);
        if let Err(reason) = &result {
            self.problems.add(self.values.origin(key), key, reason);
        }
        result.ok()
    }

    fn private_key(&mut self) -> SecretString {
        let pem = self.needed_pem(KUBECONFIG_USER_PRIVATE_KEY, Pem::PrivateKey).unwrap_or_default();
        String::from_utf8(pem).unwrap_or_default().into()
    }
}

fn decode(written: &str, kind: Pem) -> Result<Vec<u8>, &'static str> {
    if written.contains("-----BEGIN") {
        return Err("is plain PEM text; encode it once with base64");
    }
    // Encoders wrap lines, and a block in YAML ends with one.
    let compact: String = written.split_ascii_whitespace().collect();
    let bytes = STANDARD.decode(compact).map_err(|_| "is not base64; write PEM text encoded with base64")?;
    if std::str::from_utf8(&bytes).is_err() {
        return Err("is base64, but not of text; encode the PEM form, not the DER form");
    }
    let (is_there, problem) = match kind {
        Pem::Certificate => (
            pem::certificates(&bytes).is_ok(),
            "is base64, but not of a PEM certificate; encode a file that has a BEGIN CERTIFICATE line",
        ),
        Pem::PrivateKey => (
            pem::private_key(&bytes).is_ok(),
            "is base64, but not of a PEM private key; encode a file that has a BEGIN PRIVATE KEY line and no passphrase",
        ),
    };
    if is_there { Ok(bytes) } else { Err(problem) }
}
