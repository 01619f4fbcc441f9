//! Answers: a snapshot and a question give a value that HTTP and the command line write in their own ways, or the bodies
//! that a push sends.
//!
//! Pure. Each answer type is its own, documented for the OpenAPI document, and knows the hash of its content.

mod csv;
mod images;
mod namespaces;
mod payload;
mod quick_hash;
mod report;

pub use csv::write_csv;
pub use images::{ImageEntry, NamespaceImages};
pub use namespaces::{NamespaceList, NamespaceStateWord, NamespaceSummary};
pub use payload::{Payload, PayloadBody, PayloadForm, PayloadLimits, PayloadRequest, Payloads, Pieces};
pub use report::{INVENTORY_TYPE, KaiReport, ServerVersionMetadata, utc_seconds};
