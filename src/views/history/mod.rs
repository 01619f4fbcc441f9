//! Answers out of a history: when images were there, and which a registry must keep.

mod in_use;
mod timeline;

pub use in_use::{InUse, PastWindow};
pub use timeline::{ImageHistory, NamespaceHistory, SightingRow};
