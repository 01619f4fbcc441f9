//! `kai history`, and `kai where --ever`: since when images are there, and when they were, as a running kai knows it.

use std::borrow::Cow;
use std::io::{self, Write};

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use super::asked::all_wanted;
use super::asking::{Asking, stopped};
use super::filters::Filters;
use super::output::{Output, Printing, Shown, to_stdout, write_document, write_table};
use super::rows::short;
use super::server::Server;
use super::source::age;
use super::wanted::Wanted;
use crate::cli::Exit;
use crate::cli::globals::Globals;
use crate::cli::start::Failure;
use crate::cli::transfer::{Export, Import};
use crate::inventory::{escape_controls, excerpt};
use crate::views::{GapRow, ImageHistory, Look, NamespaceHistory, SightingRow};

/// As many workloads of an image are named in a table.
const WORKLOADS: usize = 3;

const EXAMPLES: &str = "\
Examples:
  kai history nginx --server http://localhost:8080          every tag, in which namespaces, from when to when
  kai history sha256:b9b4fa9b3e13 --server http://localhost:8080
  kai history nginx:1.27 -n shop -o json --server http://localhost:8080
  kai history export > history.ndjson                       all of history.path, while no kai has it
  kai history import history.ndjson

A + behind an age: it was there at the latest then; kai was not looking when it came. When nobody looked is printed to
standard error, and stands in -o json: what was there then is unknown.

Exit status: 0 found, 1 kai never saw it, 2 wrong usage or configuration, 3 incomplete (see --allow-incomplete).";

/// Flags of `kai history`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, arg = Output::flag(&[]))]
pub(in crate::cli) struct History {
    #[command(subcommand)]
    transfer: Option<Transfer>,
    /// Image references, digests (or their first 12 hex digits), or package URLs
    #[arg(value_name = "IMAGE|DIGEST", required = true)]
    asked: Vec<String>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Subcommand)]
enum Transfer {
    /// Write the history of a file as lines of JSON
    Export(Export),
    /// Add lines of JSON to the history of a file
    Import(Import),
}

/// What was asked for, and its timelines.
#[derive(Debug, Serialize)]
struct Answer {
    asked: String,
    /// Null: kai never saw it.
    history: Option<ImageHistory<'static>>,
}

impl History {
    pub(in crate::cli) async fn run(&self, globals: &Globals) -> anyhow::Result<Exit> {
        match &self.transfer {
            Some(Transfer::Export(export)) => export.run(globals),
            Some(Transfer::Import(import)) => import.run(globals),
            None => ever(&all_wanted(&self.asked, &[])?, &self.asking, globals).await,
        }
    }
}

/// Prints from when to when everything that is wanted was there.
pub(super) async fn ever(wanted: &[Wanted], asking: &Asking, globals: &Globals) -> anyhow::Result<Exit> {
    let shown = Shown::of(globals)?;
    let filters = asking.filters(globals)?;
    if let Some(name) = filters.0.iter().map(|(name, _)| *name).find(|name| *name != "namespace") {
        let message = format!("--{name} has no meaning for a history, which keeps images by namespace; leave it out");
        return Err(Failure { exit: Exit::Usage, message }.into());
    }
    asking.check_server("a history")?;
    let Some(source) = asking.open(globals).await? else { return Ok(stopped()) };
    let server = source.server("a history")?;
    let mut answers = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let history = find(server, wanted, &filters).await?;
        answers.push(Answer { asked: wanted.asked.clone(), history });
    }
    let printing = &asking.printing;
    to_stdout(|out| print(&answers, shown, printing, out))?;
    answers.iter().filter_map(|answer| answer.history.as_ref()).for_each(warn_of_gaps);
    let unseen: Vec<_> = answers.iter().filter(|answer| answer.is_empty()).collect();
    if let (Some(first), true) = (unseen.first(), unseen.len() == answers.len()) {
        let message = format!("kai never saw this: {}", excerpt(&first.asked));
        return Err(Failure { exit: Exit::Failed, message }.into());
    }
    unseen.iter().for_each(|answer| tracing::warn!("kai never saw this: {}", excerpt(&answer.asked)));
    let heads = answers.iter().filter_map(|answer| answer.history.as_ref());
    let is_lacking = heads.clone().any(|history| !history.complete);
    asking.finish(is_lacking.then(|| "the server could not read everything, as its /readyz?verbose says".to_owned()))
}

/// The timelines of all its digests, or else of all its names.
async fn find(server: &Server, wanted: &Wanted, filters: &Filters) -> anyhow::Result<Option<ImageHistory<'static>>> {
    let mut found: Option<ImageHistory<'static>> = None;
    let paths = wanted.digests.iter().map(|digest| (format!("/v1/history/{digest}"), None));
    let names = wanted.images.iter().map(|image| ("/v1/history".to_owned(), Some(image)));
    for (path, image) in paths.chain(names.filter(|_| wanted.digests.is_empty())) {
        let query = image.map(|image| ("image", image.clone())).into_iter().chain(filters.0.clone());
        let Some(next) = server.find::<ImageHistory<'static>>(&path, &query.collect::<Vec<_>>()).await? else {
            continue;
        };
        match &mut found {
            Some(found) => found.namespaces.extend(next.namespaces),
            None => found = Some(next),
        }
    }
    Ok(found)
}

impl Answer {
    fn is_empty(&self) -> bool {
        self.history.as_ref().is_none_or(|history| history.namespaces.is_empty())
    }

    fn rows(&self) -> impl Iterator<Item = (&NamespaceHistory<'static>, &SightingRow<'static>)> {
        let namespaces = self.history.iter().flat_map(|history| &history.namespaces);
        namespaces.flat_map(|namespace| namespace.images.iter().map(move |row| (namespace, row)))
    }
}

fn warn_of_gaps(history: &ImageHistory<'_>) {
    for namespace in &history.namespaces {
        namespace.gaps.iter().for_each(|gap| tracing::warn!("{}", told_gap(&namespace.namespace, gap)));
    }
}

/// When nobody looked, and why.
pub(super) fn told_gap(name: &str, gap: &GapRow<'_>) -> String {
    let from = gap.from.map_or_else(|| "until".to_owned(), |from| format!("from {} to", in_seconds(from)));
    let (name, to) = (excerpt(name), in_seconds(gap.to));
    format!("nobody looked at {name} {from} {to}: {}", excerpt(&gap.reason))
}

fn in_seconds(time: Timestamp) -> impl std::fmt::Display {
    time.strftime("%Y-%m-%dT%H:%M:%SZ")
}

fn print(answers: &[Answer], shown: Shown, printing: &Printing, out: &mut dyn Write) -> io::Result<()> {
    match shown {
        Shown::Json | Shown::Yaml => write_document(&answers, shown, out),
        Shown::Name => {
            let rows = answers.iter().flat_map(Answer::rows);
            rows.into_iter().try_for_each(|(namespace, row)| {
                writeln!(out, "{}/{}", escape_controls(&namespace.namespace), escape_controls(&row.image))
            })
        }
        Shown::Table | Shown::Wide => write_rows(answers, shown, printing.look(shown), out),
    }
}

fn write_rows(answers: &[Answer], shown: Shown, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (now, is_short) = (Timestamp::now(), shown == Shown::Table);
    let time = |time: Timestamp, is_exact: bool| {
        let text = if is_short { age(time, now) } else { time.to_string() };
        Cow::from(if is_exact { text } else { text + "+" })
    };
    let lines = answers.iter().flat_map(Answer::rows).map(|(namespace, row)| {
        [
            escape_controls(&namespace.namespace),
            escape_controls(&row.image),
            Cow::from(row.digest.as_deref().map_or("", |digest| short(digest, look.width.is_some()))),
            time(row.first_seen, row.first_seen_exact),
            row.last_seen.map_or(Cow::from("there"), |last| time(last, true)),
            Cow::from(workloads(row, if is_short { WORKLOADS } else { usize::MAX })),
        ]
    });
    let header = ["NAMESPACE", "IMAGE", "DIGEST", "FIRST SEEN", "LAST SEEN", "WORKLOADS"];
    write_table(header, &lines.collect::<Vec<_>>(), look, out)
}

/// The newest names, and how many more there were.
fn workloads(row: &SightingRow<'_>, most: usize) -> String {
    let names = row.workloads.iter().rev().take(most).map(|name| escape_controls(name));
    let names = names.collect::<Vec<_>>().join(" ");
    match row.workloads.len().saturating_sub(most) as u64 + row.more_workloads {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}
