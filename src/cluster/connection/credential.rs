//! Credentials made fit for a library: tokens that a header can carry, certificates and keys that TLS can use.
//!
//! They come from files, variables and programs of others. What is checked here reaches no library that would panic on it.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderValue;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::{SectionKind, from_buf};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret as _, SecretString};

use super::document::Entry;
use super::fault::KubeconfigError;
use crate::pem::{self, PemError};
use crate::remote::os_reason;

/// A client certificate with its key, both PEM.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) certificate: Vec<u8>,
    pub(super) key: SecretString,
}

fn fault(setting: &str, reason: impl Into<String>) -> KubeconfigError {
    KubeconfigError::Credential { setting: setting.to_owned(), reason: reason.into() }
}

/// The header of a token, blanks and line breaks at its ends left out.
pub(super) fn bearer(setting: &str, token: &str) -> Result<HeaderValue, KubeconfigError> {
    header(setting, &format!("Bearer {}", token.trim()))
}

/// The header of a user and a password.
pub(super) fn basic(setting: &str, user: &str, password: &str) -> Result<HeaderValue, KubeconfigError> {
    header(setting, &format!("Basic {}", BASE64.encode(format!("{user}:{password}"))))
}

/// A header that is shown nowhere.
pub(super) fn header(setting: &str, text: &str) -> Result<HeaderValue, KubeconfigError> {
    let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
        let what = if text.contains(['\n', '\r']) { "a line break" } else { "a control character" };
        fault(setting, format!("it has {what} in it, which no HTTP header can carry; write it in one line"))
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The bytes of a file that a setting names.
pub(super) fn read_setting(setting: &str, path: &Path) -> Result<Vec<u8>, KubeconfigError> {
    std::fs::read(path)
        .map_err(|error| fault(setting, format!("{} cannot be read: {}", path.display(), os_reason(&error))))
}

/// The token of a file; `None` when the file is empty.
pub(super) fn read_token(setting: &str, path: &Path) -> Result<Option<SecretString>, KubeconfigError> {
    let bytes = read_setting(setting, path)?;
    let token = String::from_utf8(bytes).map_err(|_| fault(setting, "it is not text"))?;
    Ok(Some(token.trim()).filter(|token| !token.is_empty()).map(SecretString::from))
}

/// PEM that stands in one field in base64, or in a file that another names, and where it is set. Empty data and an empty
/// file are as good as none.
pub(super) fn read_pem(entry: &Entry, data: &str, file: &str) -> Result<Option<(String, Vec<u8>)>, KubeconfigError> {
    let (setting, bytes) = if let Some(text) = entry.text(data)? {
        let setting = entry.setting(data);
        let bytes = decode_base64(&setting, &text)?;
        (setting, bytes)
    } else if let Some(path) = entry.file(file)? {
        let setting = entry.setting(file);
        let bytes = read_setting(&setting, &path)?;
        (setting, bytes)
    } else {
        return Ok(None);
    };
    Ok(Some((setting, bytes)).filter(|(_, bytes)| !bytes.trim_ascii().is_empty()))
}

fn decode_base64(setting: &str, data: &str) -> Result<Vec<u8>, KubeconfigError> {
    let text: String = data.split_whitespace().collect();
    BASE64.decode(text).map_err(|error| fault(setting, format!("it is not base64 ({error})")))
}

/// The certificates of a PEM text.
pub(super) fn certificates(setting: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, KubeconfigError> {
    pem::certificates(pem).map_err(|error| match error {
        PemError::NoCertificate => fault(setting, format!("{error}; it must be PEM with BEGIN CERTIFICATE")),
        error => fault(setting, error.to_string()),
    })
}

impl Identity {
    /// Checks a certificate and its key, each with where it is set. The key is read in whichever form it is, as kubectl
    /// does, and written anew with the label that is right for it.
    pub(super) fn new(
        (certificate_setting, certificate): (&str, &[u8]),
        (key_setting, key): (&str, &[u8]),
    ) -> Result<Self, KubeconfigError> {
        let chain = certificates(certificate_setting, certificate)?;
        let (der, signer) = private_key(key_setting, key)?;
        if matches!(
            CertifiedKey::new(chain, signer).keys_match(),
            Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch))
        ) {
            return Err(fault(key_setting, format!("it is not the key of the certificate in {certificate_setting}")));
        }
        Ok(Self { certificate: certificate.to_vec(), key: SecretString::from(pem_of(&der)) })
    }
}

type Signer = std::sync::Arc<dyn rustls::sign::SigningKey>;

fn private_key(setting: &str, pem: &[u8]) -> Result<(PrivateKeyDer<'static>, Signer), KubeconfigError> {
    let text = String::from_utf8_lossy(pem);
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        let advice =
            "it is encrypted, and kai asks for no passphrase; write it without one: `openssl pkey -in KEY -out NEW`";
        return Err(fault(setting, advice));
    }
    let mut reader = std::io::Cursor::new(pem);
    while let Some((kind, der)) =
        from_buf(&mut reader).map_err(|error| fault(setting, format!("it is not PEM ({error:?})")))?
    {
        if !matches!(kind, SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey) {
            continue;
        }
        let forms = [
            PrivateKeyDer::Pkcs8(der.clone().into()),
            PrivateKeyDer::Pkcs1(der.clone().into()),
            PrivateKeyDer::Sec1(der.into()),
        ];
        let usable = forms.into_iter().find_map(|form| Some((any_supported_type(&form).ok()?, form)));
        let (signer, form) =
            usable.ok_or_else(|| fault(setting, "it is no RSA, EC or Ed25519 key that can be used"))?;
        return Ok((form, signer));
    }
    Err(fault(setting, "there is no private key in it; it must be PEM with BEGIN PRIVATE KEY"))
}

fn pem_of(key: &PrivateKeyDer<'_>) -> String {
    let label = match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    };
    let text = BASE64.encode(key.secret_der());
    let mut pem = format!("-----BEGIN {label}-----\n");
    for at in (0..text.len()).step_by(64) {
        pem.push_str(&text[at..text.len().min(at + 64)]);
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}

pub(super) fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// What kube takes: PEM in base64.
pub(super) fn apply(identity: &Identity, auth: &mut kube::config::AuthInfo) {
    auth.client_certificate_data = Some(BASE64.encode(&identity.certificate));
    auth.client_key_data = Some(BASE64.encode(identity.key.expose_secret()).into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
    use rstest::rstest;

    fn pair() -> (Vec<u8>, String) {
        crate::remote::install_crypto_provider();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["ann".to_owned()]).unwrap().self_signed(&key).unwrap();
        (certificate.pem().into_bytes(), key.serialize_pem())
    }

    #[rstest]
    #[case::line_break("abc\ndef", "a line break")]
    #[case::carriage_return("abc\rdef", "a line break")]
    #[case::escape("abc\u{1b}[0m", "a control character")]
    #[case::nul("abc\0", "a control character")]
    fn a_token_that_no_header_carries_is_an_error_that_names_the_setting(#[case] token: &str, #[case] expected: &str) {
        let message = bearer("token of user \"ann\"", token).unwrap_err().to_string();
        assert!(message.starts_with("token of user \"ann\" cannot be used: it has "), "{message}");
        assert!(message.contains(expected) && !message.contains("abc"), "{message}");
    }

    #[test]
    fn both_ends_of_a_token_are_trimmed() {
        let value = bearer("token", " \n t0ken\r\n").unwrap();
        assert_eq!(value, "Bearer t0ken");
        assert!(value.is_sensitive());
    }

    #[test]
    fn a_key_is_read_under_any_label() {
        let (certificate, key) = pair();
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
            let key = key.replace("PRIVATE KEY", label);
            let identity = Identity::new(("cert", &certificate), ("key", key.as_bytes())).unwrap();
            assert!(identity.key.expose_secret().starts_with("-----BEGIN PRIVATE KEY-----"), "{label}");
        }
    }

    #[test]
    fn a_key_of_pkcs1_under_the_wrong_label_is_read() {
        crate::remote::install_crypto_provider();
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let certificate = CertificateParams::new(vec!["ann".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
        // PKCS 8 wraps the PKCS 1 form in 26 bytes when the key has 2048 bits.
        let pkcs1 = PrivateKeyDer::Pkcs1(key.serialize_der()[26..].to_vec().into());
        let wrong = pem_of(&pkcs1).replace("RSA PRIVATE", "PRIVATE");
        let identity = Identity::new(("cert", certificate.as_bytes()), ("key", wrong.as_bytes())).unwrap();
        assert!(identity.key.expose_secret().starts_with("-----BEGIN RSA PRIVATE KEY-----"));
    }

    #[rstest]
    #[case("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")]
    #[case(
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"
    )]
    fn an_encrypted_key_is_called_encrypted(#[case] key: &str) {
        let (certificate, _) = pair();
        let message = Identity::new(("cert", &certificate), ("key", key.as_bytes())).unwrap_err().to_string();
        assert!(message.starts_with("key cannot be used: it is encrypted"), "{message}");
    }

    #[test]
    fn the_key_of_another_certificate_is_refused() {
        let ((certificate, _), (_, key)) = (pair(), pair());
        let message = Identity::new(("cert", &certificate), ("key", key.as_bytes())).unwrap_err().to_string();
        assert_eq!(message, "key cannot be used: it is not the key of the certificate in cert");
    }
}
