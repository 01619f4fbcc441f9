//! What every question has: which rows, of what, how they are printed, and how it ends.

use clap::Args;

use super::filters::Filters;
use super::output::Printing;
use super::source::{Reading, Source};
use crate::cli::Exit;
use crate::cli::globals::Globals;
use crate::cli::start::Failure;

/// Flags of every question to one source.
#[derive(Debug, Args)]
pub(super) struct Asking {
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    pub(super) printing: Printing,
}

impl Asking {
    /// The filters, which are checked before anything is read.
    pub(super) fn filters(&self, globals: &Globals) -> anyhow::Result<Filters> {
        self.filters.with_namespaces(globals)
    }

    /// Refuses to read a cluster or a dump.
    pub(super) fn check_server(&self, what: &str) -> anyhow::Result<()> {
        self.reading.check_server(what)
    }

    /// Reads what the flags name; `None` when a signal came before that.
    pub(super) async fn open(&self, globals: &Globals) -> anyhow::Result<Option<Source>> {
        self.reading.open(globals).await
    }

    /// The exit status of an answer that was printed, and lacks that.
    pub(super) fn finish(&self, lacking: Option<String>) -> anyhow::Result<Exit> {
        match lacking {
            None => Ok(Exit::Done),
            Some(lacking) if self.printing.allow_incomplete => {
                tracing::warn!("the answer is incomplete: {lacking}");
                Ok(Exit::Done)
            }
            Some(lacking) => {
                let message = format!("the answer is incomplete: {lacking}");
                Err(Failure { exit: Exit::Incomplete, message }.into())
            }
        }
    }
}

/// A signal came before there was anything to print.
pub(super) fn stopped() -> Exit {
    tracing::warn!("stopped before the answer was printed");
    Exit::Done
}
