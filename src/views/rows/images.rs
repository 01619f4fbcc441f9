//! One row for each image: a reference as written and the digest that runs, with how much it is used.

use std::borrow::Cow;

use foldhash::{HashMap, HashMapExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::count::count;
use super::filter::{DigestKind, Entry, Filter};
use super::flag::{Flag, Flags};
use super::page::{Column, Page, PageRequest, Place, Row, Sort, page};
use crate::inventory::{Digest, ImageRef};
use crate::snapshot::{FirstSeen, Snapshot};
use crate::views::Format;

/// An image that containers run or request.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ImageRow<'a> {
    /// The reference as the manifest writes it.
    #[schema(example = "quay.io/acme/cart:1.25")]
    pub image: Cow<'a, str>,
    /// The registry, `docker.io` where none is written; null when the text is no image reference.
    #[schema(example = "quay.io")]
    pub registry: Option<Cow<'a, str>>,
    /// The repository, with `library/` where that is meant.
    #[schema(example = "acme/cart")]
    pub repository: Option<Cow<'a, str>>,
    /// The tag, `latest` where neither tag nor digest is written.
    #[schema(example = "1.25")]
    pub tag: Option<Cow<'a, str>>,
    /// The manifest digest.
    #[schema(value_type = Option<String>)]
    pub digest: Option<Cow<'a, Digest>>,
    /// Who says so: `running`, the node; `pinned`, the manifest, while no node has reported what runs.
    #[schema(value_type = Option<String>)]
    pub digest_kind: Option<DigestKind>,
    /// Containers, and image volumes, that run or request it.
    #[schema(example = 3)]
    pub containers: usize,
    /// Pods of these containers.
    #[schema(example = 3)]
    pub pods: usize,
    /// Namespaces of these pods.
    #[schema(example = 1)]
    pub namespaces: usize,
    /// Workloads: Deployments, DaemonSets, CronJobs, … Pods without an owner are none.
    #[schema(example = 1)]
    pub owners: usize,
    /// What is worth a look.
    #[schema(value_type = Vec<String>, example = json!(["floating-tag"]))]
    pub flags: Flags,
    /// When kai first saw it, in one of the namespaces that are asked for; null where no history is kept.
    #[schema(required = true, value_type = Option<String>, format = DateTime, example = "2026-11-24T09:30:00.125Z")]
    pub first_seen: Option<Timestamp>,
    /// When kai last saw it; null while `running` is true.
    #[schema(required = true, value_type = Option<String>, format = DateTime)]
    pub last_seen: Option<Timestamp>,
    /// True: kai was watching when it came. False: it was there at `first_seen` at the latest.
    pub first_seen_exact: bool,
    /// A pod has it now, in whatever state.
    pub running: bool,
}

/// What tells an image from others: the reference as written, and the digest that runs, or else the one that it pins.
pub(super) type ImageKey<'a> = (&'a ImageRef, Option<&'a Digest>);

/// By what images are sorted: a column, and then image and digest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ImageSort {
    #[default]
    Image,
    Containers,
    Pods,
    Namespaces,
    Owners,
    FirstSeen,
    LastSeen,
}

/// The images of the containers that the filter wants, in no order.
pub(super) fn rows<'a>(snapshot: &'a Snapshot, filter: &Filter) -> impl Iterator<Item = ImageRow<'a>> {
    keyed_rows(snapshot, filter).map(|(_, row)| row)
}

/// The same, each with what tells it from others.
pub(super) fn keyed_rows<'a>(
    snapshot: &'a Snapshot,
    filter: &Filter,
) -> impl Iterator<Item = (ImageKey<'a>, ImageRow<'a>)> {
    let (counts, firsts) = (count(snapshot, filter, Some), firsts(snapshot, filter));
    counts.into_iter().map(move |(entry, count)| {
        let key = (entry.image, entry.digest);
        let row = ImageRow {
            containers: count.containers,
            pods: count.pods,
            namespaces: count.namespaces,
            owners: count.owners,
            ..ImageRow::new(entry, count.flags).seen(firsts.get(&key).copied(), None)
        };
        (key, row)
    })
}

/// Since when the images are there, in the earliest of the namespaces that the filter wants.
fn firsts<'a>(snapshot: &'a Snapshot, filter: &Filter) -> HashMap<ImageKey<'a>, FirstSeen> {
    let mut firsts: HashMap<ImageKey<'a>, FirstSeen> = HashMap::new();
    let parts = snapshot.namespaces().iter().filter(|part| filter.wants_name(part.name()));
    for (image, digest, first) in parts.flat_map(|part| part.seen_images()) {
        if filter.wants_image(image, digest) {
            firsts.entry((image, digest)).and_modify(|known| *known = known.earlier(first)).or_insert(first);
        }
    }
    firsts
}

/// One page of the images of a snapshot that the filter wants.
#[must_use]
pub fn images<'a>(snapshot: &'a Snapshot, filter: &Filter, request: &PageRequest<ImageSort>) -> Page<ImageRow<'a>> {
    page(rows(snapshot, filter), request)
}

impl<'a> ImageRow<'a> {
    /// Of an image that nobody has yet, and since nobody knows when.
    pub(super) fn new(Entry { image, digest, digest_kind }: Entry<'a>, flags: Flags) -> Self {
        Self {
            image: image.written().into(),
            registry: image.registry().map(Cow::from),
            repository: image.repository().map(Cow::from),
            tag: image.tag().map(Cow::from),
            digest: digest.map(Cow::Borrowed),
            digest_kind,
            containers: 0,
            pods: 0,
            namespaces: 0,
            owners: 0,
            flags,
            first_seen: None,
            last_seen: None,
            first_seen_exact: false,
            running: true,
        }
    }

    /// From when to when it was seen; without an end it is there.
    pub(super) fn seen(self, first: Option<FirstSeen>, last: Option<Timestamp>) -> Self {
        Self {
            first_seen: first.map(|first| first.at),
            first_seen_exact: first.is_some_and(|first| first.is_exact),
            last_seen: last,
            running: last.is_none(),
            ..self
        }
    }

    /// What tells it from others, and sorts it.
    pub(in crate::views) fn names(&self) -> [&str; 3] {
        let digest = self.digest.as_deref().map_or("", Digest::as_str);
        [&*self.image, digest, self.digest_kind.map_or("", DigestKind::word)]
    }

    /// The text is no image reference.
    pub(super) fn is_unreadable(&self) -> bool {
        self.flags.has(Flag::UnreadableReference)
    }
}

impl Sort for ImageSort {
    const ALL: &'static [Self] =
        &[Self::Image, Self::Containers, Self::Pods, Self::Namespaces, Self::Owners, Self::FirstSeen, Self::LastSeen];
    const FORMATS: &'static [Format] = &Format::IMAGES;

    fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Containers => "containers",
            Self::Pods => "pods",
            Self::Namespaces => "namespaces",
            Self::Owners => "owners",
            Self::FirstSeen => "first_seen",
            Self::LastSeen => "last_seen",
        }
    }

    fn is_count(self) -> bool {
        self != Self::Image
    }
}

impl ImageSort {
    fn column(self, row: &ImageRow<'_>) -> Column {
        let number = match self {
            Self::Image => return Column::Text(row.image.clone().into_owned()),
            Self::Containers => row.containers,
            Self::Pods => row.pods,
            Self::Namespaces => row.namespaces,
            Self::Owners => row.owners,
            // What is unknown comes first, and what is there was seen last.
            Self::FirstSeen => return Column::Number(row.first_seen.map_or(0, milliseconds)),
            Self::LastSeen => return Column::Number(row.last_seen.map_or(u64::MAX, milliseconds)),
        };
        Column::Number(number as u64)
    }
}

/// Since 1970.
fn milliseconds(time: Timestamp) -> u64 {
    time.as_millisecond().try_into().unwrap_or_default()
}

impl Row<ImageSort> for ImageRow<'_> {
    fn place(&self, sort: ImageSort) -> Place {
        Place { column: sort.column(self), names: self.names().map(str::to_owned).into() }
    }
}
