//! The parameters of timelines, and of what is in use.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::ArrayBuilder;

use super::window::Moment;
use crate::http::params::bad_value;
use crate::http::row_params::{filter_parameters, moment, parameter, read_filter, text};
use crate::views::{Filter, Format, Reference};

/// The parameters of timelines: which images, in which namespaces, of which clusters.
#[derive(Debug, Default)]
pub(in crate::http) struct TimelineParams {
    pub(super) filter: Filter,
    /// Uids or names; none: this cluster.
    pub(super) clusters: Vec<String>,
}

impl TimelineParams {
    const NAMES: [&'static str; 2] = ["image", "namespace"];
}

/// The parameters of `/v1/clusters`.
#[derive(Debug, Default)]
pub(in crate::http) struct ClusterParams(pub(super) TimelineParams);

impl<'de> Deserialize<'de> for ClusterParams {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TimelineParams::deserialize(deserializer).map(Self)
    }
}

impl IntoParams for ClusterParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let names = |name: &str| name == "digest" || TimelineParams::NAMES.contains(&name);
        filter_parameters(names, "").chain([clusters("Only this cluster: its uid, or its name.")]).collect()
    }
}

fn clusters(description: &str) -> Parameter {
    let items = ArrayBuilder::new().items(RefOr::T(text(&[])));
    let parameter = parameter("cluster", &format!("{description} Repeat it for several."), items.into());
    parameter.explode(Some(true)).example(Some(serde_json::json!(["eu1"]))).build()
}

impl<'de> Deserialize<'de> for TimelineParams {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut params = Self::default();
        for (name, value) in Vec::<(String, String)>::deserialize(deserializer)? {
            if name != "cluster" {
                read_filter(&mut params.filter, &name, &value)?;
            } else if value.is_empty() {
                return Err(bad_value("cluster", &value, "the uid or the name of a cluster"));
            } else {
                params.clusters.push(value);
            }
        }
        Ok(params)
    }
}

impl IntoParams for TimelineParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let cluster = clusters(
            "Of this cluster of the fleet: its uid, or its name. The answer is then what its kai has written to the database.",
        );
        filter_parameters(|name| Self::NAMES.contains(&name), "").chain([cluster]).collect()
    }
}

/// The parameters of `/v1/in-use`.
#[derive(Debug)]
pub(in crate::http) struct InUseParams {
    pub(super) since: Moment,
    pub(super) format: Option<Format>,
    pub(super) reference: Option<Reference>,
    pub(super) allows_incomplete: bool,
}

impl InUseParams {
    pub(super) const FORMATS: [Format; 2] = [Format::Json, Format::Text];
}

impl<'de> Deserialize<'de> for InUseParams {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut since, mut format, mut reference, mut allows_incomplete) = (None, None, None, false);
        for (name, value) in Vec::<(String, String)>::deserialize(deserializer)? {
            match &*name {
                "since" => since = Some(Moment::parse(&value).map_err(|allowed| bad_value("since", &value, allowed))?),
                "format" => {
                    let named = Format::named(&value, &Self::FORMATS);
                    format = Some(named.ok_or_else(|| bad_value("format", &value, "json or text"))?);
                }
                "reference" => {
                    let named = Reference::ALL.iter().find(|(_, word)| *word == value).map(|(reference, _)| *reference);
                    let words = Reference::ALL.map(|(_, word)| word).join(" or ");
                    reference = Some(named.ok_or_else(|| bad_value("reference", &value, &words))?);
                }
                "incomplete" if value == "allow" => allows_incomplete = true,
                "incomplete" => return Err(bad_value("incomplete", &value, "allow")),
                _ => {}
            }
        }
        let since = since.ok_or_else(|| D::Error::custom("The parameter \"since\" is missing; write since=30d."))?;
        Ok(Self { since, format, reference, allows_incomplete })
    }
}

impl IntoParams for InUseParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut since = moment("since", "Where the window begins, which ends now: a duration before now, or a time.");
        since.required = utoipa::openapi::Required::True;
        let formats = Self::FORMATS.map(Format::name);
        let references = Reference::ALL.map(|(_, word)| word);
        vec![
            since,
            parameter("format", "Format of the list. It takes precedence over `Accept`.", text(&formats)).build(),
            parameter(
                "reference",
                "How text names images: as manifests write them, in full, or by the manifest digest. Without it, as they \
                 are written and by the digest, both.",
                text(&references),
            )
            .build(),
            parameter("incomplete", "Text also when an image may be left out.", text(&["allow"])).build(),
        ]
    }
}
