//! Query parameters, each read by name; what a route does not know is refused with what it does.

use axum::extract::Query;
use http::Uri;

use super::negotiate::Format;
use super::problem::Problem;
use crate::inventory::excerpt;

/// The parameters of `/inventory`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct InventoryParams {
    /// `namespace`, sorted, each once; empty: all.
    pub(super) namespaces: Vec<String>,
    /// `format`
    pub(super) format: Option<Format>,
}

impl InventoryParams {
    pub(super) fn of(uri: &Uri) -> Result<Self, Problem> {
        let mut params = Self::default();
        for (name, value) in pairs(uri)? {
            match name.as_str() {
                "namespace" if value.is_empty() => {
                    return Err(bad_value(
                        &name,
                        &value,
                        "the name of a namespace; without the parameter all are told",
                    ));
                }
                // What stands for bytes that are not UTF-8 once decoded.
                "namespace" if value.contains(char::REPLACEMENT_CHARACTER) => {
                    return Err(bad_value(&name, &value, "the name of a namespace, which is UTF-8 once decoded"));
                }
                "namespace" => params.namespaces.push(value),
                "format" if params.format.is_some() => return Err(given_twice(&name)),
                "format" => {
                    params.format = Some(match value.as_str() {
                        "json" => Format::Json,
                        "csv" => Format::Csv,
                        _ => return Err(bad_value(&name, &value, "json or csv")),
                    });
                }
                _ => return Err(unknown(&name, &["namespace", "format"])),
            }
        }
        params.namespaces.sort_unstable();
        params.namespaces.dedup();
        Ok(params)
    }
}

/// Whether a probe is asked for the whole story.
pub(super) fn verbose(uri: &Uri) -> Result<bool, Problem> {
    let mut verbose = None;
    for (name, value) in pairs(uri)? {
        match name.as_str() {
            "verbose" if verbose.is_some() => return Err(given_twice(&name)),
            "verbose" => {
                verbose = Some(match value.as_str() {
                    "" | "true" | "1" => true,
                    "false" | "0" => false,
                    _ => return Err(bad_value(&name, &value, "no value, true, 1, false or 0")),
                });
            }
            _ => return Err(unknown(&name, &["verbose"])),
        }
    }
    Ok(verbose.unwrap_or(false))
}

/// Refuses every parameter.
pub(super) fn none(uri: &Uri) -> Result<(), Problem> {
    match pairs(uri)?.first() {
        Some((name, _)) => Err(unknown(name, &[])),
        None => Ok(()),
    }
}

fn pairs(uri: &Uri) -> Result<Vec<(String, String)>, Problem> {
    match uri.query() {
        None | Some("") => Ok(Vec::new()),
        Some(query) => Query::try_from_uri(uri).map(|Query(pairs)| pairs).map_err(|_| {
            Problem::bad_request(format!(
                "The query \"{}\" cannot be read; write it as name=value, joined by &, with other bytes percent-encoded.",
                excerpt(query)
            ))
        }),
    }
}

fn unknown(name: &str, known: &[&str]) -> Problem {
    let known = match known {
        [] => "this resource has none".to_owned(),
        [one] => format!("the only one is {one}"),
        names => format!("the known ones are {}", names.join(" and ")),
    };
    Problem::bad_request(format!("The parameter \"{}\" is unknown; {known}.", excerpt(name)))
}

fn bad_value(name: &str, value: &str, allowed: &str) -> Problem {
    Problem::bad_request(format!("The parameter \"{name}\" is \"{}\"; it must be {allowed}.", excerpt(value)))
}

fn given_twice(name: &str) -> Problem {
    Problem::bad_request(format!("The parameter \"{name}\" is given more than once; give it once."))
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
    fn inventory_parameters_are_normalised(
        #[case] query: &str,
        #[case] namespaces: &[&str],
        #[case] format: Option<Format>,
    ) {
        let params = InventoryParams::of(&uri(query)).expect("parameters");
        assert_eq!(
            (params.namespaces.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), params.format),
            (namespaces, format)
        );
    }

    #[rstest]
    #[case::unknown("?nmespace=a", "The parameter \"nmespace\" is unknown; the known ones are namespace and format.")]
    #[case::case_matters(
        "?Namespace=a",
        "The parameter \"Namespace\" is unknown; the known ones are namespace and format."
    )]
    #[case::empty(
        "?namespace=",
        "The parameter \"namespace\" is \"\"; it must be the name of a namespace; without the parameter all are told."
    )]
    #[case::bytes(
        "?namespace=%ff",
        "The parameter \"namespace\" is \"\u{fffd}\"; it must be the name of a namespace, which is UTF-8 once decoded."
    )]
    #[case::format("?format=yaml%0a", "The parameter \"format\" is \"yaml\\n\"; it must be json or csv.")]
    #[case::twice("?format=csv&format=csv", "The parameter \"format\" is given more than once; give it once.")]
    fn bad_inventory_parameters_are_named(#[case] query: &str, #[case] detail: &str) {
        assert_eq!(InventoryParams::of(&uri(query)).expect_err("problem").detail, detail);
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
        assert_eq!(verbose(&uri(query)).ok(), expected);
    }
}
