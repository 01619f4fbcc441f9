//! The thread that has the store: it writes what came and went, drops what is too old, and answers questions.

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::memory::MemoryStore;
use super::reader::{HistoryReader, Kept};
use super::recorder::Recorder;
use super::sqlite::SqliteStore;
use super::store::{Batch, Limits, Store, StoreError};
use crate::config::{HistorySettings, HistoryStore};
use crate::health::{HistoryBoard, HistoryState};
use crate::metrics::Metrics;
use crate::snapshot::Past;

/// Rows in memory, whatever the setting says: they take a hundred times what the index needs of one.
const MEMORY_ROWS: u64 = 50_000;
/// The longest that the thread sleeps.
const TICK: Duration = Duration::from_secs(1);

/// When what is done.
#[derive(Debug, Clone, Copy)]
pub struct HistoryClock {
    /// An image that came or went is written within that time.
    pub transitions: Duration,
    /// How far kai has looked, and what is too old.
    pub others: Duration,
    /// A store that could not be used is tried again.
    pub retry: Duration,
}

impl Default for HistoryClock {
    fn default() -> Self {
        Self { transitions: Duration::from_secs(5), others: Duration::from_mins(5), retry: Duration::from_secs(10) }
    }
}

pub(super) enum Command {
    Ask(Box<dyn FnOnce(&mut Kept<'_>) + Send>),
    Stop,
}

/// A history that is kept for as long as the process runs.
#[derive(Debug)]
pub struct History {
    recorder: Recorder,
    commands: mpsc::Sender<Command>,
    thread: JoinHandle<()>,
}

impl History {
    /// Opens the store and reads what it knows, which goes to the index by the recorder. A store that cannot be opened is tried again, and
    /// memory serves until then. Blocks.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn open(
        settings: &HistorySettings,
        clock: HistoryClock,
        reach: Duration,
        board: HistoryBoard,
        metrics: Metrics,
    ) -> std::io::Result<Self> {
        let recorder = Recorder::new(reach);
        let (commands, received) = mpsc::channel();
        let path = match &settings.store {
            HistoryStore::Memory => None,
            HistoryStore::Sqlite(path) => Some(path.clone()),
            HistoryStore::Postgres(_) => None,
        };
        let limits = Limits { retention_days: settings.retention_days, max_rows: settings.max_rows };
        let mut keeper = Keeper {
            recorder: recorder.clone(),
            store: Kind::Memory(MemoryStore::default()),
            path,
            limits,
            clock,
            board,
            metrics,
            problem: None,
            put_aside: None,
            others_at: Instant::now() + clock.others,
            retry_at: Instant::now(),
        };
        keeper.open();
        // Also where there is nothing yet: from now on a history is kept.
        recorder.lock().learned.get_or_insert_default();
        keeper.show();
        let thread = std::thread::Builder::new().name("history".to_owned()).spawn(move || keeper.run(&received))?;
        Ok(Self { recorder, commands, thread })
    }

    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    #[must_use]
    pub fn reader(&self) -> HistoryReader {
        HistoryReader::new(self.commands.clone())
    }

    /// Writes everything and ends. Blocks.
    pub fn stop(self) {
        // A thread that has gone has said why.
        drop(self.commands.send(Command::Stop));
        drop(self.thread.join());
    }
}

enum Kind {
    Memory(MemoryStore),
    Sqlite(SqliteStore),
}

struct Keeper {
    recorder: Recorder,
    store: Kind,
    /// The file that is to be used.
    path: Option<PathBuf>,
    limits: Limits,
    clock: HistoryClock,
    board: HistoryBoard,
    metrics: Metrics,
    /// Why the store is not the one that is wanted, or cannot be written.
    problem: Option<String>,
    /// Where a file went that could not be read.
    put_aside: Option<PathBuf>,
    others_at: Instant,
    retry_at: Instant,
}

impl Keeper {
    fn run(mut self, commands: &mpsc::Receiver<Command>) {
        loop {
            match commands.recv_timeout(TICK.min(self.clock.transitions)) {
                Ok(Command::Ask(question)) => {
                    question(&mut Kept::new(self.store.get(), &self.recorder, Timestamp::now()));
                }
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.tick(Instant::now());
        }
        self.recorder.lock().looking.end("kai was stopped".into());
        self.flush();
    }

    fn tick(&mut self, now: Instant) {
        if now < self.retry_at {
            return;
        }
        if matches!(self.store, Kind::Memory(_)) && self.path.is_some() {
            self.open();
            if self.problem.is_some() {
                self.retry_at = now + self.clock.retry;
            }
        }
        let waiting = self.recorder.lock().waiting_since;
        let is_due = waiting.is_some_and(|since| now.duration_since(since) >= self.clock.transitions);
        let others = now >= self.others_at;
        // What goes to memory costs nothing.
        if is_due || others || matches!(self.store, Kind::Memory(_)) {
            let is_written = self.flush();
            if is_written && others {
                self.others_at = now + self.clock.others;
                self.prune();
            }
        }
        self.show();
    }

    /// Opens the file that is wanted, if there is one. What memory has goes into it.
    fn open(&mut self) {
        let Some(path) = self.path.clone() else { return };
        let opened = SqliteStore::open(&path).or_else(|error| match error {
            StoreError::Broken { .. } => {
                let aside = SqliteStore::put_aside(&path, Timestamp::now())
                    .map_err(|reason| StoreError::Open { path: path.clone(), reason: reason.to_string() })?;
                tracing::error!("{error}; it is now {}, and a new history begins", aside.display());
                self.put_aside = Some(aside);
                SqliteStore::open(&path)
            }
            other => Err(other),
        });
        match opened.and_then(|store| self.take_over(store)) {
            Ok(()) => self.well(),
            Err(error) => self.failed(&error),
        }
    }

    fn take_over(&mut self, mut store: SqliteStore) -> Result<(), StoreError> {
        let mut past = Past::default();
        store.load(&mut |key, first| {
            past.insert(&key, first);
        })?;
        if let Kind::Memory(memory) = &self.store {
            let (sightings, periods) = memory.all();
            store.write(&Batch { sightings: &sightings, periods: &periods })?;
        }
        self.recorder.lock().learned = Some(past);
        self.store = Kind::Sqlite(store);
        Ok(())
    }

    /// Writes what is pending. Whether the store has it.
    fn flush(&mut self) -> bool {
        let (sightings, periods, waiting) = {
            let mut record = self.recorder.lock();
            (record.pending.take(), record.looking.take(), record.waiting_since.take())
        };
        let begun = Instant::now();
        match self.store.get().write(&Batch { sightings: &sightings, periods: &periods }) {
            Ok(()) => {
                self.metrics.history().wrote(begun.elapsed());
                if matches!(self.store, Kind::Sqlite(_)) || self.path.is_none() {
                    self.well();
                }
                true
            }
            Err(error) => {
                self.metrics.history().failed();
                let mut record = self.recorder.lock();
                record.pending.restore(sightings);
                record.looking.restore(periods);
                record.waiting_since = waiting.or(record.waiting_since);
                drop(record);
                self.failed(&error);
                self.retry_at = Instant::now() + self.clock.retry;
                false
            }
        }
    }

    fn prune(&mut self) {
        let limits = match &self.store {
            Kind::Memory(_) => Limits { max_rows: self.limits.max_rows.min(MEMORY_ROWS), ..self.limits },
            Kind::Sqlite(_) => self.limits,
        };
        match self.store.get().prune(limits, Timestamp::now()) {
            Ok(gone) => self.recorder.lock().forgotten.extend(gone),
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &StoreError) {
        let text = error.to_string();
        if self.problem.as_ref() != Some(&text) {
            tracing::error!("{text}; what is seen stays in memory until it can be written");
        }
        self.problem = Some(text);
    }

    fn well(&mut self) {
        if self.problem.take().is_some() {
            tracing::info!("the history is written again");
        }
    }

    /// Shows how it stands.
    fn show(&mut self) {
        let (queue, lost, gaps) = {
            let record = self.recorder.lock();
            (record.pending.len() as u64, record.pending.lost(), record.looking.gaps())
        };
        let (name, store) = match &mut self.store {
            Kind::Memory(store) => ("memory", store as &mut dyn Store),
            Kind::Sqlite(store) => ("sqlite", store as &mut dyn Store),
        };
        let rows = store.rows().unwrap_or_default();
        let dropped = store.dropped().unwrap_or_default().rows;
        let bytes = store.bytes();
        self.board.show(HistoryState {
            store: name,
            rows,
            bytes,
            queue,
            lost,
            dropped,
            gaps,
            problem: self.problem.clone(),
            put_aside: self.put_aside.clone(),
        });
    }
}

impl Kind {
    fn get(&mut self) -> &mut dyn Store {
        match self {
            Self::Memory(store) => store,
            Self::Sqlite(store) => store,
        }
    }
}
