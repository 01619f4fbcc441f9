//! `kai images`: one line for each image that runs or is requested.

use clap::Args;

use super::filters::Filters;
use super::output::{Output, Printing, to_stdout, write_document};
use super::pattern::Pattern;
use super::rows::write_images;
use super::source::{Reading, check_sort, with_namespaces};
use super::{finish, stopped};
use crate::cli::Exit;
use crate::cli::globals::Globals;
use crate::views::ImageSort;

const EXAMPLES: &str = "\
Examples:
  kai images                                          every image of the current context's cluster
  kai images 'nginx*'                                 those of that name
  kai images --registry docker.io -n shop             what would break if the registry went away
  kai images --flag floating-tag --flag no-digest     what is not pinned
  kai images --server http://localhost:8080 -o json   what a running kai knows, with the fields of /v1/images
  kai images --input dump.json -o name                references, one a line

Exit status: 0 done, 1 failed, 2 wrong usage or configuration, 3 printed but incomplete (see --allow-incomplete).";

/// Flags of `kai images`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
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
    /// Column to sort by: image, containers, pods, namespaces or owners; --sort-by=-pods begins with the most
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort_by: Option<String>,
}

impl Images {
    pub(in crate::cli) async fn run(&self, globals: &Globals) -> anyhow::Result<Exit> {
        let output = Output::of(globals, &Output::ALL.map(|(output, _)| output))?;
        let filters = with_namespaces(&self.filters, globals);
        filters.parse()?;
        check_sort::<ImageSort>(self.sort_by.as_deref())?;
        let Some(source) = self.reading.open(globals).await? else { return Ok(stopped()) };
        let mut page = source.images(&filters, self.sort_by.as_deref()).await?;
        if let Some(pattern) = self.pattern.as_deref().map(Pattern::new) {
            page.images.retain(|row| pattern.matches(&row.image));
            page.head.total = page.images.len();
        }
        to_stdout(|out| match output {
            Output::Json | Output::Yaml => write_document(&page, output, out),
            Output::Name => page.images.iter().try_for_each(|row| super::output::write_line(&row.image, out)),
            Output::Table | Output::Wide => write_images(&page.images, output, self.printing.look(output), out),
        })?;
        finish(&source.standing(&page.head), &self.printing)
    }
}
