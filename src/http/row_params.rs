//! The parameters of `/v1/images` and `/v1/containers`: one table for what is read, and for the OpenAPI document.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use super::params::bad_value;
use super::problem::{Problem, ProblemKind};
use super::rows::Cursor;
use crate::inventory::{ImageRef, excerpt};
use crate::views::{DigestPrefix, Filter, Flag, KINDS, PageRequest, RepositoryName, STATES, Sort};

/// Rows of a page, where nothing else is asked for.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// A parameter that filters: its name, what it means, an example, and its words where it has a fixed set.
struct FilterParam {
    name: &'static str,
    description: &'static str,
    example: &'static str,
    words: fn() -> Vec<&'static str>,
    read: fn(&mut Filter, &str) -> Result<(), String>,
}

const FILTERS: [FilterParam; 11] = [
    FilterParam {
        name: "namespace",
        description: "Only this namespace.",
        example: "shop",
        words: Vec::new,
        read: |filter, text| plain(&mut filter.namespaces, text, "the name of a namespace"),
    },
    FilterParam {
        name: "registry",
        description: "Only images of this registry, `docker.io` for those that name none.",
        example: "quay.io",
        words: Vec::new,
        read: |filter, text| read_registry(&mut filter.registries, text),
    },
    FilterParam {
        name: "repository",
        description: "Only images of this repository: of any registry, or of the one that it begins with.",
        example: "acme/cart",
        words: Vec::new,
        read: |filter, text| {
            let name = RepositoryName::parse(text);
            read(&mut filter.repositories, name, "a repository without tag and digest, with or without a registry")
        },
    },
    FilterParam {
        name: "tag",
        description: "Only images with this tag, `latest` for those that have neither tag nor digest.",
        example: "1.25",
        words: Vec::new,
        read: |filter, text| plain(&mut filter.tags, text, "a tag"),
    },
    FilterParam {
        name: "digest",
        description: "Only images that run with, or pin, this manifest digest: `sha256:` and 64 hex digits, or the first 12 or more.",
        example: "sha256:b9b4fa9b3e13",
        words: Vec::new,
        read: |filter, text| {
            let digest = DigestPrefix::parse(text);
            read(&mut filter.digests, digest, "a manifest digest, or sha256: with its first 12 or more hex digits")
        },
    },
    FilterParam {
        name: "image",
        description: "Only this image, however it is spelled: a repository, with tag or digest or without.",
        example: "nginx:1.27",
        words: Vec::new,
        read: |filter, text| {
            let image = (!text.is_empty()).then(|| ImageRef::parse(text));
            read(&mut filter.images, image, "an image reference")
        },
    },
    FilterParam {
        name: "kind",
        description: "Only containers of this kind.",
        example: "container",
        words: || KINDS.map(|(_, word)| word).into(),
        read: |filter, text| {
            let kind = KINDS.iter().find(|(_, word)| *word == text).map(|(kind, _)| *kind);
            read(&mut filter.kinds, kind, &one_of(&KINDS.map(|(_, word)| word)))
        },
    },
    FilterParam {
        name: "state",
        description: "Only containers in this state.",
        example: "running",
        words: || STATES.map(|(_, word)| word).into(),
        read: |filter, text| {
            let state = STATES.iter().find(|(_, word)| *word == text).map(|(state, _)| *state);
            read(&mut filter.states, state, &one_of(&STATES.map(|(_, word)| word)))
        },
    },
    FilterParam {
        name: "owner",
        description: "Only pods of this workload: its name, or `KIND/NAME`.",
        example: "Deployment/web",
        words: Vec::new,
        read: |filter, text| plain(&mut filter.owners, text, "the name of a workload, or KIND/NAME"),
    },
    FilterParam {
        name: "node",
        description: "Only pods on this node.",
        example: "node-1",
        words: Vec::new,
        read: |filter, text| plain(&mut filter.nodes, text, "the name of a node"),
    },
    FilterParam {
        name: "flag",
        description: "Only what has this flag.",
        example: "floating-tag",
        words: || Flag::ALL.map(Flag::word).into(),
        read: |filter, text| {
            let flag = Flag::ALL.into_iter().find(|flag| flag.word() == text);
            read(&mut filter.flags, flag, &one_of(&Flag::ALL.map(Flag::word)))
        },
    },
];

fn read_registry(registries: &mut BTreeSet<String>, text: &str) -> Result<(), String> {
    let reference = ImageRef::parse(&format!("{text}/x"));
    let registry = reference.registry().filter(|_| reference.is_registry_written());
    read(registries, registry.map(str::to_owned), "a registry: a host, with its port if it has one")
}

fn plain(values: &mut BTreeSet<String>, text: &str, allowed: &str) -> Result<(), String> {
    // What stands for bytes that are not UTF-8 once decoded.
    let is_text = !text.is_empty() && !text.contains(char::REPLACEMENT_CHARACTER);
    read(values, is_text.then(|| text.to_owned()), allowed)
}

fn read<T: Ord>(values: &mut BTreeSet<T>, value: Option<T>, allowed: &str) -> Result<(), String> {
    values.insert(value.ok_or(allowed)?);
    Ok(())
}

fn one_of(words: &[&str]) -> String {
    words.join(" or ")
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
}

/// The same, once the cursor is read.
pub(super) struct Wanted<S> {
    pub(super) filter: Filter,
    pub(super) request: PageRequest<S>,
    pub(super) pin: Option<String>,
}

impl<S: Sort> RowParams<S> {
    /// Of the registry in the path alone.
    pub(super) fn of_registry(mut self, text: &str) -> Result<Self, Problem> {
        let bad = |detail: String| Problem::new(ProblemKind::BadParameter, detail);
        if !self.filter.registries.is_empty() {
            return Err(bad("The parameter \"registry\" has no meaning here: the path names the registry.".to_owned()));
        }
        read_registry(&mut self.filter.registries, text).map_err(|allowed| {
            bad(format!("The registry in the path is \"{}\"; it must be {allowed}.", excerpt(text)))
        })?;
        Ok(self)
    }

    pub(super) fn wanted(self) -> Result<Wanted<S>, Problem> {
        let Self { filter, sort, descending, limit, cursor, pin } = self;
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
        };
        // Names are known by now, and those that do not repeat are there once.
        for (name, value) in Vec::<(String, String)>::deserialize(deserializer)? {
            match name.as_str() {
                "sort" => {
                    let word = value.strip_prefix('-').unwrap_or(&value);
                    let sort = S::ALL.iter().find(|sort| sort.word() == word);
                    let allowed = || format!("{}; a - before it turns the order round", one_of(&words::<S>()));
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
                    if let Some(filter) = FILTERS.iter().find(|filter| filter.name == name) {
                        (filter.read)(&mut params.filter, &value)
                            .map_err(|allowed| bad_value::<D::Error>(name, &value, &allowed))?;
                    }
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
        let filters = FILTERS.iter().map(|FilterParam { name, description, example, words, .. }| {
            let item = text(&words());
            let description = format!("{description} Repeat it for several.");
            let parameter = parameter(name, &description, ArrayBuilder::new().items(RefOr::T(item)).into());
            parameter.explode(Some(true)).example(Some(serde_json::json!([example]))).build()
        });
        let sorts: Vec<&'static str> = words::<S>();
        let sorts = format!(
            "Column by which rows are sorted, with a - before it from the last to the first: {}.",
            one_of(&sorts)
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

fn parameter(name: &str, description: &str, schema: Schema) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .description(Some(description))
        .schema(Some(RefOr::T(schema)))
}

fn text(words: &[&'static str]) -> Schema {
    let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).min_length(Some(1));
    let words = Some(words.iter().copied()).filter(|words| words.len() > 0);
    text.enum_values(words).into()
}
