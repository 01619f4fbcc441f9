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
mod past;
mod words;

pub(super) use answer::Missing;
pub use answer::{ContainerPage, GapRow, ImagePage, ImageUse, PageHead, RegistryPage, RepositoryPage};
pub use containers::{ContainerRow, ContainerSort, Containers};
pub use filter::{DigestKind, DigestPrefix, Filter, RepositoryName};
pub use flag::{Flag, Flags};
pub use groups::{GroupSort, RegistryRow, RepositoryRow, registries, repositories};
pub use images::{ImageRow, ImageSort, images};
pub(super) use list::reference_lines;
pub use list::{CsvRow, CycloneDxVersion, List, ListOptions, Reference, write_csv, write_images};
pub use page::{Page, PageRequest, Place, Sort};
pub use params::{FILTERS, FilterParam};
pub use past::{PastImages, Window, images_between};
pub(super) use past::{is_excluded, rows_between};
pub use words::{KINDS, STATES};
