//! The queue between a service and its log: nobody who logs waits for a reader of the log that lags, or for a full disk.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// How many lines wait at most; the next ones are lost.
const MOST_LINES: usize = 1024;
/// How long the end of the process waits for lines that are not written yet.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Takes lines; a thread of its own writes them. Cheap to clone.
#[derive(Clone)]
pub(super) struct Queue {
    lines: SyncSender<Vec<u8>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    queued: AtomicU64,
    /// Taken from the queue, and written or lost by now.
    handled: AtomicU64,
    lost: Arc<AtomicU64>,
}

impl Queue {
    /// In front of what is called `name` in messages. `lost` counts the lines that are never written.
    pub(super) fn to(out: impl Write + Send + 'static, name: &'static str, lost: Arc<AtomicU64>) -> io::Result<Self> {
        let (lines, queued) = sync_channel(MOST_LINES);
        let counts = Arc::new(Counts { lost, ..Counts::default() });
        let mut writer = Writer { out, name, counts: Arc::clone(&counts), lost_in_messages: 0, is_failing: false };
        thread::Builder::new().name("log".to_owned()).spawn(move || writer.run(&queued))?;
        Ok(Self { lines, counts })
    }

    /// Waits until everything is written, for a second at most: where nobody reads, the process must still end.
    pub(super) fn flush(&self) {
        let begun = Instant::now();
        while self.counts.waiting() > 0 && begun.elapsed() < FLUSH_TIMEOUT {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Counts {
    fn waiting(&self) -> u64 {
        self.queued.load(Relaxed).saturating_sub(self.handled.load(Relaxed))
    }
}

impl Write for Queue {
    /// Takes the line whole or loses it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.counts.queued.fetch_add(1, Relaxed);
        if self.lines.try_send(line.to_vec()).is_err() {
            self.counts.handled.fetch_add(1, Relaxed);
            self.counts.lost.fetch_add(1, Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The other end of the queue.
struct Writer<W> {
    out: W,
    name: &'static str,
    counts: Arc<Counts>,
    /// As many lost lines are in messages already.
    lost_in_messages: u64,
    /// The last line could not be written.
    is_failing: bool,
}

impl<W: Write> Writer<W> {
    fn run(&mut self, queued: &Receiver<Vec<u8>>) {
        while let Ok(line) = queued.recv() {
            let written = self.out.write_all(&line).and_then(|()| self.out.flush());
            if let Err(error) = &written {
                self.counts.lost.fetch_add(1, Relaxed);
                if !self.is_failing {
                    // Where else; that it cannot be written either costs nothing more.
                    let text = format!(
                        "WARN {} cannot be written: {error}; log lines are lost until it can, free space on its disk",
                        self.name
                    );
                    let _unread = writeln!(io::stderr(), "{text}");
                }
            }
            self.is_failing = written.is_err();
            self.counts.handled.fetch_add(1, Relaxed);
            self.report_lost();
        }
    }

    /// Once the queue is empty again, or it would report only that it cannot keep up.
    fn report_lost(&mut self) {
        let lost = self.counts.lost.load(Relaxed);
        if lost > self.lost_in_messages && !self.is_failing && self.counts.waiting() == 0 {
            let lines = lost - self.lost_in_messages;
            self.lost_in_messages = lost;
            tracing::warn!("{lines} log lines are lost: {} took them too slowly or not at all", self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    /// Takes no line before the other end of the channel is dropped.
    struct Gate {
        shut: Receiver<()>,
        lines: Arc<AtomicU64>,
    }

    impl Write for Gate {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.shut.recv().expect_err("nothing is sent");
            self.lines.fetch_add(1, Relaxed);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_beyond_the_bound_are_lost_and_counted_and_nobody_waits() {
        let (open, shut) = sync_channel(0);
        let (lines, lost) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let gate = Gate { shut, lines: Arc::clone(&lines) };
        let mut queue = Queue::to(gate, "standard error", Arc::clone(&lost)).expect("a thread");
        for _ in 0..MOST_LINES + 10 {
            queue.write_all(b"line\n").expect("never fails");
        }
        // The writer may have taken one of them out.
        assert!((9..=10).contains(&lost.load(Relaxed)), "{lost:?}");
        queue.flush();
        assert_eq!(lines.load(Relaxed), 0, "the flush ends although nothing is written");
        drop(open);
        queue.flush();
        assert_eq!(lines.load(Relaxed) + lost.load(Relaxed), MOST_LINES as u64 + 10);
    }
}
