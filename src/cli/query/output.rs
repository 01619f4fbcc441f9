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
    Shown(Shown),
    /// A whole list, as HTTP has it.
    List(Format),
}

/// What every command has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Columns; on a terminal as many characters as it has room for.
    Table,
    /// Every column, whole.
    Wide,
    Json,
    Yaml,
    /// One name a line.
    Name,
}

impl Shown {
    const ALL: [Self; 5] = [Self::Table, Self::Wide, Self::Json, Self::Yaml, Self::Name];

    /// What `-o` says to a command that has no lists.
    pub(super) fn of(globals: &Globals) -> anyhow::Result<Self> {
        named(globals, &Self::ALL, Self::word)
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Wide => "wide",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Name => "name",
        }
    }
}

impl Output {
    const fn word(self) -> &'static str {
        match self {
            Self::Shown(shown) => shown.word(),
            Self::List(format) => format.name(),
        }
    }

    /// What every command has, and these lists.
    fn known(lists: &'static [Format]) -> impl Iterator<Item = Self> {
        let lists = lists.iter().filter(|format| **format != Format::Json).map(|format| Self::List(*format));
        Shown::ALL.into_iter().map(Self::Shown).chain(lists)
    }

    /// The flag `-o` of a command that has these lists, which stands in for the global one: help and completion name its words.
    pub(super) fn flag(lists: &'static [Format]) -> Arg {
        output_flag(Self::known(lists).map(Self::word).collect())
    }

    /// What `-o` says, of these lists and what every command has.
    pub(super) fn of(globals: &Globals, lists: &'static [Format]) -> anyhow::Result<Self> {
        named(globals, &Self::known(lists).collect::<Vec<_>>(), Self::word)
    }
}

/// The one that `-o` names; the first where it says nothing.
fn named<T: Copy>(globals: &Globals, known: &[T], word_of: fn(T) -> &'static str) -> anyhow::Result<T> {
    let found = match globals.output() {
        None => known.first(),
        Some(word) => known.iter().find(|known| word_of(**known) == word),
    };
    found.copied().ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|known| word_of(*known)).collect();
        let message =
            format!("--output {}: it must be {}", excerpt(globals.output().unwrap_or_default()), words.join(" or "));
        Failure { exit: Exit::Usage, message }.into()
    })
}

impl Printing {
    /// How a table is drawn.
    pub(super) fn look(&self, shown: Shown) -> Look {
        Look {
            width: terminal_width().filter(|_| shown == Shown::Table),
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
pub(super) fn write_document(value: &impl Serialize, shown: Shown, mut out: &mut dyn Write) -> io::Result<()> {
    if shown == Shown::Yaml {
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
