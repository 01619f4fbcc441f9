//! Whole lists of rows for programs: written row by row, however many there are.

mod csv;
mod cyclonedx;
mod mirror;
mod purl;

pub use csv::{CsvRow, write as write_csv};
pub(in crate::views) use mirror::write_text as reference_lines;

use std::io::{self, Write};

use super::containers::ContainerSort;
use super::filter::Filter;
use super::groups::GroupSort;
use super::images::{ImageRow, ImageSort};
use super::page::PageRequest;
use super::{Containers, images, registries, repositories};
use crate::snapshot::Snapshot;
use crate::views::Format;

/// How a list names images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Reference {
    /// As manifests write them.
    #[default]
    Written,
    /// In full: registry, repository, tag and digest.
    Canonical,
    /// By the manifest digest. An image without one is left out.
    Pinned,
}

/// A version of CycloneDX.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum CycloneDxVersion {
    #[default]
    V1_6,
    V1_7,
}

/// What a list has, apart from which rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ListOptions {
    pub reference: Reference,
    pub version: CycloneDxVersion,
}

/// Which rows.
#[derive(Debug, Clone)]
pub enum List {
    Images(PageRequest<ImageSort>),
    Containers(PageRequest<ContainerSort>),
    Registries(PageRequest<GroupSort>),
    Repositories(PageRequest<GroupSort>),
}

impl Reference {
    /// Every one with its word.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Written, "written"), (Self::Canonical, "canonical"), (Self::Pinned, "pinned")];
}

impl CycloneDxVersion {
    /// Every one with its number.
    pub const ALL: [(Self, &'static str); 2] = [(Self::V1_6, "1.6"), (Self::V1_7, "1.7")];
}

impl List {
    /// Writes all rows that the filter wants; does not flush. JSON is written in pages, elsewhere.
    ///
    /// # Errors
    /// Those of the writer; [`io::ErrorKind::Unsupported`] for a format that the rows do not have.
    pub fn write(
        &self,
        snapshot: &Snapshot,
        filter: &Filter,
        format: Format,
        options: ListOptions,
        writer: impl Write,
    ) -> io::Result<()> {
        match (self, format) {
            (Self::Images(_), Format::CycloneDx) => cyclonedx::write(snapshot, filter, options.version, writer),
            (Self::Images(request), _) => {
                write_images(&images(snapshot, filter, request).rows, snapshot, format, options.reference, writer)
            }
            (Self::Containers(request), Format::Csv) => {
                let rows = Containers::of(snapshot, filter);
                if *request == PageRequest::first(request.limit) {
                    return csv::write(rows.iter(), writer);
                }
                csv::write(rows.page(request, || 0).rows, writer)
            }
            (Self::Registries(request), Format::Csv) => csv::write(registries(snapshot, filter, request).rows, writer),
            (Self::Repositories(request), Format::Csv) => {
                csv::write(repositories(snapshot, filter, request).rows, writer)
            }
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// Writes these images; CycloneDX is made from the snapshot alone.
///
/// # Errors
/// Those of the writer; [`io::ErrorKind::Unsupported`] for a format that is none of rows.
pub fn write_images(
    rows: &[ImageRow<'_>],
    snapshot: &Snapshot,
    format: Format,
    reference: Reference,
    writer: impl Write,
) -> io::Result<()> {
    match format {
        Format::Csv => csv::write(rows, writer),
        Format::Text => mirror::write_text(rows, &[reference], writer),
        Format::Skopeo | Format::Hauler | Format::Zarf => mirror::write_list(rows, snapshot, format, reference, writer),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}
