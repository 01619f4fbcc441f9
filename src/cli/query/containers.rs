//! `kai containers`: where images run, workload by workload or container by container.

use clap::Args;
use jiff::Timestamp;

use super::asking::{Asking, stopped};
use super::output::{Output, Shown, to_stdout, write_document};
use super::rows::{write_containers, write_names};
use super::source::check_sort;
use crate::cli::Exit;
use crate::cli::globals::Globals;
use crate::views::{ContainerSort, Format, ListOptions};

const EXAMPLES: &str = "\
Examples:
  kai containers -n shop                              the workloads of a namespace and what they run
  kai containers -n shop -o wide                      each container of each pod
  kai containers --state waiting                      what does not run, and why (-o wide)
  kai containers --node node-1 --kind init
  kai containers --owner Deployment/web -o json       with the fields of /v1/containers

Exit status: 0 done, 1 failed, 2 wrong usage or configuration, 3 printed but incomplete (see --allow-incomplete).";

/// Flags of `kai containers`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg = Output::flag(&Format::ROWS))]
pub(in crate::cli) struct Containers {
    #[command(flatten)]
    asking: Asking,
    /// Column to sort by, with -o wide, json, yaml or name: namespace, image, node or owner
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort_by: Option<String>,
}

impl Containers {
    pub(in crate::cli) async fn run(&self, globals: &Globals) -> anyhow::Result<Exit> {
        let output = Output::of(globals, &Format::ROWS)?;
        let filters = self.asking.filters(globals)?;
        check_sort::<ContainerSort>(self.sort_by.as_deref())?;
        let Some(source) = self.asking.open(globals).await? else { return Ok(stopped()) };
        let shown = match output {
            Output::Shown(shown) => shown,
            Output::List(format) => {
                let options = ListOptions::default();
                let lacking = source.list::<ContainerSort>(&filters, self.sort_by.as_deref(), format, options).await?;
                return self.asking.finish(lacking);
            }
        };
        let page = source.containers(&filters, self.sort_by.as_deref()).await?;
        let look = self.asking.printing.look(shown);
        to_stdout(|out| match shown {
            Shown::Json | Shown::Yaml => write_document(&page, shown, out),
            Shown::Name => write_names(&page.containers, out),
            Shown::Table | Shown::Wide => {
                let rows = page.containers.iter().map(|row| ("", row));
                write_containers(rows, false, shown, Timestamp::now(), look, out)
            }
        })?;
        self.asking.finish(source.lacking(&page.head))
    }
}
