//! The thread that has the store: it writes what came and went, drops what is too old, and answers questions.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::error::{PostgresError, StoreError};
use super::memory::MemoryStore;
use super::reader::{Command, HistoryReader, Kept};
use super::recorder::Recorder;
use super::store::{Batch, Limits, Store as _};
use super::wanted::{Kind, Wanted};
use crate::config::HistorySettings;
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
    /// A start waits for the store at most that long; memory serves meanwhile.
    pub start: Duration,
}

impl Default for HistoryClock {
    fn default() -> Self {
        Self {
            transitions: Duration::from_secs(5),
            others: Duration::from_mins(5),
            retry: Duration::from_secs(10),
            start: Duration::from_secs(5),
        }
    }
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
    /// memory serves until then. Blocks, at most for the time of the clock.
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
        let limits = Limits { retention_days: settings.retention_days, max_rows: settings.max_rows };
        let mut keeper = Keeper {
            recorder: recorder.clone(),
            store: Kind::Memory(MemoryStore::default()),
            wanted: Wanted::of(&settings.store),
            limits,
            clock,
            board,
            metrics,
            problem: None,
            put_aside: None,
            others_at: Instant::now() + clock.others,
            retry_at: Instant::now(),
            check_at: Instant::now() + clock.retry,
            rows: None,
        };
        // Also where there is nothing yet: from now on a history is kept.
        recorder.lock().learned.get_or_insert_default();
        keeper.problem = matches!(keeper.wanted, Wanted::File(_)).then(|| "the file is being opened".to_owned());
        keeper.show();
        keeper.problem = None;
        let (opened, is_opened) = mpsc::channel::<()>();
        let run = move || {
            // A start waits for a disk, and never for a network.
            if !matches!(keeper.wanted, Wanted::Database(_)) {
                keeper.open();
                keeper.show();
            }
            drop(opened);
            keeper.run(&received);
        };
        let thread = std::thread::Builder::new().name("history".to_owned()).spawn(run)?;
        if is_opened.recv_timeout(clock.start) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!(
                "the file of the history is not open yet; kai begins without what it knows, and adds that later"
            );
        }
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

struct Keeper {
    recorder: Recorder,
    store: Kind,
    /// What is to be used.
    wanted: Wanted,
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
    check_at: Instant,
    /// How many rows the store has; `None`: they are to be counted, which takes as long as there are many.
    rows: Option<u64>,
}

impl Keeper {
    fn run(mut self, commands: &mpsc::Receiver<Command>) {
        loop {
            match commands.recv_timeout(TICK.min(self.clock.transitions)) {
                Ok(Command::Ask(question)) => {
                    let mut kept = Kept::new(self.store.get(), &self.recorder, Timestamp::now());
                    // Whoever asked hears of it: nothing comes back.
                    if catch_unwind(AssertUnwindSafe(|| question(&mut kept))).is_err() {
                        tracing::error!("a question about the past panicked: this is a bug in kai");
                    }
                }
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.tick(Instant::now());
        }
        self.recorder.lock().looking.end("kai was stopped".into());
        // One that was not tried yet, or may be free by now.
        if self.store.is_memory() && Instant::now() >= self.retry_at {
            self.open();
        }
        if let Kind::Postgres(store) = &mut self.store {
            store.hurry();
        }
        let is_written = self.flush();
        // What memory has ends with the process.
        let in_memory = if self.store.is_memory() { self.store.get().rows().unwrap_or_default() } else { 0 };
        if !is_written || (in_memory > 0 && !matches!(self.wanted, Wanted::Memory)) {
            let rows = self.recorder.lock().pending.len() as u64 + in_memory;
            tracing::error!("kai ends with {rows} rows of the history that could not be written");
        }
    }

    fn tick(&mut self, now: Instant) {
        if now < self.retry_at {
            return;
        }
        if self.store.is_memory() {
            self.open();
        } else if now >= self.check_at {
            self.check(now);
        }
        let waiting = self.recorder.lock().waiting_since;
        let is_due = waiting.is_some_and(|since| now.duration_since(since) >= self.clock.transitions);
        let others = now >= self.others_at;
        let was_away = self.problem.is_some() && now >= self.retry_at;
        // What goes to memory costs nothing.
        if is_due || others || was_away || self.store.is_memory() {
            let is_written = self.flush();
            if is_written && others {
                self.others_at = now + self.clock.others;
                self.prune();
            }
        }
        self.show();
    }

    /// Opens the store that is wanted, if there is one. What memory has goes into it.
    fn open(&mut self) {
        let identity = self.recorder.lock().identity.clone();
        let Some(opened) = self.wanted.open(&identity, self.clock.retry, &mut self.put_aside) else { return };
        match opened.and_then(|opened| self.take_over(opened)) {
            Ok(()) => self.well(),
            // Nothing is wrong yet, and it may be known in a moment.
            Err(error @ StoreError::Postgres(PostgresError::NoCluster)) => self.problem = Some(error.to_string()),
            Err(error) => self.failed(&error),
        }
    }

    fn take_over(&mut self, mut store: Kind) -> Result<(), StoreError> {
        if store.is_read_only() {
            (self.store, self.rows) = (store, None);
            return Ok(());
        }
        let mut past = Past::default();
        store.get().load(&mut |key, first| {
            past.insert(&key, first);
        })?;
        let mut is_whole = true;
        if let Kind::Memory(memory) = &mut self.store {
            let (sightings, periods) = memory.all();
            let dropped = memory.dropped()?;
            is_whole = dropped.rows == 0;
            store.get().write(&Batch { sightings: &sightings, periods: &periods })?;
            if !is_whole {
                store.get().lose(dropped)?;
            }
        }
        let mut record = self.recorder.lock();
        record.learned = Some(past);
        record.wants_all |= !is_whole;
        drop(record);
        (self.store, self.rows) = (store, None);
        Ok(())
    }

    /// Looks whether the store can still be reached: nobody else would notice while nothing changes.
    fn check(&mut self, now: Instant) {
        self.check_at = now + self.clock.retry;
        match self.store.get().check() {
            Ok(()) => self.tell_again(),
            Err(error) => self.failed(&error),
        }
    }

    /// Writes what is pending. Whether the store has it.
    fn flush(&mut self) -> bool {
        if self.store.is_read_only() {
            return true;
        }
        let (sightings, periods, waiting) = {
            let mut record = self.recorder.lock();
            (record.pending.take(), record.looking.take(), record.waiting_since.take())
        };
        if let Kind::Postgres(store) = &mut self.store {
            store.set_name(&self.recorder.lock().identity.name);
        }
        let begun = Instant::now();
        match self.store.get().write(&Batch { sightings: &sightings, periods: &periods }) {
            Ok(()) => {
                if !sightings.is_empty() {
                    self.rows = None;
                    self.bound_memory();
                }
                self.metrics.history().wrote(begun.elapsed());
                if !self.store.is_memory() || matches!(self.wanted, Wanted::Memory) {
                    self.well();
                }
                self.count_lost();
                self.tell_again();
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
                false
            }
        }
    }

    /// What was lost while the store was away makes answers about that time incomplete, also after a restart.
    fn count_lost(&mut self) {
        let lost = std::mem::take(self.recorder.lock().pending.uncounted());
        if lost.rows > 0 && self.store.get().lose(lost).is_err() {
            let mut record = self.recorder.lock();
            let newer = *record.pending.uncounted();
            *record.pending.uncounted() = newer.and(lost);
        }
    }

    /// Asks for all that is there where the store may not have it.
    fn tell_again(&mut self) {
        if self.store.get().take_loss() {
            self.recorder.lock().wants_all = true;
            tracing::warn!(
                "what the history had of this cluster is gone, or of another kai; all that is there is written again"
            );
        }
    }

    fn prune(&mut self) {
        if self.store.is_read_only() {
            return;
        }
        let limits = self.limits();
        match self.store.get().prune(limits, Timestamp::now()) {
            Ok(gone) => {
                self.rows = None;
                self.recorder.lock().forgotten.extend(gone);
            }
            Err(error) => self.failed(&error),
        }
    }

    fn limits(&self) -> Limits {
        match &self.store {
            Kind::Memory(_) => Limits { max_rows: self.limits.max_rows.min(MEMORY_ROWS), ..self.limits },
            Kind::Sqlite(_) | Kind::Postgres(_) => self.limits,
        }
    }

    /// What goes to a store may take its time; memory may be full before that.
    fn bound_memory(&mut self) {
        let max = self.limits().max_rows;
        if self.store.is_memory() && self.store.get().rows().is_ok_and(|rows| rows > max) {
            self.prune();
        }
    }

    /// The store is tried again later: the same one, or what is then in its place.
    fn failed(&mut self, error: &StoreError) {
        self.retry_at = Instant::now() + self.clock.retry;
        if error.is_lost() {
            (self.store, self.rows) = (Kind::Memory(MemoryStore::default()), None);
            let mut record = self.recorder.lock();
            record.looking.forget();
            record.wants_all = true;
        }
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
        let (name, store) = (self.store.name(), self.store.get());
        let rows = *self.rows.get_or_insert_with(|| store.rows().unwrap_or_default());
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
