//! Package URLs of images: `pkg:oci/NAME@DIGEST?repository_url=…&tag=…`.

use std::fmt::Write as _;

use crate::views::ImageRow;

/// The package URL of an image; `None` for a text that is no reference. A version is a manifest digest and nothing else.
pub(super) fn purl(row: &ImageRow<'_>) -> Option<String> {
    let (registry, repository) = (row.registry.as_deref()?, row.repository.as_deref()?);
    if row.is_unreadable() {
        return None;
    }
    let name = repository.rsplit('/').next().unwrap_or(repository).to_lowercase();
    let mut purl = format!("pkg:oci/{}", escape(&name, ""));
    if let Some(digest) = row.digest.as_deref() {
        let _infallible = write!(purl, "@{}", escape(digest.as_str(), ""));
    }
    let _infallible = write!(purl, "?repository_url={}", escape(&format!("{registry}/{repository}"), "/"));
    if let Some(tag) = row.tag.as_deref() {
        let _infallible = write!(purl, "&tag={}", escape(tag, ""));
    }
    Some(purl)
}

/// Every byte that is not unreserved in a URL, nor one of those, by its number.
fn escape(text: &str, kept: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.as_bytes().contains(&byte);
        if is_plain {
            escaped.push(char::from(byte));
        } else {
            let _infallible = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
