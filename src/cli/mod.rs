//! The command line: exactly what the user typed, one file for each subcommand.

mod completion;
mod config;
mod explain;
mod globals;
mod plugin;
mod print;
mod probe;
mod push;
mod query;
mod report;
mod run;
mod serve;
mod start;
mod transfer;
mod version;

pub use query::{NotWanted, Wanted};
pub use run::main;

use clap::{Parser, Subcommand};

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; a stop by signal; a closed pipe.
    Done = 0,
    /// The work failed.
    Failed = 1,
    /// Usage or configuration.
    Usage = 2,
    /// Printed, but incomplete.
    Incomplete = 3,
}

const LONG_ABOUT: &str = "\
kai knows which container images run in a Kubernetes cluster, right now, where, and since when.

Without a subcommand, kai lists the cluster once, prints the report and ends (with `mode: periodic` it is the service). \
`kai serve` watches the cluster and answers over HTTP.";

const EXAMPLES: &str = "\
Examples:
  kai                                               the current context's cluster, as JSON
  kai -o table -n shop,payments                     two namespaces, as a table
  kubectl get ns,pods -A -o json | kai --input -    from saved objects, without a cluster
  kai --input must-gather/ -o table                 from a folder of them (also: kubectl cluster-info dump)
  kai serve                                         the service: curl -s localhost:8080/inventory
  kai where nginx                                   which pods run it, and who owns them
  kai images --registry docker.io                   what would break if that registry went away
  kai push --dry-run -o table                       what would go to which account of Anchore Enterprise
  kai explain registry:5000/team/app                how kai reads an image name

Exit status: 0 done, 1 failed, 2 wrong usage or configuration, 3 printed but incomplete (see --allow-incomplete).
Every setting can be in a file or in a KAI_ variable. `kai config` prints each setting and where it came from.";

/// What the user typed.
#[derive(Debug, Parser)]
#[command(
    name = "kai",
    version,
    about = "Which container images run in a Kubernetes cluster",
    long_about = LONG_ABOUT,
    after_help = EXAMPLES,
    version,
    max_term_width = 120
)]
pub struct Cli {
    #[command(flatten)]
    globals: globals::Globals,
    #[command(flatten)]
    report: report::Report,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch the cluster and answer over HTTP
    Serve(serve::Serve),
    /// Send the inventory to Anchore Enterprise once, or show what would be sent
    Push(push::Push),
    /// List images: what runs or is requested, how often, and what is worth a look
    Images(query::Images),
    /// List containers: where images run, workload by workload
    Containers(query::Containers),
    /// Find the pods of an image or a digest, and who owns them
    Where(query::Locate),
    /// Tell since when images are there, and when they were: what a running kai has seen
    History(query::History),
    /// Compare the images of two clusters, dumps or running kais
    Diff(query::Diff),
    /// Show how image references are read, one JSON line each
    Explain(explain::Explain),
    /// Print all settings as YAML, and where each comes from
    Config(config::Config),
    /// Send a request and succeed when the answer is 2xx: a health check without a shell
    Probe(probe::Probe),
    /// Print a completion script for a shell
    Completion(completion::Completion),
    /// Print version and build
    Version(version::Version),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
