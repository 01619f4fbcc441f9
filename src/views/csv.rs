//! The report as comma-separated values, one row for each namespace and image.

use std::io::{self, Write};

use super::images::NamespaceImages;
use crate::inventory::{Digest, escape_controls};

/// Writes `namespace,tag,repo_digest` and the rows. A namespace without images has none.
///
/// Control characters are escaped: a raw text from a manifest, or a name from a dump, must not break a row or move a
/// cursor.
///
/// # Errors
/// Those of the writer.
pub fn write_csv(results: &[NamespaceImages], writer: impl Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(writer);
    writer.write_record(["namespace", "tag", "repo_digest"])?;
    for NamespaceImages { namespace, images } in results {
        let namespace = escape_controls(namespace);
        for image in images {
            let digest = image.repo_digest.as_ref().map_or("", Digest::as_str);
            writer.write_record([&*namespace, &*escape_controls(&image.tag), digest])?;
        }
    }
    writer.flush()
}
