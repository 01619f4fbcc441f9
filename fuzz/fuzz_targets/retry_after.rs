//! `Retry-After` of any bytes: never a panic, seconds are what they say, and a date is a moment that comes.

#![no_main]

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header::RETRY_AFTER};
use jiff::{Timestamp, fmt::rfc2822};
use kai::cluster::retry_after;
use libfuzzer_sys::fuzz_target;

/// More than there is from 1970 to the last day that a date can have.
const LONGEST: Duration = Duration::from_secs(10_000 * 366 * 24 * 60 * 60);

fn wait(value: &[u8], now: Timestamp) -> Option<Duration> {
    let value = HeaderValue::from_bytes(value).ok()?;
    retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value)]), now)
}

fn date(moment: Timestamp) -> String {
    rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&moment).expect("a year of four digits")
}

fuzz_target!(|input: (u32, u32, &[u8])| {
    let (now, then, value) = input;
    let [now, then] = [now, then].map(|second| Timestamp::from_second(second.into()).expect("a moment until 2106"));
    let until = Duration::try_from(then.duration_since(now)).unwrap_or_default();
    assert_eq!(wait(date(then).as_bytes(), now), Some(until));
    assert_eq!(wait(until.as_secs().to_string().as_bytes(), now), Some(until));

    let Some(asked) = wait(value, now) else { return };
    let text = std::str::from_utf8(value).expect("what was read is text").trim();
    if let Ok(seconds) = text.parse() {
        assert_eq!(asked, Duration::from_secs(seconds));
        return;
    }
    assert!(asked < LONGEST, "{text:?}");
    let end = now + asked;
    assert_eq!(wait(value, end), Some(Duration::ZERO), "{text:?}");
    assert_eq!(wait(date(end).as_bytes(), now), Some(asked), "{text:?}");
});
