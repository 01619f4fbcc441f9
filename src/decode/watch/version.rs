//! How far a watch has come.

use std::fmt;
use std::num::NonZeroU64;

/// A `resourceVersion`: a decimal number above 0, which stands for "anything" in a request. A later one is larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceVersion(NonZeroU64);

impl ResourceVersion {
    /// The version that a text names, if it is written as API servers write it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        text.parse().ok().filter(|_| is_canonical).map(Self)
    }
}

impl fmt::Display for ResourceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::a_number("42", true)]
    #[case::the_largest("18446744073709551615", true)]
    #[case::beyond_it("18446744073709551616", false)]
    #[case::any_version("0", false)]
    #[case::with_zeros_before("042", false)]
    #[case::with_a_sign("+42", false)]
    #[case::a_word("abc", false)]
    #[case::other_digits("٤٢", false)]
    #[case::nothing("", false)]
    fn a_version_is_a_number_above_zero(#[case] text: &str, #[case] is_version: bool) {
        let written = ResourceVersion::parse(text).map(|version| version.to_string());
        assert_eq!(written.as_deref(), is_version.then_some(text));
    }
}
