//! Package URLs of images: `pkg:oci/NAME@DIGEST?repository_url=…&tag=…`.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::views::ImageRow;

/// What is unreserved in a URL stands for itself.
const PART: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const REPOSITORY: AsciiSet = PART.remove(b'/');

/// The package URL of an image; `None` for a text that is no reference. A version is a manifest digest and nothing else.
pub(super) fn purl(row: &ImageRow<'_>) -> Option<String> {
    let (registry, repository) = (row.registry.as_deref()?, row.repository.as_deref()?);
    if row.is_unreadable() {
        return None;
    }
    let name = repository.rsplit('/').next().unwrap_or(repository).to_lowercase();
    let mut purl = format!("pkg:oci/{}", utf8_percent_encode(&name, &PART));
    if let Some(digest) = row.digest.as_deref() {
        let _infallible = write!(purl, "@{}", utf8_percent_encode(digest.as_str(), &PART));
    }
    let _infallible =
        write!(purl, "?repository_url={}", utf8_percent_encode(&format!("{registry}/{repository}"), &REPOSITORY));
    if let Some(tag) = row.tag.as_deref() {
        let _infallible = write!(purl, "&tag={}", utf8_percent_encode(tag, &PART));
    }
    Some(purl)
}
