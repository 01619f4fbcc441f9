//! The OpenAPI document and the page that shows it, all out of the binary: no browser is sent anywhere else.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Read;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue};
use utoipa::openapi::OpenApi;

use super::App;
use super::failures::{OfAny, OfDocument};
use super::negotiate::ContentCoding;
use super::params::{NoParams, Params};
use super::problem::{Problem, ProblemKind, Row};
use super::rendered::{Alive, Rendered};
use super::reply::{Asked, acceptable_coding, conditional};
use crate::snapshot::ContentHash;

/// The page. Its links are relative, so that it also works behind a path of a proxy.
const PAGE: &str = include_str!("docs.html");
/// What starts Swagger UI. The validator badge is off: it would ask a server in the internet.
const START: &str = r##"SwaggerUIBundle({
  url: document.currentScript.dataset.openapi,
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: "none",
  presets: [SwaggerUIBundle.presets.apis],
});
"##;
/// Nothing but this server, with the styles that Swagger UI writes into its elements and its images in them.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

/// The OpenAPI document, rendered when the server starts.
#[derive(Debug)]
pub(super) struct Document {
    json: Written,
    yaml: Written,
}

/// The document in one format: by coding.
#[derive(Debug)]
struct Written {
    media_type: &'static str,
    by_coding: [Rendered; 2],
}

impl Document {
    /// # Errors
    /// Those of writing YAML.
    pub(super) fn new(openapi: &OpenApi) -> std::io::Result<Self> {
        let yaml = openapi.to_yaml().map_err(std::io::Error::other)?;
        Ok(Self {
            json: Written::of(&openapi.to_json()?, "application/json", "json")?,
            yaml: Written::of(&yaml, "application/yaml", "yaml")?,
        })
    }
}

impl Written {
    fn of(text: &str, media_type: &'static str, suffix: &str) -> std::io::Result<Self> {
        let etag = format!("{}-{suffix}", ContentHash::of(text));
        let coded = |coding| {
            Rendered::of(coding, &Alive::default(), |writer| {
                writer.write_all(text.as_bytes())?;
                Ok(etag.clone())
            })
        };
        Ok(Self { media_type, by_coding: [coded(ContentCoding::Identity)?, coded(ContentCoding::Gzip)?] })
    }

    fn answer(&self, headers: &HeaderMap) -> Result<Response, Problem> {
        let coding = acceptable_coding(headers)?;
        conditional(headers, &self.by_coding[coding as usize], self.media_type, coding, |body| Ok(body.into()))
    }
}

/// OpenAPI document in JSON
///
/// This document, as OpenAPI 3.1.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "get_openapi",
    tag = "documentation",
    responses((status = 200, description = "The document.", content_type = "application/json", body = Object, example = json!({"openapi": "3.1.0"})), OfDocument),
)]
pub(super) async fn get_openapi(
    State(app): State<Arc<App>>,
    Params(NoParams {}): Params<NoParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.document.json.answer(&headers)
}

/// OpenAPI document in YAML
///
/// This document, as OpenAPI 3.1.
#[utoipa::path(
    get,
    path = "/openapi.yaml",
    operation_id = "get_openapi_yaml",
    tag = "documentation",
    responses((status = 200, description = "The document.", content_type = "application/yaml", body = Object, example = json!({"openapi": "3.1.0"})), OfDocument),
)]
pub(super) async fn get_openapi_yaml(
    State(app): State<Arc<App>>,
    Params(NoParams {}): Params<NoParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.document.yaml.answer(&headers)
}

/// Redirect to the documentation
///
/// Redirects to `/docs`.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "get_root",
    tag = "documentation",
    responses((status = 307, description = "To `/docs`.", headers(("Location" = String, description = "`/docs`"))), OfAny),
)]
pub(super) async fn get_root(Params(NoParams {}): Params<NoParams>) -> Redirect {
    Redirect::temporary("/docs")
}

/// Swagger UI
///
/// This document in Swagger UI. It needs no internet access. `/docs/` is the same page.
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "get_docs",
    tag = "documentation",
    responses((status = 200, description = "The page.", content_type = "text/html", body = String, example = "<!doctype html>"), OfAny),
)]
pub(super) async fn get_docs(Params(NoParams {}): Params<NoParams>) -> Response {
    page_part("text/html; charset=utf-8", PAGE.replace("{assets}", "docs").replace("{openapi}", "openapi.json").into())
}

/// The same page, of which the links lead up.
pub(super) async fn get_docs_below(Params(NoParams {}): Params<NoParams>) -> Response {
    page_part("text/html; charset=utf-8", PAGE.replace("{assets}", ".").replace("{openapi}", "../openapi.json").into())
}

/// Problem types
///
/// The types of problems, each with its meaning under the anchor that `type` has.
#[utoipa::path(
    get,
    path = "/docs/problems",
    operation_id = "get_problem_types",
    tag = "documentation",
    responses((status = 200, description = "The page.", content_type = "text/html", body = String, example = "<!doctype html>"), OfAny),
)]
pub(super) async fn get_problem_types(Params(NoParams {}): Params<NoParams>) -> Response {
    let mut page =
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>kai: problem types</title></head>\n\
        <body>\n<h1>Problem types</h1>\n<dl>\n"
            .to_owned();
    for Row { name, status, title, meaning } in ProblemKind::ALL.map(ProblemKind::row) {
        let status = status.as_u16();
        // Writing to a text cannot fail.
        let _ = writeln!(page, "<dt id=\"{name}\"><code>{name}</code> ({status}): {title}</dt>\n<dd>{meaning}</dd>");
    }
    page.push_str("</dl>\n</body>\n</html>\n");
    page_part("text/html; charset=utf-8", page.into())
}

/// A file of Swagger UI.
pub(super) async fn get_docs_file(
    State(app): State<Arc<App>>,
    Path(file): Path<String>,
    Params(NoParams {}): Params<NoParams>,
    asked: Asked,
) -> Result<Response, Problem> {
    if file == "swagger-initializer.js" {
        return Ok(page_part("text/javascript; charset=utf-8", START.into()));
    }
    let config = Arc::new(utoipa_swagger_ui::Config::from("../openapi.json"));
    let found = match file.as_str() {
        // Of the library's page, not of this one.
        "index.html" | "oauth2-redirect.html" | "oauth2-redirect.js" => None,
        file => utoipa_swagger_ui::serve(file, config).ok().flatten(),
    };
    let Some(found) = found else {
        let detail = "There is no such file; the documentation is at /docs.";
        return Err(Problem::new(ProblemKind::UnknownResource, detail));
    };
    let bytes = match found.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let is_packed = found.gzpipped && asked.coding == ContentCoding::Gzip;
    let body = if found.gzpipped && !is_packed { asked.send(&app, || unpack(&bytes)).await? } else { bytes.into() };
    let mut response = page_part(&found.content_type, body);
    if is_packed {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    Ok(response)
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut plain = Vec::new();
    let read = GzDecoder::new(bytes).read_to_end(&mut plain);
    read.map_err(|error| Problem::internal(format!("a vendored file cannot be decompressed: {error}")))?;
    Ok(plain)
}

fn page_part(media_type: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_str(media_type).unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream")),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}
