//! How rows are printed: as a table that fits a terminal, or in a format for programs.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write, stdout};

use anyhow::Context as _;
use clap::{Arg, Args};
use serde::Serialize;

use crate::cli::Exit;
use crate::cli::globals::{Globals, output_flag};
use crate::cli::print::NOT_WRITTEN;
use crate::cli::start::Failure;
use crate::inventory::{escape_controls, excerpt};
use crate::output::{has_color, is_closed_pipe, terminal_width};
use crate::views::{Format, Look, write_columns};

/// Flags of every command that prints rows.
#[derive(Debug, Args)]
pub(super) struct Printing {
    /// Print a table without its first line
    #[arg(long)]
    no_headers: bool,

    /// Exit with 0 instead of 3 when something could not be read
    #[arg(long)]
    pub(super) allow_incomplete: bool,
}

/// A format of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// Columns; on a terminal as many characters as it has room for.
    Table,
    /// Every column, whole.
    Wide,
    Json,
    Yaml,
    /// One name a line.
    Name,
    /// A whole list, as HTTP has it.
    List(Format),
}

impl Output {
    const ALL: [Self; 5] = [Self::Table, Self::Wide, Self::Json, Self::Yaml, Self::Name];

    const fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Wide => "wide",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Name => "name",
            Self::List(format) => format.name(),
        }
    }

    /// What every command has, and these lists.
    fn known(lists: &'static [Format]) -> impl Iterator<Item = Self> {
        let lists = lists.iter().filter(|format| **format != Format::Json).map(|format| Self::List(*format));
        Self::ALL.into_iter().chain(lists)
    }

    /// The flag `-o` of a command that has these lists, which stands in for the global one: help and completion name its words.
    pub(super) fn flag(lists: &'static [Format]) -> Arg {
        output_flag(Self::known(lists).map(Self::word).collect())
    }

    /// What `-o` says, of these lists and what every command has; a table where it says nothing.
    pub(super) fn of(globals: &Globals, lists: &'static [Format]) -> anyhow::Result<Self> {
        let Some(word) = globals.output() else { return Ok(Self::Table) };
        Self::known(lists).find(|output| output.word() == word).ok_or_else(|| {
            let words: Vec<&str> = Self::known(lists).map(Self::word).collect();
            let message = format!("--output {}: it must be {}", excerpt(word), words.join(" or "));
            Failure { exit: Exit::Usage, message }.into()
        })
    }
}

impl Printing {
    /// How a table is drawn.
    pub(super) fn look(&self, output: Output) -> Look {
        Look {
            width: terminal_width().filter(|_| output == Output::Table),
            has_header: !self.no_headers,
            is_colored: has_color(),
        }
    }
}

/// Writes to standard output. A reader that has gone is no failure.
pub(super) fn to_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut out = BufWriter::new(stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if !is_closed_pipe(&error) => Err(error).context(NOT_WRITTEN),
        _ => Ok(()),
    }
}

/// As JSON for people, or as YAML.
pub(super) fn write_document(value: &impl Serialize, output: Output, mut out: &mut dyn Write) -> io::Result<()> {
    if output == Output::Yaml {
        let text = serde_saphyr::to_string(value).map_err(io::Error::other)?;
        return out.write_all(text.as_bytes());
    }
    serde_json::to_writer_pretty(&mut out, value)?;
    out.write_all(b"\n")
}

/// A table, unless it has no row.
pub(super) fn write_table<const N: usize>(
    header: [&str; N],
    rows: &[[Cow<'_, str>; N]],
    look: Look,
    mut out: &mut dyn Write,
) -> io::Result<()> {
    if rows.is_empty() { Ok(()) } else { write_columns(header, rows, look, &mut out) }
}

/// A foreign text as a line of its own.
pub(super) fn write_line(text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", escape_controls(text))
}
