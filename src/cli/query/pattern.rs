//! A part of an image's name, as people type it.

use crate::inventory::ImageRef;

/// A text with `*` for any characters; without one, anything that contains it.
pub(super) struct Pattern(Vec<String>);

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let text = if text.contains('*') { text.to_owned() } else { format!("*{text}*") };
        Self(text.split('*').map(str::to_owned).collect())
    }

    /// Whether it is the image's name as it is written, or in full.
    pub(super) fn matches(&self, image: &str) -> bool {
        self.is_whole(image) || self.is_whole(&ImageRef::parse(image).to_string())
    }

    fn is_whole(&self, text: &str) -> bool {
        let [first, between @ .., last] = self.0.as_slice() else { return false };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for part in between {
            let Some((_, behind)) = rest.split_once(part.as_str()) else { return false };
            rest = behind;
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::contained("gin", "nginx:1.27", true)]
    #[case::in_full("docker.io", "nginx:1.27", true)]
    #[case::beginning("nginx*", "nginx:1.27", true)]
    #[case::whole_alone("ngin*7", "nginx:1.27", true)]
    #[case::not_the_beginning("ginx*", "nginx:1.27", false)]
    #[case::several("*/acme/*:1*", "quay.io/acme/cart:1.25", true)]
    #[case::other_end("quay.io/*:2", "quay.io/acme/cart:1.25", false)]
    #[case::no_overlap("ab*ba", "aba", false)]
    #[case::everything("*", "Not An Image", true)]
    fn a_pattern_is_a_part_or_has_stars(#[case] pattern: &str, #[case] image: &str, #[case] expected: bool) {
        assert_eq!(Pattern::new(pattern).matches(image), expected);
    }
}
