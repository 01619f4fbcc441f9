//! The report as a table for a terminal.

use std::borrow::Cow;
use std::io::{self, Write};

use super::columns::{Look, write_columns};
use crate::inventory::{Digest, escape_controls};
use crate::views::{ImageEntry, KaiReport, NamespaceImages};

/// What the table says when there is nothing to list.
const NO_IMAGES: &str = "No Images found";

/// Writes a header and a line for each namespace and image, as wide as `width` if one is given.
pub(super) fn write(report: &KaiReport<'_>, width: Option<usize>, writer: &mut impl Write) -> io::Result<()> {
    let rows: Vec<[Cow<'_, str>; 3]> = report
        .results
        .iter()
        .flat_map(|namespace| namespace.images.iter().map(move |image| row(namespace, image)))
        .collect();
    if rows.is_empty() {
        return writeln!(writer, "{NO_IMAGES}");
    }
    write_columns(["IMAGE TAG", "REPO DIGEST", "NAMESPACE"], &rows, Look { width, ..Look::WHOLE }, writer)
}

fn row<'a>(namespace: &'a NamespaceImages<'_>, image: &'a ImageEntry<'_>) -> [Cow<'a, str>; 3] {
    let digest = image.repo_digest.map_or("", Digest::as_str);
    [escape_controls(&image.tag), digest.into(), escape_controls(namespace.namespace)]
}
