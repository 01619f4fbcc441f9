//! `server.tls.*`: what the files hold, made into what TLS is served with.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::config::ServerTls;
use crate::inventory::excerpt;

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
    let chain = certificates.certificates()?;
    let private_key = key.private_key()?;
    let clients = client_ca.as_deref().map(|path| client_verifier(path, &provider)).transpose()?;
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| certificates.fault(format!("TLS cannot be served ({error})")))?;
    let builder = match clients {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, private_key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            key.fault(format!("the key in it does not belong to the first certificate of {CERTIFICATE}"))
        }
        rustls::Error::InvalidCertificate(fault) => {
            certificates.fault(format!("the first certificate in it cannot be read ({fault})"))
        }
        error => key.fault(format!("the key in it cannot be read ({error})")),
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Takes certificates of these authorities from clients, and no client without one.
fn client_verifier(path: &Path, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let file = File { key: CLIENT_CA, path, allowed: CERTIFICATES_ALLOWED };
    let mut authorities = RootCertStore::empty();
    for certificate in file.certificates()? {
        let added = authorities.add(certificate);
        added.map_err(|error| file.fault(format!("a certificate in it is not an authority ({error})")))?;
    }
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
    fn read(&self) -> Result<SecretSlice<u8>, TlsError> {
        std::fs::read(self.path).map(Into::into).map_err(|error| self.fault(format!("it cannot be read: {error}")))
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let bytes = self.read()?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes.expose_secret()).collect();
        let certificates = certificates.map_err(|error| self.fault(format!("it is not PEM ({error})")))?;
        if certificates.is_empty() {
            return Err(self.fault("there is no certificate in it".to_owned()));
        }
        Ok(certificates)
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        let bytes = self.read()?;
        PrivateKeyDer::from_pem_slice(bytes.expose_secret()).map_err(|_| {
            let is_encrypted = bytes.expose_secret().windows(9).any(|window| window == b"ENCRYPTED");
            self.fault(if is_encrypted {
                "the key in it is encrypted, and kai cannot ask for its password".to_owned()
            } else {
                "there is no key in it".to_owned()
            })
        })
    }

    fn fault(&self, reason: String) -> TlsError {
        let path = excerpt(&self.path.to_string_lossy()).to_string();
        TlsError { key: self.key, path, reason, allowed: self.allowed }
    }
}
