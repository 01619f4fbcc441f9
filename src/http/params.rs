//! Query parameters, typed by each route; what a route does not know is refused with what it does.

use axum::extract::FromRequestParts;
use axum_extra::extract::Query;
use http::Uri;
use http::request::Parts;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use super::problem::{Problem, ProblemKind};
use crate::inventory::excerpt;
use crate::views::Format;

/// Passed over: scripts add it to get past caches.
const CACHE_BUSTER: &str = "_";

/// The parameters of a route.
#[derive(Debug)]
pub(super) struct Params<T>(pub(super) T);

/// No parameters.
#[derive(Debug, Default, Deserialize)]
pub(super) struct NoParams {}

impl IntoParams for NoParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Vec::new()
    }
}

/// The parameters of `/inventory`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct InventoryParams {
    /// Only this namespace; repeat the parameter for several. An unknown or excluded name gets 404, a name that kai may
    /// not read 403.
    #[serde(default, deserialize_with = "namespaces")]
    #[param(schema_with = name_list, explode = true, example = json!(["shop"]))]
    pub(super) namespace: Vec<String>,
    /// Format of the report. It takes precedence over `Accept`.
    #[serde(default, deserialize_with = "format")]
    #[param(schema_with = format_names, example = "json")]
    pub(super) format: Option<Format>,
}

/// The parameters of a probe.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ProbeParams {
    /// Details as JSON. `?verbose` alone also works.
    #[serde(default, deserialize_with = "verbose")]
    #[param(schema_with = verbose_words, example = "true")]
    pub(super) verbose: bool,
}

impl<T: DeserializeOwned + IntoParams> Params<T> {
    fn of(uri: &Uri) -> Result<Self, Problem> {
        if uri.query().is_some_and(|query| !query.is_empty()) {
            check_names(uri, &T::into_params(|| Some(ParameterIn::Query)))?;
        }
        let Query(params) = Query::try_from_uri(uri).map_err(|error| {
            let mut cause: &dyn std::error::Error = &error;
            while let Some(deeper) = cause.source() {
                cause = deeper;
            }
            bad(cause.to_string())
        })?;
        Ok(Self(params))
    }
}

impl<S: Sync, T: DeserializeOwned + IntoParams> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.uri)
    }
}

fn check_names(uri: &Uri, known: &[Parameter]) -> Result<(), Problem> {
    let Query(pairs): Query<Vec<(String, String)>> = Query::try_from_uri(uri).map_err(|_| {
        bad("The query cannot be read; write it as name=value, joined by &, with other bytes percent-encoded.")
    })?;
    for (place, (name, _)) in pairs.iter().enumerate().filter(|(_, (name, _))| name != CACHE_BUSTER) {
        let Some(parameter) = known.iter().find(|known| known.name == *name) else {
            return Err(unknown(name, known));
        };
        let repeats = matches!(parameter.schema, Some(RefOr::T(Schema::Array(_))));
        if !repeats && pairs[..place].iter().any(|(before, _)| before == name) {
            return Err(bad(format!("The parameter \"{name}\" is given more than once; give it once.")));
        }
    }
    Ok(())
}

fn unknown(name: &str, known: &[Parameter]) -> Problem {
    let known = match known {
        [] => "this resource has none".to_owned(),
        [one] => format!("the only one is {}", one.name),
        all => {
            let names: Vec<_> = all.iter().map(|parameter| parameter.name.as_str()).collect();
            format!("the known ones are {}", names.join(" and "))
        }
    };
    bad(format!("The parameter \"{}\" is unknown; {known}.", excerpt(name)))
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(ProblemKind::BadParameter, detail)
}

pub(super) fn bad_value<E: Error>(name: &str, value: &str, allowed: &str) -> E {
    E::custom(format!("The parameter \"{name}\" is \"{}\"; it must be {allowed}.", excerpt(value)))
}

/// Names of namespaces, sorted, each once.
fn namespaces<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let mut names = Vec::<String>::deserialize(deserializer)?;
    for name in &names {
        if name.is_empty() {
            return Err(bad_value(
                "namespace",
                name,
                "the name of a namespace; leave the parameter out for all of them",
            ));
        }
        // What stands for bytes that are not UTF-8 once decoded.
        if name.contains(char::REPLACEMENT_CHARACTER) {
            return Err(bad_value("namespace", name, "the name of a namespace in UTF-8, percent-encoded"));
        }
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

fn format<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Format>, D::Error> {
    let value = String::deserialize(deserializer)?;
    let served = Format::named(&value, &Format::SERVED);
    let names = Format::SERVED.map(Format::name).join(" or ");
    served.map(Some).ok_or_else(|| bad_value("format", &value, &names))
}

fn verbose<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = String::deserialize(deserializer)?;
    match value.as_str() {
        "" | "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(bad_value("verbose", &value, "no value, true, 1, false or 0")),
    }
}

fn name_list() -> Schema {
    let name = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).min_length(Some(1));
    ArrayBuilder::new().items(name).into()
}

fn format_names() -> Schema {
    words(&Format::SERVED.map(Format::name))
}

fn verbose_words() -> Schema {
    words(&["", "true", "1", "false", "0"])
}

fn words(words: &[&'static str]) -> Schema {
    let words = words.iter().copied();
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).enum_values(Some(words)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn uri(query: &str) -> Uri {
        format!("/x{query}").parse().expect("uri")
    }

    #[rstest]
    #[case::none("", &[], None)]
    #[case::empty("?", &[], None)]
    #[case::repeated("?namespace=b&namespace=a&namespace=b", &["a", "b"], None)]
    #[case::decoded("?namespace=%61&format=csv", &["a"], Some(Format::Csv))]
    #[case::cache_buster("?_=1732440600&namespace=a&_=2", &["a"], None)]
    fn inventory_parameters_are_normalised(
        #[case] query: &str,
        #[case] namespaces: &[&str],
        #[case] format: Option<Format>,
    ) {
        let Params(params) = Params::<InventoryParams>::of(&uri(query)).expect("parameters");
        assert_eq!((params.namespace, params.format), (namespaces.iter().map(ToString::to_string).collect(), format));
    }

    #[rstest]
    #[case::unknown("?nmespace=a", "The parameter \"nmespace\" is unknown; the known ones are namespace and format.")]
    #[case::case_matters(
        "?Namespace=a",
        "The parameter \"Namespace\" is unknown; the known ones are namespace and format."
    )]
    #[case::empty(
        "?namespace=",
        "The parameter \"namespace\" is \"\"; it must be the name of a namespace; leave the parameter out for all of \
         them."
    )]
    #[case::bytes(
        "?namespace=%ff",
        "The parameter \"namespace\" is \"\u{fffd}\"; it must be the name of a namespace in UTF-8, percent-encoded."
    )]
    #[case::format("?format=yaml%0a", "The parameter \"format\" is \"yaml\\n\"; it must be json or csv.")]
    #[case::format_of_the_command_line(
        "?format=table",
        "The parameter \"format\" is \"table\"; it must be json or csv."
    )]
    #[case::no_format("?format=", "The parameter \"format\" is \"\"; it must be json or csv.")]
    #[case::twice("?format=csv&format=csv", "The parameter \"format\" is given more than once; give it once.")]
    fn bad_inventory_parameters_are_named(#[case] query: &str, #[case] detail: &str) {
        assert_eq!(Params::<InventoryParams>::of(&uri(query)).expect_err("problem").detail, detail);
    }

    #[rstest]
    #[case::absent("", Some(false))]
    #[case::bare("?verbose", Some(true))]
    #[case::word("?verbose=true", Some(true))]
    #[case::number("?verbose=1", Some(true))]
    #[case::off("?verbose=false", Some(false))]
    #[case::other("?verbose=yes", None)]
    #[case::twice("?verbose&verbose", None)]
    #[case::unknown("?pretty", None)]
    fn a_probe_is_verbose_when_asked(#[case] query: &str, #[case] expected: Option<bool>) {
        assert_eq!(Params::<ProbeParams>::of(&uri(query)).ok().map(|Params(params)| params.verbose), expected);
    }
}
