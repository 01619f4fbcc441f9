//! The parameters of `/v1/images` and `/v1/containers`: one table for what is read, and for the OpenAPI document.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use super::params::bad_value;
use super::problem::{Problem, ProblemKind};
use super::rows::Cursor;
use crate::inventory::excerpt;
use crate::views::{FILTERS, Filter, FilterParam, PageRequest, Sort};

/// Rows of a page, where nothing else is asked for.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// Takes the value of a parameter that filters; another one is passed over.
pub(super) fn read_filter<E: Error>(filter: &mut Filter, name: &str, value: &str) -> Result<(), E> {
    match FILTERS.iter().find(|known| known.name == name) {
        Some(known) => (known.read)(filter, value).map_err(|allowed| bad_value(name, value, &allowed)),
        None => Ok(()),
    }
}

/// The parameters that filter, of these names, for the OpenAPI document; without that word, where words are fixed.
pub(super) fn filter_parameters(is_wanted: impl Fn(&str) -> bool, without: &str) -> impl Iterator<Item = Parameter> {
    let wanted = FILTERS.iter().filter(move |filter| is_wanted(filter.name));
    wanted.map(move |FilterParam { name, description, example, words, .. }| {
        let words: Vec<_> = words().into_iter().filter(|word| *word != without).collect();
        let description = format!("{description} Repeat it for several.");
        let items = ArrayBuilder::new().items(RefOr::T(text(&words)));
        let parameter = parameter(name, &description, items.into());
        parameter.explode(Some(true)).example(Some(serde_json::json!([example]))).build()
    })
}

/// Which rows, in what order, of which snapshot.
#[derive(Debug)]
pub(super) struct RowParams<S> {
    filter: Filter,
    sort: S,
    descending: bool,
    limit: usize,
    cursor: Option<String>,
    pin: Option<String>,
    /// Names of those that filter, each as often as it is there.
    filters: Vec<String>,
}

/// The same, once the cursor is read.
pub(super) struct Wanted<S> {
    pub(super) filter: Filter,
    pub(super) request: PageRequest<S>,
    pub(super) pin: Option<String>,
}

impl<S: Sort> RowParams<S> {
    /// The path has the one value of a parameter that filters.
    pub(super) fn in_path(mut self, name: &str, text: Result<Path<String>, PathRejection>) -> Result<Self, Problem> {
        let bad = |detail: String| Problem::new(ProblemKind::BadParameter, detail);
        let Ok(Path(text)) = text else {
            return Err(bad(format!("The {name} in the path is not UTF-8 once decoded.")));
        };
        if self.filters.iter().any(|filter| filter == name) {
            return Err(bad(format!("The parameter \"{name}\" has no meaning here: the path names the {name}.")));
        }
        if let Some(filter) = FILTERS.iter().find(|filter| filter.name == name) {
            (filter.read)(&mut self.filter, &text).map_err(|allowed| {
                bad(format!("The {name} in the path is \"{}\"; it must be {allowed}.", excerpt(&text)))
            })?;
        }
        Ok(self)
    }

    pub(super) fn wanted(self) -> Result<Wanted<S>, Problem> {
        let Self { filter, sort, descending, limit, cursor, pin, filters: _ } = self;
        let cursor = cursor.map(|text| Cursor::parse(&text, &filter, sort, descending)).transpose()?;
        let (after, of_cursor) = cursor.map_or((None, None), |cursor| (Some(cursor.place), cursor.pin));
        Ok(Wanted { filter, request: PageRequest { sort, descending, after, limit }, pin: pin.or(of_cursor) })
    }
}

impl<'de, S: Sort> Deserialize<'de> for RowParams<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut params = Self {
            filter: Filter::default(),
            sort: S::default(),
            descending: false,
            limit: LIMIT,
            cursor: None,
            pin: None,
            filters: Vec::new(),
        };
        // Names are known by now, and those that do not repeat are there once.
        for (name, value) in Vec::<(String, String)>::deserialize(deserializer)? {
            match name.as_str() {
                "sort" => {
                    let word = value.strip_prefix('-').unwrap_or(&value);
                    let sort = S::ALL.iter().find(|sort| sort.word() == word);
                    let allowed = || format!("{}; a - before it turns the order round", words::<S>().join(" or "));
                    params.sort = *sort.ok_or_else(|| bad_value("sort", &value, &allowed()))?;
                    params.descending = value.starts_with('-');
                }
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                    params.limit =
                        limit.ok_or_else(|| bad_value("limit", &value, &format!("a number from 1 to {LIMIT_MAX}")))?;
                }
                "cursor" => params.cursor = Some(value),
                "pin" if value.is_empty() => return Err(bad_value("pin", &value, "`pin` of an answer")),
                "pin" => params.pin = Some(value),
                name => {
                    params.filters.push(name.to_owned());
                    read_filter(&mut params.filter, name, &value)?;
                }
            }
        }
        Ok(params)
    }
}

fn words<S: Sort>() -> Vec<&'static str> {
    S::ALL.iter().map(|sort| sort.word()).collect()
}

impl<S: Sort> IntoParams for RowParams<S> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let filters = filter_parameters(|_| true, "");
        let sorts: Vec<&'static str> = words::<S>();
        let sorts = format!(
            "Column by which rows are sorted, with a - before it from the last to the first: {}.",
            sorts.join(" or ")
        );
        let limit = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Integer))
            .minimum(Some(1))
            .maximum(Some(LIMIT_MAX))
            .default(Some(LIMIT.into()));
        let others = [
            parameter("sort", &sorts, text(&[])).example(Some(S::default().word().into())).build(),
            parameter("limit", "The most rows of a page.", limit.into()).build(),
            parameter("cursor", "`next` of the page before, sent with the same parameters.", text(&[])).build(),
            parameter("pin", "`pin` of an answer of the last minute: rows of the same snapshot.", text(&[])).build(),
        ];
        filters.chain(others).collect()
    }
}

pub(super) fn parameter(name: &str, description: &str, schema: Schema) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .description(Some(description))
        .schema(Some(RefOr::T(schema)))
}

pub(super) fn text(words: &[&'static str]) -> Schema {
    let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).min_length(Some(1));
    let words = Some(words.iter().copied()).filter(|words| words.len() > 0);
    text.enum_values(words).into()
}
