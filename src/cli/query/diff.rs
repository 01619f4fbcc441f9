//! `kai diff`: which images two clusters, dumps or running kais do not have in common.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::asking::stopped;
use super::filters::Filters;
use super::output::{Output, Printing, Shown, to_stdout, write_document, write_line, write_table};
use super::rows::short;
use super::server::Server;
use super::source::{Source, read};
use crate::cli::Exit;
use crate::cli::globals::Globals;
use crate::cli::start::Failure;
use crate::config::Flags;
use crate::dump::DumpInput;
use crate::inventory::{Digest, escape_controls, excerpt};
use crate::views::{ContainerPage, DigestKind};

/// What a context of the kubeconfig begins with.
const CONTEXT: &str = "context:";

const EXAMPLES: &str = "\
Examples:
  kai diff context:staging context:production     two clusters of the kubeconfig
  kai diff monday.json http://localhost:8080      a dump, and what a running kai knows
  kai diff before.json after.json -n shop -o json

An image is what a namespace's pods request, with the digests that run. - is only in A, + only in B, and ~ runs with
other digests. A digest that only one side has reported is no difference.

Exit status: 0 equal, 1 different, 2 not compared, 3 compared, but a side is incomplete (see --allow-incomplete).";

/// Flags of `kai diff`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg = Output::flag(&[]))]
pub(in crate::cli) struct Diff {
    /// A dump, the URL of a running kai, or context:NAME
    #[arg(value_name = "A")]
    before: String,
    /// What it is compared with
    #[arg(value_name = "B")]
    after: String,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    printing: Printing,
}

/// Digests of each image of each namespace.
type Images = BTreeMap<(String, String), BTreeSet<Digest>>;

/// An image that the sides do not have in common.
#[derive(Debug, Serialize)]
struct Difference<'a> {
    change: &'static str,
    namespace: &'a str,
    image: &'a str,
    /// Digests that run on side A; empty where none is reported.
    a: Vec<&'a Digest>,
    b: Vec<&'a Digest>,
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    a: &'a str,
    b: &'a str,
    complete: bool,
    differences: Vec<Difference<'a>>,
}

impl Diff {
    pub(in crate::cli) async fn run(&self, globals: &Globals) -> anyhow::Result<Exit> {
        let shown = Shown::of(globals)?;
        if globals.dump().is_some() {
            let message = "--input has no meaning here; write the dumps as A and B".to_owned();
            return Err(Failure { exit: Exit::Usage, message }.into());
        }
        let filters = self.filters.with_namespaces(globals)?;
        let (mut sides, mut lacking) = (Vec::new(), Vec::new());
        for side in [&self.before, &self.after] {
            // Whatever goes wrong, nothing was compared.
            let images = images_of(side, &filters, globals).await;
            let Some((images, missing)) = images.map_err(|error| not_compared(side, &error))? else {
                return Ok(stopped());
            };
            sides.push(images);
            lacking.extend(missing.map(|missing| format!("{}: {missing}", excerpt(side))));
        }
        let [before, after] = sides.as_slice() else { return Ok(stopped()) };
        let differences = differences(before, after);
        let is_equal = differences.is_empty();
        let answer = Answer { a: &self.before, b: &self.after, complete: lacking.is_empty(), differences };
        self.print(&answer, shown)?;
        if !lacking.is_empty() && !self.printing.allow_incomplete {
            let message = format!("a side is incomplete: {}", lacking.join("; "));
            return Err(Failure { exit: Exit::Incomplete, message }.into());
        }
        Ok(if is_equal { Exit::Done } else { Exit::Failed })
    }

    fn print(&self, answer: &Answer<'_>, shown: Shown) -> anyhow::Result<()> {
        let look = self.printing.look(shown);
        let is_short = look.width.is_some();
        let digests = |digests: &[&Digest]| {
            let texts = digests.iter().map(|digest| short(digest, is_short));
            Cow::from(texts.collect::<Vec<_>>().join(" "))
        };
        to_stdout(|out| match shown {
            Shown::Json | Shown::Yaml => write_document(answer, shown, out),
            Shown::Name => answer.differences.iter().try_for_each(|difference| write_line(difference.image, out)),
            Shown::Table | Shown::Wide => {
                let lines = answer.differences.iter().map(|difference| {
                    let Difference { change, namespace, image, a, b } = difference;
                    let [namespace, image] = [namespace, image].map(|text| escape_controls(text));
                    [Cow::from(*change), namespace, image, digests(a), digests(b)]
                });
                write_table(["", "NAMESPACE", "IMAGE", "A", "B"], &lines.collect::<Vec<_>>(), look, out)
            }
        })
    }
}

fn not_compared(side: &str, error: &anyhow::Error) -> anyhow::Error {
    Failure { exit: Exit::Usage, message: format!("{}: {error:#}", excerpt(side)) }.into()
}

/// The images of a side, and what of it is missing; `None` when a signal came before that.
async fn images_of(
    side: &str,
    filters: &Filters,
    globals: &Globals,
) -> anyhow::Result<Option<(Images, Option<String>)>> {
    let (flags, typed) = (Flags { output: None, ..globals.flags() }, globals.namespaces());
    let source = if side.starts_with("http://") || side.starts_with("https://") {
        crate::cluster::install_crypto_provider();
        Some(Source::Server { server: Server::new(side)?, _log: None })
    } else if let Some(name) = side.strip_prefix(CONTEXT) {
        read(&Flags { context: Some(name.to_owned()), ..flags }, None, typed, false).await?
    } else {
        let input = DumpInput::of(&[PathBuf::from(side)]);
        read(&Flags { input: true, context: None, kubeconfig: None, ..flags }, input, typed, false).await?
    };
    let Some(source) = source else { return Ok(None) };
    let page = source.containers(filters, None).await?;
    let lacking = source.lacking(&page.head);
    Ok(Some((collect(&page), lacking)))
}

fn collect(page: &ContainerPage<'_>) -> Images {
    let mut images = Images::new();
    for row in &page.containers {
        let digests = images.entry((row.namespace.to_string(), row.image.to_string())).or_default();
        // A digest that is only wanted is part of the reference.
        let running = row.digest.as_deref().filter(|_| row.digest_kind == Some(DigestKind::Running));
        digests.extend(running.cloned());
    }
    images
}

fn differences<'a>(before: &'a Images, after: &'a Images) -> Vec<Difference<'a>> {
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let differences = keys.into_iter().filter_map(|key| {
        let [a, b] = [before, after].map(|side| side.get(key));
        let change = match (a, b) {
            (Some(_), None) => "-",
            (None, Some(_)) => "+",
            (Some(a), Some(b)) if a != b && !a.is_empty() && !b.is_empty() => "~",
            _ => return None,
        };
        let [a, b] = [a, b].map(|digests| digests.into_iter().flatten().collect());
        Some(Difference { change, namespace: &key.0, image: &key.1, a, b })
    });
    differences.collect()
}
