//! Package URLs of images: what they say of digest, name and tag.

use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::inventory::Digest;

/// What `pkg:oci/…` or `pkg:docker/…` names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Purl {
    /// The version, where it is a digest.
    pub(super) digest: Option<Digest>,
    /// The reference that the rest makes: repository and tag.
    pub(super) image: Option<String>,
}

impl Purl {
    /// Reads one; `None` when it is none of an image.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let url: Url = text.parse().ok().filter(|url: &Url| url.scheme() == "pkg")?;
        let (kind, name) = url.path().trim_start_matches('/').split_once('/')?;
        let is_oci = kind.eq_ignore_ascii_case("oci");
        if !is_oci && !kind.eq_ignore_ascii_case("docker") {
            return None;
        }
        let (name, version) = match name.rsplit_once('@') {
            Some((name, version)) => (decode(name), Some(decode(version))),
            None => (decode(name), None),
        };
        let qualifier =
            |key: &str| url.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value.into_owned());
        let digest = version.as_deref().and_then(Digest::parse);
        let tag = qualifier("tag").or_else(|| version.filter(|_| digest.is_none()));
        let repository = match qualifier("repository_url") {
            // Of an image `docker` has the registry there, `oci` the whole repository.
            Some(address) if is_oci => Some(address),
            Some(registry) => Some(format!("{}/{name}", registry.trim_end_matches('/'))),
            None => (!is_oci).then_some(name),
        };
        let repository = repository.map(|text| {
            let bare = text.split_once("://").map_or(&*text, |(_, bare)| bare);
            bare.trim_end_matches('/').to_owned()
        });
        let image = repository.map(|repository| match tag {
            Some(tag) => format!("{repository}:{tag}"),
            None => repository,
        });
        (digest.is_some() || image.is_some()).then_some(Self { digest, image })
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[rstest]
    #[case::oci(
        "pkg:oci/nginx@{A}?repository_url=docker.io/library/nginx&tag=1.27",
        true,
        Some("docker.io/library/nginx:1.27")
    )]
    #[case::escaped("pkg:oci/nginx@{ESCAPED}", true, None)]
    #[case::address(
        "pkg:oci/app?repository_url=https%3A%2F%2Fquay.io%2Facme%2Fapp&tag=2",
        false,
        Some("quay.io/acme/app:2")
    )]
    #[case::docker("pkg:docker/acme/app@1.2?repository_url=gcr.io", false, Some("gcr.io/acme/app:1.2"))]
    #[case::docker_hub("pkg:docker/nginx@{A}", true, Some("nginx"))]
    fn a_package_url_of_an_image_is_read(#[case] text: &str, #[case] has_digest: bool, #[case] image: Option<&str>) {
        let purl =
            Purl::parse(&text.replace("{A}", A).replace("{ESCAPED}", &A.replace(':', "%3A"))).expect("one of an image");
        assert_eq!(purl.digest.as_ref().map(Digest::as_str), has_digest.then_some(A));
        assert_eq!(purl.image.as_deref(), image);
    }

    #[rstest]
    #[case("pkg:npm/left-pad@1.3.0")]
    #[case("pkg:oci/nginx")]
    #[case("https://quay.io/acme/app")]
    #[case("nginx")]
    fn what_names_no_image_is_none(#[case] text: &str) {
        assert_eq!(Purl::parse(text), None);
    }
}
