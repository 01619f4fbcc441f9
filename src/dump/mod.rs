//! A saved dump in, events out: files, folders and standard input, all of them one relist.

mod batch;
mod error;
mod folder;
mod form;
mod input;
mod reading;
mod stamp;
mod total;
mod utf16;

pub use error::{ContentError, DumpError};
pub use input::DumpInput;
pub use stamp::Fingerprint;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc::Sender;

use crate::decode::Records;
use crate::inventory::Detail;
use crate::snapshot::Event;
use reading::Reading;

/// Reads a dump as one relist.
#[derive(Debug)]
pub struct DumpSource {
    input: DumpInput,
    records: Records,
    /// Namespaces that were named by what was read last.
    namespaces: BTreeSet<Arc<str>>,
}

impl DumpSource {
    /// A source of that input; nothing is opened yet.
    #[must_use]
    pub fn new(input: DumpInput) -> Self {
        Self { input, records: Records::default(), namespaces: BTreeSet::new() }
    }

    /// Keeps that much of what is read from now on.
    #[must_use]
    pub fn with_detail(self, detail: Detail) -> Self {
        Self { records: Records::new(detail), ..self }
    }

    /// Reads every file from its start to its end and sends them as one relist of all pods, in batches. Blocks while the
    /// receiver is behind: not for a thread of the async runtime. `progress` is given how many bytes were read, and how
    /// many there are where that is known.
    ///
    /// # Errors
    /// A file that was named cannot be opened, or nothing is a dump: the relist is then left unfinished. The receiver is
    /// gone.
    pub fn read(&mut self, events: &Sender<Vec<Event>>, progress: &dyn Fn(u64, Option<u64>)) -> Result<(), DumpError> {
        let files = self.input.files()?;
        // What the read before this one brought, and nothing holds any more.
        self.records.sweep();
        let mut reading = Reading::begin(&files, &mut self.records, events, progress)?;
        for file in &files.each {
            reading.file(file)?;
        }
        self.namespaces = reading.end(&files)?;
        Ok(())
    }

    /// Every namespace that what was read last names, whether it was asked for or not.
    pub fn namespace_names(&self) -> impl Iterator<Item = &str> {
        self.namespaces.iter().map(|name| &**name)
    }

    /// Whether what was read is gone: standard input.
    #[must_use]
    pub fn is_read_once(&self) -> bool {
        self.input.has_stdin()
    }

    /// What the files are like now; `None` where there is none that tells: standard input, a pipe, and while no file can
    /// be found.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        Fingerprint::of(self.input.files().ok()?.metadata())
    }

    /// When the oldest file was last written; `None` for standard input, for a pipe, and while no file can be found.
    #[must_use]
    pub fn modified_at(&self) -> Option<Timestamp> {
        self.input.files().ok()?.metadata().filter_map(|metadata| stamp::modified_at(&metadata)).min()
    }
}
