//! What is known about one container: what was asked for, and what runs.

use std::num::NonZeroI64;
use std::sync::Arc;

use super::{Digest, ImageRef};

/// One entry of a pod that brings an image: a container of any kind, or an image volume.
///
/// What the spec asks for (`image`) and what the node runs (`running`) are kept apart and never joined here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContainerRecord {
    /// The container's name, or the volume's.
    pub name: Arc<str>,
    /// Which list of the pod it stands in.
    pub kind: ContainerKind,
    /// The reference of the spec.
    pub image: Arc<ImageRef>,
    /// The manifest digest that the node reports as running: the part of `imageID` behind the `@`.
    pub running: Option<Digest>,
    /// The image ID (config digest) that the node reports instead of a manifest digest. It means nothing about origin.
    pub image_id: Option<Arc<str>>,
    /// The repository of `imageID` when it differs from the spec's in canonical form. Need not be pullable.
    pub resolved_repository: Option<Arc<str>>,
    /// What still runs while the spec already asks for `image`: an update in place that the node has not done. Its name
    /// is the spec's written one where that is the same repository, else the node's; `running` is its digest.
    pub updating_from: Option<Arc<ImageRef>>,
    /// Running, waiting, ended, or not reported.
    pub state: ContainerState,
    /// Why it waits or ended, as the node or the pod reports (`ImagePullBackOff`, `Completed`, `Evicted`).
    pub reason: Option<Arc<str>>,
    /// What is odd about the entry.
    pub flags: ContainerFlags,
    /// When the container that runs was started, by the node's clock.
    pub started_at: Option<StartTime>,
    /// `containerID` of the status, when it is kept: `containerd://…`. Image volumes have none.
    pub container_id: Option<Box<str>>,
}

/// Which list of the pod an entry stands in.
/// A time in whole seconds. As small as it can be: there is one for every container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StartTime(NonZeroI64);

impl StartTime {
    /// That second since 1970; `None` for the first one, which servers write for no time at all.
    #[must_use]
    pub fn from_second(second: i64) -> Option<Self> {
        NonZeroI64::new(second).map(Self)
    }

    /// Seconds since 1970, of any year.
    #[must_use]
    pub fn second(self) -> i64 {
        self.0.get()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContainerKind {
    /// `spec.containers`.
    Container,
    /// `spec.initContainers`.
    Init,
    /// `spec.initContainers` with `restartPolicy: Always`.
    Sidecar,
    /// `spec.ephemeralContainers`.
    Ephemeral,
    /// `spec.volumes[].image`.
    Volume,
}

/// What the container does, as the node reports it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContainerState {
    /// No status yet, or none any more.
    #[default]
    Pending,
    /// `state.waiting`.
    Waiting,
    /// `state.running`.
    Running,
    /// `state.terminated`.
    Terminated,
}

/// What is odd about an entry, each a fact that someone may ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ContainerFlags {
    /// Declared and running digest differ (an index in one, a platform's manifest in the other).
    pub digest_mismatch: bool,
    /// `imageID` has a `name://` prefix that no runtime is known to use.
    pub unknown_prefix: bool,
    /// The node's tag differs from the spec's and it is unknown whether an update is pending.
    pub ambiguous_tag: bool,
}
