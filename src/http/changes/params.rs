//! The parameters of `/v1/changes`: the filters that have a meaning for events, and how to go on.

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

use crate::http::params::bad_value;
use crate::http::row_params::{filter_parameters, parameter, read_filter, text};
use crate::views::{Filter, Flag};

/// The longest that an answer may wait for an event, in seconds.
const WAIT_MAX: u64 = 60;
/// What only the whole cluster tells, and no event.
const NO_FLAG: Flag = Flag::SeveralDigests;

/// Which events, and behind which.
#[derive(Debug, Default)]
pub(in crate::http) struct ChangeParams {
    pub(super) filter: Filter,
    /// Answer with a list, after so long at the latest.
    pub(super) wait: Option<Duration>,
    pub(super) last_event_id: Option<String>,
}

impl<'de> Deserialize<'de> for ChangeParams {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut params = Self::default();
        // Names are known by now, and those that do not repeat are there once.
        for (name, value) in Vec::<(String, String)>::deserialize(deserializer)? {
            match name.as_str() {
                "wait" => {
                    let seconds = value.parse().ok().filter(|seconds| *seconds <= WAIT_MAX);
                    let seconds = seconds.ok_or_else(|| {
                        bad_value::<D::Error>(&name, &value, &format!("a number of seconds from 0 to {WAIT_MAX}"))
                    })?;
                    params.wait = Some(Duration::from_secs(seconds));
                }
                // A loop of a shell has none at first.
                "last-event-id" => params.last_event_id = Some(value).filter(|id| !id.is_empty()),
                "flag" if value == NO_FLAG.word() => {
                    let words = Flag::ALL.into_iter().filter(|flag| *flag != NO_FLAG).map(Flag::word);
                    return Err(bad_value(&name, &value, &words.collect::<Vec<_>>().join(" or ")));
                }
                _ => read_filter(&mut params.filter, &name, &value)?,
            }
        }
        Ok(params)
    }
}

impl IntoParams for ChangeParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let has_meaning = |name: &str| !matches!(name, "kind" | "state" | "node");
        let filters = filter_parameters(has_meaning, NO_FLAG.word());
        let seconds =
            ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).minimum(Some(0)).maximum(Some(WAIT_MAX));
        let wait = "Long polling: answer with a list, at once when there are events behind `last-event-id`, else after \
                    the first one, or after so many seconds.";
        let id = "Go on behind the event of this id, as with the header `Last-Event-ID`, which has precedence.";
        let others =
            [parameter("wait", wait, seconds.into()).build(), parameter("last-event-id", id, text(&[])).build()];
        filters.chain(others).collect()
    }
}
