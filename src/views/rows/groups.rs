//! One row for each registry, and for each repository of one: what would break if it went away.

use foldhash::{HashMap, HashMapExt as _, HashSet};
use serde::Serialize;
use utoipa::ToSchema;

use super::count::{Count, count};
use super::filter::{Entry, Filter};
use super::page::{Column, Page, PageRequest, Place, Row, Sort, page};
use crate::snapshot::Snapshot;

/// A registry that images come from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RegistryRow<'a> {
    /// The registry, `docker.io` for images that name none.
    #[schema(example = "quay.io")]
    pub registry: &'a str,
    /// Its repositories that are used.
    #[schema(example = 4)]
    pub repositories: usize,
    #[serde(flatten)]
    pub usage: Usage,
}

/// A repository that images come from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RepositoryRow<'a> {
    /// The repository, with `library/` where that is meant.
    #[schema(example = "acme/cart")]
    pub repository: &'a str,
    #[serde(flatten)]
    pub usage: Usage,
}

/// How much is used, and by whom.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Usage {
    /// Images: references as written, with their digests.
    #[schema(example = 9)]
    pub images: usize,
    /// Containers, and image volumes, that run or request one of them.
    #[schema(example = 31)]
    pub containers: usize,
    /// Pods of these containers.
    #[schema(example = 12)]
    pub pods: usize,
    /// Namespaces of these pods.
    #[schema(example = 2)]
    pub namespaces: usize,
    /// Workloads: Deployments, DaemonSets, CronJobs, … Pods without an owner are none.
    #[schema(example = 5)]
    pub owners: usize,
}

/// By what registries and repositories are sorted: a column, and then their name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum GroupSort {
    #[default]
    Name,
    Images,
    Containers,
    Pods,
    Namespaces,
    Owners,
}

/// One page of the registries of the images that the filter wants.
#[must_use]
pub fn registries<'a>(
    snapshot: &'a Snapshot,
    filter: &Filter,
    request: &PageRequest<GroupSort>,
) -> Page<RegistryRow<'a>> {
    let rows = grouped(snapshot, filter, |entry| entry.image.registry());
    let rows = rows.map(|(registry, repositories, usage)| RegistryRow { registry, repositories, usage });
    page(rows, request)
}

/// One page of the repositories of the images that the filter wants: those of one registry.
#[must_use]
pub fn repositories<'a>(
    snapshot: &'a Snapshot,
    filter: &Filter,
    request: &PageRequest<GroupSort>,
) -> Page<RepositoryRow<'a>> {
    let rows = grouped(snapshot, filter, |entry| entry.image.repository());
    page(rows.map(|(repository, _, usage)| RepositoryRow { repository, usage }), request)
}

/// Each group with the number of its repositories, and its use.
fn grouped<'a>(
    snapshot: &'a Snapshot,
    filter: &Filter,
    group: impl Fn(Entry<'a>) -> Option<&'a str>,
) -> impl Iterator<Item = (&'a str, usize, Usage)> {
    let mut images: HashMap<&str, (usize, HashSet<Option<&str>>)> = HashMap::new();
    for entry in count(snapshot, filter, Some).into_keys() {
        let Some(name) = group(entry) else { continue };
        let (number, repositories) = images.entry(name).or_default();
        *number += 1;
        repositories.insert(entry.image.repository());
    }
    count(snapshot, filter, group).into_iter().map(move |(name, count)| {
        let (images, repositories) = images.get(name).map_or((0, 0), |(images, all)| (*images, all.len()));
        (name, repositories, Usage::of(images, &count))
    })
}

impl Usage {
    fn of(images: usize, count: &Count<'_>) -> Self {
        let Count { containers, pods, namespaces, owners, .. } = *count;
        Self { images, containers, pods, namespaces, owners }
    }

    fn place(&self, name: &str, sort: GroupSort) -> Place {
        let number = match sort {
            GroupSort::Name => None,
            GroupSort::Images => Some(self.images),
            GroupSort::Containers => Some(self.containers),
            GroupSort::Pods => Some(self.pods),
            GroupSort::Namespaces => Some(self.namespaces),
            GroupSort::Owners => Some(self.owners),
        };
        let column = number.map_or_else(|| Column::Text(name.to_owned()), |number| Column::Number(number as u64));
        Place { column, names: vec![name.to_owned()] }
    }
}

impl Sort for GroupSort {
    const ALL: &'static [Self] =
        &[Self::Name, Self::Images, Self::Containers, Self::Pods, Self::Namespaces, Self::Owners];

    fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Images => "images",
            Self::Containers => "containers",
            Self::Pods => "pods",
            Self::Namespaces => "namespaces",
            Self::Owners => "owners",
        }
    }

    fn is_count(self) -> bool {
        self != Self::Name
    }
}

impl Row<GroupSort> for RegistryRow<'_> {
    fn place(&self, sort: GroupSort) -> Place {
        self.usage.place(self.registry, sort)
    }
}

impl Row<GroupSort> for RepositoryRow<'_> {
    fn place(&self, sort: GroupSort) -> Place {
        self.usage.place(self.repository, sort)
    }
}
