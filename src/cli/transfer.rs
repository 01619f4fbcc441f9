//! `kai history export` and `import`: the file of `history.path` as lines of JSON.

use std::fs::File;
use std::io::{BufReader, BufWriter, stdin, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueHint};

use super::Exit;
use super::globals::Globals;
use super::print::NOT_WRITTEN;
use super::start::{Failure, Started, start};
use crate::config::{HistoryStore, Mode};
use crate::history::{ExportError, Moved, SqliteStore, Store as _, StoreError, export, import};
use crate::inventory::excerpt;
use crate::output::is_closed_pipe;

/// Standard input.
const STDIN: &str = "-";

/// Flags of `kai history export`.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The file [default: history.path]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    path: Option<PathBuf>,
}

/// Flags of `kai history import`.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Lines that kai history export wrote; - is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    lines: PathBuf,
    /// The file, which is made where there is none [default: history.path]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    path: Option<PathBuf>,
}

impl Export {
    /// Writes to standard output.
    pub(super) fn run(&self, globals: &Globals) -> anyhow::Result<Exit> {
        let (path, _started) = path(self.path.as_deref(), globals)?;
        if !path.exists() {
            let message = format!("there is no history at {}", excerpt(&path.to_string_lossy()));
            return Err(Failure { exit: Exit::Failed, message }.into());
        }
        let mut store = open(&path)?;
        match export(&mut store, BufWriter::new(stdout().lock())) {
            Ok(moved) => tracing::info!(images = moved.images, periods = moved.periods, "the history is written"),
            Err(ExportError::Write(error)) if is_closed_pipe(&error) => {}
            Err(ExportError::Write(error)) => return Err(error).context(NOT_WRITTEN),
            Err(ExportError::Store(error)) => return Err(error.into()),
        }
        Ok(Exit::Done)
    }
}

impl Import {
    /// Adds to what the file has.
    pub(super) fn run(&self, globals: &Globals) -> anyhow::Result<Exit> {
        let (path, _started) = path(self.path.as_deref(), globals)?;
        let is_stdin = self.lines == Path::new(STDIN);
        let shown = if is_stdin { "standard input".into() } else { excerpt(&self.lines.to_string_lossy()).to_string() };
        let lines =
            if is_stdin { None } else { Some(File::open(&self.lines)).transpose().with_context(|| shown.clone())? };
        let mut store = open(&path)?;
        // Closes the rows of a process that ended without a word.
        store.load(&mut |_, _| {})?;
        let moved = match lines {
            Some(file) => import(&mut store, BufReader::new(file)),
            None => import(&mut store, stdin().lock()),
        };
        let Moved { images, periods } = moved.with_context(|| shown)?;
        tracing::info!(images, periods, "the history is added");
        Ok(Exit::Done)
    }
}

/// The file that is meant, and what has to live until the end.
fn path(typed: Option<&Path>, globals: &Globals) -> anyhow::Result<(PathBuf, Started)> {
    let started = start(&globals.flags(), Some(Mode::Adhoc))?;
    let path = match (typed, &started.settings.history.store) {
        (Some(path), _) => path.to_owned(),
        (None, HistoryStore::Sqlite(path)) => path.clone(),
        (None, HistoryStore::Memory) => {
            let message = "history.path is not set; name the file with --path".to_owned();
            return Err(Failure { exit: Exit::Usage, message }.into());
        }
        (None, HistoryStore::Postgres(_)) => {
            let message = "the history is in a database, which pg_dump copies; name a file with --path".to_owned();
            return Err(Failure { exit: Exit::Usage, message }.into());
        }
    };
    Ok((path, started))
}

/// Opens the file, which no kai may have at the time.
fn open(path: &Path) -> anyhow::Result<SqliteStore> {
    SqliteStore::open(path).map_err(|error| match error {
        StoreError::InUse { .. } => {
            let path = excerpt(&path.to_string_lossy()).to_string();
            anyhow!("{path} is in use by a kai; stop it first, or name a copy of the file with --path")
        }
        other => other.into(),
    })
}
