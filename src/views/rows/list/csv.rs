//! Rows as comma-separated values: the fields of JSON in their order.

use std::borrow::Cow;
use std::io::{self, Write};

use jiff::Timestamp;

use crate::inventory::Digest;
use crate::views::format::cell;
use crate::views::rows::filter::DigestKind;
use crate::views::rows::groups::Usage;
use crate::views::{ContainerRow, Flags, ImageRow, RegistryRow, RepositoryRow};

impl<R: CsvRow> CsvRow for &R {
    fn columns() -> Vec<&'static str> {
        R::columns()
    }

    fn cells(&self) -> Vec<Cow<'_, str>> {
        R::cells(self)
    }
}

/// A row that has a cell for each column.
pub trait CsvRow {
    fn columns() -> Vec<&'static str>;

    /// As many texts as there are columns; what is unknown is empty.
    fn cells(&self) -> Vec<Cow<'_, str>>;
}

/// Writes the names of the columns, and a line for each row.
///
/// # Errors
/// Those of the writer.
pub fn write<R: CsvRow>(rows: impl IntoIterator<Item = R>, writer: impl Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(writer);
    writer.write_record(R::columns())?;
    for row in rows {
        writer.write_record(row.cells().iter().map(|text| cell(text).into_owned()))?;
    }
    writer.flush()
}

fn maybe<'r>(text: Option<&'r Cow<'_, str>>) -> Cow<'r, str> {
    Cow::Borrowed(text.map_or("", |text| &**text))
}

fn number<'r>(number: usize) -> Cow<'r, str> {
    Cow::Owned(number.to_string())
}

fn digest(digest: Option<&Digest>) -> Cow<'_, str> {
    Cow::Borrowed(digest.map_or("", Digest::as_str))
}

fn kind<'r>(kind: Option<DigestKind>) -> Cow<'r, str> {
    Cow::Borrowed(kind.map_or("", DigestKind::word))
}

fn time<'r>(time: Option<Timestamp>) -> Cow<'r, str> {
    Cow::Owned(time.map(|time| time.to_string()).unwrap_or_default())
}

fn yes<'r>(is_so: bool) -> Cow<'r, str> {
    Cow::Borrowed(if is_so { "true" } else { "false" })
}

/// With a blank between two.
fn flags<'r>(flags: Flags) -> Cow<'r, str> {
    Cow::Owned(flags.words().collect::<Vec<_>>().join(" "))
}

impl CsvRow for ImageRow<'_> {
    fn columns() -> Vec<&'static str> {
        vec![
            "image",
            "registry",
            "repository",
            "tag",
            "digest",
            "digest_kind",
            "containers",
            "pods",
            "namespaces",
            "owners",
            "flags",
            "first_seen",
            "last_seen",
            "first_seen_exact",
            "running",
        ]
    }

    fn cells(&self) -> Vec<Cow<'_, str>> {
        vec![
            Cow::Borrowed(&self.image),
            maybe(self.registry.as_ref()),
            maybe(self.repository.as_ref()),
            maybe(self.tag.as_ref()),
            digest(self.digest.as_deref()),
            kind(self.digest_kind),
            number(self.containers),
            number(self.pods),
            number(self.namespaces),
            number(self.owners),
            flags(self.flags),
            time(self.first_seen),
            time(self.last_seen),
            yes(self.first_seen_exact),
            yes(self.running),
        ]
    }
}

impl CsvRow for ContainerRow<'_> {
    fn columns() -> Vec<&'static str> {
        vec![
            "namespace",
            "pod",
            "container",
            "kind",
            "image",
            "digest",
            "digest_kind",
            "image_id",
            "state",
            "reason",
            "started_at",
            "node",
            "owner_kind",
            "owner_name",
            "owner_inferred",
            "flags",
            "first_seen",
            "first_seen_exact",
        ]
    }

    fn cells(&self) -> Vec<Cow<'_, str>> {
        vec![
            Cow::Borrowed(&self.namespace),
            Cow::Borrowed(&self.pod),
            Cow::Borrowed(&self.container),
            Cow::Borrowed(&self.kind),
            Cow::Borrowed(&self.image),
            digest(self.digest.as_deref()),
            kind(self.digest_kind),
            maybe(self.image_id.as_ref()),
            Cow::Borrowed(&self.state),
            maybe(self.reason.as_ref()),
            time(self.started_at),
            maybe(self.node.as_ref()),
            maybe(self.owner_kind.as_ref()),
            maybe(self.owner_name.as_ref()),
            yes(self.owner_inferred),
            flags(self.flags),
            time(self.first_seen),
            yes(self.first_seen_exact),
        ]
    }
}

fn usage(usage: &Usage) -> [Cow<'static, str>; 5] {
    let Usage { images, containers, pods, namespaces, owners } = usage;
    [images, containers, pods, namespaces, owners].map(|count| number(*count))
}

impl CsvRow for RegistryRow<'_> {
    fn columns() -> Vec<&'static str> {
        vec!["registry", "repositories", "images", "containers", "pods", "namespaces", "owners"]
    }

    fn cells(&self) -> Vec<Cow<'_, str>> {
        [Cow::Borrowed(self.registry), number(self.repositories)].into_iter().chain(usage(&self.usage)).collect()
    }
}

impl CsvRow for RepositoryRow<'_> {
    fn columns() -> Vec<&'static str> {
        vec!["repository", "images", "containers", "pods", "namespaces", "owners"]
    }

    fn cells(&self) -> Vec<Cow<'_, str>> {
        std::iter::once(Cow::Borrowed(self.repository)).chain(usage(&self.usage)).collect()
    }
}
