//! Conditional requests: whether the client already has what it asks for.

use http::HeaderMap;
use http::header::IF_NONE_MATCH;

/// Whether `If-None-Match` names `etag`, compared weakly: then the answer is 304.
pub(super) fn is_known_to_client(headers: &HeaderMap, etag: &str) -> bool {
    let opaque = opaque(etag);
    headers.get_all(IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok()).any(|value| names(value, opaque))
}

fn names(list: &str, opaque: &str) -> bool {
    if list.trim() == "*" {
        return true;
    }
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let tag = rest.strip_prefix("W/").unwrap_or(rest);
        // A comma may stand inside the quotes, so the list is not split at commas. What is no tag ends it.
        let Some((tag, after)) = tag.strip_prefix('"').and_then(|tag| tag.split_once('"')) else {
            return false;
        };
        if tag == opaque {
            return true;
        }
        rest = after;
    }
}

/// The part between the quotes.
fn opaque(etag: &str) -> &str {
    etag.trim_start_matches("W/").trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use rstest::rstest;

    #[rstest]
    #[case::absent(&[], false)]
    #[case::anything(&["*"], true)]
    #[case::the_same(&[r#"W/"a1-json""#], true)]
    #[case::weak_comparison(&[r#""a1-json""#], true)]
    #[case::another(&[r#"W/"a2-json""#], false)]
    #[case::another_format(&[r#"W/"a1-csv""#], false)]
    #[case::in_a_list(&[r#""x", W/"y,z" , W/"a1-json""#], true)]
    #[case::on_another_line(&[r#""x""#, r#"W/"a1-json""#], true)]
    #[case::a_comma_splits_no_tag(&[r#""x,W/"a1-json"#], false)]
    #[case::without_quotes(&["a1-json"], false)]
    #[case::a_part_is_not_enough(&[r#"W/"a1""#], false)]
    #[case::lower_case_w_is_no_tag(&[r#"w/"a1-json""#], false)]
    fn tags_are_compared_weakly(#[case] values: &[&str], #[case] expected: bool) {
        let headers =
            values.iter().map(|value| (IF_NONE_MATCH, HeaderValue::from_str(value).expect("header"))).collect();
        assert_eq!(is_known_to_client(&headers, r#"W/"a1-json""#), expected);
    }
}
