//! How far a long read is, on a terminal.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressDrawTarget, ProgressStyle};

/// Shorter work shows nothing: a bar that flashes by only disturbs.
const SHOW_AFTER: Duration = Duration::from_secs(1);

/// A bar on standard error, drawn once the work takes more than a second and only on a terminal.
#[derive(Clone)]
pub(crate) struct ProgressBar {
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
    pub(crate) fn of_pods(quiet: bool) -> Self {
        Self::new(quiet, Unit::Pods)
    }

    /// Counts bytes of a dump.
    #[must_use]
    pub(crate) fn of_bytes(quiet: bool) -> Self {
        Self::new(quiet, Unit::Bytes)
    }

    fn new(quiet: bool, unit: Unit) -> Self {
        let hidden = quiet || !stderr().is_terminal();
        Self::on(if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() }, unit)
    }

    fn on(target: ProgressDrawTarget, unit: Unit) -> Self {
        let bar = indicatif::ProgressBar::with_draw_target(None, target).with_style(count_style());
        Self { bar, unit, begun: Instant::now() }
    }

    /// What whoever reads reports to.
    #[must_use]
    pub(crate) fn reporter(&self) -> Arc<dyn Fn(u64, Option<u64>) + Send + Sync> {
        let bar = self.clone();
        Arc::new(move |read, total| bar.update(read, total))
    }

    /// Removes the bar, so that nothing of it is left among messages and reports.
    pub(crate) fn clear(&self) {
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

/// For a total that nobody knows: a bar would stand empty beside a total that is only what was read.
fn count_style() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn bar_style(unit: Unit) -> ProgressStyle {
    let template = match unit {
        Unit::Pods => "reading pods {wide_bar} {human_pos}/{human_len} {eta}",
        Unit::Bytes => "reading {wide_bar} {bytes}/{total_bytes} {eta}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Mutex, PoisonError};

    /// A terminal that keeps what is drawn on it.
    #[derive(Debug, Clone, Default)]
    struct Terminal(Arc<Mutex<String>>);

    impl indicatif::TermLike for Terminal {
        fn width(&self) -> u16 {
            80
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What stands on the terminal after a read that takes long enough to be shown.
    fn drawn(unit: Unit, read: u64, total: Option<u64>) -> String {
        let terminal = Terminal::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 20);
        let mut bar = ProgressBar::on(target, unit);
        bar.begun = Instant::now().checked_sub(SHOW_AFTER * 2).expect("a clock that ran before");
        bar.update(read, total);
        bar.bar.force_draw();
        terminal.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[test]
    fn a_total_that_nobody_knows_is_not_drawn() {
        let pipe = drawn(Unit::Bytes, 3 << 20, None);
        assert!(pipe.contains("3.00 MiB read") && !pipe.contains('/'), "{pipe:?}");
        let pods = drawn(Unit::Pods, 1500, None);
        assert!(pods.contains("1,500 pods read") && !pods.contains('/'), "{pods:?}");
    }

    #[test]
    fn a_known_total_is_drawn_as_a_bar() {
        let pods = drawn(Unit::Pods, 500, Some(1000));
        assert!(pods.contains("reading pods") && pods.contains("500/1,000"), "{pods:?}");
    }

    #[test]
    fn short_work_draws_nothing() {
        let terminal = Terminal::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 20);
        ProgressBar::on(target, Unit::Pods).update(500, Some(1000));
        assert_eq!(*terminal.0.lock().unwrap_or_else(PoisonError::into_inner), "");
    }
}
