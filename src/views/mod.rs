//! Answers: a snapshot and a question give a value that HTTP and the command line write in their own ways, or the bodies
//! that a push sends.
//!
//! Pure. Each answer type is its own, documented for the OpenAPI document, and knows the hash of its content.

mod changes;
mod format;
mod history;
mod images;
mod namespaces;
mod payload;
mod report;
mod rows;

pub use changes::{Change, ChangeKind, ChangeList, ChangeRow, ChangeStart, Told};
pub use format::Look;
pub(crate) use format::write_columns;
pub use format::{Format, Layout};
pub use history::{
    ClusterHistory, ClusterList, ClusterName, ClusterRow, FleetHistory, ImageHistory, InUse, NamespaceHistory,
    PastWindow, SightingRow,
};
pub(crate) use images::ImageEntry;
pub use images::NamespaceImages;
pub use namespaces::NamespaceList;
pub(crate) use payload::PayloadBody;
pub use payload::{Payload, PayloadForm, PayloadLimits, PayloadRequest};
pub use report::KaiReport;
pub(crate) use report::{INVENTORY_TYPE, ReportFrame, utc_seconds};
pub use rows::{
    ContainerPage, ContainerRow, ContainerSort, Containers, CsvRow, CycloneDxVersion, DigestKind, DigestPrefix,
    FILTERS, Filter, FilterParam, Flag, Flags, GapRow, GroupSort, ImagePage, ImageRow, ImageSort, ImageUse, KINDS,
    List, ListOptions, Page, PageHead, PageRequest, PastImages, Place, Reference, RegistryPage, RegistryRow,
    RepositoryName, RepositoryPage, RepositoryRow, STATES, Sort, Window, images, images_between, registries,
    repositories, write_csv, write_images,
};
