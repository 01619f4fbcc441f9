//! Every format: one table that the settings, the command line and HTTP read.

mod columns;
mod csv;
mod table;

use std::io::{self, Write};

pub use columns::Look;
pub(crate) use columns::write_columns;
pub(crate) use csv::cell;

use super::report::KaiReport;

/// A format of the report, or of a list of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Json,
    /// Plain columns for a terminal.
    Table,
    /// A line for each row, after the names of the columns.
    Csv,
    /// A reference a line.
    Text,
    /// A bill of materials in JSON.
    CycloneDx,
    /// What `skopeo sync --src yaml` copies.
    Skopeo,
    /// A manifest of Hauler's content.
    Hauler,
    /// A package of Zarf.
    Zarf,
}

/// Who reads a report: JSON is indented for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// For programs: no blank that means nothing.
    Compact,
    /// For people: indented by two spaces, with a line break at the end.
    Indented,
    /// The same on a terminal that has room for so many characters in a line: a table is made to fit.
    Terminal(usize),
}

/// What is fixed for a format.
struct Row {
    name: &'static str,
    media_type: &'static str,
    suffix: &'static str,
    /// A browser saves it and does not show it.
    is_attachment: bool,
}

impl Format {
    /// Those of the report; the first one is the default.
    pub const REPORT: [Self; 3] = [Self::Json, Self::Table, Self::Csv];

    /// Those of any list of rows.
    pub const ROWS: [Self; 2] = [Self::Json, Self::Csv];

    /// Those of a list of images.
    pub const IMAGES: [Self; 7] =
        [Self::Json, Self::Csv, Self::Text, Self::CycloneDx, Self::Skopeo, Self::Hauler, Self::Zarf];

    /// Those that HTTP offers; of two that a client wants equally the first is sent.
    pub const SERVED: [Self; 2] = [Self::Json, Self::Csv];

    /// The words of the setting `output`.
    pub const NAMES: [&'static str; Self::REPORT.len()] = {
        let mut names = [""; Self::REPORT.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = Self::REPORT[at].name();
            at += 1;
        }
        names
    };

    const fn row(self) -> Row {
        match self {
            Self::Json => Row { name: "json", media_type: "application/json", suffix: "json", is_attachment: false },
            Self::Table => {
                Row { name: "table", media_type: "text/plain; charset=utf-8", suffix: "txt", is_attachment: false }
            }
            Self::Csv => Row { name: "csv", media_type: "text/csv; charset=utf-8", suffix: "csv", is_attachment: true },
            Self::Text => {
                Row { name: "text", media_type: "text/plain; charset=utf-8", suffix: "txt", is_attachment: false }
            }
            Self::CycloneDx => Row {
                name: "cyclonedx",
                media_type: "application/vnd.cyclonedx+json",
                suffix: "cdx.json",
                is_attachment: true,
            },
            Self::Skopeo => yaml("skopeo", "skopeo.yaml"),
            Self::Hauler => yaml("hauler", "hauler.yaml"),
            Self::Zarf => yaml("zarf", "zarf.yaml"),
        }
    }

    /// The word for it in settings, flags and queries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The value of `Content-Type`, with a charset where the type has one.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        self.row().media_type
    }

    /// The end of a file's name, without the dot.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        self.row().suffix
    }

    /// Whether a browser saves the file and does not show it.
    #[must_use]
    pub const fn is_attachment(self) -> bool {
        self.row().is_attachment
    }

    /// The one of that name among these.
    #[must_use]
    pub fn named(name: &str, among: &[Self]) -> Option<Self> {
        among.iter().copied().find(|format| format.name() == name)
    }

    /// Writes the whole report; does not flush.
    ///
    /// # Errors
    /// Those of the writer; [`io::ErrorKind::Unsupported`] for a format that is none of [`Self::REPORT`].
    pub fn write(self, report: &KaiReport<'_>, layout: Layout, mut writer: impl Write) -> io::Result<()> {
        match (self, layout) {
            (Self::Json, Layout::Compact) => Ok(serde_json::to_writer(writer, report)?),
            (Self::Json, Layout::Indented | Layout::Terminal(_)) => {
                serde_json::to_writer_pretty(&mut writer, report)?;
                writer.write_all(b"\n")
            }
            (Self::Table, Layout::Terminal(width)) => table::write(report, Some(width), &mut writer),
            (Self::Table, _) => table::write(report, None, &mut writer),
            (Self::Csv, _) => csv::write(&report.results, writer),
            (Self::Text | Self::CycloneDx | Self::Skopeo | Self::Hauler | Self::Zarf, _) => {
                Err(io::ErrorKind::Unsupported.into())
            }
        }
    }
}

const fn yaml(name: &'static str, suffix: &'static str) -> Row {
    Row { name, media_type: "application/yaml", suffix, is_attachment: true }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::inventory::Digest;
    use crate::snapshot::ServerVersion;
    use crate::views::{INVENTORY_TYPE, ImageEntry, NamespaceImages};
    use rstest::rstest;

    static RUNNING: LazyLock<Digest> = LazyLock::new(|| Digest::parse(DIGEST).unwrap());
    static NO_VERSION: LazyLock<ServerVersion> = LazyLock::new(ServerVersion::default);

    fn report<'a>(images: &[(&'a str, Option<&'a Digest>)]) -> KaiReport<'a> {
        let images =
            images.iter().map(|(tag, digest)| ImageEntry { tag: (*tag).into(), repo_digest: *digest }).collect();
        KaiReport {
            timestamp: "2026-11-24T09:30:00.5Z".parse().unwrap(),
            results: vec![NamespaceImages { namespace: "shop", images }],
            server_version_metadata: &NO_VERSION,
            cluster_name: "here",
            inventory_type: INVENTORY_TYPE,
        }
    }

    fn print(report: &KaiReport<'_>, format: Format) -> String {
        let mut bytes = Vec::new();
        format.write(report, Layout::Indented, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn every_format_is_found_by_its_own_name() {
        for (format, name) in Format::REPORT.into_iter().zip(Format::NAMES) {
            assert_eq!((format.name(), Format::named(name, &Format::REPORT)), (name, Some(format)));
        }
        assert_eq!(Format::named("xml", &Format::IMAGES), None);
        assert_eq!(Format::named("zarf", &Format::REPORT), None);
    }

    #[test]
    fn the_table_has_a_line_for_each_entry_and_nothing_is_cut() {
        let long = format!("registry.example.com/{}:1", "a".repeat(200));
        let printed = print(&report(&[("nginx:1.25", Some(&RUNNING)), (&long, None)]), Format::Table);
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("IMAGE TAG"));
        assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), ["nginx:1.25", DIGEST, "shop"]);
        assert_eq!(lines[2].split_whitespace().collect::<Vec<_>>(), [long.as_str(), "shop"]);
        assert_eq!(lines[0].find("NAMESPACE"), lines[1].find("shop"));
    }

    #[test]
    fn a_text_longer_than_any_name_is_printed_whole() {
        let long = "x".repeat(70_000);
        assert!(print(&report(&[(&long, None)]), Format::Table).contains(&long));
    }

    #[test]
    fn a_table_without_images_says_so() {
        assert_eq!(print(&report(&[]), Format::Table), "No Images found\n");
    }

    #[test]
    fn control_characters_do_not_reach_a_terminal() {
        let printed = print(&report(&[("a\u{1b}[2J\nb", None)]), Format::Table);
        assert!(printed.contains("a\\u{1b}[2J\\nb"), "{printed:?}");
    }

    #[test]
    fn json_has_the_keys_of_kai_in_their_order() {
        insta::assert_snapshot!(print(&report(&[("nginx:1.25", Some(&RUNNING)), ("redis:7", None)]), Format::Json));
    }

    #[test]
    fn compact_json_is_one_line_of_the_same() {
        let (report, mut bytes) = (report(&[("redis:7", None)]), Vec::new());
        Format::Json.write(&report, Layout::Compact, &mut bytes).unwrap();
        assert!(!bytes.contains(&b'\n'));
        let value = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&bytes), value(print(&report, Format::Json).as_bytes()));
    }

    #[test]
    fn csv_has_a_row_for_each_entry() {
        assert_eq!(
            print(&report(&[("nginx:1.25", Some(&RUNNING)), ("a,\"b", None)]), Format::Csv),
            format!("namespace,tag,repo_digest\nshop,nginx:1.25,{DIGEST}\nshop,\"a,\"\"b\",\n")
        );
    }

    #[rstest]
    #[case::equals("=HYPERLINK(1)", "'=HYPERLINK(1)")]
    #[case::plus("+1", "'+1")]
    #[case::minus("-1", "'-1")]
    #[case::at("@SUM(1)", "'@SUM(1)")]
    #[case::tab("\t=1", "'\\t=1")]
    #[case::carriage_return("\r=1", "'\\r=1")]
    #[case::inside("a=1", "a=1")]
    fn a_cell_is_no_formula(#[case] image: &str, #[case] cell: &str) {
        let mut report = report(&[(image, None)]);
        report.results[0].namespace = image;
        assert_eq!(print(&report, Format::Csv), format!("namespace,tag,repo_digest\n{cell},{cell},\n"));
    }
}
