//! The waits between tries of a call that failed.

use std::time::Duration;

use backon::ExponentialBuilder;

/// Doubling from `first` to `longest`, each with up to as much again at random, so that many clients do not come back
/// together. There is no last one: how often to try is the caller's to decide.
pub(crate) fn doubling(first: Duration, longest: Duration) -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(first.min(longest))
        .with_max_delay(longest)
        .without_max_times()
        .with_jitter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use backon::BackoffBuilder as _;

    #[test]
    fn waits_double_up_to_the_longest() {
        let (first, longest) = (Duration::from_millis(250), Duration::from_secs(4));
        let waits: Vec<_> = doubling(first, longest).build().take(7).collect();
        let least = [250, 500, 1_000, 2_000, 4_000, 4_000, 4_000].map(Duration::from_millis);
        for (wait, least) in waits.iter().zip(least) {
            assert!((least..=2 * least).contains(wait), "{waits:?}");
        }
        assert_eq!(waits.len(), 7);
    }
}
