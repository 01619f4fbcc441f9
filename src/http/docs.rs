//! The OpenAPI document and the page that shows it, all out of the binary: no browser is sent anywhere else.

use std::io::{Read, Write};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};

use super::App;
use super::cache::Rendered;
use super::negotiate::Encoding;
use super::problem::Problem;
use super::query;
use super::reply::{acceptable_encoding, conditional_reply};
use crate::snapshot::ContentHasher;

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
    identity: Rendered,
    gzip: Rendered,
}

impl Document {
    pub(super) fn new() -> Self {
        // A document of plain values cannot fail to serialize, nor can a write to memory.
        let json = super::openapi::openapi().to_json().unwrap_or_default();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let gzip = encoder.write_all(json.as_bytes()).and_then(|()| encoder.finish()).unwrap_or_default();
        let mut hasher = ContentHasher::default();
        hasher.text(&json);
        let etag = HeaderValue::try_from(format!("W/\"{}\"", hasher.finish()))
            .unwrap_or_else(|_| HeaderValue::from_static("W/\"openapi\""));
        Self { identity: Rendered::new(json.into(), etag.clone()), gzip: Rendered::new(gzip.into(), etag) }
    }
}

/// This document
///
/// OpenAPI 3.1, of the version that answers.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "get_openapi",
    tag = "documentation",
    responses((status = 200, description = "The document.", content_type = "application/json", body = Object, example = json!({"openapi": "3.1.0"}))),
)]
pub(super) async fn get_openapi(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    query::none(&uri)?;
    let encoding = acceptable_encoding(&headers)?;
    let document = match encoding {
        Encoding::Identity => &app.document.identity,
        Encoding::Gzip => &app.document.gzip,
    };
    Ok(conditional_reply(HeaderMap::new(), document, "application/json", encoding, &headers))
}

/// Where to start
///
/// Leads to the documentation.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "get_root",
    tag = "documentation",
    responses((status = 307, description = "To `/docs`.", headers(("Location" = String, description = "`/docs`")))),
)]
pub(super) async fn get_root(uri: Uri) -> Result<Redirect, Problem> {
    query::none(&uri)?;
    Ok(Redirect::temporary("/docs"))
}

/// The documentation for a person
///
/// This document in Swagger UI, without anything from the internet. `/docs/` is the same page.
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "get_docs",
    tag = "documentation",
    responses((status = 200, description = "The page.", content_type = "text/html", body = String, example = "<!doctype html>")),
)]
pub(super) async fn get_docs(uri: Uri) -> Result<Response, Problem> {
    query::none(&uri)?;
    let (assets, document) =
        if uri.path().ends_with('/') { (".", "../openapi.json") } else { ("docs", "openapi.json") };
    let page = PAGE.replace("{assets}", assets).replace("{openapi}", document);
    Ok(page_part("text/html; charset=utf-8", page.into()))
}

/// A file of Swagger UI.
pub(super) async fn get_docs_file(Path(file): Path<String>, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    query::none(&uri)?;
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
        return Err(Problem::new(StatusCode::NOT_FOUND, "There is no such file; /docs shows the documentation."));
    };
    let encoding = acceptable_encoding(&headers)?;
    let bytes = Bytes::from(found.bytes.into_owned());
    let mut response = match (found.gzpipped, encoding) {
        (true, Encoding::Gzip) => {
            let mut response = page_part(&found.content_type, bytes);
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        (true, Encoding::Identity) => {
            let mut plain = Vec::new();
            GzDecoder::new(&*bytes).read_to_end(&mut plain).map_err(|error| {
                tracing::error!(%error, file, "a vendored file cannot be decompressed");
                Problem::internal()
            })?;
            page_part(&found.content_type, plain.into())
        }
        (false, _) => page_part(&found.content_type, bytes),
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    Ok(response)
}

fn page_part(media_type: &str, body: Bytes) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_str(media_type).unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream")),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}
