//! Follows when kai is looking at the cluster, and when it is not.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::snapshot::Period;

/// As many periods are kept that the store does not have: the newest. A time of which nothing is known is a gap.
pub(super) const PERIODS_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Looking {
    current: Option<Period>,
    /// What ended, and the store does not have yet.
    ended: Vec<Period>,
    /// Why what comes next cannot go on from what was.
    broken: Option<Box<str>>,
    gaps: u64,
}

impl Looking {
    /// The period that goes on.
    pub(super) fn current(&self) -> Option<&Period> {
        self.current.as_ref()
    }

    /// How often it was interrupted.
    pub(super) fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Everything was listed. It goes on from what was known when that is not longer ago than `reach`.
    pub(super) fn listed(&mut self, at: Timestamp, missing: Vec<Box<str>>, reach: Duration) {
        let reach = SignedDuration::try_from(reach).unwrap_or(SignedDuration::MAX);
        let goes_on = |current: &Period| self.broken.is_none() && at.duration_since(current.end) <= reach;
        if self.current.as_ref().is_some_and(goes_on) {
            self.seen(at, missing);
            return;
        }
        let reason = self.broken.take().unwrap_or_else(|| "the cluster had to be listed again".into());
        self.gaps += u64::from(self.current.is_some());
        self.end(reason);
        self.begin(at, missing);
    }

    /// What is known was true then.
    pub(super) fn seen(&mut self, at: Timestamp, missing: Vec<Box<str>>) {
        if self.broken.is_some() {
            return;
        }
        let Some(current) = &mut self.current else { return };
        current.end = current.end.max(at);
        if current.missing != missing {
            self.end("what could be read changed".into());
            self.begin(at, missing);
        }
    }

    /// What comes next does not go on from what was.
    pub(super) fn broke(&mut self, reason: &str) {
        self.broken.get_or_insert_with(|| reason.into());
    }

    pub(super) fn end(&mut self, reason: Box<str>) {
        if let Some(current) = self.current.take() {
            self.ended.push(Period { ended: Some(reason), ..current });
            self.bound();
        }
    }

    fn bound(&mut self) {
        self.ended.drain(..self.ended.len().saturating_sub(PERIODS_MAX));
    }

    /// Gives what the store is to have.
    pub(super) fn take(&mut self) -> Vec<Period> {
        std::mem::take(&mut self.ended).into_iter().chain(self.current.clone()).collect()
    }

    /// Takes back what the store could not take.
    pub(super) fn restore(&mut self, periods: Vec<Period>) {
        let ended = periods.into_iter().filter(|period| period.ended.is_some());
        let newer = std::mem::take(&mut self.ended);
        self.ended = ended.chain(newer).collect();
        self.bound();
    }

    /// What was noted is lost, and so is what was seen meanwhile: it goes on from the last moment that is known.
    pub(super) fn forget(&mut self) {
        self.ended.clear();
        if let Some(Period { end, missing, .. }) = self.current.take() {
            self.begin(end, missing);
        }
    }

    /// What ended and is not written yet.
    pub(super) fn ended(&self) -> &[Period] {
        &self.ended
    }

    fn begin(&mut self, at: Timestamp, missing: Vec<Box<str>>) {
        // Its start tells a period from others. A clock may be set back.
        let after = self.ended.last().map(|last| last.end + SignedDuration::from_millis(1));
        let start = after.map_or(at, |after| at.max(after));
        let start = Timestamp::from_millisecond(start.as_millisecond()).unwrap_or(start);
        self.current = Some(Period { start, end: start, missing, ended: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_cluster_that_comes_and_goes_for_months_fills_no_memory() {
        let mut looking = Looking::default();
        let breaks = |times: std::ops::Range<i64>, looking: &mut Looking| {
            for second in times {
                looking.broke("the API server was away");
                looking.listed(at(second), Vec::new(), Duration::from_mins(1));
            }
        };
        breaks(0..12_000, &mut looking);
        let taken = looking.take();
        assert_eq!(taken.len(), PERIODS_MAX + 1, "and the one that goes on");
        breaks(12_000..13_000, &mut looking);
        looking.restore(taken);
        let kept = looking.take();
        assert_eq!((kept.len(), kept.last().map(|last| last.start)), (PERIODS_MAX + 1, Some(at(12_999))));
    }

    #[test]
    fn a_clock_that_is_set_back_ends_no_period_before_it_began() {
        let mut looking = Looking::default();
        let reach = Duration::from_mins(1);
        looking.listed(at(10_000), Vec::new(), reach);
        looking.seen(at(10_050), Vec::new());
        // An hour back, and what could be read is less then.
        looking.seen(at(6_450), Vec::new());
        looking.seen(at(6_460), vec!["ops".into()]);
        looking.broke("the API server was away");
        looking.listed(at(6_500), Vec::new(), reach);
        let periods = looking.take();
        assert_eq!(periods.len(), 3, "{periods:?}");
        assert!(periods.iter().all(|period| period.start <= period.end), "{periods:?}");
        assert!(periods.windows(2).all(|pair| pair[0].end < pair[1].start), "{periods:?}");
    }
}
