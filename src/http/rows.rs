//! What is asked of images and containers: which rows, in what order, of which snapshot.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::problem::{Problem, ProblemKind};
use super::process::Process;
use crate::inventory::excerpt;
use crate::snapshot::{ContentHash, Snapshot};
use crate::views::{
    ContainerPage, ContainerRow, ContainerSort, Containers, Filter, GroupSort, ImagePage, ImageSort, ImageUse, List,
    Page, PageHead, PageRequest, Place, RegistryPage, RepositoryPage, Sort, images, registries, repositories,
};

/// How cursors are written; another number is another way.
const VERSION: u8 = 1;
/// As many references of one digest are listed.
const IMAGES_MAX: usize = 1_000;

/// The rows of one page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Rows {
    Images(Arc<(Filter, PageRequest<ImageSort>)>),
    /// The image of the one digest that the filter names, and its containers.
    Image(Arc<(Filter, PageRequest<ContainerSort>)>),
    Containers(Arc<(Filter, PageRequest<ContainerSort>)>),
    Registries(Arc<(Filter, PageRequest<GroupSort>)>),
    /// Of the registry that the filter names.
    Repositories(Arc<(Filter, PageRequest<GroupSort>)>),
}

/// A page as it is sent.
pub(super) struct Written {
    pub(super) body: Vec<u8>,
    /// The cursor of the next page.
    pub(super) next: Option<String>,
}

/// What a cursor holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Cursor {
    #[serde(rename = "v")]
    version: u8,
    /// Of filter and order.
    #[serde(rename = "f")]
    filter: String,
    #[serde(rename = "p")]
    pub(super) place: Place,
    /// The snapshot of all pages, where the order is one that changes.
    #[serde(rename = "s", skip_serializing_if = "Option::is_none", default)]
    pub(super) pin: Option<String>,
}

impl Rows {
    /// Which rows, all of them, and the filter that they are of.
    pub(super) fn list(&self) -> (&Filter, List) {
        match self {
            Self::Images(asked) => (&asked.0, List::Images(asked.1.clone())),
            Self::Image(asked) | Self::Containers(asked) => (&asked.0, List::Containers(asked.1.clone())),
            Self::Registries(asked) => (&asked.0, List::Registries(asked.1.clone())),
            Self::Repositories(asked) => (&asked.0, List::Repositories(asked.1.clone())),
        }
    }

    /// What the rows are, in a word.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Images(_) => "images",
            Self::Image(_) | Self::Containers(_) => "containers",
            Self::Registries(_) => "registries",
            Self::Repositories(_) => "repositories",
        }
    }

    pub(super) fn write(&self, snapshot: &Snapshot, process: &Process) -> io::Result<Written> {
        let pin = process.pin(snapshot);
        match self {
            Self::Images(asked) => {
                let page = images(snapshot, &asked.0, &asked.1);
                written(snapshot, pin, asked, page, |head, images| {
                    serde_json::to_vec(&ImagePage { head, gaps: None, images })
                })
            }
            Self::Image(asked) => {
                written(snapshot, pin, asked, containers(snapshot, process, asked), |head, containers| {
                    let images = images(snapshot, &asked.0, &PageRequest::first(IMAGES_MAX)).rows;
                    serde_json::to_vec(&ImageUse { head, images, containers })
                })
            }
            Self::Containers(asked) => {
                written(snapshot, pin, asked, containers(snapshot, process, asked), |head, containers| {
                    serde_json::to_vec(&ContainerPage { head, containers })
                })
            }
            Self::Registries(asked) => {
                let page = registries(snapshot, &asked.0, &asked.1);
                written(snapshot, pin, asked, page, |head, registries| {
                    serde_json::to_vec(&RegistryPage { head, registries })
                })
            }
            Self::Repositories(asked) => {
                let page = repositories(snapshot, &asked.0, &asked.1);
                written(snapshot, pin, asked, page, |head, repositories| {
                    serde_json::to_vec(&RepositoryPage { head, repositories })
                })
            }
        }
    }
}

fn containers<'a>(
    snapshot: &'a Snapshot,
    process: &Process,
    (filter, request): &'a (Filter, PageRequest<ContainerSort>),
) -> Page<ContainerRow<'a>> {
    let containers = Containers::of(snapshot, filter);
    containers.page(request, || process.total(snapshot, filter, || containers.count()))
}

fn written<'a, S: Sort, R>(
    snapshot: &'a Snapshot,
    pin: String,
    (filter, request): &(Filter, PageRequest<S>),
    page: Page<R>,
    to_json: impl FnOnce(PageHead<'a>, Vec<R>) -> serde_json::Result<Vec<u8>>,
) -> io::Result<Written> {
    let next = page.next.map(|place| Cursor::new(filter, request, "", place, &pin).to_text());
    let head = PageHead::new(snapshot, Some(pin), page.total, next.clone());
    Ok(Written { body: to_json(head, page.rows)?, next })
}

impl Cursor {
    pub(super) fn new<S: Sort>(
        filter: &Filter,
        request: &PageRequest<S>,
        window: &str,
        place: Place,
        pin: &str,
    ) -> Self {
        let filter = hash(filter, request.sort, request.descending, window);
        Self { version: VERSION, filter, place, pin: request.sort.is_count().then(|| pin.to_owned()) }
    }

    pub(super) fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// What a client sends back with these parameters; `window` as it was given.
    pub(super) fn parse<S: Sort>(
        text: &str,
        filter: &Filter,
        sort: S,
        descending: bool,
        window: &str,
    ) -> Result<Self, Problem> {
        let bad = |what: &str| {
            let detail = format!(
                "The parameter \"cursor\" is \"{}\"; {what}. Send `next` of the page before, with the same parameters.",
                excerpt(text)
            );
            Problem::new(ProblemKind::BadParameter, detail)
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad("it is no cursor"))?;
        let cursor: Self = serde_json::from_slice(&bytes).map_err(|_| bad("it is no cursor"))?;
        if cursor.version != VERSION {
            return Err(bad("it comes from another version of kai"));
        }
        if cursor.filter != hash(filter, sort, descending, window) {
            return Err(bad("it belongs to other parameters"));
        }
        Ok(cursor)
    }
}

/// The same in every process.
fn hash<S: Sort>(filter: &Filter, sort: S, descending: bool, window: &str) -> String {
    ContentHash::of(&(filter, sort.word(), descending, window)).to_string()
}
