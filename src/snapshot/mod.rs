//! From events to one immutable picture of the cluster.
//!
//! Whatever reads a cluster, or a dump of one, says what it finds as [`Event`]s. [`PodIndex`] is the one mutable state:
//! it takes the events of one source and yields a whole [`Snapshot`] when a relist ends. Pure: time is passed in.

mod different;
mod event;
mod hash;
mod index;
mod part;
mod relist;
#[expect(clippy::module_inception, reason = "the type Snapshot is the module's main noun")]
mod snapshot;

pub use different::DifferentImage;
pub use event::{Event, ListScope, RelistEnd, ServerVersion, SkippedItem};
pub use hash::{ContentHash, ContentHasher};
pub use index::PodIndex;
pub use part::{NamespacePart, NamespaceState};
pub use snapshot::{Completeness, Missing, SKIPPED_SAMPLES, Snapshot};
