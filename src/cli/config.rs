//! `kai config`: the effective settings, and where each came from.

use super::Exit;
use super::print::print;
use crate::config::Loaded;

/// Arguments of `kai config`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kai config\n  KAI_MODE=periodic kai config -c kai.yaml\n\n\
    Secrets are shown as [REDACTED].")]
pub(super) struct Config {}

impl Config {
    /// Prints them as YAML; what is wrong with them was printed before.
    pub(super) fn run(loaded: &Loaded) -> anyhow::Result<Exit> {
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        print(loaded.to_yaml().as_bytes())
    }
}
