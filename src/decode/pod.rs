//! A pod of the API becomes a record: spec and status entries joined by name, owner and state read.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::objects::{Container, ContainerStatus, ObjectMeta, Pod, PodSpec, PodStatus};
use super::records::{Records, kept};
use super::skipped::Lack;
use super::texts::KeyValue;
use crate::inventory::{
    ContainerKind, ContainerRecord, ContainerState, Interner, Metadata, MetadataRule, OwnerRef, Phase, PodGenerations,
    PodRecord, SpecEntry, StartTime, StatusEntry, read_container,
};

/// What was read of a pod.
#[derive(Debug)]
pub(super) struct PodRead {
    pub(super) pod: PodRecord,
    /// Its containers and image volumes that lack what each must have.
    pub(super) left_out: Vec<Lack>,
}

/// The pod of that object.
pub(super) fn read_pod(pod: &Pod, records: &mut Records) -> Result<PodRead, Lack> {
    let Records { interner, detail } = records;
    let (no_metadata, no_spec, no_status) = (ObjectMeta::default(), PodSpec::default(), PodStatus::default());
    let metadata = pod.metadata.as_ref().unwrap_or(&no_metadata);
    let name = text(metadata.name.as_ref());
    if name.is_empty() {
        return Err(Lack::missing("metadata.name"));
    }
    let namespace = text(metadata.namespace.as_ref());
    if namespace.is_empty() {
        return Err(Lack::missing("metadata.namespace"));
    }
    let spec = pod.spec.as_ref().unwrap_or(&no_spec);
    let status = pod.status.as_ref().unwrap_or(&no_status);

    // Generations count from 1; protobuf writes an absent one as 0.
    let counted = |generation: Option<i64>| generation.filter(|generation| *generation != 0);
    let generations =
        PodGenerations { generation: counted(metadata.generation), observed: counted(status.observed_generation) };
    let mut reader = PodReader {
        phase: Phase::of_word(text(status.phase.as_ref())),
        reason: text(status.reason.as_ref()),
        generations,
        keeps_container_ids: detail.container_ids,
        containers: Vec::new(),
        strays: Vec::new(),
        left_out: LeftOut::default(),
        interner,
    };
    let (init, containers) = (spec.init_containers.iter(), spec.containers.iter());
    let nothing = Container::default();
    let ephemeral = spec.ephemeral_containers.iter().map(|container| container.common.as_ref().unwrap_or(&nothing));
    reader.read_list("spec.initContainers", init, &status.init_container_statuses, init_kind);
    reader.read_list("spec.containers", containers, &status.container_statuses, |_| ContainerKind::Container);
    let statuses = &status.ephemeral_container_statuses;
    reader.read_list("spec.ephemeralContainers", ephemeral, statuses, |_| ContainerKind::Ephemeral);
    reader.read_image_volumes(spec, status);

    let PodReader { phase, containers, strays, left_out, interner, .. } = reader;
    let left_out = left_out.all();
    let node = Some(text(spec.node_name.as_ref())).filter(|node| !node.is_empty());
    let node = node.map(|node| interner.string(node));
    let owner = match &node {
        Some(node) if is_static(&metadata.annotations) => {
            Some(OwnerRef::new(interner.string("Node"), node.clone(), |_| None))
        }
        _ => controlling_owner(metadata, interner),
    };
    let pod = PodRecord {
        namespace: interner.string(namespace),
        name: name.into(),
        uid: metadata.uid.as_deref().filter(|uid| !uid.is_empty()).map(Into::into),
        phase,
        node,
        owner,
        containers: containers.into(),
        stray_statuses: strays.into(),
        metadata: kept_metadata(metadata, &detail.pods, interner),
    };
    Ok(PodRead { pod, left_out })
}

/// The text, or the empty one when absent.
fn text(value: Option<&String>) -> &str {
    value.map_or("", String::as_str)
}

fn kept_metadata(metadata: &ObjectMeta, rule: &MetadataRule, interner: &mut Interner) -> Option<Box<Metadata>> {
    if rule.is_none() {
        return None;
    }
    let labels = kept(&metadata.labels, |key| rule.labels.keeps(key), interner);
    let annotations = kept(&metadata.annotations, |key| rule.annotations.keeps(key), interner);
    let metadata = Metadata { labels, annotations };
    (!metadata.is_empty()).then(|| Box::new(metadata))
}

/// The API server's copy of a static pod has this annotation.
const MIRROR: &[u8] = b"kubernetes.io/config.mirror";
/// A kubelet's own list has where each pod came from: `file`, `http`, or `api` for all others.
const SOURCE: &[u8] = b"kubernetes.io/config.source";

/// Whether the annotations say that the kubelet read the pod from a file or an address of its node, not from the API.
fn is_static(annotations: &[KeyValue]) -> bool {
    annotations.iter().any(|KeyValue { key, value }| {
        key == MIRROR || (key == SOURCE && matches!(value.as_slice(), b"file" | b"http"))
    })
}

/// An init container that restarts always runs beside the others from then on.
fn init_kind(container: &Container) -> ContainerKind {
    match text(container.restart_policy.as_ref()) {
        "Always" => ContainerKind::Sidecar,
        _ => ContainerKind::Init,
    }
}

fn controlling_owner(metadata: &ObjectMeta, interner: &mut Interner) -> Option<OwnerRef> {
    let owner = metadata.owner_references.iter().find(|owner| owner.controller == Some(true))?;
    let label = |key: &str| {
        let label = metadata.labels.iter().find(|label| label.key == key.as_bytes());
        label.and_then(|label| std::str::from_utf8(&label.value).ok())
    };
    let (kind, name) = (interner.string(text(owner.kind.as_ref())), interner.string(text(owner.name.as_ref())));
    Some(OwnerRef::new(kind, name, label))
}

struct PodReader<'p> {
    phase: Phase,
    reason: &'p str,
    generations: PodGenerations,
    keeps_container_ids: bool,
    containers: Vec<ContainerRecord>,
    strays: Vec<Arc<str>>,
    left_out: LeftOut,
    interner: &'p mut Interner,
}

impl<'p> PodReader<'p> {
    fn read_list<'c>(
        &mut self,
        path: &str,
        entries: impl ExactSizeIterator<Item = &'c Container> + Clone,
        statuses: &'p [ContainerStatus],
        kind_of: impl Fn(&Container) -> ContainerKind,
    ) {
        let statuses = Statuses::new(statuses);
        for (index, container) in entries.clone().enumerate() {
            let (name, image) = (text(container.name.as_ref()), text(container.image.as_ref()));
            if name.is_empty() || image.is_empty() {
                let field = if name.is_empty() { "name" } else { "image" };
                self.left_out.push(Lack::missing(format!("{path}[{index}].{field}")));
                continue;
            }
            let status = statuses.of(name).map_or_else(|| self.without_status(), |status| self.read_status(status));
            let spec = SpecEntry { name, kind: kind_of(container), image };
            self.containers.push(read_container(spec, status, self.generations, self.interner));
        }
        self.collect_strays(entries, &statuses);
    }

    /// A container without a status, or without one any more: the status of the pod has what became of it.
    fn without_status(&self) -> StatusEntry<'p> {
        let (state, reason) = match self.phase {
            Phase::Failed => (ContainerState::Terminated, self.reason),
            Phase::Succeeded => (ContainerState::Terminated, ""),
            Phase::Pending | Phase::Running | Phase::Unknown => (ContainerState::Pending, ""),
        };
        StatusEntry { state, reason, ..StatusEntry::default() }
    }

    fn read_status(&self, status: &'p ContainerStatus) -> StatusEntry<'p> {
        let container_id = if self.keeps_container_ids { text(status.container_id.as_ref()) } else { "" };
        let (state, reason) = state_of(status);
        StatusEntry {
            image: text(status.image.as_ref()),
            image_id: text(status.image_id.as_ref()),
            state,
            reason: text(reason),
            started_at: started_at(status),
            container_id,
        }
    }

    fn collect_strays<'c>(
        &mut self,
        entries: impl ExactSizeIterator<Item = &'c Container> + Clone,
        statuses: &Statuses<'p>,
    ) {
        let names = entries.map(|entry| text(entry.name.as_ref()));
        let many: Option<HashSet<&str>> = (names.len() > FEW).then(|| names.clone().collect());
        for status in statuses.all {
            let name = text(status.name.as_ref());
            let known = match &many {
                Some(names) => names.contains(name),
                None => names.clone().any(|known| known == name),
            };
            if !known {
                self.strays.push(self.interner.string(name));
            }
        }
    }

    /// The digest of an image volume is reported by the mounts of the containers that use it.
    fn read_image_volumes(&mut self, spec: &PodSpec, status: &'p PodStatus) {
        let mut mounted: Option<HashMap<&str, &str>> = None;
        for (index, volume) in spec.volumes.iter().enumerate() {
            let image = volume.source.as_ref().and_then(|source| source.image.as_ref());
            let reference = image.map_or("", |image| text(image.reference.as_ref()));
            if reference.is_empty() {
                continue;
            }
            let name = text(volume.name.as_ref());
            if name.is_empty() {
                self.left_out.push(Lack::missing(format!("spec.volumes[{index}].name")));
                continue;
            }
            let image_id = mounted.get_or_insert_with(|| mounted_images(status)).get(name).copied().unwrap_or("");
            let state = match self.phase {
                Phase::Running => ContainerState::Running,
                Phase::Succeeded | Phase::Failed => ContainerState::Terminated,
                Phase::Pending | Phase::Unknown => ContainerState::Pending,
            };
            let spec = SpecEntry { name, kind: ContainerKind::Volume, image: reference };
            let status = StatusEntry { image_id, state, ..StatusEntry::default() };
            self.containers.push(read_container(spec, status, self.generations, self.interner));
        }
    }
}

/// As many entries that are left out of one pod are named; the rest is counted.
const LEFT_OUT_NAMED: usize = 100;

/// What is left out of one pod.
#[derive(Default)]
struct LeftOut {
    named: Vec<Lack>,
    more: usize,
}

impl LeftOut {
    fn push(&mut self, lack: Lack) {
        if self.named.len() < LEFT_OUT_NAMED { self.named.push(lack) } else { self.more += 1 }
    }

    fn all(mut self) -> Vec<Lack> {
        if self.more > 0 {
            self.named.push(Lack { field: format!("{} more entries", self.more), problem: "without name or image" });
        }
        self.named
    }
}

/// Image references by the name of the volume that is mounted.
fn mounted_images(status: &PodStatus) -> HashMap<&str, &str> {
    let lists = [&status.container_statuses, &status.init_container_statuses, &status.ephemeral_container_statuses];
    let mut found = HashMap::new();
    for mount in lists.into_iter().flatten().flat_map(|status| &status.volume_mounts) {
        let image = mount.volume_status.as_ref().and_then(|status| status.image.as_ref());
        let reference = image.map_or("", |image| text(image.image_ref.as_ref()));
        if !reference.is_empty() {
            found.entry(text(mount.name.as_ref())).or_insert(reference);
        }
    }
    found
}

/// What the container does, and why. The API's own rule: a status without a state means waiting.
fn state_of(status: &ContainerStatus) -> (ContainerState, Option<&String>) {
    let Some(state) = &status.state else { return (ContainerState::Waiting, None) };
    match (&state.running, &state.terminated, &state.waiting) {
        (Some(_), ..) => (ContainerState::Running, None),
        (None, Some(terminated), _) => (ContainerState::Terminated, terminated.reason.as_ref()),
        (None, None, waiting) => {
            (ContainerState::Waiting, waiting.as_ref().and_then(|waiting| waiting.reason.as_ref()))
        }
    }
}

/// When the container that runs was started.
fn started_at(status: &ContainerStatus) -> Option<StartTime> {
    let running = status.state.as_ref()?.running.as_ref()?;
    StartTime::from_second(running.started_at.as_ref()?.seconds?)
}

/// Up to here a list is searched name by name; beyond, a map is built, as an item may hold half a million entries.
const FEW: usize = 16;

/// The statuses of one kind, found by name.
struct Statuses<'t> {
    all: &'t [ContainerStatus],
    by_name: HashMap<&'t str, usize>,
}

impl<'t> Statuses<'t> {
    fn new(all: &'t [ContainerStatus]) -> Self {
        let mut by_name = HashMap::new();
        if all.len() > FEW {
            for (index, status) in all.iter().enumerate() {
                by_name.entry(text(status.name.as_ref())).or_insert(index);
            }
        }
        Self { all, by_name }
    }

    /// The first status of that name.
    fn of(&self, name: &str) -> Option<&'t ContainerStatus> {
        if self.all.len() > FEW {
            return self.by_name.get(name).map(|index| &self.all[*index]);
        }
        self.all.iter().find(|status| text(status.name.as_ref()) == name)
    }
}
