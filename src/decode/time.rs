//! A point in time, as the API writes it: seconds and nanoseconds in protobuf, RFC 3339 in JSON and YAML.

use jiff::Timestamp;
use serde::Deserializer;

use super::fields::loose;

/// `metav1.Time`, in whole seconds.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Time {
    #[prost(int64, optional, tag = "1")]
    pub(super) seconds: Option<i64>,
}

/// Nothing depends on it: what is no time counts as absent.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    let time: Option<Timestamp> = loose(deserializer)?.and_then(|text| text.parse().ok());
    Ok(time.map(|time| Time { seconds: Some(time.as_second()) }))
}
