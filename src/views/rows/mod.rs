//! Rows: every image, or every container, that a filter wants, page by page.

mod answer;
mod containers;
mod count;
mod filter;
mod flag;
mod groups;
mod images;
mod list;
mod page;
mod params;
mod words;

pub use answer::{ContainerPage, ImagePage, ImageUse, PageHead, RegistryPage, RepositoryPage};
pub use containers::{ContainerRow, ContainerSort, Containers};
pub use filter::{DigestKind, DigestPrefix, Filter, RepositoryName};
pub use flag::{Flag, Flags};
pub use groups::{GroupSort, RegistryRow, RepositoryRow, registries, repositories};
pub use images::{ImageRow, ImageSort, images};
pub use list::{CsvRow, CycloneDxVersion, List, ListOptions, Reference, write_csv};
pub use page::{Page, PageRequest, Place, Sort};
pub use params::{FILTERS, FilterParam};
pub use words::{KINDS, STATES};
