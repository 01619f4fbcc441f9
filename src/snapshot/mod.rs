//! From events to one immutable picture of the cluster.
//!
//! Whatever reads a cluster, or a dump of one, sends what it finds as [`Event`]s. [`PodIndex`] is the one mutable state: it
//! takes the events of one source and yields a [`Snapshot`] with its [`Changes`] when they changed something. Pure: time is
//! passed in.

mod audit;
mod changes;
mod completeness;
mod digests;
mod event;
mod hash;
mod images;
mod index;
mod namespace;
mod part;
mod pods;
#[cfg(test)]
mod properties;
mod relist;
mod seen;
mod several;
#[expect(clippy::module_inception, reason = "the type Snapshot is the module's main noun")]
mod snapshot;
mod tree;

pub use changes::Changes;
pub(crate) use completeness::Completeness;
pub use completeness::SKIPPED_SAMPLES;
pub use event::{Event, ListScope, Object, ObjectKey, Observation, PodIdentity, PodKey, ServerVersion, SkippedItem};
pub use hash::ContentHash;
pub(crate) use images::DifferentImage;
pub use index::PodIndex;
pub(crate) use index::Published;
pub(crate) use part::NamespacePart;
pub use part::NamespaceState;
pub use seen::{
    FirstSeen, Gap, Past, Period, Sighting, SightingKey, WORKLOADS_MAX, Workloads, gaps, leave_out_unreported,
};
pub use snapshot::Snapshot;
