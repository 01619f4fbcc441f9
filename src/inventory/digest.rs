//! A content digest, `algorithm:encoded`, checked when it is made.

use std::fmt;
use std::sync::Arc;

/// A manifest digest: what a node reported for a running container, or what a manifest pinned.
///
/// For sha256, sha384 and sha512 the encoded part is lower-case hex of the right length. A digest of any other
/// algorithm is kept as it stands and says [`DigestAlgorithm::Unsupported`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Arc<str>);

/// What kai knows about the algorithm of a [`Digest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestAlgorithm {
    /// 64 hex digits.
    Sha256,
    /// 96 hex digits.
    Sha384,
    /// 128 hex digits.
    Sha512,
    /// Any other name: kept, never checked.
    Unsupported,
}

/// The fewest characters behind the colon of a digest of an algorithm that kai does not know.
const UNSUPPORTED_MIN: usize = 32;

impl DigestAlgorithm {
    /// The algorithm of that exact name.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        match name {
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => Self::Unsupported,
        }
    }

    /// How many hex digits a digest of this algorithm has; `None` when unknown.
    #[must_use]
    pub fn hex_length(self) -> Option<usize> {
        match self {
            Self::Sha256 => Some(64),
            Self::Sha384 => Some(96),
            Self::Sha512 => Some(128),
            Self::Unsupported => None,
        }
    }
}

impl Digest {
    /// Reads `algorithm:encoded`; `None` when it is no digest.
    ///
    /// A known algorithm with a wrong length, upper-case hex or an upper-case name is none. A foreign algorithm is
    /// accepted with 32 or more characters of `[A-Za-z0-9=_-]` behind the colon.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_digest(text).then(|| Self(text.into()))
    }

    /// The whole digest, `algorithm:encoded`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the colon.
    #[must_use]
    pub fn encoded(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, encoded)| encoded)
    }

    /// The algorithm, as far as kai knows it.
    #[must_use]
    pub fn algorithm(&self) -> DigestAlgorithm {
        DigestAlgorithm::of_name(self.0.split_once(':').map_or("", |(name, _)| name))
    }

    /// The digest that `text` is, in the allocation that `share` gives for it.
    pub(super) fn shared(text: &str, share: impl FnOnce(&str) -> Arc<str>) -> Option<Self> {
        is_digest(text).then(|| Self(share(text)))
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no digest")))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_digest(text: &str) -> bool {
    let Some((name, encoded)) = text.split_once(':') else { return false };
    match DigestAlgorithm::of_name(name).hex_length() {
        Some(length) => encoded.len() == length && encoded.bytes().all(is_lower_hex),
        None => is_foreign_name(name) && encoded.len() >= UNSUPPORTED_MIN && encoded.bytes().all(is_encoded),
    }
}

/// Whether `text` is the ID of an image (its config digest) with its algorithm, one of the known three: behind any
/// other word stands a tag, which may well be as long as a hash (`app:` and a commit).
pub(super) fn is_image_id(text: &str) -> bool {
    let name = text.split_once(':').map_or("", |(name, _)| name);
    is_digest(text) && DigestAlgorithm::of_name(name) != DigestAlgorithm::Unsupported
}

/// Whether `text` is 64 lower-case hex digits: the ID of an image without an algorithm.
pub(super) fn is_bare_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(is_lower_hex)
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn is_encoded(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'=' | b'_' | b'-')
}

/// A name of an algorithm that is not one of the known three in another case.
fn is_foreign_name(name: &str) -> bool {
    let known_in_other_case = DigestAlgorithm::of_name(&name.to_ascii_lowercase()) != DigestAlgorithm::Unsupported;
    !known_in_other_case
        && name
            .split(['+', '.', '_', '-'])
            .all(|component| !component.is_empty() && component.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[rstest]
    #[case::sha256(format!("sha256:{HEX}"), Some(DigestAlgorithm::Sha256))]
    #[case::sha384(format!("sha384:{HEX}{}", &HEX[..32]), Some(DigestAlgorithm::Sha384))]
    #[case::sha512(format!("sha512:{HEX}{HEX}"), Some(DigestAlgorithm::Sha512))]
    #[case::foreign("sha256+b64u:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU".into(), Some(DigestAlgorithm::Unsupported))]
    #[case::foreign_of_31(format!("blake3:{}", &HEX[..31]), None)]
    #[case::too_short(format!("sha256:{}", &HEX[..63]), None)]
    #[case::too_long(format!("sha256:{HEX}0"), None)]
    #[case::upper_case_hex(format!("sha256:{}", HEX.to_uppercase()), None)]
    #[case::upper_case_name(format!("SHA256:{HEX}"), None)]
    #[case::no_colon(HEX.into(), None)]
    #[case::empty_component(format!("a..b:{HEX}"), None)]
    fn digests_are_read_by_algorithm(#[case] text: String, #[case] expected: Option<DigestAlgorithm>) {
        assert_eq!(Digest::parse(&text).map(|digest| digest.algorithm()), expected);
    }
}
