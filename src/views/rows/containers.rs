//! One row for each container: what it asks for, what runs, where, and for whom.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::filter::{DigestKind, Entry, Filter};
use super::flag::Flags;
use super::page::{Column, Page, PageRequest, Place, Row, Sort, page, page_of_sorted};
use super::words::{KINDS, kind_word, state_word};
use crate::inventory::{ContainerRecord, Digest, PodRecord};
use crate::snapshot::{NamespacePart, Snapshot};

/// A container, or an image volume, of a pod.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ContainerRow<'a> {
    /// The namespace.
    #[schema(example = "shop")]
    pub namespace: Cow<'a, str>,
    /// The pod.
    #[schema(example = "web-7d4b9c6f5-x2x8q")]
    pub pod: Cow<'a, str>,
    /// Name of the container, or of the volume.
    #[schema(example = "web")]
    pub container: Cow<'a, str>,
    /// `container`, `init`, `sidecar`, `ephemeral` or `volume`.
    #[schema(example = "container")]
    pub kind: Cow<'a, str>,
    /// The reference as the manifest writes it.
    #[schema(example = "quay.io/acme/cart:1.25")]
    pub image: Cow<'a, str>,
    /// The manifest digest that the node runs, or else the one that the manifest pins. While an update is pending it is the
    /// digest of the image before.
    #[schema(value_type = Option<String>)]
    pub digest: Option<Cow<'a, Digest>>,
    /// Who says so: `running`, the node; `pinned`, the manifest, while no node has reported what runs.
    #[schema(value_type = Option<String>)]
    pub digest_kind: Option<DigestKind>,
    /// The image ID (config digest) that some nodes report instead of a manifest digest. It cannot be pulled.
    pub image_id: Option<Cow<'a, str>>,
    /// `running`, `waiting`, `terminated`, or `pending` while the node has not reported it.
    #[schema(example = "running")]
    pub state: Cow<'a, str>,
    /// Why it waits or ended, in Kubernetes' word.
    pub reason: Option<Cow<'a, str>>,
    /// When the container that runs was started, by the node's clock.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-24T09:30:00Z")]
    pub started_at: Option<Timestamp>,
    /// The node that the pod is bound to.
    pub node: Option<Cow<'a, str>>,
    /// `Deployment`, `StatefulSet`, `CronJob`, …, `Node` for a static pod; null for a pod without an owner.
    #[schema(example = "Deployment")]
    pub owner_kind: Option<Cow<'a, str>>,
    /// Name of the owner, in the pod's namespace.
    #[schema(example = "web")]
    pub owner_name: Option<Cow<'a, str>>,
    /// True when the owner is read from the name of the pod's ReplicaSet or Job.
    pub owner_inferred: bool,
    /// What is worth a look.
    #[schema(value_type = Vec<String>, example = json!(["floating-tag"]))]
    pub flags: Flags,
    /// When kai first saw the image in this namespace; null where no history is kept.
    #[schema(required = true, value_type = Option<String>, format = DateTime, example = "2026-11-24T09:30:00.125Z")]
    pub first_seen: Option<Timestamp>,
    /// True: kai was watching when it came. False: it was there at `first_seen` at the latest.
    pub first_seen_exact: bool,
    /// Tells pods of one name apart.
    #[serde(skip)]
    uid: Cow<'a, str>,
    #[serde(skip)]
    order: usize,
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
pub struct Containers<'a, 'f> {
    snapshot: &'a Snapshot,
    filter: &'f Filter,
}

impl<'a, 'f> Containers<'a, 'f> {
    #[must_use]
    pub fn of(snapshot: &'a Snapshot, filter: &'f Filter) -> Self {
        Self { snapshot, filter }
    }

    /// The rows of a page. `total` gives how many rows there are, where no other way is shorter.
    #[must_use]
    pub fn page(
        self,
        request: &'f PageRequest<ContainerSort>,
        total: impl FnOnce() -> usize,
    ) -> Page<ContainerRow<'a>> {
        // In the order in which they are kept.
        if request.sort == ContainerSort::Namespace && !request.descending {
            return page_of_sorted(self.behind(request.after.as_ref()), request, total());
        }
        page(self.iter(), request)
    }

    fn behind(self, after: Option<&'f Place>) -> impl Iterator<Item = ContainerRow<'a>> {
        let names = after.map_or(&[][..], |place| &place.names);
        let name = |at: usize| names.get(at).map_or("", String::as_str);
        let uid = Some(name(2)).filter(|uid| !uid.is_empty());
        let rows = self.from(name(0), name(1), uid);
        rows.skip_while(move |row| after.is_some_and(|after| row.place(ContainerSort::Namespace).names <= after.names))
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> usize {
        self.iter().count()
    }

    /// All of them, by their place.
    pub fn iter(self) -> impl Iterator<Item = ContainerRow<'a>> + use<'a, 'f> {
        self.from("", "", None)
    }

    fn from(self, namespace: &'f str, pod: &'f str, uid: Option<&'f str>) -> impl Iterator<Item = ContainerRow<'a>> {
        let parts = self.snapshot.namespaces().iter_from(namespace);
        parts.filter(move |part| self.filter.wants_namespace(part)).flat_map(move |part| {
            let is_first = **part.name() == *namespace;
            let (pod, uid) = if is_first { (pod, uid) } else { ("", None) };
            self.filter.pods_of(part, pod, uid).flat_map(move |pod| self.of_pod(part, pod))
        })
    }

    fn of_pod(self, part: &'a NamespacePart, pod: &'a PodRecord) -> impl Iterator<Item = ContainerRow<'a>> {
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
            let row = ContainerRow::of(snapshot, part, pod, container);
            filter.wants_flags(row.flags).then_some(row)
        })
    }
}

impl<'a> ContainerRow<'a> {
    fn of(snapshot: &Snapshot, part: &NamespacePart, pod: &'a PodRecord, container: &'a ContainerRecord) -> Self {
        let entry = Entry::new(&container.image, container.running.as_ref());
        let image = Flags::of_image(snapshot, entry.image, entry.digest.is_some());
        let owner = pod.owner.as_ref().map(|owner| owner.workload());
        let first = part.first_seen(entry.image, entry.digest);
        Self {
            namespace: (*pod.namespace).into(),
            pod: (*pod.name).into(),
            container: (*container.name).into(),
            kind: kind_word(container.kind).into(),
            image: container.image.written().into(),
            digest: entry.digest.map(Cow::Borrowed),
            digest_kind: entry.digest_kind,
            image_id: container.image_id.as_deref().map(Cow::from),
            state: state_word(container.state).into(),
            reason: container.reason.as_deref().map(Cow::from),
            started_at: container.started_at.and_then(|start| Timestamp::from_second(start.second()).ok()),
            node: pod.node.as_deref().map(Cow::from),
            owner_kind: owner.map(|owner| owner.kind.into()),
            owner_name: owner.map(|owner| owner.name.into()),
            owner_inferred: owner.is_some_and(|owner| owner.is_inferred),
            flags: Flags::of_container(image, container),
            first_seen: first.map(|first| first.at),
            first_seen_exact: first.is_some_and(|first| first.is_exact),
            uid: pod.uid.as_deref().unwrap_or_default().into(),
            order: KINDS.iter().position(|(kind, _)| *kind == container.kind).unwrap_or_default(),
        }
    }
}

impl Row<ContainerSort> for ContainerRow<'_> {
    fn place(&self, sort: ContainerSort) -> Place {
        let order = self.order.to_string();
        let names = [&*self.namespace, &*self.pod, &*self.uid, &order, &*self.container].map(str::to_owned);
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
    fn column<'r>(self, row: &'r ContainerRow<'_>) -> &'r str {
        match self {
            Self::Namespace => "",
            Self::Image => &row.image,
            Self::Node => row.node.as_deref().unwrap_or_default(),
            Self::Owner => row.owner_name.as_deref().unwrap_or_default(),
        }
    }
}
