//! Answers: a snapshot and a question give a value that HTTP and the command line write in their own ways, or the bodies
//! that a push sends.
//!
//! Pure. Each answer type is its own, documented for the OpenAPI document, and knows the hash of its content.

mod format;
mod images;
mod namespaces;
mod payload;
mod report;

pub use format::{Format, Layout, write_columns};
pub use images::{ImageEntry, NamespaceImages};
pub use namespaces::{NamespaceList, NamespaceStateWord, NamespaceSummary};
pub use payload::{Payload, PayloadBody, PayloadForm, PayloadLimits, PayloadRequest, Payloads};
pub use report::{INVENTORY_TYPE, KaiReport, utc_seconds};
