//! The OpenAPI document: what the routes say of themselves, and what holds for all of them.

use serde_json::json;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, Header, InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, Required, Response,
    ResponseBuilder, Schema,
};
use utoipa::{PartialSchema, ToSchema};

use super::problem::{PROBLEM_JSON, ProblemDetails};
use super::routes;

const DESCRIPTION: &str = "\
Which container images run in a Kubernetes cluster, right now, where, and since when.

Every resource answers GET and HEAD. Data answers carry a weak `ETag` over their content, which `If-None-Match` compares, \
and say in `Inventory-Generation`, `Inventory-Observed-At` and `Inventory-Complete` of which snapshot they are; they are \
compressed with gzip when `Accept-Encoding` admits it. Every failure is a problem of RFC 9457. Unknown parameters are \
refused. An `X-Request-Id` of at most 128 visible ASCII characters is echoed, else one is made.";

/// The OpenAPI 3.1 document of every documented route.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut document = routes::documented().into_openapi();
    document.info = InfoBuilder::new()
        .title("kai")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    document.tags = Some(vec![
        tag("inventory", "What runs in the cluster."),
        tag("probes", "How the process is. Answered however many requests are under way."),
        tag("documentation", "How to use it."),
    ]);
    let mut components = ComponentsBuilder::from(document.components.take().unwrap_or_default());
    components = components.schema("ProblemDetails", ProblemDetails::schema());
    for (name, status, description) in FAILURES {
        components = components.response(name, failure(status, description));
    }
    document.components = Some(components.build());
    for (path, item) in &mut document.paths.paths {
        if let Some(operation) = &mut item.get {
            complete(path, operation);
        }
    }
    document
}

/// Name, status and meaning of the failures that routes share.
const FAILURES: [(&str, u16, &str); 11] = [
    ("BadRequest", 400, "A parameter is unknown or has a bad value; the detail names the known ones."),
    ("NotFound", 404, "The namespace is unknown to kai, or excluded by its configuration."),
    ("MethodNotAllowed", 405, "Another method than GET and HEAD; `Allow` names them."),
    ("NotAcceptable", 406, "`Accept` or `Accept-Encoding` admits nothing that kai can send here."),
    ("RequestTimeout", 408, "The request was not done within `server.request-timeout-seconds`."),
    ("ContentTooLarge", 413, "The body has more than 64 KiB."),
    ("UriTooLong", 414, "Path and query have more than 8 KiB."),
    ("HeadersTooLarge", 431, "The header fields are more than 64, or have more than 32 KiB."),
    ("InternalError", 500, "A bug in kai; its log has the cause under the request's id."),
    (
        "Busy",
        503,
        "As many requests are under way as `server.max-concurrent-requests` allows. `Retry-After` says when to try again.",
    ),
    ("NotReady", 503, "The probe fails; with `?verbose` the problem has the members of the answer that succeeds."),
];

/// Why data cannot be told.
const NO_DATA: &str = "No relist has finished yet, or the namespace could not be read (the detail has the reason), or as many \
requests are under way as `server.max-concurrent-requests` allows. `Retry-After` says when to try again.";

/// Adds what every operation of its kind answers.
fn complete(path: &str, operation: &mut Operation) {
    let is_data = path.starts_with("/inventory") || path.starts_with("/namespaces");
    let is_probe = routes::is_probe(path);
    let has_namespace = path == "/inventory" || path.contains("{namespace}");
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        match parameter.name.as_str() {
            "format" => parameter.schema = Some(words(&["json", "csv"])),
            "namespace" => parameter.schema = Some(names(parameter.parameter_in == ParameterIn::Query)),
            "verbose" => parameter.schema = Some(words(&["", "true", "1", "false", "0"])),
            _ => {}
        }
        if parameter.parameter_in == ParameterIn::Query {
            parameter.required = Required::False;
        }
    }
    let responses = &mut operation.responses.responses;
    if is_data || path == "/openapi.json" {
        responses.insert("304".into(), RefOr::T(not_modified(is_data)));
    }
    for (status, response) in responses.iter_mut() {
        let RefOr::T(response) = response else { continue };
        if is_data && status == "200" {
            response.headers.extend(data_headers());
        }
        response.headers.insert("X-Request-Id".into(), text_header("The request's id, echoed or made.", "4b1d9f20-2a"));
    }
    let mut shared = vec![
        "BadRequest",
        "MethodNotAllowed",
        "RequestTimeout",
        "ContentTooLarge",
        "UriTooLong",
        "HeadersTooLarge",
        "InternalError",
    ];
    if has_namespace {
        shared.push("NotFound");
    }
    if is_data || path == "/openapi.json" {
        shared.push("NotAcceptable");
    }
    let is_unlimited = routes::is_unlimited(path);
    match (is_data, is_probe) {
        (true, _) => {
            responses.insert("503".into(), RefOr::T(failure(503, NO_DATA)));
        }
        (_, true) => shared.push("NotReady"),
        _ if is_unlimited => {}
        _ => shared.push("Busy"),
    }
    for (name, status, _) in FAILURES {
        if shared.contains(&name) {
            responses.insert(status.to_string(), RefOr::Ref(Ref::from_response_name(name)));
        }
    }
}

fn failure(status: u16, description: &str) -> Response {
    let title = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error");
    let example = json!({
        "type": "about:blank", "title": title, "status": status, "detail": description, "instance": "/inventory", "request_id": "4b1d9f20-2a",
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(ProblemDetails::name())))
        .example(Some(example))
        .build();
    let mut response = ResponseBuilder::new()
        .description(description)
        .content(PROBLEM_JSON, content)
        .header("X-Request-Id", text_header_value("The request's id, echoed or made.", "4b1d9f20-2a"));
    match status {
        405 => response = response.header("Allow", text_header_value("The methods that are allowed.", "GET,HEAD")),
        503 => response = response.header("Retry-After", number_header("Seconds after which to try again.", 5)),
        _ => {}
    }
    response.build()
}

fn not_modified(is_data: bool) -> Response {
    let mut response = ResponseBuilder::new()
        .description("The client has the content already: its `If-None-Match` names the `ETag`.")
        .build();
    if is_data {
        response.headers.extend(data_headers());
    }
    response
}

fn data_headers() -> [(String, RefOr<Header>); 6] {
    [
        (
            "ETag".into(),
            text_header(
                "Weak tag of the content; the time of observation is not content.",
                "W/\"6f0cb1c5a92e47d3881f2d6a4be90357-json\"",
            ),
        ),
        ("Inventory-Generation".into(), RefOr::T(number_header("Number of the snapshot in this process, from 1.", 42))),
        (
            "Inventory-Observed-At".into(),
            text_header("When the cluster was observed, RFC 3339 UTC.", "2026-11-24T09:30:00Z"),
        ),
        (
            "Inventory-Complete".into(),
            text_header("`false` when something was refused or skipped; /readyz?verbose says what.", "true"),
        ),
        ("Cache-Control".into(), text_header("Ask again each time, with `If-None-Match`.", "no-cache")),
        ("Vary".into(), text_header("What the answer depends on.", "Accept, Accept-Encoding")),
    ]
}

fn text_header(description: &str, example: &str) -> RefOr<Header> {
    RefOr::T(text_header_value(description, example))
}

fn text_header_value(description: &str, example: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(SchemaType::Type(Type::String))))
        .description(Some(description))
        .example(Some(json!(example)))
        .build()
}

fn number_header(description: &str, example: u64) -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).minimum(Some(1))))
        .description(Some(description))
        .example(Some(json!(example)))
        .build()
}

/// The name of a namespace, or a list of them.
fn names(is_list: bool) -> RefOr<Schema> {
    let name = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).min_length(Some(1));
    RefOr::T(if is_list { ArrayBuilder::new().items(name).into() } else { name.into() })
}

fn words(words: &'static [&'static str]) -> RefOr<Schema> {
    RefOr::T(
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .enum_values(Some(words.iter().copied()))
            .into(),
    )
}

fn tag(name: &str, description: &str) -> utoipa::openapi::Tag {
    utoipa::openapi::tag::TagBuilder::new().name(name).description(Some(description)).build()
}
