//! Web pages where an answer should be: for example the login page of a proxy.

use http::{HeaderMap, header};

use crate::inventory::excerpt;

/// Whether the headers announce a web page.
pub(crate) fn has_html_type(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// Whether a body is a web page, by its headers or its own beginning.
pub(crate) fn is_html(headers: &HeaderMap, text: &str) -> bool {
    let begins_with =
        |tag: &str| text.trim_start().get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    has_html_type(headers) || begins_with("<!doctype html") || begins_with("<html")
}

/// A web page in the place of an answer, for a message.
pub(crate) fn describe_page(text: &str) -> String {
    format!("{} (the login page of a proxy?)", describe_error_page(text))
}

/// A web page behind a status of failure, for a message: with its title.
pub(crate) fn describe_error_page(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|start| {
        let end = lower[start..].find("</title>")?;
        text.get(start + "<title>".len()..start + end)
    });
    let title = title.map(str::trim).filter(|title| !title.is_empty());
    let titled = title.map(|title| format!(" titled \"{}\"", excerpt(title))).unwrap_or_default();
    format!("an HTML page{titled}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use rstest::rstest;

    #[rstest]
    #[case::by_type(Some("Text/HTML; charset=utf-8"), "", true)]
    #[case::by_doctype(None, "\n <!DOCTYPE HTML PUBLIC>", true)]
    #[case::by_root(Some("application/json"), "<HTML>", true)]
    #[case::json(Some("application/json"), "{\"html\": 1}", false)]
    #[case::nothing(None, "", false)]
    #[case::short_and_wide(None, "<htm\u{e9}", false)]
    fn a_page_is_known_by_its_type_or_its_beginning(
        #[case] media_type: Option<&'static str>,
        #[case] text: &str,
        #[case] expected: bool,
    ) {
        let headers =
            media_type.map(|value| (header::CONTENT_TYPE, HeaderValue::from_static(value))).into_iter().collect();
        assert_eq!(is_html(&headers, text), expected);
    }

    #[test]
    fn a_page_is_described_by_its_title() {
        assert_eq!(
            describe_page("<HTML><Title> Sign in </Title>\u{e9}"),
            "an HTML page titled \"Sign in\" (the login page of a proxy?)"
        );
        assert_eq!(describe_page("<html></title><title>"), "an HTML page (the login page of a proxy?)");
    }
}
