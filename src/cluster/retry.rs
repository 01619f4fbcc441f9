//! What is asked for again, how often, and after how long.

use std::time::Duration;

use backon::ExponentialBuilder;

use super::failure::Failure;
use crate::remote::{Transport, doubling};

/// The longest wait that a server can ask for with `Retry-After`: beyond it the next poll is the better time.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How often a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryPolicy {
    /// Again, while that can help.
    WhileItHelps,
    /// Once: someone waits for the answer at a prompt.
    Never,
}

/// A quarter of a second, doubling to four.
pub(super) fn backoff() -> ExponentialBuilder {
    doubling(Duration::from_millis(250), Duration::from_secs(4))
}

impl RetryPolicy {
    /// How often a request that fails like this is sent at most; 1 when sending it again cannot help.
    pub(super) fn most_tries(self, failure: &Failure) -> usize {
        if self == Self::Never {
            return 1;
        }
        match failure {
            Failure::Rejected(rejection) if rejection.is_temporary() => 5,
            Failure::Transport(Transport::Broken(_)) => 5,
            // A wrong address should be reported soon; a server that restarts is back at the next poll.
            Failure::Transport(Transport::Unreachable(_)) => 3,
            // Each of these has already taken the whole deadline of a request.
            Failure::Timeout => 2,
            Failure::Rejected(_)
            | Failure::Transport(_)
            | Failure::Credentials(_)
            | Failure::NotKubernetes(_)
            | Failure::Malformed(_) => 1,
        }
    }
}

/// The wait before the next try: the server's own, up to a bound, when it names one.
pub(super) fn wait(failure: &Failure, backoff: Duration) -> Duration {
    match failure {
        Failure::Rejected(rejection) => rejection.retry_after.map_or(backoff, |asked| asked.min(LONGEST_WAIT)),
        _ => backoff,
    }
}

#[cfg(test)]
mod tests {
    use super::super::rejection::{Rejection, Source};
    use super::*;
    use http::StatusCode;
    use rstest::rstest;

    fn rejected(status: u16, source: Source, retry_after: Option<u64>) -> Failure {
        let status = StatusCode::from_u16(status).unwrap();
        Failure::Rejected(Rejection { status, source, retry_after: retry_after.map(Duration::from_secs) })
    }

    #[rstest]
    #[case(408, 5)]
    #[case(429, 5)]
    #[case(500, 5)]
    #[case(502, 5)]
    #[case(503, 5)]
    #[case(504, 5)]
    #[case(302, 1)]
    #[case(401, 1)]
    #[case(403, 1)]
    #[case(404, 1)]
    #[case(410, 1)]
    fn only_answers_that_may_change_are_asked_for_again_whatever_their_body(
        #[case] status: u16,
        #[case] tries: usize,
        #[values(Source::Kubernetes(String::new()), Source::Page("a page".to_owned()), Source::Text("x".to_owned()))]
        source: Source,
    ) {
        let failure = rejected(status, source, None);
        assert_eq!(RetryPolicy::WhileItHelps.most_tries(&failure), tries);
        assert_eq!(RetryPolicy::Never.most_tries(&failure), 1);
    }

    #[rstest]
    #[case::none(None, 250)]
    #[case::named(Some(2), 2_000)]
    #[case::at_once(Some(0), 0)]
    #[case::too_long(Some(3_600), 30_000)]
    fn the_servers_own_wait_counts_up_to_a_bound(#[case] retry_after: Option<u64>, #[case] millis: u64) {
        let failure = rejected(429, Source::Kubernetes(String::new()), retry_after);
        assert_eq!(wait(&failure, Duration::from_millis(250)), Duration::from_millis(millis));
    }
}
