//! The report as tab-separated values, one line for each namespace and image.

use std::io::{self, Write};

use crate::inventory::{Digest, escape_controls};
use crate::views::NamespaceImages;

/// Writes `namespace`, `tag` and `repo_digest`, without a title. A tab in a name is escaped.
pub(super) fn write(results: &[NamespaceImages], writer: &mut impl Write) -> io::Result<()> {
    for NamespaceImages { namespace, images } in results {
        for image in images {
            let digest = image.repo_digest.as_ref().map_or("", Digest::as_str);
            writeln!(writer, "{}\t{}\t{digest}", escape_controls(namespace), escape_controls(&image.tag))?;
        }
    }
    Ok(())
}
