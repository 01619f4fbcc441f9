//! The answer to a data request: headers, 304, 406 and the body.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::App;
use super::answers::Look;
use super::cache::Rendered;
use super::conditional::is_known_to_client;
use super::generation::Generation;
use super::negotiate::{Encoding, Format};
use super::problem::Problem;
use super::question::{NoAnswer, Question};
use crate::inventory::escape_controls;
use crate::snapshot::Snapshot;

pub(super) const INVENTORY_GENERATION: HeaderName = HeaderName::from_static("inventory-generation");
pub(super) const INVENTORY_OBSERVED_AT: HeaderName = HeaderName::from_static("inventory-observed-at");
pub(super) const INVENTORY_COMPLETE: HeaderName = HeaderName::from_static("inventory-complete");
const VARY_ON: HeaderValue = HeaderValue::from_static("Accept, Accept-Encoding");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Answers what `ask` makes of the snapshot, rendering the body when nobody has asked for it yet.
pub(super) async fn answer<B: From<Bytes>>(
    app: &Arc<App>,
    headers: &HeaderMap,
    ask: impl Fn(&Snapshot) -> Result<Question, NoAnswer>,
) -> Result<Response<B>, Problem> {
    let encoding = acceptable_encoding(headers)?;
    loop {
        let generation = app.answers.current().ok_or_else(|| app.not_yet())?;
        let question = ask(&generation.snapshot).map_err(|reason| app.no_answer(reason))?;
        let media_type = question.media_type();
        let body = match app.answers.look(&generation, question, encoding) {
            Look::Found(body) => body,
            Look::Absent(key) => app.answers.render(&generation, key).await?,
            Look::Moved => continue,
        };
        return Ok(reply(&generation, &body, media_type, encoding, headers));
    }
}

/// The whole inventory when its body is in the cache and nothing about the request is out of the ordinary: the one answer
/// that must come at the speed of a static file.
pub(super) fn cached_inventory<B: From<Bytes>>(app: &App, headers: &HeaderMap) -> Option<Response<B>> {
    let format = Format::negotiate(headers, &[Format::Json, Format::Csv])?;
    let encoding = Encoding::negotiate(headers)?;
    let generation = app.answers.current()?;
    let question = Question::Inventory { namespaces: None, format };
    let media_type = question.media_type();
    match app.answers.look(&generation, question, encoding) {
        Look::Found(body) => Some(reply(&generation, &body, media_type, encoding, headers)),
        Look::Absent(_) | Look::Moved => None,
    }
}

/// The format for a route that has several.
pub(super) fn acceptable_format(headers: &HeaderMap, offered: &[Format]) -> Result<Format, Problem> {
    Format::negotiate(headers, offered).ok_or_else(|| {
        let types: &[&str] =
            if offered.contains(&Format::Csv) { &["application/json", "text/csv"] } else { &["application/json"] };
        not_acceptable("Accept", &types.join(" or "))
    })
}

/// The coding of the body.
pub(super) fn acceptable_encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    Encoding::negotiate(headers).ok_or_else(|| not_acceptable("Accept-Encoding", "gzip or identity"))
}

fn not_acceptable(header: &str, offered: &str) -> Problem {
    let detail = format!("The header {header} admits nothing that kai can send here; let it admit {offered}.");
    Problem::new(StatusCode::NOT_ACCEPTABLE, detail)
}

fn reply<B: From<Bytes>>(
    generation: &Generation,
    rendered: &Rendered,
    media_type: &'static str,
    encoding: Encoding,
    request: &HeaderMap,
) -> Response<B> {
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(INVENTORY_GENERATION, generation.number.clone());
    headers.insert(INVENTORY_OBSERVED_AT, generation.observed_at.clone());
    headers.insert(INVENTORY_COMPLETE, generation.complete.clone());
    conditional_reply(headers, rendered, media_type, encoding, request)
}

/// The body, or 304 when the client has it. `headers` go with either.
pub(super) fn conditional_reply<B: From<Bytes>>(
    mut headers: HeaderMap,
    rendered: &Rendered,
    media_type: &'static str,
    encoding: Encoding,
    request: &HeaderMap,
) -> Response<B> {
    headers.insert(ETAG, rendered.etag.clone());
    headers.insert(VARY, VARY_ON);
    headers.insert(CACHE_CONTROL, NO_CACHE);
    let is_known = is_known_to_client(request, rendered.etag.to_str().unwrap_or_default());
    let body = if is_known {
        Bytes::new()
    } else {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(CONTENT_LENGTH, rendered.length.clone());
        if encoding == Encoding::Gzip {
            headers.insert(CONTENT_ENCODING, GZIP);
        }
        rendered.body.clone()
    };
    let mut response = Response::new(B::from(body));
    *response.headers_mut() = headers;
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    response
}

impl App {
    /// The problem of a data route before the first snapshot.
    fn not_yet(&self) -> Problem {
        Problem::unavailable(
            "No relist of the cluster has finished yet; try again later, /readyz?verbose tells how it goes.",
            &self.retry_after,
        )
    }

    fn no_answer(&self, reason: NoAnswer) -> Problem {
        match reason {
            NoAnswer::Unknown(name) => Problem::unknown_namespace(&name),
            NoAnswer::Refused { namespace, reason } => {
                let detail = format!(
                    "The pods of the namespace \"{namespace}\" could not be listed: {}",
                    escape_controls(&reason)
                );
                Problem::unavailable(detail, &self.retry_after)
            }
        }
    }
}
