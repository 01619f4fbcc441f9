//! Certificates made for one test: an authority, and what it signs for a server.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use kai::cluster::install_crypto_provider;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

/// A certificate with its key, and the authority that signed it; all PEM.
pub(crate) struct Identity {
    pub(crate) authority: String,
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Identity {
    /// Good for this name or address until the end of that year.
    pub(crate) fn new(name: &str, until: i32) -> Self {
        Self::signed(CertificateParams::new(vec![name.to_owned()]).unwrap(), until)
    }

    /// With the name as common name, and no subject alternative name.
    pub(crate) fn without_alternative_name(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        Self::signed(params, 2999)
    }

    /// Signed by itself, and good for signing others, as `openssl req -x509` makes it.
    pub(crate) fn of_itself(name: &str) -> Self {
        install_crypto_provider();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { authority: certificate.clone(), certificate, key: key.serialize_pem() }
    }

    fn signed(mut params: CertificateParams, until: i32) -> Self {
        install_crypto_provider();
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        let certificate = params.signed_by(&key, &issuer).unwrap().pem();
        Self { authority: authority_pem, certificate, key: key.serialize_pem() }
    }
}
