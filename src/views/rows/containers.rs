//! One row for each container: what it asks for, what runs, where, and for whom.

use serde::Serialize;
use utoipa::ToSchema;

use super::filter::{Entry, Filter};
use super::flag::Flags;
use super::page::{Column, Page, PageRequest, Place, Row, Sort, page, page_of_sorted};
use super::words::{KINDS, kind_word, state_word};
use crate::inventory::{ContainerKind, ContainerRecord, Digest, PodRecord};
use crate::snapshot::Snapshot;

/// A container, or an image volume, of a pod.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContainerRow<'a> {
    /// The namespace.
    #[schema(example = "shop")]
    pub namespace: &'a str,
    /// The pod.
    #[schema(example = "web-7d4b9c6f5-x2x8q")]
    pub pod: &'a str,
    /// Name of the container, or of the volume.
    #[schema(example = "web")]
    pub container: &'a str,
    /// `container`, `init`, `sidecar`, `ephemeral` or `volume`.
    #[schema(example = "container")]
    pub kind: &'static str,
    /// The reference as the manifest writes it.
    #[schema(example = "quay.io/acme/cart:1.25")]
    pub image: &'a str,
    /// The manifest digest that the node runs, or else the one that the manifest pins. While an update is pending it is the
    /// digest of the image before.
    #[schema(value_type = Option<String>)]
    pub digest: Option<&'a Digest>,
    /// The image ID (config digest) that some nodes report instead of a manifest digest. It cannot be pulled.
    pub image_id: Option<&'a str>,
    /// `running`, `waiting`, `terminated`, or `pending` while the node has not reported it.
    #[schema(example = "running")]
    pub state: &'static str,
    /// Why it waits or ended, in Kubernetes' word.
    pub reason: Option<&'a str>,
    /// The node that the pod is bound to.
    pub node: Option<&'a str>,
    /// `Deployment`, `StatefulSet`, `CronJob`, …, `Node` for a static pod; null for a pod without an owner.
    #[schema(example = "Deployment")]
    pub owner_kind: Option<&'a str>,
    /// Name of the owner, in the pod's namespace.
    #[schema(example = "web")]
    pub owner_name: Option<&'a str>,
    /// True when the owner is read from the name of the pod's ReplicaSet or Job.
    pub owner_inferred: bool,
    /// What is worth a look.
    #[schema(value_type = Vec<String>, example = json!(["floating-tag"]))]
    pub flags: Flags,
    /// Tells pods of one name apart.
    #[serde(skip)]
    uid: &'a str,
    #[serde(skip)]
    order: ContainerKind,
}

/// By what rows are sorted: a column, and then their place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ContainerSort {
    /// Namespace, pod, kind, container.
    #[default]
    Namespace,
    Image,
    Node,
    Owner,
}

/// The rows of a snapshot that a filter wants.
#[derive(Debug, Clone, Copy)]
pub struct Containers<'a> {
    snapshot: &'a Snapshot,
    filter: &'a Filter,
}

impl<'a> Containers<'a> {
    #[must_use]
    pub fn of(snapshot: &'a Snapshot, filter: &'a Filter) -> Self {
        Self { snapshot, filter }
    }

    /// The rows of a page.
    #[must_use]
    pub fn page(self, request: &'a PageRequest<ContainerSort>) -> Page<ContainerRow<'a>> {
        // In the order in which they are kept.
        if request.sort == ContainerSort::Namespace && !request.descending {
            return page_of_sorted(self.behind(request.after.as_ref()), request, self.iter().count());
        }
        page(self.iter(), request)
    }

    fn behind(self, after: Option<&'a Place>) -> impl Iterator<Item = ContainerRow<'a>> {
        let names = after.map_or(&[][..], |place| &place.names);
        let name = |at: usize| names.get(at).map_or("", String::as_str);
        let uid = Some(name(2)).filter(|uid| !uid.is_empty());
        let rows = self.from(name(0), name(1), uid);
        rows.skip_while(move |row| after.is_some_and(|after| row.place(ContainerSort::Namespace).names <= after.names))
    }

    /// All of them, by their place.
    pub fn iter(self) -> impl Iterator<Item = ContainerRow<'a>> {
        self.from("", "", None)
    }

    fn from(self, namespace: &'a str, pod: &'a str, uid: Option<&'a str>) -> impl Iterator<Item = ContainerRow<'a>> {
        let parts = self.snapshot.namespaces().iter_from(namespace);
        parts.filter(move |part| self.filter.wants_namespace(part)).flat_map(move |part| {
            let is_first = **part.name() == *namespace;
            let (pod, uid) = if is_first { (pod, uid) } else { ("", None) };
            part.pods_from(pod, uid).flat_map(move |pod| self.of_pod(pod))
        })
    }

    fn of_pod(self, pod: &'a PodRecord) -> impl Iterator<Item = ContainerRow<'a>> {
        let Self { snapshot, filter } = self;
        let wants = filter.wants_pod(pod);
        let mut containers: Vec<&ContainerRecord> =
            pod.containers.iter().filter(|container| wants && filter.wants_container(container)).collect();
        // Those that come later, ephemeral ones, move no other.
        containers.sort_unstable_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        containers.into_iter().filter_map(move |container| {
            if !Entry::of(container).any(|entry| filter.wants_entry(entry)) {
                return None;
            }
            let row = ContainerRow::of(snapshot, pod, container);
            filter.wants_flags(row.flags).then_some(row)
        })
    }
}

impl<'a> ContainerRow<'a> {
    fn of(snapshot: &Snapshot, pod: &'a PodRecord, container: &'a ContainerRecord) -> Self {
        let entry = Entry::new(&container.image, container.running.as_ref());
        let image = Flags::of_image(snapshot, entry.image, entry.digest.is_some());
        let owner = pod.owner.as_ref().map(|owner| owner.workload());
        Self {
            namespace: &pod.namespace,
            pod: &pod.name,
            container: &container.name,
            kind: kind_word(container.kind),
            image: container.image.written(),
            digest: entry.digest,
            image_id: container.image_id.as_deref(),
            state: state_word(container.state),
            reason: container.reason.as_deref(),
            node: pod.node.as_deref(),
            owner_kind: owner.map(|owner| owner.kind),
            owner_name: owner.map(|owner| owner.name),
            owner_inferred: owner.is_some_and(|owner| owner.is_inferred),
            flags: Flags::of_container(image, container),
            uid: pod.uid.as_deref().unwrap_or_default(),
            order: container.kind,
        }
    }
}

impl Row<ContainerSort> for ContainerRow<'_> {
    fn place(&self, sort: ContainerSort) -> Place {
        let kind = KINDS.iter().position(|(kind, _)| *kind == self.order).unwrap_or_default();
        let names = [self.namespace, self.pod, self.uid, &kind.to_string(), self.container].map(str::to_owned);
        Place { column: Column::Text(sort.column(self).to_owned()), names: names.into() }
    }
}

impl Sort for ContainerSort {
    const ALL: &'static [Self] = &[Self::Namespace, Self::Image, Self::Node, Self::Owner];

    fn word(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Image => "image",
            Self::Node => "node",
            Self::Owner => "owner",
        }
    }
}

impl ContainerSort {
    fn column<'a>(self, row: &ContainerRow<'a>) -> &'a str {
        match self {
            Self::Namespace => "",
            Self::Image => row.image,
            Self::Node => row.node.unwrap_or_default(),
            Self::Owner => row.owner_name.unwrap_or_default(),
        }
    }
}
