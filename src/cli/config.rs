//! `kai config`: the effective settings, and where each came from.

use std::io::Write as _;

use super::Exit;
use crate::config::Loaded;
use crate::output::is_closed_pipe;

/// Arguments of `kai config`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kai config\n  KAI_MODE=periodic kai config -c kai.yaml\n\n\
    Secrets are shown as [REDACTED].")]
pub(super) struct Config {}

impl Config {
    /// Prints them as YAML; what is wrong with them was said before.
    pub(super) fn run(loaded: &Loaded) -> anyhow::Result<Exit> {
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        match std::io::stdout().write_all(loaded.to_yaml().as_bytes()) {
            Err(error) if !is_closed_pipe(&error) => Err(error.into()),
            _ => Ok(Exit::Done),
        }
    }
}
