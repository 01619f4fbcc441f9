//! `kai images`: one line for each image that runs or is requested.

use clap::Args;
use jiff::Timestamp;

use super::asking::{Asking, stopped};
use super::filters::Filters;
use super::history::told_gap;
use super::list::Listing;
use super::output::{Output, Shown, to_stdout, write_document, write_line};
use super::pattern::Pattern;
use super::rows::write_images;
use super::source::check_sort;
use crate::cli::Exit;
use crate::cli::globals::Globals;
use crate::cli::start::Failure;
use crate::views::{Format, ImageSort};

const EXAMPLES: &str = "\
Examples:
  kai images                                          every image of the current context's cluster
  kai images 'nginx*'                                 those of that name
  kai images --registry docker.io -n shop             what would break if the registry went away
  kai images --flag floating-tag --flag no-digest     what is not pinned
  kai images --server http://localhost:8080 -o json   what a running kai knows, with the fields of /v1/images
  kai images --input dump.json -o text --reference pinned       what to mirror: also -o skopeo, hauler, zarf
  kai images --since 7d --server http://localhost:8080          with what is gone, and since when each is there
  kai images -o cyclonedx > cluster.cdx.json          a bill of materials, for Dependency-Track and others

Exit status: 0 done, 1 failed, 2 wrong usage or configuration, 3 printed but incomplete (see --allow-incomplete).";

/// Flags of `kai images`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg = Output::flag(&Format::IMAGES))]
pub(in crate::cli) struct Images {
    /// Only images whose name contains this text, as it is written or in full; * stands for any characters
    #[arg(value_name = "PATTERN")]
    pattern: Option<String>,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    listing: Listing,
    /// Column to sort by: image, containers, pods, namespaces, owners, first_seen or last_seen; --sort-by=-pods begins with the most
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort_by: Option<String>,
    /// Also images that are gone and were there then or later: 30d, or 2026-11-24T09:30:00Z (needs --server)
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Images that were there then or earlier (needs --server)
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Images that were there at that instant (needs --server)
    #[arg(long, value_name = "WHEN", conflicts_with_all = ["since", "until"])]
    at: Option<String>,
}

impl Images {
    /// The filters, and the window if one is asked for.
    fn in_window(&self, filters: Filters) -> anyhow::Result<Filters> {
        let given = [("since", &self.since), ("until", &self.until), ("at", &self.at)];
        given.into_iter().try_fold(filters, |filters, (name, value)| {
            let Some(value) = value else { return Ok(filters) };
            self.asking.check_server("a history")?;
            Ok(filters.with(name, value))
        })
    }

    pub(in crate::cli) async fn run(&self, globals: &Globals) -> anyhow::Result<Exit> {
        let output = Output::of(globals, &Format::IMAGES)?;
        let filters = self.in_window(self.asking.filters(globals)?)?;
        check_sort::<ImageSort>(self.sort_by.as_deref())?;
        if let (Output::List(format), Some(_)) = (output, &self.pattern) {
            let message = format!(
                "-o {} has no place for a PATTERN; filter with --image, --repository or --registry",
                format.name()
            );
            return Err(Failure { exit: Exit::Usage, message }.into());
        }
        let Some(source) = self.asking.open(globals).await? else { return Ok(stopped()) };
        let shown = match output {
            Output::Shown(shown) => shown,
            Output::List(format) => {
                let options = self.listing.options(format)?;
                let lacking = source.list::<ImageSort>(&filters, self.sort_by.as_deref(), format, options).await?;
                return self.asking.finish(lacking);
            }
        };
        let mut page = source.images(&filters, self.sort_by.as_deref()).await?;
        if let Some(pattern) = self.pattern.as_deref().map(Pattern::new) {
            page.images.retain(|row| pattern.matches(&row.image));
            page.head.total = page.images.len();
        }
        let look = self.asking.printing.look(shown);
        to_stdout(|out| match shown {
            Shown::Json | Shown::Yaml => write_document(&page, shown, out),
            Shown::Name => page.images.iter().try_for_each(|row| write_line(&row.image, out)),
            Shown::Table | Shown::Wide => write_images(&page.images, shown, Timestamp::now(), look, out),
        })?;
        let gap = page.gaps.iter().flatten().next();
        let lacking = gap.map(|gap| told_gap("the cluster", gap)).or_else(|| source.lacking(&page.head));
        self.asking.finish(lacking)
    }
}
