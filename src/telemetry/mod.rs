//! Logs: where they go and what they show.

mod queue;

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write, stderr};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

use self::queue::Queue;
use crate::config::LogSettings;

/// Who waits when the log is not written at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Whoever logs, until the line is written: for a command that ends.
    EveryLine,
    /// Nobody: lines that a full queue cannot take are lost and counted.
    NeverWait,
}

/// Keeps the log going; what is queued is written when it is dropped, in a second at most.
#[must_use = "lines are lost when the guard is dropped early"]
pub(crate) struct LogGuard {
    queue: Option<Queue>,
    lost: Arc<AtomicU64>,
    control: LogControl,
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        if let Some(queue) = &self.queue {
            queue.flush();
        }
    }
}

/// Changes the log while the process runs.
#[derive(Clone)]
pub(crate) struct LogControl {
    level: reload::Handle<Targets, Registry>,
    file: Option<LogFile>,
}

/// The log could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// The file could not be opened.
    #[error("log.file: {}: {source}; name a file in a folder that exists and kai may write to, or leave it empty to log to standard error", path.display())]
    File {
        /// `log.file`
        path: PathBuf,
        source: io::Error,
    },
    /// The system gives no thread to the log.
    #[error("the log has no thread to write it: {0}; raise the limit of processes or threads")]
    Thread(io::Error),
}

/// Starts logging for the whole process.
pub(crate) fn start(settings: &LogSettings, pace: Pace) -> Result<LogGuard, LogError> {
    let LogSettings { structured, level, file } = settings;
    let lost = Arc::new(AtomicU64::new(0));
    let file = file.as_deref().map(LogFile::open).transpose()?;
    let colour =
        file.is_none() && stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let queue = match (pace, &file) {
        (Pace::EveryLine, _) => None,
        (Pace::NeverWait, Some(file)) => Some(Queue::to(file.clone(), "log.file", Arc::clone(&lost))),
        (Pace::NeverWait, None) => Some(Queue::to(stderr(), "standard error", Arc::clone(&lost))),
    };
    let queue = queue.transpose().map_err(LogError::Thread)?;
    let level = match (&queue, &file) {
        (Some(queue), _) => install(*structured, *level, colour, queue.clone()),
        (None, Some(file)) => install(*structured, *level, colour, file.clone()),
        (None, None) => install(*structured, *level, colour, stderr),
    };
    Ok(LogGuard { queue, lost, control: LogControl { level, file } })
}

impl LogGuard {
    /// Writes the error that ends the process to the log file, where there is one: whoever looks there for the end must
    /// find it. Standard error gets it anyway.
    pub(crate) fn record(&self, error: &anyhow::Error) {
        if self.control.file.is_some() {
            tracing::error!("{error:#}");
        }
    }

    /// How many lines were lost so far.
    pub(crate) fn lost_lines(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.lost)
    }

    pub(crate) fn control(&self) -> LogControl {
        self.control.clone()
    }
}

impl LogControl {
    /// Writes lines of this level from now on.
    pub(crate) fn set_level(&self, level: LevelFilter) {
        // Only the log of a second start in one process is gone, and nothing of that one is ever shown.
        drop(self.level.reload(filter(level)));
    }

    /// Opens the log file anew by its path, as after it was renamed to be kept; the one that was open stays if that fails.
    /// Whether there is one.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(crate) fn reopen(&self) -> Result<bool, LogError> {
        self.file.as_ref().map(LogFile::reopen).transpose().map(|reopened| reopened.is_some())
    }
}

/// The file that lines are appended to. One that is opened anew takes the place of the other between two lines.
#[derive(Debug, Clone)]
struct LogFile {
    path: Arc<Path>,
    open: Arc<Mutex<File>>,
}

impl LogFile {
    fn open(path: &Path) -> Result<Self, LogError> {
        Ok(Self { path: path.into(), open: Arc::new(Mutex::new(open(path)?)) })
    }

    fn reopen(&self) -> Result<(), LogError> {
        let opened = open(&self.path)?;
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = opened;
        Ok(())
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Whole: were the rest of a line left for another call, the file could be another by then.
        self.open.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn open(path: &Path) -> Result<File, LogError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|source| LogError::File { path: path.to_owned(), source })
}

fn install<W>(structured: bool, level: LevelFilter, colour: bool, writer: W) -> reload::Handle<Targets, Registry>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let (level, handle) = reload::Layer::new(filter(level));
    let registry = tracing_subscriber::registry().with(level);
    // A log line that cannot be written must not become a panic of the library's own complaint about it.
    let result = if structured {
        let layer = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(writer);
        registry.with(layer.log_internal_errors(false)).try_init()
    } else {
        let layer = tracing_subscriber::fmt::layer().with_ansi(colour).with_target(false).with_writer(writer);
        registry.with(layer.log_internal_errors(false)).try_init()
    };
    // Only a second start in one process fails, and then the first one's settings stand.
    drop(result);
    handle
}

/// kai's own lines at the level that was asked for; libraries only when something is wrong, or at trace.
///
/// kube's client logs the whole body of an answer that it cannot read, environment variables included, as a warning, and
/// each try that fails as an error, and the check of certificates each that it refuses: both are silenced at every level,
/// and `cluster` logs once what became of a request.
fn filter(level: LevelFilter) -> Targets {
    let libraries = if level == LevelFilter::TRACE { LevelFilter::DEBUG } else { level.min(LevelFilter::WARN) };
    Targets::new()
        .with_default(libraries)
        .with_target("kai", level)
        .with_target("kube_client::client", LevelFilter::OFF)
        .with_target("rustls_platform_verifier", LevelFilter::OFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use tracing::Level;

    #[rstest]
    #[case::own_lines(LevelFilter::INFO, "kai::collector", Level::INFO, true)]
    #[case::no_more_than_asked_for(LevelFilter::INFO, "kai::collector", Level::DEBUG, false)]
    #[case::libraries_when_something_is_wrong(LevelFilter::DEBUG, "hyper_util::client", Level::WARN, true)]
    #[case::libraries_otherwise(LevelFilter::DEBUG, "hyper_util::client", Level::DEBUG, false)]
    #[case::libraries_at_trace(LevelFilter::TRACE, "hyper_util::client", Level::DEBUG, true)]
    #[case::quiet(LevelFilter::ERROR, "hyper_util::client", Level::WARN, false)]
    #[case::bodies_never(LevelFilter::TRACE, "kube_client::client", Level::ERROR, false)]
    #[case::certificates_are_told_by_cluster(
        LevelFilter::TRACE,
        "rustls_platform_verifier::verification::others",
        Level::ERROR,
        false
    )]
    fn lines_are_shown_by_level_and_origin(
        #[case] level: LevelFilter,
        #[case] target: &str,
        #[case] line: Level,
        #[case] shown: bool,
    ) {
        assert_eq!(filter(level).would_enable(target, &line), shown);
    }
}
