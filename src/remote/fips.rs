//! The FIPS module of a build with the feature `fips`: which it is, and that the process really uses it.
//!
//! Which module is linked is the lock's choice: fips/Cargo.lock has the validated one, Cargo.lock a newer one. What is said
//! here follows the module's own version, so that it holds for both. The rules are tested in every build.

use rustls::crypto::CryptoProvider;
use serde::Serialize;

/// The cryptographic module that is linked in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Module {
    /// Its name in the list of validated modules.
    name: &'static str,
    /// The module's own form: `3.6.0`.
    version: String,
    validated: bool,
    /// Number of the certificate at the Cryptographic Module Validation Program, when it is validated.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<&'static str>,
}

impl Module {
    /// The module of this build.
    #[cfg(feature = "fips")]
    pub(crate) fn of_this_build() -> Self {
        let version = aws_lc_fips_sys::AWSLC_VERSION_NUMBER_STRING;
        Self::named(&String::from_utf8_lossy(version.strip_suffix(b"\0").unwrap_or(version)))
    }

    /// Version 3 is validated where it is linked in as a whole, which it is on Linux alone; version 4 is submitted.
    fn named(version: &str) -> Self {
        let certificate = (cfg!(target_os = "linux") && version.starts_with("3.")).then_some("5314");
        let name = "AWS-LC Cryptographic Module (static)";
        Self { name, version: version.to_owned(), validated: certificate.is_some(), certificate }
    }

    /// One line: name, version and certificate.
    pub(crate) fn text(&self) -> String {
        let Self { name, version, certificate, .. } = self;
        match certificate {
            Some(number) => format!("{name} {version}, validated: FIPS 140-3 certificate {number}"),
            None => format!("{name} {version}, not validated"),
        }
    }
}

/// Succeeds when the process-wide provider of TLS is in FIPS mode. Call it behind `install_crypto_provider`.
///
/// # Errors
/// What to do when it is not, or when there is no provider.
#[cfg(feature = "fips")]
pub(crate) fn require_fips() -> Result<(), String> {
    check(CryptoProvider::get_default().map(AsRef::as_ref))
}

fn check(provider: Option<&CryptoProvider>) -> Result<(), String> {
    match provider {
        Some(provider) if provider.fips() => Ok(()),
        _ => Err("this is the FIPS build of kai, but its TLS provider is not in FIPS mode, so nothing is sent or \
                  served; reinstall the binary, or take the ordinary build where FIPS is not required"
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_with_something_that_is_not_approved_stops_the_start() {
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        assert_eq!(check(Some(&provider)).is_ok(), cfg!(feature = "fips"));
        // Not approved, and part of the provider without FIPS.
        provider.cipher_suites.push(rustls::crypto::aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256);
        assert!(check(Some(&provider)).unwrap_err().contains("not in FIPS mode"));
        assert!(check(None).is_err());
    }

    #[test]
    fn only_the_third_version_is_called_validated() {
        assert_eq!(Module::named("3.6.0").validated, cfg!(target_os = "linux"));
        assert!(!Module::named("4.2.0").validated);
        assert!(Module::named("4.2.0").text().ends_with("4.2.0, not validated"));
    }
}
