//! `kai images`: one line for each image that runs or is requested.

use clap::Args;

use super::filters::Filters;
use super::list::Listing;
use super::output::{Output, Printing, to_stdout, write_document};
use super::pattern::Pattern;
use super::rows::write_images;
use super::source::{Reading, check_sort, with_namespaces};
use super::{finish, stopped};
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
    filters: Filters,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    printing: Printing,
    #[command(flatten)]
    listing: Listing,
    /// Column to sort by: image, containers, pods, namespaces or owners; --sort-by=-pods begins with the most
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort_by: Option<String>,
}

impl Images {
    pub(in crate::cli) async fn run(&self, globals: &Globals) -> anyhow::Result<Exit> {
        let output = Output::of(globals, &Format::IMAGES)?;
        let filters = with_namespaces(&self.filters, globals);
        filters.parse()?;
        check_sort::<ImageSort>(self.sort_by.as_deref())?;
        if let (Output::List(format), Some(_)) = (output, &self.pattern) {
            let message = format!(
                "-o {} has no place for a PATTERN; filter with --image, --repository or --registry",
                format.name()
            );
            return Err(Failure { exit: Exit::Usage, message }.into());
        }
        let Some(source) = self.reading.open(globals).await? else { return Ok(stopped()) };
        if let Output::List(format) = output {
            let options = self.listing.options(format)?;
            let standing = source.list::<ImageSort>(&filters, self.sort_by.as_deref(), format, options).await?;
            return finish(&standing, &self.printing);
        }
        let mut page = source.images(&filters, self.sort_by.as_deref()).await?;
        if let Some(pattern) = self.pattern.as_deref().map(Pattern::new) {
            page.images.retain(|row| pattern.matches(&row.image));
            page.head.total = page.images.len();
        }
        to_stdout(|out| match output {
            Output::Json | Output::Yaml => write_document(&page, output, out),
            Output::Name => page.images.iter().try_for_each(|row| super::output::write_line(&row.image, out)),
            Output::Table | Output::Wide | Output::List(_) => {
                write_images(&page.images, output, self.printing.look(output), out)
            }
        })?;
        finish(&source.standing(&page.head), &self.printing)
    }
}
