//! How the pushes go, account by account: written by those who push, read by the probes and by the report of health to the
//! receiver.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

/// The last push of every account. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct PushBoard(Arc<Mutex<BTreeMap<Option<Arc<str>>, AccountPush>>>);

/// How it goes with one account.
#[derive(Debug, Clone)]
pub struct AccountPush {
    /// The account; `None` for the namespaces that go to none although they should.
    pub account: Option<Arc<str>>,
    pub last: PushRecord,
    /// When a report was last accepted.
    pub last_accepted_at: Option<Timestamp>,
    /// When the newest report is tried again, while it is waiting for that.
    pub next_try_at: Option<Timestamp>,
}

/// What became of one report.
#[derive(Debug, Clone)]
pub struct PushRecord {
    /// When that was known.
    pub at: Timestamp,
    /// Generation of the snapshot that it reports.
    pub generation: u64,
    /// When the cluster was like that.
    pub observed_at: Timestamp,
    pub user: Arc<str>,
    /// The payloads that were sent, in their order.
    pub payloads: Vec<SentPayload>,
    /// Containers in the payloads that were accepted.
    pub containers: u64,
    /// Bytes of the payloads that were accepted, before compression.
    pub bytes: u64,
    pub outcome: PushOutcome,
    /// The same in words; foreign values in it are fit for a message.
    pub detail: String,
}

/// One request with a part of a report, or all of it.
#[derive(Debug, Clone)]
pub struct SentPayload {
    pub at: Timestamp,
    /// Why it was not accepted.
    pub error: Option<String>,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PushOutcome {
    Accepted,
    /// The receiver does not know the account, and the default account has it.
    Rerouted,
    /// It was not accepted, and is tried again.
    Waiting,
    /// It was not accepted, and the next report takes its place.
    Failed,
    /// It was not sent, since something is missing in it.
    Withheld,
}

impl PushOutcome {
    pub const ALL: [Self; 5] = [Self::Accepted, Self::Rerouted, Self::Waiting, Self::Failed, Self::Withheld];

    /// A word for it, as answers and logs have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rerouted => "rerouted",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Withheld => "withheld",
        }
    }

    /// Whether the receiver has the report.
    #[must_use]
    pub fn is_delivered(self) -> bool {
        matches!(self, Self::Accepted | Self::Rerouted)
    }
}

impl PushBoard {
    /// Notes what became of the newest report of an account.
    pub fn record(&self, account: Option<&Arc<str>>, last: PushRecord, next_try_at: Option<Timestamp>) {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = account.cloned();
        let before = accounts.get(&key).and_then(|push| push.last_accepted_at);
        let last_accepted_at = if last.outcome.is_delivered() { Some(last.at) } else { before };
        accounts.insert(key.clone(), AccountPush { account: key, last, last_accepted_at, next_try_at });
    }

    /// Forgets accounts that nothing goes to any more.
    pub fn retain(&self, is_wanted: impl Fn(Option<&str>) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|account, _| is_wanted(account.as_deref()));
    }

    /// Every account with an outcome, sorted by name.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountPush> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(second: i64, outcome: PushOutcome) -> PushRecord {
        let at = Timestamp::from_second(second).expect("a time");
        let (payloads, detail) = (Vec::new(), String::new());
        PushRecord {
            at,
            generation: 1,
            observed_at: at,
            user: "me".into(),
            payloads,
            containers: 0,
            bytes: 0,
            outcome,
            detail,
        }
    }

    #[test]
    fn a_failure_leaves_the_time_of_the_last_success() {
        let (board, account) = (PushBoard::default(), Arc::from("team"));
        board.record(Some(&account), record(1, PushOutcome::Rerouted), None);
        board.record(Some(&account), record(2, PushOutcome::Failed), None);
        let [push] = board.accounts().try_into().expect("one account");
        assert_eq!(push.last_accepted_at.map(Timestamp::as_second), Some(1));
        assert_eq!(push.last.outcome, PushOutcome::Failed);
        board.retain(|account| account.is_none());
        assert!(board.accounts().is_empty());
    }
}
