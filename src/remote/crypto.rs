//! Which cryptography TLS uses, decided once for the whole process.

/// Makes aws-lc-rs the provider of every TLS connection of this process. Call it first thing in `main`: kube, reqwest and
/// the HTTP server all take the process-wide provider, and panic when there is none. A second call does nothing.
pub fn install_crypto_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only when another thread was faster, and then the provider is there.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    }
}
