//! When what changed is sent: after a quiet while, not too often, and never put off for ever.

use std::time::Duration;

use tokio::time::Instant;

/// Nothing may change for so long before what changed is sent.
const QUIET: Duration = Duration::from_secs(5);

/// The changes since the last push.
#[derive(Debug)]
pub(super) struct Quiet {
    /// From one push to the next, and the longest that changes which never rest put one off.
    min_interval: Duration,
    /// The first and the last change that no push has had.
    changes: Option<(Instant, Instant)>,
    pushed: Option<Instant>,
}

impl Quiet {
    pub(super) fn new(min_interval: Duration) -> Self {
        Self { min_interval, changes: None, pushed: None }
    }

    /// Something has changed.
    pub(super) fn changed(&mut self, now: Instant) {
        let (first, _) = self.changes.unwrap_or((now, now));
        self.changes = Some((first, now));
    }

    /// What has changed was sent, or is withheld until it changes again.
    pub(super) fn settle(&mut self, pushed: Option<Instant>) {
        self.changes = None;
        self.pushed = pushed.or(self.pushed);
    }

    /// When it is to be sent; `None`: nothing has changed.
    pub(super) fn due(&self) -> Option<Instant> {
        let (first, last) = self.changes?;
        let due = (last + QUIET).min(first + self.min_interval.max(QUIET));
        Some(self.pushed.map_or(due, |pushed| due.max(pushed + self.min_interval)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_sent_when_they_rest_and_at_the_latest_after_the_least_interval() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut quiet = Quiet::new(Duration::from_mins(1));
        assert_eq!(quiet.due(), None);
        quiet.changed(at(10));
        assert_eq!(quiet.due(), Some(at(15)));
        quiet.changed(at(14));
        assert_eq!(quiet.due(), Some(at(19)), "it has not rested");
        (15..100).for_each(|second| quiet.changed(at(second)));
        assert_eq!(quiet.due(), Some(at(70)), "it never rests");
        quiet.settle(Some(at(70)));
        assert_eq!(quiet.due(), None);
        quiet.changed(at(71));
        assert_eq!(quiet.due(), Some(at(130)), "not so soon again");
        quiet.settle(None);
        quiet.changed(at(200));
        assert_eq!(quiet.due(), Some(at(205)), "what was withheld was not sent");
    }
}
