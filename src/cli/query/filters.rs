//! The flags that filter, from the one table of parameters.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::cli::Exit;
use crate::cli::globals::Globals;
use crate::cli::start::Failure;
use crate::inventory::excerpt;
use crate::views::{FILTERS, Filter, FilterParam};

/// What the global flag `-n` stands for here.
const NAMESPACE: &str = "namespace";

/// Parameters as HTTP takes them: names and values, as they were typed.
#[derive(Debug, Clone, Default)]
pub(super) struct Filters(pub(super) Vec<(&'static str, String)>);

/// Those that are flags of these commands alone.
fn flags() -> impl Iterator<Item = &'static FilterParam> {
    FILTERS.iter().filter(|filter| filter.name != NAMESPACE)
}

impl Filters {
    /// With another value.
    pub(super) fn with(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut filters = self.clone();
        filters.0.push((name, value.into()));
        filters
    }

    /// With those of `-n`, once all of them are known to mean something.
    pub(super) fn with_namespaces(&self, globals: &Globals) -> anyhow::Result<Self> {
        let names = globals.namespaces().into_iter();
        let filters = names.fold(self.clone(), |filters, name| filters.with(NAMESPACE, name));
        filters.parse().map(|_| filters)
    }

    /// What they mean.
    pub(super) fn parse(&self) -> anyhow::Result<Filter> {
        let mut filter = Filter::default();
        for (name, value) in &self.0 {
            let Some(known) = FILTERS.iter().find(|known| known.name == *name) else { continue };
            (known.read)(&mut filter, value).map_err(|allowed| Failure {
                exit: Exit::Usage,
                message: format!("--{name} \"{}\": it must be {allowed}", excerpt(value)),
            })?;
        }
        Ok(filter)
    }
}

impl Args for Filters {
    fn augment_args(command: Command) -> Command {
        flags().fold(command, |command, FilterParam { name, description, example, words, .. }| {
            let help = format!("{}; repeat it for several (for example {example})", description.trim_end_matches('.'));
            let words = words();
            let flag = Arg::new(*name).long(*name).value_name("VALUE").action(ArgAction::Append);
            let flag = flag.help(help.replace('`', "")).help_heading("Filters");
            command.arg(if words.is_empty() { flag } else { flag.value_parser(words) })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Filters {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut filters = Self::default();
        filters.update_from_arg_matches(matches)?;
        Ok(filters)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0 = flags()
            .flat_map(|filter| {
                let values = matches.get_many::<String>(filter.name).into_iter().flatten();
                values.map(|value| (filter.name, value.clone()))
            })
            .collect();
        Ok(())
    }
}
