//! Lists of references: text, and the files of three programs that copy images. What is no reference cannot be copied, and is
//! in none of the files; text has it as it is written.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::Reference;
use crate::inventory::{Digest, escape_controls};
use crate::snapshot::Snapshot;
use crate::views::{Format, ImageRow};

/// An image as it can be pulled.
struct Pullable<'r> {
    registry: &'r str,
    repository: &'r str,
    tag: Option<&'r str>,
    /// What the manifest pins, or what is asked for with [`Reference::Pinned`].
    digest: Option<Cow<'r, str>>,
}

/// Writes each reference, in each of these forms, once, sorted, a line each.
pub(in crate::views) fn write_text(
    rows: &[ImageRow<'_>],
    references: &[Reference],
    mut writer: impl Write,
) -> io::Result<()> {
    let forms = |row| references.iter().filter_map(move |reference| text_of(row, *reference));
    let lines: BTreeSet<Cow<'_, str>> = rows.iter().flat_map(forms).collect();
    lines.iter().try_for_each(|line| writeln!(writer, "{}", escape_controls(line)))
}

/// Writes the file of a program, with a first line that says what it is of.
pub(super) fn write_list(
    rows: &[ImageRow<'_>],
    snapshot: &Snapshot,
    format: Format,
    reference: Reference,
    mut writer: impl Write,
) -> io::Result<()> {
    let complete = if snapshot.is_complete() { "" } else { " INCOMPLETE: not everything could be read." };
    let observed_at = snapshot.observed_at().strftime("%Y-%m-%dT%H:%M:%SZ");
    writeln!(writer, "# Written by kai. Observed at {observed_at}.{complete}")?;
    let readable: Vec<&ImageRow<'_>> = rows.iter().filter(|row| pullable(row, reference).is_some()).collect();
    if format == Format::Skopeo {
        return write_skopeo(&readable, reference, &mut writer);
    }
    let lines: BTreeSet<Cow<'_, str>> = readable.iter().filter_map(|row| text_of(row, reference)).collect();
    // Quoted as in JSON, which YAML reads alike.
    let mut quoted = lines.iter().map(serde_json::to_string);
    if format == Format::Hauler {
        writer.write_all(b"apiVersion: content.hauler.cattle.io/v1\nkind: Images\nmetadata:\n  name: kai\nspec:\n")?;
        writer.write_all(if lines.is_empty() { b"  images: []\n" } else { b"  images:\n" })?;
        return quoted.try_for_each(|line| writeln!(writer, "    - name: {}", line?));
    }
    writer.write_all(
        b"kind: ZarfPackageConfig\nmetadata:\n  name: kai\ncomponents:\n  - name: images\n    required: true\n",
    )?;
    writer.write_all(if lines.is_empty() { b"    images: []\n" } else { b"    images:\n" })?;
    quoted.try_for_each(|line| writeln!(writer, "      - {}", line?))
}

/// Registries, their repositories, and tags or digests of each: a tag and a digest together have no place there.
fn write_skopeo(rows: &[&ImageRow<'_>], reference: Reference, writer: &mut impl Write) -> io::Result<()> {
    let mut registries: BTreeMap<&str, BTreeMap<&str, BTreeSet<String>>> = BTreeMap::new();
    for row in rows {
        let Some(Pullable { registry, repository, tag, digest }) = pullable(row, reference) else { continue };
        let Some(version) = digest.map(Cow::into_owned).or_else(|| tag.map(str::to_owned)) else { continue };
        registries.entry(registry).or_default().entry(repository).or_default().insert(version);
    }
    if registries.is_empty() {
        return writer.write_all(b"{}\n");
    }
    for (registry, repositories) in &registries {
        writeln!(writer, "{}:\n  images:", serde_json::to_string(registry)?)?;
        for (repository, versions) in repositories {
            writeln!(writer, "    {}:", serde_json::to_string(repository)?)?;
            for version in versions {
                writeln!(writer, "      - {}", serde_json::to_string(version)?)?;
            }
        }
    }
    Ok(())
}

/// `None` for a text that is no reference, and for an image without a digest that is to be pinned.
fn pullable<'r>(row: &'r ImageRow<'_>, reference: Reference) -> Option<Pullable<'r>> {
    let (registry, repository) = (row.registry.as_deref()?, row.repository.as_deref()?);
    if row.is_unreadable() {
        return None;
    }
    let (tag, digest) = match reference {
        Reference::Pinned => (None, Some(Cow::Borrowed(row.digest.as_deref().map(Digest::as_str)?))),
        // The digest that runs is no part of what the manifest asks for.
        Reference::Written | Reference::Canonical => {
            (row.tag.as_deref(), row.image.split_once('@').map(|(_, digest)| Cow::Borrowed(digest)))
        }
    };
    Some(Pullable { registry, repository, tag, digest })
}

fn text_of<'r>(row: &'r ImageRow<'_>, reference: Reference) -> Option<Cow<'r, str>> {
    if reference == Reference::Written {
        return Some(Cow::Borrowed(&row.image));
    }
    let Some(Pullable { registry, repository, tag, digest }) = pullable(row, reference) else {
        return (reference == Reference::Canonical).then_some(Cow::Borrowed(&*row.image));
    };
    let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
    let digest = digest.map(|digest| format!("@{digest}")).unwrap_or_default();
    Some(Cow::Owned(format!("{registry}/{repository}{tag}{digest}")))
}
