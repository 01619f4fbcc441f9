//! `kai containers`: where images run, workload by workload or container by container.

use clap::Args;
use jiff::Timestamp;

use super::filters::Filters;
use super::output::{Output, Printing, to_stdout, write_document, write_line};
use super::rows::write_containers;
use super::source::{Reading, check_sort, with_namespaces};
use super::{finish, stopped};
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
    filters: Filters,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    printing: Printing,
    /// Column to sort by, with -o wide, json, yaml or name: namespace, image, node or owner
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort_by: Option<String>,
}

impl Containers {
    pub(in crate::cli) async fn run(&self, globals: &Globals) -> anyhow::Result<Exit> {
        let output = Output::of(globals, &Format::ROWS)?;
        let filters = with_namespaces(&self.filters, globals);
        filters.parse()?;
        check_sort::<ContainerSort>(self.sort_by.as_deref())?;
        let Some(source) = self.reading.open(globals).await? else { return Ok(stopped()) };
        if let Output::List(format) = output {
            let options = ListOptions::default();
            let standing = source.list::<ContainerSort>(&filters, self.sort_by.as_deref(), format, options).await?;
            return finish(&standing, &self.printing);
        }
        let page = source.containers(&filters, self.sort_by.as_deref()).await?;
        let look = self.printing.look(output);
        to_stdout(|out| match output {
            Output::Json | Output::Yaml => write_document(&page, output, out),
            Output::Name => page
                .containers
                .iter()
                .try_for_each(|row| write_line(&[&*row.namespace, &*row.pod, &*row.container].join("/"), out)),
            Output::Table | Output::Wide | Output::List(_) => {
                let rows = page.containers.iter().map(|row| ("", row));
                write_containers(rows, false, output, Timestamp::now(), look, out)
            }
        })?;
        finish(&source.standing(&page.head), &self.printing)
    }
}
