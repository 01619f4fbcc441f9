//! Answers: a snapshot and a question give a value that HTTP, the command line and a push write in their own ways.
//!
//! Pure. Each answer type is its own, documented for the OpenAPI document, and knows the hash of its content.

mod csv;
mod images;
mod namespaces;
mod report;

pub use csv::write_csv;
pub use images::{ImageEntry, NamespaceImages};
pub use namespaces::{NamespaceList, NamespaceStateWord, NamespaceSummary};
pub use report::{INVENTORY_TYPE, KaiReport, ServerVersionMetadata, utc_seconds};
