//! What the settings are read from besides the file: the command line's flags, and the process's environment, which is
//! passed in so that tests need none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::settings::Impersonation;

/// The flags of the command line. Everything is optional; values are as typed and checked by [`load`](fn@super::load).
#[derive(Debug, Default, Clone)]
pub struct Flags {
    /// `--config`: the file to read instead of searching.
    pub config: Option<PathBuf>,
    /// `--kubeconfig`: sets `kubeconfig.path`.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`: which context of the kubeconfig.
    pub context: Option<String>,
    /// `--as`, `--as-group`, `--as-uid`: whom to act as.
    pub impersonation: Impersonation,
    /// `--cluster-name`: sets `kubeconfig.cluster`.
    pub cluster_name: Option<String>,
    /// `--namespaces`: sets `namespace-selectors.include`; each may be comma-separated.
    pub namespaces: Vec<String>,
    /// `--exclude`: sets `namespace-selectors.exclude`.
    pub exclude: Vec<String>,
    /// `--output`: sets `output`.
    pub output: Option<String>,
    /// `--quiet`: sets `quiet`.
    pub quiet: bool,
    /// How often `-v` was given: once is debug, more is trace.
    pub verbose: u8,
    /// `--mode`: sets `mode`.
    pub mode: Option<String>,
    /// `--polling-interval-seconds`: sets the key of that name.
    pub polling_interval_seconds: Option<String>,
    /// `--verbose-inventory-reports`: sets the key of that name.
    pub verbose_inventory_reports: bool,
    /// `--listen`: sets `server.listen`.
    pub listen: Option<String>,
    /// `--input` was given: a saved dump is read and no cluster is asked.
    pub input: bool,
}

/// The variables and folders that the settings depend on.
#[derive(Debug, Default, Clone)]
pub struct Environment {
    /// Every variable; those that are not UTF-8 are left out.
    pub variables: BTreeMap<String, String>,
    /// The user's own folder, for `~`.
    pub home: Option<PathBuf>,
    /// What relative paths start from.
    pub working_dir: PathBuf,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            variables,
            home: std::env::home_dir().filter(|home| !home.as_os_str().is_empty()),
            // Only relative paths need it; without it they are tried as they are.
            working_dir: std::env::current_dir().unwrap_or_default(),
        }
    }

    /// A variable that is set: an empty one counts as unset.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A path as the user means it: `~` is the user's own folder, and a relative path starts from the working folder.
    pub(super) fn resolve(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => self.working_dir.join(path),
        }
    }
}
