//! `Retry-After`: when a server wants to be asked again.

use std::time::Duration;

use http::{HeaderMap, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// The wait that a server asks for: whole seconds, or a date, which counts from `now` and is no wait when it is past.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    // Servers write the day of the week wrongly now and then; the rest of the date decides.
    static DATE: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DATE.parse_timestamp(value).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use rstest::rstest;

    #[rstest]
    #[case::seconds("7", Some(7))]
    #[case::at_once(" 0 ", Some(0))]
    #[case::date("Tue, 24 Nov 2026 10:00:30 GMT", Some(30))]
    #[case::wrong_weekday("Fri, 24 Nov 2026 10:00:30 GMT", Some(30))]
    #[case::past("Tue, 24 Nov 2026 09:00:00 GMT", Some(0))]
    #[case::negative("-3", None)]
    #[case::words("soon", None)]
    fn seconds_and_dates_are_read(#[case] value: &'static str, #[case] seconds: Option<u64>) {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let headers = [(header::RETRY_AFTER, HeaderValue::from_static(value))].into_iter().collect();
        assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs));
    }

    #[test]
    fn no_header_is_no_wait() {
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp::UNIX_EPOCH), None);
    }
}
