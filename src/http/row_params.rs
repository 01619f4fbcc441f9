//! The parameters of `/v1/images` and `/v1/containers`: one table for what is read, and for the OpenAPI document.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use super::history::window::WindowParams;
use super::params::bad_value;
use super::problem::{Problem, ProblemKind};
use super::rows::Cursor;

use crate::inventory::excerpt;
use crate::views::{CycloneDxVersion, FILTERS, Filter, FilterParam, Format, ListOptions, PageRequest, Reference, Sort};

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
    format: Option<Format>,
    reference: Option<Reference>,
    version: Option<CycloneDxVersion>,
    window: WindowParams,
    has_limit: bool,
    /// Names of those that filter, each as often as it is there.
    filters: Vec<String>,
}

/// The same, once the cursor is read.
pub(super) struct Wanted<S> {
    pub(super) filter: Filter,
    pub(super) request: PageRequest<S>,
    pub(super) pin: Option<String>,
    pub(super) format: Format,
    pub(super) options: ListOptions,
    pub(super) window: WindowParams,
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

    /// Reads the cursor, and holds the parameters to the format: `accepted` finds it where no parameter names it.
    pub(super) fn wanted(
        self,
        accepted: impl FnOnce(&[Format]) -> Result<Format, Problem>,
    ) -> Result<Wanted<S>, Problem> {
        let Self {
            filter, sort, descending, limit, cursor, pin, format, reference, version, window, has_limit, ..
        } = self;
        // Of formats that share a media type, none is meant by it.
        let is_told = |format: &Format| !matches!(format, Format::Skopeo | Format::Hauler | Format::Zarf);
        let offered: Vec<Format> = S::FORMATS.iter().copied().filter(is_told).collect();
        let format = format.map_or_else(|| accepted(&offered), Ok)?;
        let of_json = [("limit", has_limit), ("cursor", cursor.is_some())];
        let has_names = matches!(format, Format::Text | Format::Skopeo | Format::Hauler | Format::Zarf);
        let misplaced = [
            (of_json.into_iter().find(|(_, is_given)| *is_given && format != Format::Json), "json; others are whole"),
            (Some(("reference", reference.is_some() && !has_names)), "text, skopeo, hauler and zarf"),
            (Some(("version", version.is_some() && format != Format::CycloneDx)), "cyclonedx"),
        ];
        for (given, formats) in misplaced {
            if let Some((name, true)) = given {
                let detail =
                    format!("The parameter \"{name}\" is for the format {formats}, and this is {}.", format.name());
                return Err(Problem::new(ProblemKind::BadParameter, detail));
            }
        }
        // Every other format is whole.
        let limit = if format == Format::Json { limit } else { usize::MAX };
        let options = ListOptions { reference: reference.unwrap_or_default(), version: version.unwrap_or_default() };
        let cursor = cursor.map(|text| Cursor::parse(&text, &filter, sort, descending, &window.text)).transpose()?;
        let (after, of_cursor) = cursor.map_or((None, None), |cursor| (Some(cursor.place), cursor.pin));
        let request = PageRequest { sort, descending, after, limit };
        Ok(Wanted { filter, request, pin: pin.or(of_cursor), format, options, window })
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
            format: None,
            reference: None,
            version: None,
            window: WindowParams::default(),
            has_limit: false,
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
                "format" => {
                    let names: Vec<_> = S::FORMATS.iter().map(|format| format.name()).collect();
                    let format = Format::named(&value, S::FORMATS);
                    params.format = Some(format.ok_or_else(|| bad_value("format", &value, &names.join(" or ")))?);
                }
                "reference" => params.reference = Some(one_of("reference", &value, &Reference::ALL)?),
                "version" => params.version = Some(one_of("version", &value, &CycloneDxVersion::ALL)?),
                "limit" => {
                    params.has_limit = true;
                    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                    params.limit =
                        limit.ok_or_else(|| bad_value("limit", &value, &format!("a number from 1 to {LIMIT_MAX}")))?;
                }
                "cursor" => params.cursor = Some(value),
                "pin" if value.is_empty() => return Err(bad_value("pin", &value, "`pin` of an answer")),
                "pin" => params.pin = Some(value),
                name if WindowParams::NAMES.contains(&name) => {
                    params.window.read(name, &value).map_err(|allowed| bad_value(name, &value, allowed))?;
                }
                name => {
                    params.filters.push(name.to_owned());
                    read_filter(&mut params.filter, name, &value)?;
                }
            }
        }
        Ok(params)
    }
}

/// What that word stands for.
fn one_of<T: Copy, E: Error>(name: &str, value: &str, known: &[(T, &str)]) -> Result<T, E> {
    let found = known.iter().find(|(_, word)| *word == value);
    let words: Vec<&str> = known.iter().map(|(_, word)| *word).collect();
    found.map(|(known, _)| *known).ok_or_else(|| bad_value(name, value, &words.join(" or ")))
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
        let formats: Vec<_> = S::FORMATS.iter().map(|format| format.name()).collect();
        let format =
            parameter("format", "Format of the rows. It takes precedence over `Accept`.", text(&formats)).build();
        let of_images = [
            parameter(
                "reference",
                "How text, skopeo, hauler and zarf name images: as manifests write them, in full, or by the manifest digest. An image without one is then left out.",
                text(&Reference::ALL.map(|(_, word)| word)),
            )
            .build(),
            parameter("version", "Version of CycloneDX.", text(&CycloneDxVersion::ALL.map(|(_, word)| word))).build(),
            moment("since", "Also images that are gone and were there then or later: a duration before now, or a time."),
            moment("until", "Images that were there then or earlier: a duration before now, or a time."),
            moment("at", "Images that were there at that instant: a duration before now, or a time."),
        ];
        let of_images = of_images.into_iter().filter(|_| S::FORMATS.len() > Format::ROWS.len());
        filters.chain(others).chain([format]).chain(of_images).collect()
    }
}

pub(super) fn parameter(name: &str, description: &str, schema: Schema) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .description(Some(description))
        .schema(Some(RefOr::T(schema)))
}

/// A moment in time.
pub(super) fn moment(name: &str, description: &str) -> Parameter {
    parameter(name, description, text(&[])).example(Some(serde_json::json!("30d"))).build()
}

pub(super) fn text(words: &[&'static str]) -> Schema {
    let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).min_length(Some(1));
    let words = Some(words.iter().copied()).filter(|words| words.len() > 0);
    text.enum_values(words).into()
}
