//! The answer to a data request: headers, 304, 406 and the body.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::response::Response;
use bytes::Bytes;
use headers::{ETag, HeaderMapExt as _, IfNoneMatch};
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LINK, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, Version};

use super::App;
use super::generation::Generation;
use super::negotiate::{ContentCoding, essence, negotiate};
use super::problem::{Problem, ProblemKind};
use super::question::{Lane, Question};
use super::rendered::Rendered;
use super::unread::Unread;
use super::whole::Whole;
use crate::snapshot::Snapshot;
use crate::views::Format;

pub(super) const INVENTORY_GENERATION: HeaderName = HeaderName::from_static("inventory-generation");
pub(super) const INVENTORY_OBSERVED_AT: HeaderName = HeaderName::from_static("inventory-observed-at");
pub(super) const INVENTORY_COMPLETE: HeaderName = HeaderName::from_static("inventory-complete");
const VARY_ON: HeaderValue = HeaderValue::from_static("Accept, Accept-Encoding");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const INCOMPLETE: HeaderValue = HeaderValue::from_static("false");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// What a data answer takes from its request besides path and query.
#[derive(Debug)]
pub(super) struct Asked {
    uri: Uri,
    headers: HeaderMap,
    pub(super) coding: ContentCoding,
    unread: Unread,
    /// Whether the connection has other requests at the same time.
    is_shared: bool,
    body: Body,
}

impl FromRequest<Arc<App>> for Asked {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let coding = acceptable_coding(&parts.headers)?;
        let unread = parts.extensions.get::<Unread>().cloned().unwrap_or_default();
        let is_shared = parts.version == Version::HTTP_2;
        Ok(Self { uri: parts.uri, headers: parts.headers, coding, unread, is_shared, body })
    }
}

impl Asked {
    /// The format for a route that offers these.
    pub(super) fn format(&self, offered: &[Format]) -> Result<Format, Problem> {
        negotiate(&self.headers, offered).ok_or_else(|| {
            let types: Vec<_> = offered.iter().map(|format| essence(*format)).collect();
            not_acceptable("Accept", &types.join(" or "))
        })
    }

    /// Answers what `ask` makes of the snapshot: out of the cache at once; else with a permit, once the request's body is
    /// there and the answer's is rendered.
    pub(super) async fn answer(
        self,
        app: &Arc<App>,
        lane: Lane,
        ask: impl FnOnce(&Snapshot) -> Result<Question, Problem>,
    ) -> Result<Response, Problem> {
        let generation = app.answers.current(lane).ok_or_else(|| app.not_yet())?;
        let question = ask(&generation.snapshot)?;
        debug_assert_eq!(question.lane(), lane, "{question:?}");
        self.answer_of(app, &generation, &question).await
    }

    /// The same of a snapshot that is chosen already.
    pub(super) async fn answer_of(
        self,
        app: &Arc<App>,
        generation: &Arc<Generation>,
        question: &Question,
    ) -> Result<Response, Problem> {
        let Self { uri, headers, coding, unread, is_shared, body } = self;
        let (rendered, permit) = if let Some(rendered) = app.answers.find(generation, question, coding) {
            (rendered, None)
        } else {
            let permit = app.gate.enter(&headers, body).await?;
            let check = || app.check_unread();
            (app.answers.render(generation, question, coding, check).await?, Some(permit))
        };
        let is_kept = question.standard().is_some();
        let send = |body| {
            let body = unread.send(body, is_kept, permit, &app.retry_after)?;
            Ok(if is_shared { unread.stream(body) } else { body.into() })
        };
        let mut response = conditional(&headers, &rendered, question.format().media_type(), coding, send)?;
        describe(app, generation, question.format(), "inventory", response.headers_mut());
        if let Some(next) = &rendered.next {
            link(&uri, next).into_iter().for_each(|link| drop(response.headers_mut().insert(LINK, link)));
        }
        Ok(response)
    }

    /// Answers with every row, written while it is sent.
    pub(super) async fn whole(self, app: &Arc<App>, whole: Whole) -> Result<Response, Problem> {
        let permit = app.gate.enter(&self.headers, self.body).await?;
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        describe(app, &whole.generation, whole.format, whole.name, headers);
        if whole.is_lacking {
            headers.insert(INVENTORY_COMPLETE, INCOMPLETE);
        }
        headers.insert(VARY, VARY_ON);
        headers.insert(CACHE_CONTROL, NO_CACHE);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(whole.format.media_type()));
        if self.coding == ContentCoding::Gzip {
            headers.insert(CONTENT_ENCODING, GZIP);
        }
        *response.body_mut() = self.unread.follow(whole.body(self.coding, permit), self.is_shared);
        Ok(response)
    }

    /// Answers with JSON that is not only of a snapshot, and so is kept nowhere.
    pub(super) async fn fresh(self, app: &Arc<App>, fresh: Fresh) -> Result<Response, Problem> {
        let Self { uri, headers, coding, unread, is_shared, body } = self;
        let permit = app.gate.enter(&headers, body).await?;
        app.check_unread()?;
        let Fresh { generation, is_lacking, make } = fresh;
        let answers = Arc::clone(&app.answers);
        let rendering = tokio::task::spawn_blocking(move || answers.render_once(coding, make));
        let failed = |error: String| Problem::internal(format!("a body could not be rendered: {error}"));
        let rendered = rendering.await.map_err(|error| failed(error.to_string()))?;
        let rendered = rendered.map_err(|error| failed(error.to_string()))?;
        let send = |body| {
            let body = unread.send(body, false, Some(permit), &app.retry_after)?;
            Ok(if is_shared { unread.stream(body) } else { body.into() })
        };
        let mut response = conditional(&headers, &rendered, Format::Json.media_type(), coding, send)?;
        if let Some(generation) = &generation {
            describe(app, generation, Format::Json, "inventory", response.headers_mut());
        }
        if is_lacking {
            response.headers_mut().insert(INVENTORY_COMPLETE, INCOMPLETE);
        }
        if let Some(next) = &rendered.next {
            link(&uri, next).into_iter().for_each(|link| drop(response.headers_mut().insert(LINK, link)));
        }
        Ok(response)
    }

    /// A body that is made for this request alone, with a permit.
    pub(super) async fn send(
        self,
        app: &App,
        make: impl FnOnce() -> Result<Vec<u8>, Problem>,
    ) -> Result<Body, Problem> {
        let permit = app.gate.enter(&self.headers, self.body).await?;
        app.check_unread()?;
        let body = self.unread.send(app.answers.count(make()?), false, Some(permit), &app.retry_after)?;
        Ok(if self.is_shared { self.unread.stream(body) } else { body.into() })
    }
}

/// JSON that is made for one request.
pub(super) struct Fresh {
    /// The snapshot that it shows, if it does.
    pub(super) generation: Option<Arc<Generation>>,
    /// It lacks more than the snapshot does.
    pub(super) is_lacking: bool,
    /// Gives the body and, of a page that has another behind it, the cursor of that.
    pub(super) make: MakeFresh,
}

type MakeFresh = Box<dyn FnOnce() -> serde_json::Result<(Vec<u8>, Option<String>)> + Send>;

/// Where the next page is: the same question with another cursor.
fn link(uri: &Uri, next: &str) -> Option<HeaderValue> {
    let others = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let others = others.filter(|pair| pair.split('=').next() != Some("cursor"));
    let query: Vec<_> = others.map(str::to_owned).chain([format!("cursor={next}")]).collect();
    HeaderValue::try_from(format!("<{}?{}>; rel=\"next\"", uri.path(), query.join("&"))).ok()
}

/// The headers of a data answer besides those of its content. A browser saves it under that name.
fn describe(app: &App, generation: &Generation, format: Format, name: &str, headers: &mut HeaderMap) {
    headers.insert(INVENTORY_GENERATION, generation.number.clone());
    headers.insert(INVENTORY_OBSERVED_AT, app.answers.observed_at(generation));
    headers.insert(INVENTORY_COMPLETE, generation.complete.clone());
    if format.is_attachment() {
        let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}.{}\"", format.suffix()));
        disposition.into_iter().for_each(|disposition| drop(headers.insert(CONTENT_DISPOSITION, disposition)));
    }
}

/// The body, or 304 when the client has it.
pub(super) fn conditional(
    request: &HeaderMap,
    rendered: &Rendered,
    media_type: &'static str,
    coding: ContentCoding,
    send: impl FnOnce(Bytes) -> Result<Body, Problem>,
) -> Result<Response, Problem> {
    let is_known = request.typed_get::<IfNoneMatch>().is_some_and(|known| {
        let etag = rendered.etag.to_str().ok().and_then(|etag| etag.parse::<ETag>().ok());
        etag.is_some_and(|etag| !known.precondition_passes(&etag))
    });
    let mut response = Response::new(Body::empty());
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        *response.body_mut() = send(rendered.body.clone())?;
    }
    let headers = response.headers_mut();
    headers.reserve(12);
    headers.insert(ETAG, rendered.etag.clone());
    headers.insert(VARY, VARY_ON);
    headers.insert(CACHE_CONTROL, NO_CACHE);
    if !is_known {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(CONTENT_LENGTH, rendered.length.clone());
        if coding == ContentCoding::Gzip {
            headers.insert(CONTENT_ENCODING, GZIP);
        }
    }
    Ok(response)
}

/// The coding of the body.
pub(super) fn acceptable_coding(headers: &HeaderMap) -> Result<ContentCoding, Problem> {
    ContentCoding::negotiate(headers).ok_or_else(|| not_acceptable("Accept-Encoding", "gzip or identity"))
}

pub(super) fn not_acceptable(header: &str, offered: &str) -> Problem {
    let detail = format!("The header {header} allows nothing that kai can send here; let it allow {offered}.");
    Problem::new(ProblemKind::NotAcceptable, detail)
}

impl App {
    /// The problem of a data route before the first snapshot.
    pub(super) fn not_yet(&self) -> Problem {
        if self.health.has_no_cluster() {
            let detail = "This kai reads the history of a fleet, and has no cluster of its own; ask /v1/clusters, or /v1/history with cluster.";
            return Problem::new(ProblemKind::NoCluster, detail);
        }
        let detail = "No list of the cluster has finished yet; try again later, /readyz?verbose has the details.";
        Problem::new(ProblemKind::NoSnapshot, detail).retry_after(&self.retry_after)
    }

    /// Makes nothing more while clients hold too much that they have not read.
    fn check_unread(&self) -> Result<(), Problem> {
        if !self.answers.is_too_much_unread() {
            return Ok(());
        }
        let detail = "Clients have left answers of server.cache-max-bytes unread; try again later.";
        Err(Problem::new(ProblemKind::TooMuchUnread, detail).retry_after(&self.retry_after))
    }
}
