//! What it means when there is no answer: the causes inside kube's errors, told apart.

use std::error::Error as StdError;
use std::io::ErrorKind;

use rustls::CertificateError;

use super::connection::os_reason;
use crate::inventory::excerpt;

/// Why there is no (whole) answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Transport {
    /// No connection.
    Unreachable(String),
    /// The server's certificate is not trusted.
    ServerCertificate { reason: String, cure: CertificateCure },
    /// The server ended the handshake: it does not like the client.
    ClientRefused(String),
    /// What answers speaks no TLS.
    NoTls,
    /// Credentials could not be fetched.
    Credentials(String),
    /// There was a connection, and it broke.
    Broken(String),
}

/// Who can mend a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CertificateCure {
    /// Trust its authority.
    Authority,
    /// Renew it, or set the clock.
    Time,
    /// Use a name that it is for.
    Name,
    /// Replace it.
    Certificate,
}

impl Transport {
    /// Tells the causes of an error of kube's client apart.
    pub(super) fn of(error: &(dyn StdError + 'static)) -> Self {
        let mut deepest = error.to_string();
        let mut next = Some(error);
        let mut names_unresolved = false;
        while let Some(cause) = next {
            if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
                return Self::of_tls(tls);
            }
            if let Some(auth) = cause.downcast_ref::<kube::client::AuthError>() {
                return Self::Credentials(excerpt(&auth.to_string()).to_string());
            }
            let text = cause.to_string();
            // hyper's own type for this is private.
            names_unresolved |= text == "dns error";
            if let Some(io) = cause.downcast_ref::<std::io::Error>() {
                if let Some(inner) = io.get_ref() {
                    // `source` of an io::Error is that of what it wraps: the wrapped error itself would be passed over.
                    next = Some(inner);
                    deepest = inner.to_string();
                    if io.kind() == ErrorKind::TimedOut {
                        return Self::Unreachable("no answer to the attempt to connect".to_owned());
                    }
                    continue;
                }
                if let Some(transport) = Self::of_io(io) {
                    return transport;
                }
            }
            deepest = text;
            next = cause.source();
        }
        let reason = excerpt(&deepest).to_string();
        if names_unresolved {
            Self::Unreachable(format!("its name does not resolve ({reason})"))
        } else {
            Self::Broken(reason)
        }
    }

    fn of_io(error: &std::io::Error) -> Option<Self> {
        match error.kind() {
            ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::AddrNotAvailable
            | ErrorKind::TimedOut => Some(Self::Unreachable(os_reason(error))),
            _ => None,
        }
    }

    fn of_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(fault) => Self::of_certificate(fault),
            rustls::Error::AlertReceived(alert) => {
                Self::ClientRefused(format!("the server ended the handshake with the alert {alert:?}"))
            }
            rustls::Error::InvalidMessage(_) => Self::NoTls,
            error => Self::Broken(excerpt(&error.to_string()).to_string()),
        }
    }

    fn of_certificate(fault: &CertificateError) -> Self {
        let (reason, cure) = match fault {
            // A bad signature is that of another authority of the same name: a cluster that was made anew.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                ("its certificate is signed by an authority that is not trusted".to_owned(), CertificateCure::Authority)
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                ("its certificate has expired".to_owned(), CertificateCure::Time)
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                ("its certificate is not valid yet".to_owned(), CertificateCure::Time)
            }
            CertificateError::NotValidForNameContext { expected, presented } => {
                let names = presented.join(", ");
                let reason =
                    format!("its certificate is for {}, not for {}", excerpt(&names), excerpt(&expected.to_str()));
                (reason, CertificateCure::Name)
            }
            CertificateError::NotValidForName => {
                ("its certificate is for another name".to_owned(), CertificateCure::Name)
            }
            fault => {
                let reason = format!("its certificate is invalid ({})", excerpt(&fault.to_string()));
                (reason, CertificateCure::Certificate)
            }
        };
        Self::ServerCertificate { reason, cure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn wrapped(fault: CertificateError) -> kube::Error {
        let tls = rustls::Error::InvalidCertificate(fault);
        kube::Error::Service(Box::new(std::io::Error::new(ErrorKind::InvalidData, tls)))
    }

    #[rstest]
    #[case(CertificateError::UnknownIssuer, CertificateCure::Authority)]
    #[case(CertificateError::BadSignature, CertificateCure::Authority)]
    #[case(CertificateError::Expired, CertificateCure::Time)]
    #[case(CertificateError::NotValidYet, CertificateCure::Time)]
    #[case(CertificateError::NotValidForName, CertificateCure::Name)]
    #[case(CertificateError::BadEncoding, CertificateCure::Certificate)]
    fn certificate_faults_are_found_inside_io_errors(
        #[case] fault: CertificateError,
        #[case] expected: CertificateCure,
    ) {
        let error = wrapped(fault);
        assert!(matches!(Transport::of(&error), Transport::ServerCertificate { cure, .. } if cure == expected));
    }

    #[test]
    fn a_refused_connection_is_told_without_its_number() {
        let error = kube::Error::Service(Box::new(std::io::Error::from_raw_os_error(111)));
        assert_eq!(Transport::of(&error), Transport::Unreachable("connection refused".to_owned()));
    }

    #[test]
    fn anything_else_is_a_broken_connection_with_its_deepest_cause() {
        let error = kube::Error::Service("connection closed".into());
        assert_eq!(Transport::of(&error), Transport::Broken("connection closed".to_owned()));
    }
}
