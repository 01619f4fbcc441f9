//! How far a long read is, on a terminal.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressDrawTarget, ProgressStyle};

/// Shorter work shows nothing: a bar that flashes by only disturbs.
const SHOW_AFTER: Duration = Duration::from_secs(1);

/// A bar on standard error, drawn once the work takes more than a second and only on a terminal.
#[derive(Clone)]
pub struct ProgressBar {
    bar: indicatif::ProgressBar,
    unit: Unit,
    begun: Instant,
}

#[derive(Clone, Copy)]
enum Unit {
    Pods,
    Bytes,
}

impl ProgressBar {
    /// Counts pods of a cluster.
    #[must_use]
    pub fn of_pods(quiet: bool) -> Self {
        Self::new(quiet, Unit::Pods)
    }

    /// Counts bytes of a dump.
    #[must_use]
    pub fn of_bytes(quiet: bool) -> Self {
        Self::new(quiet, Unit::Bytes)
    }

    fn new(quiet: bool, unit: Unit) -> Self {
        let hidden = quiet || !stderr().is_terminal();
        let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        Self { bar: indicatif::ProgressBar::with_draw_target(None, target), unit, begun: Instant::now() }
    }

    /// What whoever reads reports to.
    #[must_use]
    pub fn reporter(&self) -> Arc<dyn Fn(u64, Option<u64>) + Send + Sync> {
        let bar = self.clone();
        Arc::new(move |read, total| bar.update(read, total))
    }

    /// Removes the bar, so that nothing of it is left among messages and reports.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Shows how much was read, and of how much where that is known.
    fn update(&self, read: u64, total: Option<u64>) {
        if self.bar.is_hidden() || self.begun.elapsed() < SHOW_AFTER {
            return;
        }
        if let Some(total) = total.filter(|_| self.bar.length() != total) {
            self.bar.set_length(total);
            self.bar.set_style(bar_style(self.unit));
        }
        self.bar.set_position(read);
        if self.bar.length().is_none() {
            self.bar.set_message(match self.unit {
                Unit::Pods => format!("{} pods read", HumanCount(read)),
                Unit::Bytes => format!("{} read", indicatif::HumanBytes(read)),
            });
        }
    }
}

fn bar_style(unit: Unit) -> ProgressStyle {
    let template = match unit {
        Unit::Pods => "reading pods {wide_bar} {human_pos}/{human_len} {eta}",
        Unit::Bytes => "reading {wide_bar} {bytes}/{total_bytes} {eta}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
