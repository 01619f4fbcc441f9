//! What is asked for again, how often, and after how long.

use std::time::Duration;

use backon::ExponentialBuilder;

use super::request::Failure;
use crate::remote::Transport;

/// The longest wait that a server can ask for with `Retry-After`: beyond it the next poll is the better time.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How patient a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Asks again while that can help.
    Patient,
    /// Asks once: someone waits for the answer at a prompt.
    Hasty,
}

/// A quarter of a second, doubling to four, each with up to as much again at random so that many clients do not come
/// back together.
pub(super) fn backoff() -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(250))
        .with_max_delay(Duration::from_secs(4))
        .with_max_times(5)
        .with_jitter()
}

/// How often a request that fails like this is sent at most; 1 when sending it again cannot help.
pub(super) fn most_tries(failure: &Failure, patience: Patience) -> usize {
    if patience == Patience::Hasty {
        return 1;
    }
    match failure {
        Failure::Answer(answer) if answer.foreign.is_some() => 1,
        Failure::Answer(answer) if answer.status.as_u16() == 429 || answer.status.is_server_error() => 5,
        Failure::Transport(Transport::Broken(_)) => 5,
        // A wrong address should be told soon; a server that restarts is back at the next poll.
        Failure::Transport(Transport::Unreachable(_)) => 3,
        // Each of these has already taken the whole deadline of a request.
        Failure::Timeout => 2,
        Failure::Answer(_)
        | Failure::Transport(_)
        | Failure::Credentials(_)
        | Failure::NotKubernetes(_)
        | Failure::Malformed(_) => 1,
    }
}

/// The wait before the next try: the server's own when it names one.
pub(super) fn wait(failure: &Failure, backoff: Duration) -> Duration {
    match failure {
        Failure::Answer(answer) => answer.retry_after.map_or(backoff, |asked| asked.min(LONGEST_WAIT)),
        _ => backoff,
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::Answer;
    use super::*;
    use http::StatusCode;
    use rstest::rstest;

    fn answer(status: u16, retry_after: Option<u64>) -> Failure {
        Failure::Answer(Answer {
            status: StatusCode::from_u16(status).unwrap(),
            message: String::new(),
            retry_after: retry_after.map(Duration::from_secs),
            is_kubernetes: true,
            foreign: None,
        })
    }

    #[rstest]
    #[case(429, 5)]
    #[case(500, 5)]
    #[case(503, 5)]
    #[case(401, 1)]
    #[case(403, 1)]
    #[case(404, 1)]
    #[case(410, 1)]
    fn only_answers_that_may_change_are_asked_for_again(#[case] status: u16, #[case] tries: usize) {
        assert_eq!(most_tries(&answer(status, None), Patience::Patient), tries);
        assert_eq!(most_tries(&answer(status, None), Patience::Hasty), 1);
    }

    #[rstest]
    #[case::none(None, 250)]
    #[case::named(Some(2), 2_000)]
    #[case::at_once(Some(0), 0)]
    #[case::too_long(Some(3_600), 30_000)]
    fn the_servers_own_wait_counts_up_to_a_bound(#[case] retry_after: Option<u64>, #[case] millis: u64) {
        let waited = wait(&answer(429, retry_after), Duration::from_millis(250));
        assert_eq!(waited, Duration::from_millis(millis));
    }
}
