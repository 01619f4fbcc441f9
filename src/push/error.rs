//! Settings that no request can be made with: each message names the key, the value and what is allowed.

/// A setting that can never work, so that the start is to stop.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// `anchore.url` is no address of a receiver.
    #[error("anchore.url{shown} {problem}; write a URL, for example https://anchore.example.com")]
    Url {
        /// ` is "…", which`, or nothing when it may hold a password.
        shown: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A certificate or key cannot be used.
    #[error("{key}{place} cannot be used: {reason}; {allowed}")]
    Pem {
        key: &'static str,
        /// ` (FILE)`, or nothing when it is the text itself.
        place: String,
        reason: String,
        allowed: &'static str,
    },
    /// The proxy cannot be used. Its value is not shown: it may hold a password.
    #[error("{0}")]
    Proxy(String),
    /// There are no authorities to trust.
    #[error(
        "the receiver's certificate could not be checked: this system has no certificate authorities ({reason}); put the \
         receiver's authority into anchore.http.ca-certificate, or name a file of authorities with the variable \
         SSL_CERT_FILE"
    )]
    Authorities {
        /// The TLS library's message.
        reason: String,
    },
}
