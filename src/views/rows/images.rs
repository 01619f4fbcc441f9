//! One row for each image: a reference as written and the digest that runs, with how much it is used.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::count::count;
use super::filter::{DigestKind, Entry, Filter};
use super::flag::{Flag, Flags};
use super::page::{Column, Page, PageRequest, Place, Row, Sort, page};
use crate::inventory::Digest;
use crate::snapshot::Snapshot;
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
}

/// By what images are sorted: a column, and then image and digest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ImageSort {
    #[default]
    Image,
    Containers,
    Pods,
    Namespaces,
    Owners,
}

/// The images of the containers that the filter wants, in no order.
pub(super) fn rows<'a>(snapshot: &'a Snapshot, filter: &Filter) -> impl Iterator<Item = ImageRow<'a>> {
    let counts = count(snapshot, filter, Some);
    counts.into_iter().map(|(Entry { image, digest, digest_kind }, count)| ImageRow {
        image: image.written().into(),
        registry: image.registry().map(Cow::from),
        repository: image.repository().map(Cow::from),
        tag: image.tag().map(Cow::from),
        digest: digest.map(Cow::Borrowed),
        digest_kind,
        containers: count.containers,
        pods: count.pods,
        namespaces: count.namespaces,
        owners: count.owners,
        flags: count.flags,
    })
}

/// One page of the images of a snapshot that the filter wants.
#[must_use]
pub fn images<'a>(snapshot: &'a Snapshot, filter: &Filter, request: &PageRequest<ImageSort>) -> Page<ImageRow<'a>> {
    page(rows(snapshot, filter), request)
}

impl ImageRow<'_> {
    /// The text is no image reference.
    pub(super) fn is_unreadable(&self) -> bool {
        self.flags.has(Flag::UnreadableReference)
    }
}

impl Sort for ImageSort {
    const ALL: &'static [Self] = &[Self::Image, Self::Containers, Self::Pods, Self::Namespaces, Self::Owners];
    const FORMATS: &'static [Format] = &Format::IMAGES;

    fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Containers => "containers",
            Self::Pods => "pods",
            Self::Namespaces => "namespaces",
            Self::Owners => "owners",
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
        };
        Column::Number(number as u64)
    }
}

impl Row<ImageSort> for ImageRow<'_> {
    fn place(&self, sort: ImageSort) -> Place {
        let digest = self.digest.as_deref().map_or("", Digest::as_str);
        let kind = self.digest_kind.map_or("", DigestKind::word);
        Place { column: sort.column(self), names: [&*self.image, digest, kind].map(str::to_owned).into() }
    }
}
