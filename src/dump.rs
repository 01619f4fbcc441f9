//! A saved dump in, events out; told by its fingerprint when the file has changed.

use std::cell::Cell;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc::Sender;

use crate::decode::{DecodeError, Records, read_dump};
use crate::inventory::{Detail, excerpt};
use crate::snapshot::{Event, ListScope, RelistEnd, ServerVersion};

/// As many events as go into the channel at once.
const BATCH: usize = 256;

/// Where a dump is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DumpInput {
    /// Standard input, which can be read once.
    Stdin,
    /// A file, read again when it changes.
    File(PathBuf),
}

/// Reads a dump as one relist.
#[derive(Debug)]
pub struct DumpSource {
    input: DumpInput,
    records: Records,
}

/// What tells one state of a file from another. A file that another was renamed over differs by `inode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    device: u64,
    inode: u64,
    size: u64,
    modified_seconds: i64,
    modified_nanoseconds: i64,
}

/// Why a dump could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The file cannot be opened.
    #[error("--input {}: {cause}; give a file that this user may read, or - for standard input", shown(.path))]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// What was read is no dump.
    #[error("--input {input}: {cause}")]
    Decode {
        /// The file, or `-`.
        input: String,
        /// What is wrong with it.
        cause: DecodeError,
    },
    /// There are objects in it, but neither pods nor namespaces.
    #[error("--input {input}: no pod and no namespace in the input, only {kinds}")]
    OtherKinds {
        /// The file, or `-`.
        input: String,
        /// The kinds found, for people.
        kinds: String,
    },
    /// Nobody takes the events any more.
    #[error("--input: reading was stopped")]
    Stopped,
}

impl DumpSource {
    /// A source of that input; nothing is opened yet.
    #[must_use]
    pub fn new(input: DumpInput) -> Self {
        Self { input, records: Records::default() }
    }

    /// Keeps that much of what is read from now on.
    #[must_use]
    pub fn with_detail(self, detail: Detail) -> Self {
        Self { records: Records::new(detail), ..self }
    }

    /// Reads the dump from its start to its end and sends it as one relist of all pods, in batches. Blocks while the
    /// receiver is behind: not for a thread of the async runtime. `progress` is told how many bytes were read, and how
    /// many there are where that is known.
    ///
    /// # Errors
    /// The input cannot be opened or is no dump: the relist is then left unfinished. The receiver is gone.
    pub fn read(&mut self, events: &Sender<Vec<Event>>, progress: &dyn Fn(u64, Option<u64>)) -> Result<(), DumpError> {
        let (reader, total): (Box<dyn Read>, _) = match &self.input {
            DumpInput::Stdin => (Box::new(io::stdin().lock()), None),
            DumpInput::File(path) => {
                let (file, metadata) = open(path).map_err(|cause| DumpError::Open { path: path.clone(), cause })?;
                let total = metadata.is_file().then_some(metadata.len());
                (Box::new(file), total)
            }
        };
        // What the read before this one brought, and nothing holds any more.
        self.records.sweep();
        let read = Cell::new(0);
        let mut reader = Counted { reader, read: &read, total, progress };
        let mut batch = Batch { events, held: Vec::with_capacity(BATCH) };
        let mut is_stopped = batch.push(Event::RelistBegun).is_break();
        is_stopped |= batch.push(Event::ListBegun(ListScope::AllPods)).is_break();
        let mut broken_nodes: Option<(u64, String)> = None;
        let end = read_dump(&mut reader, &mut self.records, &mut |event| {
            // Nodes are an addition: one that is missing makes nothing else untrue.
            if let Event::Skipped(item) = &event
                && item.scope == ListScope::Nodes
            {
                let first = || (0, format!("{}: {}", item.item, item.problem));
                broken_nodes.get_or_insert_with(first).0 += 1;
                return ControlFlow::Continue(());
            }
            let pushed = batch.push(event);
            is_stopped |= pushed.is_break();
            pushed
        });
        if is_stopped {
            return Err(DumpError::Stopped);
        }
        let end = end.map_err(|cause| DumpError::Decode { input: self.name(), cause })?;
        if !end.is_recognised {
            let kinds: Vec<String> = end.other_kinds.keys().take(8).map(|kind| format!("`{kind}`")).collect();
            return Err(DumpError::OtherKinds { input: self.name(), kinds: kinds.join(", ") });
        }
        if let Some((count, first)) = broken_nodes {
            let input = self.name();
            tracing::warn!("--input {input}: nodes that cannot be read are left out: {count}, the first is {first}");
        }
        let end = RelistEnd {
            observed_at: Timestamp::now(),
            server_version: ServerVersion::default(),
            cut_short: end.cut_short.map(|reason| Arc::from(format!("{}: {reason}", self.name()))),
        };
        batch.held.push(Event::RelistEnded(end));
        if batch.flush().is_break() { Err(DumpError::Stopped) } else { Ok(()) }
    }

    /// Whether what was read is gone: standard input.
    #[must_use]
    pub fn is_read_once(&self) -> bool {
        self.input == DumpInput::Stdin
    }

    /// What the file is like now; `None` for standard input, for a pipe, whose times change while it is read, and while
    /// the file cannot be found.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        let DumpInput::File(path) = &self.input else { return None };
        std::fs::metadata(path).ok().filter(Metadata::is_file).map(|metadata| Fingerprint::of(&metadata))
    }

    /// When the file was last written; `None` for standard input, for what is no file, and while it cannot be found.
    #[must_use]
    pub fn modified_at(&self) -> Option<Timestamp> {
        let DumpInput::File(path) = &self.input else { return None };
        let metadata = std::fs::metadata(path).ok().filter(Metadata::is_file)?;
        Timestamp::try_from(metadata.modified().ok()?).ok()
    }

    fn name(&self) -> String {
        match &self.input {
            DumpInput::Stdin => "-".to_owned(),
            DumpInput::File(path) => shown(path),
        }
    }
}

impl Fingerprint {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified_seconds: metadata.mtime(),
            modified_nanoseconds: metadata.mtime_nsec(),
        }
    }
}

fn shown(path: &Path) -> String {
    excerpt(&path.to_string_lossy()).to_string()
}

fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    Ok((file, metadata))
}

/// Events on their way into the channel.
struct Batch<'b> {
    events: &'b Sender<Vec<Event>>,
    held: Vec<Event>,
}

impl Batch<'_> {
    fn push(&mut self, event: Event) -> ControlFlow<()> {
        self.held.push(event);
        if self.held.len() < BATCH { ControlFlow::Continue(()) } else { self.flush() }
    }

    fn flush(&mut self) -> ControlFlow<()> {
        let batch = std::mem::replace(&mut self.held, Vec::with_capacity(BATCH));
        match self.events.blocking_send(batch) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

/// Tells how much was read.
struct Counted<'c> {
    reader: Box<dyn Read>,
    read: &'c Cell<u64>,
    total: Option<u64>,
    progress: &'c dyn Fn(u64, Option<u64>),
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.read.set(self.read.get() + length as u64);
        (self.progress)(self.read.get(), self.total);
        Ok(length)
    }
}
