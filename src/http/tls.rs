//! `server.tls.*`: what the files hold, made into what TLS is served with.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::config::ServerTls;
use crate::inventory::excerpt;
use crate::pem::{self, PairFault, PemError};

const CERTIFICATE: &str = "server.tls.certificate";
const PRIVATE_KEY: &str = "server.tls.private-key";
const CLIENT_CA: &str = "server.tls.client-ca";

const CERTIFICATES_ALLOWED: &str = "name a file with certificates in PEM (BEGIN CERTIFICATE)";
const KEY_ALLOWED: &str = "name a file with the certificate's key in PEM (BEGIN PRIVATE KEY)";

/// A file of `server.tls.*` cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{key} ({path}): {reason}; {allowed}")]
pub struct TlsError {
    key: &'static str,
    path: String,
    /// Holds nothing of the file.
    reason: String,
    allowed: &'static str,
}

/// Reads the files. HTTP/2 is offered before HTTP/1.1.
pub(super) fn read(settings: &ServerTls) -> Result<Arc<ServerConfig>, TlsError> {
    let ServerTls { certificate, private_key, client_ca } = settings;
    let provider = CryptoProvider::get_default()
        .map_or_else(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()), Arc::clone);
    let certificates = File { key: CERTIFICATE, path: certificate, allowed: CERTIFICATES_ALLOWED };
    let key = File { key: PRIVATE_KEY, path: private_key, allowed: KEY_ALLOWED };
    let chain = certificates.read(pem::certificates)?;
    let private_key = key.read(pem::private_key)?;
    let clients = client_ca.as_deref().map(|path| client_verifier(path, &provider)).transpose()?;
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| certificates.fault(format!("TLS cannot be served ({error})")))?;
    let builder = match clients {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config =
        builder.with_single_cert(chain, private_key).map_err(|error| match pem::pair_fault(&error, CERTIFICATE) {
            PairFault::Certificate(reason) => certificates.fault(reason),
            PairFault::Key(reason) => key.fault(reason),
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Takes certificates of these authorities from clients, and no client without one.
fn client_verifier(path: &Path, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let file = File { key: CLIENT_CA, path, allowed: CERTIFICATES_ALLOWED };
    let authorities = file.read(|text| pem::authorities(&pem::certificates(text)?))?;
    WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), Arc::clone(provider))
        .build()
        .map_err(|error| file.fault(format!("client certificates cannot be checked with it ({error})")))
}

/// A file, and the key that names it.
struct File<'a> {
    key: &'static str,
    path: &'a Path,
    allowed: &'static str,
}

impl File<'_> {
    fn read<T>(&self, contents: impl Fn(&[u8]) -> Result<T, PemError>) -> Result<T, TlsError> {
        let bytes = std::fs::read(self.path).map(SecretSlice::from);
        let bytes = bytes.map_err(|error| self.fault(format!("it cannot be read: {error}")))?;
        contents(bytes.expose_secret()).map_err(|error| self.fault(error.to_string()))
    }

    fn fault(&self, reason: String) -> TlsError {
        let path = excerpt(&self.path.to_string_lossy()).to_string();
        TlsError { key: self.key, path, reason, allowed: self.allowed }
    }
}
