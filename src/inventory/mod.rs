//! The vocabulary: what kai knows about images, in types that cannot be wrong.
//!
//! Everything here is pure: no clock, no I/O, no Kubernetes type. A reference is parsed once by the distribution
//! reference grammar ([`ImageRef`]), what a node reports about a container is read once by fixed rules
//! ([`ContainerRecord`]), and what the user selects is compiled once ([`NamespaceSelection`], [`ReportPolicy`]).

mod container;
mod digest;
mod grammar;
mod intern;
mod metadata;
mod node;
mod owner;
mod pod;
mod policy;
mod reference;
mod selection;
mod status;
mod text;

pub(crate) use container::ContainerFlags;
pub use container::{ContainerKind, ContainerRecord, ContainerState, StartTime};
pub use digest::{Digest, DigestAlgorithm};
pub use grammar::ReferenceError;
pub use intern::Interner;
pub use metadata::{Detail, KeyFilter, KeyValues, Metadata, MetadataRule};
pub use node::NodeRecord;
pub use owner::{OwnerRef, Template, Workload};
pub use pod::{NamespaceRecord, Phase, PodRecord};
pub use policy::{MissingTagPolicy, ReportPolicy};
pub use reference::ImageRef;
pub(crate) use selection::is_dns_label;
pub use selection::{NamespacePattern, NamespaceSelection};
pub use status::{PodGenerations, SpecEntry, StatusEntry, read_container};
pub(crate) use text::{escape_controls, excerpt, join_first, join_names, panic_text};
