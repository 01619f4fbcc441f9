//! Answers out of a history: when images were there, and which a registry must keep.

mod fleet;
mod in_use;
mod timeline;

pub use fleet::{ClusterHistory, ClusterList, ClusterName, ClusterRow, FleetHistory};
pub use in_use::{InUse, PastWindow};
pub use timeline::{ImageHistory, NamespaceHistory, SightingRow};
