//! Reports to Anchore Enterprise, by account. Accounts may come from labels of namespaces, which anyone may write: what is
//! counted for one is dropped with it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::durations::Durations;
use super::families::Families;
use crate::health::{AccountPush, PushOutcome};
use crate::inventory::escape_controls;

/// Seconds: a small report is taken at once; one that waits for another try may take until the next report.
const BOUNDS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0];

/// What every attempt to push came to.
#[derive(Debug)]
pub struct PushMetrics {
    accounts: Mutex<BTreeMap<Option<Arc<str>>, AccountMetrics>>,
    durations: Durations,
}

#[derive(Debug, Clone, Default)]
struct AccountMetrics {
    attempts: BTreeMap<&'static str, u64>,
    withheld: u64,
    bytes: u64,
}

impl Default for PushMetrics {
    fn default() -> Self {
        Self { accounts: Mutex::default(), durations: Durations::new(BOUNDS) }
    }
}

impl PushMetrics {
    /// A payload of so many bytes (before compression) was taken.
    pub fn accepted(&self, account: &Arc<str>, bytes: u64) {
        let mut accounts = self.accounts();
        let counts = accounts.entry(Some(Arc::clone(account))).or_default();
        *counts.attempts.entry("accepted").or_default() += 1;
        counts.bytes += bytes;
    }

    /// A payload was not taken. `outcome` is one of few words for the reason.
    pub fn refused(&self, account: &Arc<str>, outcome: &'static str) {
        let mut accounts = self.accounts();
        *accounts.entry(Some(Arc::clone(account))).or_default().attempts.entry(outcome).or_default() += 1;
    }

    /// A report was not sent at all. Without an account: namespaces have none that is right.
    pub fn withheld(&self, account: Option<&Arc<str>>) {
        self.accounts().entry(account.cloned()).or_default().withheld += 1;
    }

    /// The delivery of a report has ended, well or not, so long after it began.
    pub fn ended(&self, elapsed: Duration) {
        self.durations.observe(elapsed);
    }

    /// Forgets accounts that nothing goes to any more.
    pub fn retain(&self, is_wanted: impl Fn(Option<&str>) -> bool) {
        self.accounts().retain(|account, _| is_wanted(account.as_deref()));
    }

    fn accounts(&self) -> MutexGuard<'_, BTreeMap<Option<Arc<str>>, AccountMetrics>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `board`: how it stands with each account.
    pub(super) fn write(&self, families: &mut Families<'_>, board: &[AccountPush]) -> fmt::Result {
        let counted: Vec<(String, AccountMetrics)> =
            self.accounts().iter().map(|(account, counts)| (label(account.as_ref()), counts.clone())).collect();
        families.counters(
            "kai_push_attempts",
            "Payloads sent to Anchore Enterprise, by account and outcome.",
            counted.iter().flat_map(|(account, counts)| {
                let attempts = counts.attempts.iter();
                attempts.map(move |(outcome, count)| ([("account", &**account), ("outcome", outcome)], *count))
            }),
        )?;
        families.counters(
            "kai_push_withheld",
            "Reports that were not sent because they are incomplete; empty account: namespaces without an account.",
            counted.iter().map(|(account, counts)| ([("account", &**account)], counts.withheld)),
        )?;
        families.counters(
            "kai_push_bytes",
            "Bytes that Anchore Enterprise accepted, before compression.",
            counted.iter().map(|(account, counts)| ([("account", &**account)], counts.bytes)),
        )?;
        families.histogram(
            "kai_push_duration_seconds",
            "Duration of sending a report, including retries.",
            &self.durations,
        )?;
        let accounts: Vec<(String, &AccountPush)> =
            board.iter().map(|push| (label(push.account.as_ref()), push)).collect();
        families.gauges(
            "kai_push_last_success_timestamp_seconds",
            "Time at which a report was last accepted; absent when none was.",
            accounts.iter().filter_map(|(account, push)| {
                Some(([("account", &**account)], push.last_accepted_at?.as_duration().as_secs_f64()))
            }),
        )?;
        families.gauges(
            "kai_push_last_outcome",
            "Outcome of the newest report: 1 for this outcome, 0 for the others.",
            accounts.iter().flat_map(|(account, push)| {
                PushOutcome::ALL.into_iter().map(move |outcome| {
                    let labels = [("account", &**account), ("outcome", outcome.as_str())];
                    (labels, u32::from(push.last.outcome == outcome))
                })
            }),
        )
    }
}

/// An empty label is none: that of the namespaces that go to no account.
fn label(account: Option<&Arc<str>>) -> String {
    account.map_or_else(String::new, |account| escape_controls(account).into_owned())
}
