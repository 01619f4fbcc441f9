//! One object of the wire becomes a record: spec and status entries joined by name, owner and state told.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::forms::{Map, Texts, text};
use super::records::{Records, kept};
use super::wire::{Container, ContainerStatus, Metadata, Object, Spec, Status};
use crate::inventory::{
    self, ContainerKind, ContainerRecord, ContainerState, Interner, MetadataRule, OwnerRef, Phase, PodGenerations,
    PodRecord, SpecEntry, StatusEntry, read_container,
};

/// What the fields of an object lack: the path of the field, and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) field: String,
    pub(super) problem: &'static str,
}

impl Broken {
    pub(super) fn missing(field: impl Into<String>) -> Self {
        Self { field: field.into(), problem: "missing" }
    }
}

/// An entry of a list; `null` is one that says nothing.
type Entry<T> = Option<Map<T>>;

/// The pod of that object.
pub(super) fn read_pod(object: &Object<'_>, records: &mut Records) -> Result<PodRecord, Broken> {
    let Records { interner, detail } = records;
    let metadata = object.metadata.as_deref();
    let name = metadata.map_or("", |metadata| text(metadata.name.as_ref()));
    if name.is_empty() {
        return Err(Broken::missing("metadata.name"));
    }
    let namespace = metadata.map_or("", |metadata| text(metadata.namespace.as_ref()));
    if namespace.is_empty() {
        return Err(Broken::missing("metadata.namespace"));
    }
    let (no_spec, no_status) = (Spec::default(), Status::default());
    let spec = object.spec.as_deref().unwrap_or(&no_spec);
    let status = object.status.as_deref().unwrap_or(&no_status);

    let mut reader = PodReader {
        phase: Phase::of_word(text(status.phase.as_ref())),
        reason: text(status.reason.as_ref()),
        generations: PodGenerations {
            generation: metadata.and_then(|metadata| metadata.generation),
            observed: status.observed_generation,
        },
        keeps_container_ids: detail.container_ids,
        containers: Vec::new(),
        strays: Vec::new(),
        interner,
    };
    let init = (spec.init_containers.as_deref(), status.init_container_statuses.as_deref());
    reader.read_list("spec.initContainers", init.0, init.1, init_kind)?;
    let containers = (spec.containers.as_deref(), status.container_statuses.as_deref());
    reader.read_list("spec.containers", containers.0, containers.1, |_| ContainerKind::Container)?;
    let ephemeral = (spec.ephemeral_containers.as_deref(), status.ephemeral_container_statuses.as_deref());
    reader.read_list("spec.ephemeralContainers", ephemeral.0, ephemeral.1, |_| ContainerKind::Ephemeral)?;
    reader.read_image_volumes(spec, status)?;

    let PodReader { phase, containers, strays, interner, .. } = reader;
    let node = spec.node_name.as_ref().filter(|node| !node.as_str().is_empty());
    let node = node.map(|node| interner.string(node.as_str()));
    let owner = match (metadata, &node) {
        (Some(metadata), Some(node)) if is_static(&metadata.annotations) => {
            Some(OwnerRef { kind: interner.string("Node"), name: node.clone() })
        }
        (Some(metadata), _) => controlling_owner(metadata, interner),
        (None, _) => None,
    };
    Ok(PodRecord {
        namespace: interner.string(namespace),
        name: name.into(),
        uid: metadata.and_then(|metadata| metadata.uid.0.as_ref()).map(|uid| uid.as_str().into()),
        phase,
        node,
        owner,
        containers: containers.into(),
        stray_statuses: strays.into(),
        metadata: metadata.and_then(|metadata| kept_metadata(metadata, &detail.pods, interner)),
    })
}

fn kept_metadata(
    metadata: &Metadata<'_>,
    rule: &MetadataRule,
    interner: &mut Interner,
) -> Option<Box<inventory::Metadata>> {
    if rule.is_none() {
        return None;
    }
    let labels = kept(&metadata.labels, |key| rule.labels.keeps(key), interner);
    let annotations = kept(&metadata.annotations, |key| rule.annotations.keeps(key), interner);
    let metadata = inventory::Metadata { labels, annotations };
    (!metadata.is_empty()).then(|| Box::new(metadata))
}

/// The API server's copy of a static pod has this annotation.
pub(super) const MIRROR: &str = "kubernetes.io/config.mirror";
/// A kubelet's own list says where each pod came from: `file`, `http`, or `api` for all others.
pub(super) const SOURCE: &str = "kubernetes.io/config.source";

/// Whether the annotations say that the kubelet read the pod from a file or an address of its node, not from the API.
fn is_static(annotations: &Texts<'_>) -> bool {
    annotations.entries().any(|(key, value)| key == MIRROR || (key == SOURCE && matches!(text(value), "file" | "http")))
}

/// An init container that restarts always runs beside the others from then on.
fn init_kind(container: &Container<'_>) -> ContainerKind {
    match text(container.restart_policy.as_ref()) {
        "Always" => ContainerKind::Sidecar,
        _ => ContainerKind::Init,
    }
}

fn controlling_owner(metadata: &Metadata<'_>, interner: &mut Interner) -> Option<OwnerRef> {
    let owners = metadata.owner_references.iter().flatten().flatten();
    let owner = owners.into_iter().find(|owner| owner.controller == Some(true))?;
    Some(OwnerRef {
        kind: interner.string(text(owner.kind.as_ref())),
        name: interner.string(text(owner.name.as_ref())),
    })
}

struct PodReader<'p> {
    phase: Phase,
    reason: &'p str,
    generations: PodGenerations,
    keeps_container_ids: bool,
    containers: Vec<ContainerRecord>,
    strays: Vec<Arc<str>>,
    interner: &'p mut Interner,
}

impl<'p> PodReader<'p> {
    fn read_list<'a>(
        &mut self,
        path: &str,
        entries: Option<&'p [Entry<Container<'a>>]>,
        statuses: Option<&'p [Entry<ContainerStatus<'a>>]>,
        kind_of: impl Fn(&Container<'a>) -> ContainerKind,
    ) -> Result<(), Broken> {
        let entries = entries.unwrap_or_default();
        let statuses = Statuses::new(statuses.unwrap_or_default());
        for (index, entry) in entries.iter().enumerate() {
            let Some(container) = entry else { return Err(Broken::missing(format!("{path}[{index}]"))) };
            let name = text(container.name.as_ref());
            if name.is_empty() {
                return Err(Broken::missing(format!("{path}[{index}].name")));
            }
            let image = text(container.image.as_ref());
            if image.is_empty() {
                return Err(Broken::missing(format!("{path}[{index}].image")));
            }
            let status = statuses.of(name).map_or_else(|| self.without_status(), |status| self.read_status(status));
            let spec = SpecEntry { name, kind: kind_of(container), image };
            self.containers.push(read_container(spec, status, self.generations, self.interner));
        }
        self.collect_strays(entries, &statuses);
        Ok(())
    }

    /// A container that the node says nothing of, or no more: the pod as a whole says what became of it.
    fn without_status(&self) -> StatusEntry<'p> {
        let (state, reason) = match self.phase {
            Phase::Failed => (ContainerState::Terminated, self.reason),
            Phase::Succeeded => (ContainerState::Terminated, ""),
            Phase::Pending | Phase::Running | Phase::Unknown => (ContainerState::Pending, ""),
        };
        StatusEntry { image: "", image_id: "", state, reason, container_id: "" }
    }

    fn read_status<'a>(&self, status: &'p ContainerStatus<'a>) -> StatusEntry<'p> {
        let container_id = if self.keeps_container_ids { status.container_id.as_str() } else { "" };
        StatusEntry { container_id, ..read_status(status) }
    }

    fn collect_strays(&mut self, entries: &'p [Entry<Container<'_>>], statuses: &Statuses<'p, '_>) {
        let name_of = |entry: &'p Entry<Container<'_>>| entry.as_ref().map_or("", |entry| text(entry.name.as_ref()));
        let many: Option<HashSet<&str>> = (entries.len() > FEW).then(|| entries.iter().map(name_of).collect());
        for status in statuses.all.iter().flatten() {
            let name = text(status.name.as_ref());
            let known = match &many {
                Some(names) => names.contains(name),
                None => entries.iter().any(|entry| name_of(entry) == name),
            };
            if !known {
                self.strays.push(self.interner.string(name));
            }
        }
    }

    /// The digest of an image volume is reported by the mounts of the containers that use it.
    fn read_image_volumes(&mut self, spec: &Spec<'_>, status: &'p Status<'_>) -> Result<(), Broken> {
        let mut mounted: Option<HashMap<&str, &str>> = None;
        for (index, volume) in spec.volumes.iter().flatten().enumerate() {
            let Some(volume) = volume else { continue };
            let Some(reference) = volume.image.as_deref().and_then(|image| image.reference.as_ref()) else { continue };
            if reference.as_str().is_empty() {
                continue;
            }
            let name = text(volume.name.as_ref());
            if name.is_empty() {
                return Err(Broken::missing(format!("spec.volumes[{index}].name")));
            }
            let image_id = mounted.get_or_insert_with(|| mounted_images(status)).get(name).copied().unwrap_or("");
            let state = match self.phase {
                Phase::Running => ContainerState::Running,
                Phase::Succeeded | Phase::Failed => ContainerState::Terminated,
                Phase::Pending | Phase::Unknown => ContainerState::Pending,
            };
            let spec = SpecEntry { name, kind: ContainerKind::Volume, image: reference.as_str() };
            let status = StatusEntry { image: "", image_id, state, reason: "", container_id: "" };
            self.containers.push(read_container(spec, status, self.generations, self.interner));
        }
        Ok(())
    }
}

/// Image references by the name of the volume that is mounted.
fn mounted_images<'t>(status: &'t Status<'_>) -> HashMap<&'t str, &'t str> {
    let lists = [&status.container_statuses, &status.init_container_statuses, &status.ephemeral_container_statuses];
    let statuses = lists.into_iter().flatten().flatten().flatten();
    let mut found = HashMap::new();
    for mount in statuses.flat_map(|status| status.volume_mounts.iter().flatten().flatten()) {
        let nested = mount.volume_status.as_deref().and_then(|status| status.image.as_deref());
        let nested = text(nested.and_then(|image| image.image_ref.as_ref()));
        let reference = if nested.is_empty() { text(mount.image_ref.as_ref()) } else { nested };
        if !reference.is_empty() {
            found.entry(text(mount.name.as_ref())).or_insert(reference);
        }
    }
    found
}

fn read_status<'t>(status: &'t ContainerStatus<'_>) -> StatusEntry<'t> {
    let state = status.state.as_deref();
    let (state, reason) = match state {
        Some(state) if state.running.is_some() => (ContainerState::Running, None),
        Some(state) => match (&state.terminated, &state.waiting) {
            (Some(terminated), _) => (ContainerState::Terminated, terminated.reason.as_ref()),
            (None, Some(waiting)) => (ContainerState::Waiting, waiting.reason.as_ref()),
            // The API's own rule: a status that says nothing says waiting.
            (None, None) => (ContainerState::Waiting, None),
        },
        None => (ContainerState::Waiting, None),
    };
    StatusEntry {
        image: text(status.image.as_ref()),
        image_id: text(status.image_id.as_ref()),
        state,
        reason: text(reason),
        container_id: "",
    }
}

/// Up to here a list is searched name by name; beyond, a map is built, as an item may hold half a million entries.
const FEW: usize = 16;

/// The statuses of one kind, found by name.
struct Statuses<'t, 'a> {
    all: &'t [Entry<ContainerStatus<'a>>],
    by_name: HashMap<&'t str, usize>,
}

impl<'t, 'a> Statuses<'t, 'a> {
    fn new(all: &'t [Entry<ContainerStatus<'a>>]) -> Self {
        let mut by_name = HashMap::new();
        if all.len() > FEW {
            for (index, status) in all.iter().enumerate() {
                by_name.entry(name_of(status.as_ref())).or_insert(index);
            }
        }
        Self { all, by_name }
    }

    /// The first status of that name.
    fn of(&self, name: &str) -> Option<&'t ContainerStatus<'a>> {
        let index = if self.all.len() > FEW {
            self.by_name.get(name).copied()
        } else {
            self.all.iter().position(|status| name_of(status.as_ref()) == name)
        };
        index.and_then(|index| self.all[index].as_deref())
    }
}

fn name_of<'t>(status: Option<&'t Map<ContainerStatus<'_>>>) -> &'t str {
    status.map_or("", |status| text(status.name.as_ref()))
}
