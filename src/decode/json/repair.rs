//! JSON texts that are not Unicode: bytes that are no UTF-8, and halves of surrogate pairs (`\ud800`).

/// The same value with the mark U+FFFD in their place; `None` when there are none.
pub(super) fn repaired(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(bytes);
    let mut is_changed = matches!(text, std::borrow::Cow::Owned(_));
    let mut text = text.into_owned().into_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &text[at..]) {
        at += found;
        match unit(&text[at..]) {
            Some(0xd800..=0xdbff) if matches!(unit(&text[at + 6..]), Some(0xdc00..=0xdfff)) => at += 12,
            Some(0xd800..=0xdfff) => {
                text[at + 2..at + 6].copy_from_slice(b"fffd");
                is_changed = true;
                at += 6;
            }
            _ => at = (at + 2).min(text.len()),
        }
    }
    is_changed.then_some(text)
}

/// The number in the `\uXXXX` that the bytes begin with.
fn unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nothing_to_do(br#""a\u00e9\ud83d\ude00\\ud800""#, None)]
    #[case::a_first_half(br#""\ud800""#, Some("\"\\ufffd\""))]
    #[case::a_second_half(br#""\udc00x""#, Some("\"\\ufffdx\""))]
    #[case::two_first_halves(br#""\ud83d\ud83d\ude00""#, Some("\"\\ufffd\\ud83d\\ude00\""))]
    #[case::cut_short(br#""\ud8"#, None)]
    #[case::a_backslash_at_the_end(b"\"\\", None)]
    #[case::no_utf8(b"\"\xff\"", Some("\"\u{fffd}\""))]
    fn what_is_no_unicode_is_marked(#[case] bytes: &[u8], #[case] expected: Option<&str>) {
        let repaired = repaired(bytes).map(|bytes| String::from_utf8(bytes).expect("text"));
        assert_eq!(repaired.as_deref(), expected);
    }
}
