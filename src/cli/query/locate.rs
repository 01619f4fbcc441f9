//! `kai where`: which pods run an image or a digest, and who owns them.

use std::borrow::Cow;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use jiff::Timestamp;
use serde::Serialize;

use super::asked::all_wanted;
use super::asking::{Asking, stopped};
use super::filters::Filters;
use super::history::ever;
use super::output::{Output, Printing, Shown, to_stdout, write_document};
use super::rows::{write_containers, write_names};
use super::source::Source;
use super::wanted::Wanted;
use crate::cli::Exit;
use crate::cli::globals::Globals;
use crate::cli::start::Failure;
use crate::inventory::excerpt;
use crate::views::{ContainerRow, CsvRow, Format, PageHead, write_csv};

const EXAMPLES: &str = "\
Examples:
  kai where nginx                              however it is spelled, with any tag
  kai where quay.io/acme/cart:1.25             that tag alone
  kai where sha256:b9b4fa9b3e13                a manifest digest, or its first 12 hex digits
  trivy image -f json acme/cart | kai where -f -
  kai where -f digests.txt -o json             digests, image references or package URLs, one a line
  kai where nginx --server http://localhost:8080
  kai where --ever sha256:b9b4fa9b3e13 --server http://localhost:8080

A file is lines, or a report of Trivy, Grype or CycloneDX in JSON: kai tells where its images run, and does not scan.
Of a multi-platform image nodes report the digest of the index, or that of their platform: both can be asked for.

Exit status: 0 found, 1 no pod has it, 2 wrong usage or configuration, 3 incomplete (see --allow-incomplete).";

/// Flags of `kai where`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg = Output::flag(&Format::ROWS))]
pub(in crate::cli) struct Locate {
    /// Image references, digests (or their first 12 hex digits), or package URLs
    #[arg(value_name = "IMAGE|DIGEST", required_unless_present = "file")]
    asked: Vec<String>,
    /// A file of them, one a line, or a JSON report of Trivy, Grype or CycloneDX; - is standard input
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Vec<PathBuf>,
    /// Also where it was before: from when to when, in which namespaces (needs --server; as kai history)
    #[arg(long)]
    ever: bool,
    #[command(flatten)]
    asking: Asking,
}

/// A container, and what it was found by.
#[derive(Debug, Serialize)]
struct Found<'a> {
    asked: &'a str,
    #[serde(flatten)]
    row: ContainerRow<'a>,
}

/// The answer as a document.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    head: PageHead<'a>,
    /// What no pod has.
    not_found: Vec<&'a str>,
    containers: Vec<Found<'a>>,
}

impl CsvRow for Found<'_> {
    fn columns() -> Vec<&'static str> {
        [vec!["asked"], ContainerRow::columns()].concat()
    }

    fn cells(&self) -> Vec<Cow<'_, str>> {
        std::iter::once(Cow::Borrowed(self.asked)).chain(self.row.cells()).collect()
    }
}

impl Answer<'_> {
    fn print(&self, output: Output, is_several: bool, printing: &Printing) -> anyhow::Result<()> {
        let rows = || self.containers.iter().map(|found| &found.row);
        to_stdout(|out| match output {
            Output::List(_) => write_csv(&self.containers, out),
            Output::Shown(shown @ (Shown::Json | Shown::Yaml)) => write_document(self, shown, out),
            Output::Shown(Shown::Name) => write_names(rows(), out),
            Output::Shown(shown @ (Shown::Table | Shown::Wide)) => {
                let rows = self.containers.iter().map(|found| (found.asked, &found.row));
                write_containers(rows, is_several, shown, Timestamp::now(), printing.look(shown), out)
            }
        })
    }
}

impl Locate {
    pub(in crate::cli) async fn run(&self, globals: &Globals) -> anyhow::Result<Exit> {
        let wanted = all_wanted(&self.asked, &self.file)?;
        if self.ever {
            return ever(&wanted, &self.asking, globals).await;
        }
        let output = Output::of(globals, &Format::ROWS)?;
        let filters = self.asking.filters(globals)?;
        let Some(source) = self.asking.open(globals).await? else { return Ok(stopped()) };
        let answer = find(&source, &wanted, &filters).await?;
        answer.print(output, wanted.len() > 1, &self.asking.printing)?;
        let lacking = source.lacking(&answer.head);
        let nothing = wanted.iter().filter(|wanted| answer.not_found.contains(&&*wanted.asked));
        let nothing: Vec<String> = nothing.map(not_found).collect();
        // Of what could not be read nobody knows that it does not have it.
        let is_certain = lacking.is_none() || self.asking.printing.allow_incomplete;
        if let ([first, others @ ..], true, true) = (&*nothing, answer.containers.is_empty(), is_certain) {
            let others =
                if others.is_empty() { String::new() } else { format!(", nor any of {} others", others.len()) };
            return Err(Failure { exit: Exit::Failed, message: format!("{first}{others}") }.into());
        }
        nothing.iter().for_each(|nothing| tracing::warn!("{nothing}"));
        self.asking.finish(lacking)
    }
}

/// The containers of everything that is wanted, in its order.
async fn find<'a>(source: &'a Source, wanted: &'a [Wanted], filters: &Filters) -> anyhow::Result<Answer<'a>> {
    let (mut first, mut containers, mut not_found): (Option<PageHead<'a>>, _, _) = (None, Vec::new(), Vec::new());
    for wanted in wanted {
        let by_digest = wanted.digests.iter().map(|digest| ("digest", digest));
        let by_image = wanted.images.iter().map(|image| ("image", image)).filter(|_| wanted.digests.is_empty());
        let filters =
            by_digest.chain(by_image).fold(filters.clone(), |filters, (name, value)| filters.with(name, value));
        let page = source.containers(&filters, None).await?;
        if page.containers.is_empty() {
            not_found.push(&*wanted.asked);
        }
        containers.extend(page.containers.into_iter().map(|row| Found { asked: &wanted.asked, row }));
        match &mut first {
            None => first = Some(page.head),
            // Of a running kai each answer may be of another snapshot.
            Some(first) if first.complete => (first.complete, first.missing) = (page.head.complete, page.head.missing),
            Some(_) => {}
        }
    }
    let mut head = first.ok_or_else(|| anyhow::anyhow!("nothing is asked for"))?;
    head.total = containers.len();
    Ok(Answer { head, not_found, containers })
}

fn not_found(wanted: &Wanted) -> String {
    let asked = excerpt(&wanted.asked);
    match wanted.digests.as_slice() {
        [] => format!("no pod has this image: {asked}"),
        [digest] if *digest == wanted.asked => format!("no pod reports this digest: {asked}"),
        digests => format!("no pod reports a digest of {asked}: {}", excerpt(&digests.join(", "))),
    }
}
