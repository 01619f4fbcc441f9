//! How long a watcher waits before it tries again.

use std::time::{Duration, Instant};

/// The first wait is at most so long; each later one at most twice as long as the one before.
const FIRST: Duration = Duration::from_millis(800);
/// No wait is longer, whatever a server asks for.
const LONGEST: Duration = Duration::from_secs(30);
/// After so long without a wait the next one is a first one.
const RESET: Duration = Duration::from_mins(2);

/// Doubling waits with full jitter: clients that failed together do not come again together.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    doublings: u32,
    last: Option<Instant>,
}

impl Backoff {
    /// The next wait; a server that asked for one gets that, and a little jitter. `draw` is from 0 to 1.
    pub(super) fn wait(&mut self, asked: Option<Duration>, now: Instant, draw: f64) -> Duration {
        if self.last.is_some_and(|last| now.duration_since(last) > RESET) {
            self.doublings = 0;
        }
        self.last = Some(now);
        let most = FIRST.saturating_mul(2_u32.saturating_pow(self.doublings)).min(LONGEST);
        self.doublings = self.doublings.saturating_add(1);
        match asked {
            Some(asked) => asked.min(LONGEST) + FIRST.mul_f64(draw),
            None => most.mul_f64(draw),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_begin_again_after_a_while() {
        let (mut backoff, mut now) = (Backoff::default(), Instant::now());
        let mut wait = |after: u64, draw: f64| {
            now += Duration::from_secs(after);
            backoff.wait(None, now, draw).as_millis()
        };
        let waits: Vec<u128> = (0..8).map(|_| wait(30, 1.0)).collect();
        assert_eq!(waits, [800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
        assert_eq!((wait(1, 0.0), wait(1, 0.5)), (0, 15_000));
        assert_eq!((wait(121, 1.0), wait(120, 1.0)), (800, 1_600));
    }

    #[test]
    fn a_server_may_ask_for_a_wait_up_to_a_bound() {
        let now = Instant::now();
        let wait = |asked: u64, draw: f64| Backoff::default().wait(Some(Duration::from_secs(asked)), now, draw);
        assert_eq!(wait(7, 0.0), Duration::from_secs(7));
        assert_eq!(wait(7, 0.5), Duration::from_millis(7_400));
        assert_eq!(wait(3_600, 1.0), Duration::from_millis(30_800));
    }
}
