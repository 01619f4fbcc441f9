//! A history as lines of JSON, from one store to another, and as a backup.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::store::{Batch, Query, Store};
use crate::inventory::{Digest, ImageRef};
use crate::snapshot::{ContentHash, FirstSeen, Period, Sighting, SightingKey, Workloads};

/// As many rows are written at once.
const BATCH: usize = 1_000;
/// A longer line is no line of a history.
const LINE_MAX: usize = 1024 * 1024;

/// A line: an image in a namespace, or a time in which kai was looking.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum Line {
    Image {
        namespace: String,
        image: String,
        digest: Option<Digest>,
        first_seen: Timestamp,
        first_seen_exact: bool,
        /// Null: it was there when the history was written.
        last_seen: Option<Timestamp>,
        /// In seconds since 1970.
        started_at: Option<i64>,
        workloads: Vec<String>,
        more_workloads: u64,
    },
    Looking {
        from: Timestamp,
        until: Timestamp,
        missing: Vec<String>,
        ended: Option<String>,
    },
}

/// How much was written or read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    pub images: u64,
    pub periods: u64,
}

/// Why lines could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("line {line} is no line of a history: {reason}")]
    Line { line: usize, reason: String },
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why lines could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Write(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes everything that the store has: first when kai was looking, then the images in no order.
///
/// # Errors
/// Those of the writer and of the store.
pub fn export(store: &mut dyn Store, mut writer: impl Write) -> Result<Moved, ExportError> {
    let mut moved = Moved::default();
    for Period { start, end, missing, ended } in store.periods()? {
        let missing = missing.into_iter().map(String::from).collect();
        let line = Line::Looking { from: start, until: end, missing, ended: ended.map(String::from) };
        write_line(&line, &mut writer)?;
        moved.periods += 1;
    }
    let mut written = Ok(());
    store.read(&Query::default(), &mut |sighting| {
        if written.is_ok() {
            written = write_line(&Line::of(sighting), &mut writer);
            moved.images += 1;
        }
    })?;
    written?;
    writer.flush()?;
    Ok(moved)
}

/// Adds lines to what the store has. Of an image that it knows, the earlier first time and the later last one stay.
///
/// # Errors
/// A line that is none, of which nothing before it is taken back; those of the reader and of the store.
pub fn import(store: &mut dyn Store, reader: impl BufRead) -> Result<Moved, ImportError> {
    let mut known: HashMap<ContentHash, Option<Timestamp>> = HashMap::new();
    store.read(&Query::default(), &mut |row| {
        known.insert(ContentHash::of(&row.key), row.last);
    })?;
    let mut there: BTreeSet<i64> = store.periods()?.iter().map(|period| period.start.as_millisecond()).collect();
    let (mut moved, mut looked_until) = (Moved::default(), Timestamp::MIN);
    let (mut sightings, mut periods) = (Vec::new(), Vec::new());
    let mut lines = Lines { reader, number: 0, bytes: Vec::new() };
    while let Some(line) = lines.next()? {
        match line {
            Line::Looking { from, until, missing, ended } => {
                looked_until = looked_until.max(until);
                let missing = missing.into_iter().map(String::into_boxed_str).collect();
                // What this store has looked at itself it knows better.
                if there.insert(from.as_millisecond()) {
                    periods.push(Period { start: from, end: until, missing, ended: ended.map(String::into_boxed_str) });
                    moved.periods += 1;
                }
            }
            image @ Line::Image { .. } => {
                let Some(mut sighting) = image.sighting() else { continue };
                // What was there then was last seen when kai looked last.
                let last = sighting.last.unwrap_or(looked_until).max(sighting.first.at);
                sighting.last = match known.get(&ContentHash::of(&sighting.key)) {
                    Some(None) => None,
                    Some(Some(known)) => Some(last.max(*known)),
                    None => Some(last),
                };
                sightings.push(sighting);
                moved.images += 1;
            }
        }
        if sightings.len() + periods.len() >= BATCH {
            store.write(&Batch { sightings: &sightings, periods: &periods })?;
            sightings.clear();
            periods.clear();
        }
    }
    store.write(&Batch { sightings: &sightings, periods: &periods })?;
    Ok(moved)
}

/// Reads line by line.
struct Lines<R> {
    reader: R,
    number: usize,
    bytes: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<Line>, ImportError> {
        loop {
            self.bytes.clear();
            self.number += 1;
            let bad = |reason: String| ImportError::Line { line: self.number, reason };
            let mut limited = io::Read::take(&mut self.reader, LINE_MAX as u64 + 1);
            if limited.read_until(b'\n', &mut self.bytes)? == 0 {
                return Ok(None);
            }
            if self.bytes.len() > LINE_MAX {
                return Err(bad(format!("it has more than {LINE_MAX} bytes")));
            }
            if self.bytes.trim_ascii().is_empty() {
                continue;
            }
            let line: Line = serde_json::from_slice(&self.bytes).map_err(|error| bad(error.to_string()))?;
            return line.check().map(Some).map_err(bad);
        }
    }
}

fn write_line(line: &Line, writer: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *writer, line)?;
    writer.write_all(b"\n")
}

impl Line {
    fn of(Sighting { key, first, last, started_at, workloads }: Sighting) -> Self {
        Self::Image {
            namespace: key.namespace.to_string(),
            image: key.image.written().to_owned(),
            digest: key.digest,
            first_seen: first.at,
            first_seen_exact: first.is_exact,
            last_seen: last,
            started_at,
            workloads: workloads.names.into_iter().map(String::from).collect(),
            more_workloads: workloads.dropped,
        }
    }

    /// Times that run backwards are no history.
    fn check(self) -> Result<Self, String> {
        let (from, until) = match &self {
            Self::Image { first_seen, last_seen, .. } => (*first_seen, last_seen.unwrap_or(*first_seen)),
            Self::Looking { from, until, .. } => (*from, *until),
        };
        if until < from {
            return Err(format!("{until} is earlier than {from}"));
        }
        Ok(self)
    }

    fn sighting(self) -> Option<Sighting> {
        let Self::Image {
            namespace,
            image,
            digest,
            first_seen,
            first_seen_exact,
            last_seen,
            started_at,
            workloads,
            more_workloads,
        } = self
        else {
            return None;
        };
        let key = SightingKey { namespace: namespace.into(), image: Arc::new(ImageRef::parse(&image)), digest };
        let mut names = Workloads { names: Vec::new(), dropped: more_workloads };
        workloads.iter().for_each(|name| names.add(name));
        let first = FirstSeen { at: first_seen, is_exact: first_seen_exact };
        Some(Sighting { key, first, last: last_seen, started_at, workloads: names })
    }
}
