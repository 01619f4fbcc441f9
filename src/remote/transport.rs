//! What it means when there is no answer: the causes inside a client's errors, kept apart.

use std::error::Error as StdError;
use std::io::ErrorKind;
use std::iter;

use rustls::CertificateError;

use super::os_reason;
use crate::inventory::excerpt;

/// Why there is no (whole) answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Transport {
    Unreachable(String),
    /// The server's certificate is not trusted.
    ServerCertificate {
        reason: String,
        cure: CertificateCure,
    },
    /// The server ended the handshake: it does not like the client.
    ClientRefused(String),
    /// What answers speaks no TLS.
    NoTls,
    /// What answers speaks no HTTP: TLS, most often.
    NoHttp,
    /// There was a connection, and it broke.
    Broken(String),
}

/// Who can mend a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CertificateCure {
    /// Trust its authority.
    Authority,
    /// Renew it, or set the clock.
    Time,
    /// Use a name that it is for.
    Name,
    /// Replace it.
    Certificate,
}

/// An error and what caused it, outermost first.
///
/// `source` of an [`std::io::Error`] is that of what it wraps: the wrapped error itself, which `source` alone would pass
/// over, is among these.
pub(crate) fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| {
        let error: &'a (dyn StdError + 'static) = *error;
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        wrapped.map_or_else(|| error.source(), |inner| Some(inner as &(dyn StdError + 'static)))
    })
}

impl Transport {
    /// Finds the cause inside a client's error.
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Self {
        let mut deepest = String::new();
        let mut names_unresolved = false;
        for cause in causes(error) {
            if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
                return Self::of_tls(tls);
            }
            deepest = cause.to_string();
            // The types of these, hyper's and reqwest's own, are private.
            names_unresolved |= matches!(deepest.as_str(), "dns error" | "error resolving for socks proxy");
            if deepest.starts_with("invalid HTTP ") {
                return Self::NoHttp;
            }
            // The HTTP/2 client keeps rustls' error as a text.
            if let Some(alert) = deepest.strip_prefix("received fatal alert: ") {
                return Self::of_alert(alert);
            }
            if let Some(io) = cause.downcast_ref::<std::io::Error>() {
                if io.get_ref().is_some() && io.kind() == ErrorKind::TimedOut {
                    return Self::Unreachable("no answer to the attempt to connect".to_owned());
                }
                if let Some(transport) = Self::of_io(io) {
                    return transport;
                }
            }
        }
        let reason = excerpt(&deepest).to_string();
        if names_unresolved {
            Self::Unreachable(format!("its name does not resolve ({reason})"))
        } else {
            Self::Broken(reason)
        }
    }

    fn of_io(error: &std::io::Error) -> Option<Self> {
        if error.get_ref().is_some() {
            return None;
        }
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
            rustls::Error::AlertReceived(alert) => Self::of_alert(&format!("{alert:?}")),
            rustls::Error::InvalidMessage(_) => Self::NoTls,
            error => Self::Broken(excerpt(&error.to_string()).to_string()),
        }
    }

    fn of_alert(alert: &str) -> Self {
        Self::ClientRefused(format!("the server ended the handshake with the alert {}", excerpt(alert)))
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
            CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
                let reason = "its certificate has no subject alternative name, and its common name is not used";
                (reason.to_owned(), CertificateCure::Certificate)
            }
            CertificateError::NotValidForNameContext { expected, presented } => {
                let names: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
                let names = names.join(", ");
                let reason =
                    format!("its certificate is for {}, not for {}", excerpt(&names), excerpt(&expected.to_str()));
                (reason, CertificateCure::Name)
            }
            CertificateError::NotValidForName => {
                ("its certificate is for another name".to_owned(), CertificateCure::Name)
            }
            CertificateError::Other(fault) => (of_other(&fault.0.to_string()), CertificateCure::Certificate),
            fault => (invalid(&fault.to_string()), CertificateCure::Certificate),
        };
        Self::ServerCertificate { reason, cure }
    }
}

/// Faults that rustls passes on from its verifier, by the names that this has for them.
fn of_other(fault: &str) -> String {
    match fault {
        // What `openssl req -x509` makes when nothing else is said.
        "CaUsedAsEndEntity" => {
            "its certificate is that of an authority (CA:TRUE), which can sign for servers but cannot be one".to_owned()
        }
        // What `openssl x509 -req` made before it wrote extensions by itself.
        "UnsupportedCertVersion" => {
            "its certificate is of X.509 version 1, which has no subject alternative name".to_owned()
        }
        fault => invalid(fault),
    }
}

/// `a.example` of `DnsName("a.example")`, as rustls lists the names of a certificate.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

fn invalid(fault: &str) -> String {
    format!("its certificate is invalid ({})", excerpt(fault))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// As a client passes it on.
    #[derive(Debug, thiserror::Error)]
    #[error("error sending request")]
    struct Client(#[source] Box<dyn StdError + Send + Sync>);

    fn wrapped(fault: CertificateError) -> Client {
        let tls = rustls::Error::InvalidCertificate(fault);
        Client(Box::new(std::io::Error::new(ErrorKind::InvalidData, tls)))
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
    fn a_certificate_without_names_is_told() {
        let expected = rustls::pki_types::ServerName::try_from("anchore.example").unwrap();
        let fault = |presented| CertificateError::NotValidForNameContext { expected: expected.clone(), presented };
        let Transport::ServerCertificate { reason, cure } = Transport::of(&wrapped(fault(Vec::new()))) else {
            panic!("no fault of a certificate")
        };
        assert!(reason.contains("no subject alternative name"), "{reason}");
        assert_eq!(cure, CertificateCure::Certificate);
        let names = vec!["DnsName(\"a.example\")".to_owned(), "IpAddress(10.0.0.1)".to_owned()];
        let Transport::ServerCertificate { reason, cure } = Transport::of(&wrapped(fault(names))) else {
            panic!("no fault of a certificate")
        };
        assert_eq!(reason, "its certificate is for a.example, 10.0.0.1, not for anchore.example");
        assert_eq!(cure, CertificateCure::Name);
    }

    #[test]
    fn an_alert_is_told_whether_its_type_is_kept_or_not() {
        let expected = "the server ended the handshake with the alert CertificateRequired".to_owned();
        let tls = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired);
        for error in [Client(tls.to_string().into()), Client(Box::new(tls))] {
            assert_eq!(Transport::of(&error), Transport::ClientRefused(expected.clone()));
        }
    }

    #[test]
    fn what_is_no_http_is_told() {
        assert_eq!(Transport::of(&Client("invalid HTTP version parsed".into())), Transport::NoHttp);
    }

    #[test]
    fn a_refused_connection_is_told_without_its_number() {
        let error = Client(Box::new(std::io::Error::from_raw_os_error(111)));
        assert_eq!(Transport::of(&error), Transport::Unreachable("connection refused".to_owned()));
    }

    #[test]
    fn anything_else_is_a_broken_connection_with_its_deepest_cause() {
        let error = Client("connection closed".into());
        assert_eq!(Transport::of(&error), Transport::Broken("connection closed".to_owned()));
    }
}
