//! Certificates and keys that a setting either holds as PEM text or names as a file.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The path of a file that holds them.
    Path,
    Text,
}

/// The least length at which a value in base64 is taken for a key that lost its PEM lines: the shortest has 64.
const LEAST_KEY: usize = 60;

/// Separates a path from PEM text. What the text or the file holds is not looked at.
///
/// # Errors
/// Why it can be neither, without any part of the value: it may be a key in another form.
pub(super) fn meaning(text: &str) -> Result<Meaning, &'static str> {
    if text.contains("-----BEGIN") {
        // YAML folds the lines of a text that is no block, and then no reader knows where the header ends.
        return if text.trim().contains('\n') {
            Ok(Meaning::Text)
        } else {
            Err("is PEM text without its line breaks; keep them, in a YAML file as a block after |")
        };
    }
    if is_base64_key(text) {
        return Err("is base64; write PEM text as it is, with its BEGIN and END lines, or the path of a file with it");
    }
    if text.contains(char::is_control) {
        return Err(
            "has a line end or control character, but no BEGIN line as PEM text has; write PEM text or the path of a \
                    file with it",
        );
    }
    Ok(Meaning::Path)
}

/// PEM text encoded once more, as `kubeconfig` wants it, or the bare content between its lines.
fn is_base64_key(text: &str) -> bool {
    let of_pem = text.starts_with("LS0tLS1CRUdJTi");
    // Certificates and keys are ASN.1 sequences, which start with the byte 0x30, and base64 makes an M of it.
    let of_der = text.starts_with('M')
        && text.len() >= LEAST_KEY
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(&byte));
    of_pem || of_der
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::path("/etc/kai/tls/ca.pem", Ok(Meaning::Path))]
    #[case::with_a_space("My certificates/ca.pem", Ok(Meaning::Path))]
    #[case::long(
        "/var/lib/kubelet/pods/0f0e7a36/volumes/kubernetes.io~secret/anchore/tls/clientkey",
        Ok(Meaning::Path)
    )]
    #[case::text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", Ok(Meaning::Text))]
    #[case::text_behind_a_comment("# CA\n-----BEGIN CERTIFICATE-----\nAAAA\n", Ok(Meaning::Text))]
    #[case::folded(
        "-----BEGIN PRIVATE KEY----- AAAA -----END PRIVATE KEY-----",
        Err("is PEM text without its line breaks;")
    )]
    #[case::folded_with_an_end("-----BEGIN CERTIFICATE----- AAAA\n", Err("is PEM text without its line breaks;"))]
    #[case::encoded_pem("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg==", Err("is base64;"))]
    #[case::der("MC4CAQAwBQYDK2VwBCIEIJ0Jg4pQ8Nq2u1fXxqQvO0mH5S9wq0JmYc8rT3kLZ1aB", Err("is base64;"))]
    #[case::wrapped_der("MC4CAQAwBQYDK2VwBCIEIJ0Jg4pQ8Nq2u1\nfXxqQvO0mH5S9wq0JmYc8rT3kLZ1aB\n", Err("is base64;"))]
    #[case::two_lines("/etc/a.pem\n/etc/b.pem", Err("has a line end"))]
    fn a_value_is_a_path_or_pem_text_or_neither(#[case] text: &str, #[case] expected: Result<Meaning, &str>) {
        match (meaning(text), expected) {
            (Err(reason), Err(start)) => assert!(reason.starts_with(start), "{reason}"),
            (found, expected) => assert_eq!(found, expected),
        }
    }
}
