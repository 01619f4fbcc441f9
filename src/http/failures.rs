//! Failures in the OpenAPI document: for each status one response, with an example of each problem type.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, Header, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use super::problem::{PROBLEM_JSON, ProblemDetails, ProblemKind, Row};

/// Failures of every route. Without 503: metrics and documentation are answered however many requests are open.
const ANY: [u16; 8] = [400, 405, 413, 414, 421, 431, 500, 504];

/// Failures of routes that need nothing from the cluster.
pub(super) struct OfAny;
/// Failures of the probes.
pub(super) struct OfProbe;
/// Failures of routes that send a body in several codings.
pub(super) struct OfDocument;
/// Failures of the data routes.
pub(super) struct OfData;
/// Failures of the data routes that have pages.
pub(super) struct OfRows;
/// Failures of the data route that names an image.
pub(super) struct OfImage;
/// Failures of the routes of a history that name an image or a cluster.
pub(super) struct OfTimelines;
/// Failures of the list of what is in use.
pub(super) struct OfInUse;
/// Failures of the data routes that name a namespace.
pub(super) struct OfNamespaces;

impl IntoResponses for OfAny {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        references(ANY.into_iter())
    }
}

impl IntoResponses for OfProbe {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        references(ANY.into_iter().chain([503]))
    }
}

impl IntoResponses for OfDocument {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        references(ANY.into_iter().chain([406]))
    }
}

impl IntoResponses for OfData {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        references(ANY.into_iter().chain([404, 406, 503]))
    }
}

impl IntoResponses for OfRows {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        references(ANY.into_iter().chain([404, 406, 410, 503]))
    }
}

impl IntoResponses for OfImage {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        references(ANY.into_iter().chain([404, 406, 410, 503]))
    }
}

impl IntoResponses for OfTimelines {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        references(ANY.into_iter().chain([404, 406, 503]))
    }
}

impl IntoResponses for OfInUse {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        references(ANY.into_iter().chain([404, 406, 409, 503]))
    }
}

impl IntoResponses for OfNamespaces {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        references(ANY.into_iter().chain([403, 404, 406, 503]))
    }
}

fn references(statuses: impl Iterator<Item = u16>) -> BTreeMap<String, RefOr<Response>> {
    let names: BTreeMap<u16, String> = components().map(|(name, status, _)| (status, name)).collect();
    let reference = |status: u16| Some((status.to_string(), RefOr::Ref(Ref::from_response_name(names.get(&status)?))));
    statuses.filter_map(reference).collect()
}

/// Name, status and response, one for each status that a problem has.
pub(super) fn components() -> impl Iterator<Item = (String, u16, Response)> {
    let mut by_status: BTreeMap<u16, Vec<ProblemKind>> = BTreeMap::new();
    for kind in ProblemKind::ALL {
        by_status.entry(kind.row().status.as_u16()).or_default().push(kind);
    }
    by_status.into_iter().map(|(status, kinds)| {
        let reason = kinds[0].row().status.canonical_reason().unwrap_or("Error");
        (reason.replace(' ', ""), status, response(status, &kinds))
    })
}

fn response(status: u16, kinds: &[ProblemKind]) -> Response {
    let meanings: Vec<_> = kinds.iter().map(|kind| format!("`{}`: {}", kind.row().name, kind.row().meaning)).collect();
    let examples = kinds.iter().map(|kind| {
        let Row { name, title, meaning, .. } = kind.row();
        let problem = json!({
            "type": kind.uri(), "title": title, "status": status, "detail": meaning, "instance": "/inventory",
            "request_id": "4b1d9f20-2a",
        });
        (name, ExampleBuilder::new().value(Some(problem)).build())
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(ProblemDetails::name())))
        .examples_from_iter(examples)
        .build();
    let mut response = ResponseBuilder::new()
        .description(meanings.join(" "))
        .content(PROBLEM_JSON, content)
        .header("X-Request-Id", text_header("Id of the request: the client's, or a new one.", "4b1d9f20-2a"));
    match status {
        405 => response = response.header("Allow", text_header("The methods that are allowed.", "GET,HEAD")),
        503 => response = response.header("Retry-After", number_header("Seconds to wait before the next try.", 5)),
        _ => {}
    }
    response.build()
}

pub(super) fn text_header(description: &str, example: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(SchemaType::Type(Type::String))))
        .description(Some(description))
        .example(Some(json!(example)))
        .build()
}

pub(super) fn number_header(description: &str, example: u64) -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).minimum(Some(1))))
        .description(Some(description))
        .example(Some(json!(example)))
        .build()
}
