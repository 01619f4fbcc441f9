//! Certificates and keys in PEM: what a text of them holds, and what is wrong with it. No message holds any of the text.

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};

#[derive(Debug, thiserror::Error)]
pub(crate) enum PemError {
    #[error("it is not PEM ({0})")]
    NotPem(pem::Error),
    #[error("there is no certificate in it")]
    NoCertificate,
    #[error("a certificate in it is not an authority ({0})")]
    NotAnAuthority(rustls::Error),
    #[error("there is no key in it")]
    NoKey,
    #[error("the key in it is encrypted, and kai cannot ask for its password")]
    EncryptedKey,
}

/// One certificate or more.
pub(crate) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(PemError::NotPem)?;
    if certificates.is_empty() { Err(PemError::NoCertificate) } else { Ok(certificates) }
}

/// Certificates that others may be signed by.
pub(crate) fn authorities(certificates: &[CertificateDer<'static>]) -> Result<RootCertStore, PemError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates {
        store.add(certificate.clone()).map_err(PemError::NotAnAuthority)?;
    }
    Ok(store)
}

/// The first key.
pub(crate) fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, PemError> {
    PrivateKeyDer::from_pem_slice(text).map_err(|_| {
        let is_encrypted = text.windows(9).any(|window| window == b"ENCRYPTED");
        if is_encrypted { PemError::EncryptedKey } else { PemError::NoKey }
    })
}

/// Which of a certificate and its key is at fault when TLS refuses the two, and why.
pub(crate) enum PairFault {
    Certificate(String),
    Key(String),
}

/// `certificate` is the setting that has the certificate.
pub(crate) fn pair_fault(error: &rustls::Error, certificate: &str) -> PairFault {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            PairFault::Key(format!("the key in it does not belong to the first certificate of {certificate}"))
        }
        rustls::Error::InvalidCertificate(fault) => {
            PairFault::Certificate(format!("the first certificate in it cannot be read ({fault})"))
        }
        error => PairFault::Key(format!("the key in it cannot be read ({error})")),
    }
}
