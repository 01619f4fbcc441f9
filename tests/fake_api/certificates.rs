//! Certificates made for one test: an authority, and what it signs for a server.

use kai::cluster::install_crypto_provider;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

/// A server's certificate with its key, and the authority that signed it; all PEM.
pub(crate) struct Identity {
    pub(crate) authority: String,
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Identity {
    /// Good for this name or address until the end of that year.
    pub(crate) fn new(name: &str, until: i32) -> Self {
        install_crypto_provider();
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().unwrap();
        let mut server = CertificateParams::new(vec![name.to_owned()]).unwrap();
        server.not_before = date_time_ymd(2000, 1, 1);
        server.not_after = date_time_ymd(until, 12, 31);
        let certificate = server.signed_by(&key, &issuer).unwrap().pem();
        Self { authority: authority_pem, certificate, key: key.serialize_pem() }
    }
}
