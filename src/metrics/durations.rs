//! How long things took: a histogram of atomics. That of the library takes a lock, which a request out of the cache would
//! feel.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Durations {
    /// Upper bounds in seconds, ascending.
    bounds: &'static [f64],
    /// One for each bound, and one for what is longer than all.
    counts: Box<[AtomicU64]>,
    nanoseconds: AtomicU64,
}

/// Times as they are at one moment.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) count: u64,
    /// In seconds.
    pub(super) sum: f64,
    /// Upper bound in seconds, and how many are in the bucket alone.
    pub(super) buckets: Vec<(f64, u64)>,
}

impl Durations {
    pub(super) fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, nanoseconds: AtomicU64::new(0) }
    }

    pub(super) fn observe(&self, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64();
        let bucket = self.bounds.partition_point(|bound| *bound < seconds);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// The count is that of the buckets, whatever is recorded meanwhile.
    pub(super) fn observed(&self) -> Observed {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(self.counts.iter().map(|count| count.load(Ordering::Relaxed))).collect();
        Observed {
            count: buckets.iter().map(|(_, count)| count).sum(),
            sum: Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)).as_secs_f64(),
            buckets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nothing(0, [1, 0, 0])]
    #[case::on_the_bound(100, [1, 0, 0])]
    #[case::between(101, [0, 1, 0])]
    #[case::beyond_all(5_000, [0, 0, 1])]
    fn a_time_is_counted_below_the_first_bound_that_it_does_not_exceed(#[case] millis: u64, #[case] counts: [u64; 3]) {
        let durations = Durations::new(&[0.1, 1.0]);
        durations.observe(Duration::from_millis(millis));
        let Observed { count, sum, buckets } = durations.observed();
        assert_eq!(buckets, [(0.1, counts[0]), (1.0, counts[1]), (f64::INFINITY, counts[2])]);
        assert_eq!((count, sum), (1, Duration::from_millis(millis).as_secs_f64()));
    }
}
