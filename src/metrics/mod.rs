//! Metrics: counts of what happens, recorded where it happens, and a text of all of it for a scraper.
//!
//! | file | what it knows |
//! |---|---|
//! | `collection` | polls, requests to the API server |
//! | `watch` | watches of the API server |
//! | `serving` | requests over HTTP; the fixed sets of their labels |
//! | `history` | writes to the history, and how large it is |
//! | `push` | attempts to deliver reports, by account |
//! | `inventory` | what a snapshot holds, counted once for each |
//! | `process` | what the system knows of the process |
//! | `durations` | a histogram of times |
//! | `families`, `exposition` | the text, in the form of OpenMetrics |
//!
//! There is no global: a [`Metrics`] is made at the start and handed to those who record. What can be read when it is asked
//! for is not recorded but read then, so that there is no series of a namespace or an account that is gone.

mod collection;
mod durations;
mod exposition;
mod families;
mod history;
mod inventory;
mod process;
mod push;
mod serving;
mod watch;

pub(crate) use collection::{ApiMetrics, PollMetrics};
pub use exposition::{CONTENT_TYPE, Exposition};
pub(crate) use history::HistoryMetrics;
pub(crate) use push::PushMetrics;
pub(crate) use serving::HttpMetrics;
pub use serving::Serving;
pub(crate) use watch::WatchMetrics;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

/// What was recorded since the process started. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Recorded>);

#[derive(Debug)]
struct Recorded {
    started_at: Timestamp,
    polls: PollMetrics,
    api: ApiMetrics,
    watch: WatchMetrics,
    http: HttpMetrics,
    push: PushMetrics,
    history: HistoryMetrics,
    lost_log_lines: Arc<AtomicU64>,
}

impl Default for Metrics {
    /// Of a process that starts now, with nothing recorded.
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

impl Metrics {
    /// The same with a count that the log keeps.
    #[must_use]
    pub fn new(lost_log_lines: Arc<AtomicU64>) -> Self {
        Self(Arc::new(Recorded {
            started_at: Timestamp::now(),
            polls: PollMetrics::default(),
            api: ApiMetrics::default(),
            watch: WatchMetrics::default(),
            http: HttpMetrics::default(),
            push: PushMetrics::default(),
            history: HistoryMetrics::default(),
            lost_log_lines,
        }))
    }

    #[must_use]
    pub fn polls(&self) -> &PollMetrics {
        &self.0.polls
    }

    /// Of requests to the API server.
    #[must_use]
    pub fn api(&self) -> &ApiMetrics {
        &self.0.api
    }

    #[must_use]
    pub fn watch(&self) -> &WatchMetrics {
        &self.0.watch
    }

    #[must_use]
    pub fn http(&self) -> &HttpMetrics {
        &self.0.http
    }

    /// Of reports to Anchore Enterprise.
    #[must_use]
    pub fn push(&self) -> &PushMetrics {
        &self.0.push
    }

    #[must_use]
    pub fn history(&self) -> &HistoryMetrics {
        &self.0.history
    }

    fn lost_log_lines(&self) -> u64 {
        self.0.lost_log_lines.load(Ordering::Relaxed)
    }

    fn started_at(&self) -> Timestamp {
        self.0.started_at
    }
}
