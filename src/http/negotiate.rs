//! What a client accepts: media types and codings with their weights.

use http::header::{ACCEPT, ACCEPT_ENCODING};
use http::{HeaderMap, HeaderName};

use crate::views::Format;

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ContentCoding {
    Identity,
    Gzip,
}

/// The media type without parameters.
pub(super) fn essence(format: Format) -> &'static str {
    format.media_type().split(';').next().unwrap_or_default()
}

/// A weight in thousandths.
type Weight = u16;
const WHOLE: Weight = 1000;

/// The one of `offered` that the client wants most, the first of equals; `None` when it wants none of them.
pub(super) fn negotiate(headers: &HeaderMap, offered: &[Format]) -> Option<Format> {
    let ranges = media_ranges(headers);
    if ranges.is_empty() {
        return offered.first().copied();
    }
    let weighted = offered.iter().map(|format| (*format, media_weight(essence(*format), &ranges)));
    let best = weighted.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    (best.1 > 0).then_some(best.0)
}

/// Whether the client takes that media type.
pub(super) fn accepts(headers: &HeaderMap, essence: &str) -> bool {
    let ranges = media_ranges(headers);
    ranges.is_empty() || media_weight(essence, &ranges) > 0
}

fn media_ranges(headers: &HeaderMap) -> Vec<((&str, &str), Weight)> {
    elements(headers, &ACCEPT).filter_map(|(range, weight)| Some((range.split_once('/')?, weight))).collect()
}

impl ContentCoding {
    /// The coding that the client wants most, gzip of equals; `None` when it forbids both.
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let (mut gzip, mut identity, mut rest) = (None, None, None);
        for (coding, weight) in elements(headers, &ACCEPT_ENCODING) {
            if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
                gzip = Some(weight);
            } else if coding.eq_ignore_ascii_case("identity") {
                identity = Some(weight);
            } else if coding == "*" {
                rest = Some(weight);
            }
        }
        let gzip = gzip.or(rest).unwrap_or(0);
        // Not named, identity is acceptable, but not wanted more than a coding that is.
        match identity {
            Some(identity) if identity > gzip => Some(Self::Identity),
            None if gzip == 0 && rest != Some(0) => Some(Self::Identity),
            _ if gzip > 0 => Some(Self::Gzip),
            _ => None,
        }
    }
}

/// The weight that the most specific range gives the media type; zero when none names it.
fn media_weight(essence: &str, ranges: &[((&str, &str), Weight)]) -> Weight {
    let (kind, subtype) = essence.split_once('/').unwrap_or_default();
    let mut found = (0, 0);
    for ((range_kind, range_subtype), weight) in ranges {
        let specificity = match (*range_kind, *range_subtype) {
            ("*", "*") => 1,
            (range, "*") if range.eq_ignore_ascii_case(kind) => 2,
            (range, name) if range.eq_ignore_ascii_case(kind) && name.eq_ignore_ascii_case(subtype) => 3,
            _ => continue,
        };
        if specificity > found.0 {
            found = (specificity, *weight);
        }
    }
    found.1
}

/// The elements of a list header with their weights. What is no such element is passed over.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = (&'a str, Weight)> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|element| {
            let mut parts = element.split(';').map(str::trim);
            let value = parts.next().filter(|value| !value.is_empty())?;
            let weight = parts.find_map(|parameter| {
                let (name, weight) = parameter.split_once('=')?;
                name.trim().eq_ignore_ascii_case("q").then(|| parse_weight(weight.trim()))
            });
            match weight {
                None => Some((value, WHOLE)),
                Some(weight) => Some((value, weight?)),
            }
        })
}

/// `1`, `0.25`: at most three decimals.
fn parse_weight(text: &str) -> Option<Weight> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: Weight = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(WHOLE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use rstest::rstest;

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_str(value).expect("header"))).collect()
    }

    #[rstest]
    #[case::absent(&[], Some(ContentCoding::Identity))]
    #[case::empty(&[""], Some(ContentCoding::Identity))]
    #[case::gzip(&["gzip"], Some(ContentCoding::Gzip))]
    #[case::old_name(&["x-gzip"], Some(ContentCoding::Gzip))]
    #[case::case_does_not_matter(&["GZip;Q=0.5"], Some(ContentCoding::Gzip))]
    #[case::curl(&["deflate, gzip, br, zstd"], Some(ContentCoding::Gzip))]
    #[case::second_line(&["br", "gzip"], Some(ContentCoding::Gzip))]
    #[case::others_alone(&["br, zstd"], Some(ContentCoding::Identity))]
    #[case::gzip_forbidden(&["gzip;q=0"], Some(ContentCoding::Identity))]
    #[case::gzip_forbidden_to_three_decimals(&["gzip;q=0.000, br"], Some(ContentCoding::Identity))]
    #[case::gzip_forbidden_among_all(&["gzip;q=0, *"], Some(ContentCoding::Identity))]
    #[case::anything(&["*"], Some(ContentCoding::Gzip))]
    #[case::nothing(&["*;q=0"], None)]
    #[case::nothing_but_gzip(&["gzip, *;q=0"], Some(ContentCoding::Gzip))]
    #[case::nothing_but_identity(&["identity, *;q=0"], Some(ContentCoding::Identity))]
    #[case::identity_forbidden(&["identity;q=0"], None)]
    #[case::identity_forbidden_with_gzip(&["identity;q=0, gzip;q=0.1"], Some(ContentCoding::Gzip))]
    #[case::identity_forbidden_with_anything(&["identity;q=0, *;q=0.1"], Some(ContentCoding::Gzip))]
    #[case::both_forbidden(&["identity;q=0, gzip;q=0"], None)]
    #[case::identity_preferred(&["gzip;q=0.5, identity;q=0.8"], Some(ContentCoding::Identity))]
    #[case::gzip_of_equals(&["identity, gzip"], Some(ContentCoding::Gzip))]
    #[case::low_gzip_beats_unnamed_identity(&["gzip;q=0.001"], Some(ContentCoding::Gzip))]
    #[case::broken_weight_is_passed_over(&["gzip;q=7"], Some(ContentCoding::Identity))]
    fn codings_are_negotiated(#[case] values: &[&str], #[case] expected: Option<ContentCoding>) {
        assert_eq!(ContentCoding::negotiate(&headers(&ACCEPT_ENCODING, values)), expected);
    }

    #[rstest]
    #[case::absent(&[], Some(Format::Json))]
    #[case::anything(&["*/*"], Some(Format::Json))]
    #[case::json(&["application/json"], Some(Format::Json))]
    #[case::with_parameter(&["application/json; charset=utf-8"], Some(Format::Json))]
    #[case::csv(&["text/csv"], Some(Format::Csv))]
    #[case::any_text(&["text/*"], Some(Format::Csv))]
    #[case::csv_first_of_equals(&["text/csv, application/json"], Some(Format::Json))]
    #[case::csv_weighs_more(&["application/json;q=0.5, text/csv"], Some(Format::Csv))]
    #[case::csv_before_the_rest(&["text/csv, */*;q=0.1"], Some(Format::Csv))]
    #[case::json_forbidden(&["application/json;q=0, */*"], Some(Format::Csv))]
    #[case::a_browser(&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], Some(Format::Json))]
    #[case::second_line(&["text/html", "text/csv"], Some(Format::Csv))]
    #[case::case_does_not_matter(&["Text/CSV"], Some(Format::Csv))]
    #[case::neither(&["text/html"], None)]
    #[case::everything_forbidden(&["*/*;q=0"], None)]
    #[case::no_media_range(&["nonsense"], Some(Format::Json))]
    fn formats_are_negotiated(#[case] values: &[&str], #[case] expected: Option<Format>) {
        assert_eq!(negotiate(&headers(&ACCEPT, values), &Format::SERVED), expected);
    }
}
