//! How long a delivery is tried again: a single run so often, the service until there is something newer.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::remote::doubling;

/// The first wait; doubled after each further failure.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait, whatever is asked for.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// How often a single run sends a payload at most.
const TRIES: u32 = 3;
/// When a single run begins no further try.
const RUN_LIMIT: Duration = Duration::from_mins(1);

/// When to try again, and when no more.
pub(super) struct RetryPolicy<'p, T> {
    waits: ExponentialBackoff,
    ends: Ends<'p, T>,
}

enum Ends<'p, T> {
    /// After so many tries, or so long.
    Run { tries: u32, until: Instant },
    /// When something newer is there, or the service stops.
    Service { newest: &'p mut watch::Receiver<T>, stop: &'p CancellationToken, longest: Duration },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Again,
    Enough,
    /// The next try would come later than a single run waits.
    TooLate,
    /// Something newer takes its place.
    Replaced,
    Stopped,
}

impl<'p, T> RetryPolicy<'p, T> {
    /// For a single run that begins now.
    pub(super) fn of_run() -> Self {
        Self { waits: waits(LONGEST_WAIT), ends: Ends::Run { tries: TRIES, until: Instant::now() + RUN_LIMIT } }
    }

    /// For a service that has something newer at every `interval`.
    pub(super) fn of_service(
        newest: &'p mut watch::Receiver<T>,
        stop: &'p CancellationToken,
        interval: Duration,
    ) -> Self {
        let longest = LONGEST_WAIT.min(interval);
        Self { waits: waits(longest), ends: Ends::Service { newest, stop, longest } }
    }

    /// Something arrived: the next failure is a first one.
    pub(super) fn succeeded(&mut self) {
        match &mut self.ends {
            Ends::Run { tries, .. } => {
                *tries = TRIES;
                self.waits = waits(LONGEST_WAIT);
            }
            Ends::Service { longest, .. } => self.waits = waits(*longest),
        }
    }

    /// How long to wait after a failure; `asked` is the receiver's own wish, which counts up to a bound. An error means
    /// that there is no further try.
    pub(super) fn next_wait(&mut self, asked: Option<Duration>) -> Result<Duration, Verdict> {
        let backoff = self.waits.next().unwrap_or(LONGEST_WAIT);
        let wait = asked.map_or(backoff, |asked| asked.max(Duration::from_millis(100)));
        match &mut self.ends {
            Ends::Run { tries, until } => {
                *tries = tries.saturating_sub(1);
                let wait = wait.min(LONGEST_WAIT);
                if *tries == 0 {
                    Err(Verdict::Enough)
                } else if Instant::now() + wait > *until {
                    Err(Verdict::TooLate)
                } else {
                    Ok(wait)
                }
            }
            Ends::Service { stop, .. } if stop.is_cancelled() => Err(Verdict::Stopped),
            Ends::Service { longest, .. } => Ok(wait.min(*longest)),
        }
    }

    /// Waits, unless there is no more reason to.
    pub(super) async fn wait(&mut self, wait: Duration) -> Verdict {
        match &mut self.ends {
            Ends::Run { .. } => {
                tokio::time::sleep(wait).await;
                Verdict::Again
            }
            Ends::Service { newest, stop, .. } => {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => Verdict::Stopped,
                    changed = newest.changed() => {
                        // Seen here, and taken by whoever waits for what is new.
                        newest.mark_changed();
                        if changed.is_ok() { Verdict::Replaced } else { Verdict::Stopped }
                    }
                    () = tokio::time::sleep(wait) => Verdict::Again,
                }
            }
        }
    }
}

fn waits(longest: Duration) -> ExponentialBackoff {
    doubling(FIRST_WAIT, longest).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_run_tries_three_times_and_waits_as_asked() {
        let mut retry: RetryPolicy<'_, ()> = RetryPolicy::of_run();
        let first = retry.next_wait(None).expect("another try");
        assert!((FIRST_WAIT..=2 * FIRST_WAIT).contains(&first), "{first:?}");
        assert_eq!(retry.next_wait(Some(Duration::from_secs(7))), Ok(Duration::from_secs(7)));
        assert_eq!(retry.next_wait(None), Err(Verdict::Enough));
        retry.succeeded();
        assert!(retry.next_wait(None).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_does_not_wait_beyond_a_minute() {
        let mut retry: RetryPolicy<'_, ()> = RetryPolicy::of_run();
        tokio::time::advance(Duration::from_secs(50)).await;
        assert_eq!(retry.next_wait(Some(Duration::from_secs(11))), Err(Verdict::TooLate));
    }

    #[tokio::test(start_paused = true)]
    async fn the_service_waits_until_there_is_something_newer() {
        let (sender, mut receiver) = watch::channel(0);
        let stop = CancellationToken::new();
        let mut retry = RetryPolicy::of_service(&mut receiver, &stop, Duration::from_secs(30));
        for _ in 0..20 {
            assert!(retry.next_wait(None).expect("another try") <= Duration::from_secs(30));
        }
        assert_eq!(retry.next_wait(Some(Duration::from_hours(1))), Ok(Duration::from_secs(30)), "a bounded wish");
        assert_eq!(retry.wait(Duration::from_secs(1)).await, Verdict::Again);
        sender.send_replace(1);
        assert_eq!(retry.wait(Duration::from_secs(1)).await, Verdict::Replaced);
        assert!(receiver.has_changed().expect("a sender"), "what replaced it is still to be taken");
        let mut retry = RetryPolicy::of_service(&mut receiver, &stop, Duration::from_secs(30));
        stop.cancel();
        assert_eq!(retry.wait(Duration::from_secs(1)).await, Verdict::Stopped);
        assert_eq!(retry.next_wait(None), Err(Verdict::Stopped));
    }
}
