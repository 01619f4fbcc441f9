//! The KAI report as JSON, table or CSV.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Write};

use super::columns::write_columns;
use crate::inventory::{Digest, OutputFormat, escape_controls};
use crate::views::{ImageEntry, KaiReport, NamespaceImages, write_csv};

/// What the table says when there is nothing to list.
const NO_IMAGES: &str = "No Images found";

/// Writes the whole report and flushes.
///
/// # Errors
/// Those of the writer; see [`is_closed_pipe`] for the one that is no failure.
pub fn write_report(report: &KaiReport, format: OutputFormat, writer: &mut impl Write) -> io::Result<()> {
    match format {
        OutputFormat::Json => {
            serde_json::to_writer_pretty(&mut *writer, report)?;
            writer.write_all(b"\n")?;
        }
        OutputFormat::Table => write_table(report, writer)?,
        OutputFormat::Csv => write_csv(&report.results, &mut *writer)?,
    }
    writer.flush()
}

/// Whether a write failed because the reader has gone (`kai | head`): then there is nobody left to tell.
#[must_use]
pub fn is_closed_pipe(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}

fn write_table(report: &KaiReport, writer: &mut impl Write) -> io::Result<()> {
    let rows: Vec<[Cow<'_, str>; 3]> = report
        .results
        .iter()
        .flat_map(|namespace| namespace.images.iter().map(move |image| row(namespace, image)))
        .collect();
    if rows.is_empty() {
        return writeln!(writer, "{NO_IMAGES}");
    }
    write_columns(["IMAGE TAG", "REPO DIGEST", "NAMESPACE"], &rows, writer)
}

fn row<'a>(namespace: &'a NamespaceImages, image: &'a ImageEntry) -> [Cow<'a, str>; 3] {
    let digest = image.repo_digest.as_ref().map_or("", Digest::as_str);
    [escape_controls(&image.tag), digest.into(), escape_controls(&namespace.namespace)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::ServerVersion;
    use crate::views::INVENTORY_TYPE;

    fn report(images: &[(&str, Option<&str>)]) -> KaiReport {
        let images = images
            .iter()
            .map(|(tag, digest)| ImageEntry { tag: (*tag).into(), repo_digest: digest.and_then(Digest::parse) })
            .collect();
        KaiReport {
            timestamp: "2026-11-24T09:30:00.5Z".parse().unwrap(),
            results: vec![NamespaceImages { namespace: "shop".into(), images }],
            server_version_metadata: (&ServerVersion::default()).into(),
            cluster_name: "here".into(),
            inventory_type: INVENTORY_TYPE,
        }
    }

    fn print(report: &KaiReport, format: OutputFormat) -> String {
        let mut bytes = Vec::new();
        write_report(report, format, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn the_table_has_a_line_for_each_entry_and_nothing_is_cut() {
        let long = format!("registry.example.com/{}:1", "a".repeat(200));
        let printed = print(&report(&[("nginx:1.25", Some(DIGEST)), (&long, None)]), OutputFormat::Table);
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
        assert!(print(&report(&[(&long, None)]), OutputFormat::Table).contains(&long));
    }

    #[test]
    fn a_table_without_images_says_so() {
        assert_eq!(print(&report(&[]), OutputFormat::Table), "No Images found\n");
    }

    #[test]
    fn control_characters_do_not_reach_a_terminal() {
        let printed = print(&report(&[("a\u{1b}[2J\nb", None)]), OutputFormat::Table);
        assert!(printed.contains("a\\u{1b}[2J\\nb"), "{printed:?}");
    }

    #[test]
    fn json_has_the_keys_of_kai_in_their_order() {
        insta::assert_snapshot!(print(&report(&[("nginx:1.25", Some(DIGEST)), ("redis:7", None)]), OutputFormat::Json));
    }

    #[test]
    fn csv_has_a_row_for_each_entry() {
        assert_eq!(
            print(&report(&[("nginx:1.25", Some(DIGEST)), ("a,\"b", None)]), OutputFormat::Csv),
            format!("namespace,tag,repo_digest\nshop,nginx:1.25,{DIGEST}\nshop,\"a,\"\"b\",\n")
        );
    }
}
