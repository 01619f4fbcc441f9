//! `anchore.http.{insecure, ca-certificate, client-certificate, client-key}`: whom kai trusts, and who it is itself.

use std::error::Error as StdError;

use reqwest::{Certificate, ClientBuilder, Identity};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret as _, SecretSlice};

use super::error::ClientError;
use crate::config::{AnchoreHttpSettings, ClientCertificate, Pem};
use crate::inventory::excerpt;
use crate::pem::{self, PairFault, PemError};
use crate::remote::{causes, os_reason};

const AUTHORITY: &str = "anchore.http.ca-certificate";
const CERTIFICATE: &str = "anchore.http.client-certificate";
const KEY: &str = "anchore.http.client-key";

const CERTIFICATES_ALLOWED: &str =
    "write the path of a file with certificates in PEM (BEGIN CERTIFICATE), or the PEM text itself";
const KEY_ALLOWED: &str =
    "write the path of a file with the certificate's key in PEM (BEGIN PRIVATE KEY), or the PEM text itself";

/// The TLS side of a client. The authorities of the setting are trusted beside those of the system.
pub(super) struct Tls {
    authorities: Vec<Certificate>,
    identity: Option<Identity>,
    insecure: bool,
}

impl Tls {
    /// Reads the files and looks into them, so that a wrong one stops the start.
    pub(super) fn read(settings: &AnchoreHttpSettings) -> Result<Self, ClientError> {
        let authorities = settings.ca_certificate.as_ref().map(authorities).transpose()?.unwrap_or_default();
        let identity = settings.client.as_ref().map(identity).transpose()?;
        Ok(Self { authorities, identity, insecure: settings.insecure })
    }

    /// Builds the client. `tls_only`: the receiver is asked with TLS and nothing else.
    ///
    /// A system without authorities (a minimal image) is no obstacle where an authority is given or TLS is not asked for.
    pub(super) fn build(
        self,
        builder: impl Fn() -> Result<ClientBuilder, ClientError>,
        tls_only: bool,
    ) -> Result<reqwest::Client, ClientError> {
        let mut complete = builder()?.tls_certs_merge(self.authorities).tls_danger_accept_invalid_certs(self.insecure);
        if let Some(identity) = self.identity.clone() {
            complete = complete.identity(identity);
        }
        let error = match complete.build() {
            Ok(client) => return Ok(client),
            Err(error) => error,
        };
        let reason = |error: &(dyn StdError + 'static)| {
            excerpt(&causes(error).last().map(ToString::to_string).unwrap_or_default()).to_string()
        };
        if tls_only {
            return Err(ClientError::Authorities { reason: reason(&error) });
        }
        let without = builder()?.tls_certs_only([]).build();
        without.map_err(|error| ClientError::Authorities { reason: reason(&error) })
    }
}

/// The certificates of authorities, each one looked into.
fn authorities(pem: &Pem) -> Result<Vec<Certificate>, ClientError> {
    let source = Source { key: AUTHORITY, pem, allowed: CERTIFICATES_ALLOWED };
    let bytes = source.bytes()?;
    let certificates = source.parsed(&bytes, pem::certificates)?;
    source.parsed(&bytes, |_| pem::authorities(&certificates))?;
    let certificates = certificates.iter().map(|certificate| Certificate::from_der(certificate));
    certificates.collect::<Result<_, _>>().map_err(|_| source.fault("a certificate in it cannot be read".to_owned()))
}

/// A client certificate with the key that fits it.
fn identity(client: &ClientCertificate) -> Result<Identity, ClientError> {
    let source = Source { key: CERTIFICATE, pem: &client.certificate, allowed: CERTIFICATES_ALLOWED };
    let key_source = Source { key: KEY, pem: &client.key, allowed: KEY_ALLOWED };
    let certificate_bytes = source.bytes()?;
    let certificates = source.parsed(&certificate_bytes, pem::certificates)?;
    let key_bytes = key_source.bytes()?;
    let key = key_source.parsed(&key_bytes, pem::private_key)?;
    let provider = CryptoProvider::get_default().map_or_else(rustls_provider, |provider| (**provider).clone());
    CertifiedKey::from_der(certificates, key, &provider).map_err(|error| {
        match pem::pair_fault(&error, CERTIFICATE) {
            PairFault::Certificate(reason) => source.fault(reason),
            PairFault::Key(reason) => key_source.fault(reason),
        }
    })?;
    let mut both = certificate_bytes.expose_secret().to_vec();
    both.push(b'\n');
    // The last key counts, should there be one beside the certificate too.
    both.extend_from_slice(key_bytes.expose_secret());
    Identity::from_pem(&both).map_err(|_| source.fault("it has something other than certificates in it".to_owned()))
}

fn rustls_provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

/// PEM, and the key that it is the value of.
struct Source<'a> {
    key: &'static str,
    pem: &'a Pem,
    allowed: &'static str,
}

impl Source<'_> {
    fn bytes(&self) -> Result<SecretSlice<u8>, ClientError> {
        match self.pem {
            Pem::Text(text) => Ok(text.expose_secret().as_bytes().to_vec().into()),
            Pem::File(path) => std::fs::read(path)
                .map(Into::into)
                .map_err(|error| self.fault(format!("it cannot be read: {}", os_reason(&error)))),
        }
    }

    fn parsed<T>(
        &self,
        bytes: &SecretSlice<u8>,
        parse: impl Fn(&[u8]) -> Result<T, PemError>,
    ) -> Result<T, ClientError> {
        parse(bytes.expose_secret()).map_err(|error| self.fault(error.to_string()))
    }

    fn fault(&self, reason: String) -> ClientError {
        let place = match self.pem {
            Pem::File(path) => format!(" ({})", excerpt(&path.to_string_lossy())),
            Pem::Text(_) => String::new(),
        };
        ClientError::Pem { key: self.key, place, reason, allowed: self.allowed }
    }
}
