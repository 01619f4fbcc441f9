//! The report as comma-separated values, one row for each namespace and image.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::inventory::{Digest, escape_controls};
use crate::views::NamespaceImages;

/// Writes `namespace,tag,repo_digest` and the rows. A namespace without images has none.
pub(super) fn write(results: &[NamespaceImages<'_>], writer: impl Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(writer);
    writer.write_record(["namespace", "tag", "repo_digest"])?;
    for NamespaceImages { namespace, images } in results {
        let namespace = cell(namespace);
        for image in images {
            let digest = image.repo_digest.map_or("", Digest::as_str);
            writer.write_record([&*namespace, &*cell(&image.tag), digest])?;
        }
    }
    writer.flush()
}

/// A text of a manifest or of a dump, which must not break a row, move a cursor, or be a formula: a spreadsheet runs
/// what begins with one of these signs. The apostrophe before it makes it a text there.
pub(crate) fn cell(text: &str) -> Cow<'_, str> {
    let escaped = escape_controls(text);
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { Cow::Owned(format!("'{escaped}")) } else { escaped }
}
