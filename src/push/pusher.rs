//! When reports are sent: once after a single run; in the service at every interval, or when something has changed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Client;
use super::delivery::{AT_ONCE, Delivery, End, Receiver};
use super::dry_run::DryRun;
use super::plan::{Plan, Report};
use super::quiet::Quiet;
use super::retry_policy::RetryPolicy;
use crate::config::{AnchoreSettings, AnchoreUser, PushWhen};
use crate::feed::{Latest, SnapshotReader};
use crate::health::{PushBoard, PushOutcome, PushRecord};
use crate::inventory::{ReportPolicy, excerpt};
use crate::metrics::Metrics;
use crate::snapshot::{ContentHash, Snapshot};

/// Sends what a cluster runs to Anchore Enterprise.
pub(crate) struct Pusher<R = Client> {
    delivery: Arc<Delivery<R>>,
    /// From the start of one push to the start of the next.
    interval: Duration,
}

/// Why a push of a single run did not reach everybody. What happened to whom is in the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PushError {
    #[error("nothing was pushed: {0}")]
    Withheld(String),
    #[error("the inventory of {failed} of {accounts} accounts was not pushed; the log has the reasons")]
    Failed {
        /// Accounts that did not get theirs.
        failed: usize,
        /// All accounts.
        accounts: usize,
    },
    /// Namespaces have no account.
    #[error("{0} namespaces were pushed to no account; the log has the reasons")]
    Unclear(usize),
}

/// A report on its way to the account's worker.
#[derive(Debug)]
struct Job {
    report: Report,
    content: ContentHash,
    /// It is sent only when the account's last accepted report had other content.
    only_if_changed: bool,
}

type Jobs = watch::Sender<Option<Arc<Job>>>;

impl Pusher<Client> {
    /// A pusher to that receiver; nothing is sent yet. How it goes is recorded on `board` and
    /// counted in `metrics`.
    #[must_use]
    pub(crate) fn new(
        client: Client,
        default_user: AnchoreUser,
        settings: Arc<AnchoreSettings>,
        policy: ReportPolicy,
        board: PushBoard,
        metrics: Metrics,
        interval: Duration,
    ) -> Self {
        Self::to(Delivery::new(client, default_user, settings, policy, board, metrics), interval)
    }
}

impl<R: Receiver> Pusher<R> {
    pub(super) fn to(delivery: Delivery<R>, interval: Duration) -> Self {
        Self { delivery: Arc::new(delivery), interval }
    }

    /// What a push of a snapshot would send.
    #[must_use]
    pub(crate) fn dry_run(&self, snapshot: &Arc<Snapshot>) -> DryRun<R> {
        DryRun::new(Arc::clone(&self.delivery), Plan::of(&Latest::from(snapshot), &self.delivery.settings))
    }

    /// Sends one snapshot, and again for up to a minute where that can help.
    ///
    /// # Errors
    /// Not everybody got everything.
    pub(crate) async fn push_once(&self, snapshot: &Arc<Snapshot>) -> Result<(), PushError> {
        let plan = Plan::of(&Latest::from(snapshot), &self.delivery.settings);
        let unclear = self.log_unclear(&plan);
        if let Some(reason) = &plan.withheld {
            // The error that ends the run has the reason; it is not logged too.
            self.record_withheld(&plan, reason);
            return Err(PushError::Withheld(reason.clone()));
        }
        let ends: Vec<End> = stream::iter(plan.reports(&self.delivery.settings))
            .map(|report| async move { self.delivery.deliver(&report, &mut RetryPolicy::<()>::of_run()).await })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let failed = ends.iter().filter(|end| **end != End::Delivered).count();
        match (failed, unclear) {
            (0, 0) => Ok(()),
            (0, unclear) => Err(PushError::Unclear(unclear)),
            (failed, _) => Err(PushError::Failed { failed, accounts: ends.len() }),
        }
    }

    /// Sends what `reader` gives until `stop`; a report that is being sent then is finished.
    ///
    /// # Errors
    /// A worker ended that should not.
    pub(crate) async fn run(self, mut reader: SnapshotReader, stop: CancellationToken) -> Result<(), String> {
        let mut workers = Workers { jobs: HashMap::new(), tasks: JoinSet::new() };
        let when = self.delivery.settings.push_when;
        let ended = 'work: {
            let Some(mut ticks) = self.first(&mut reader, &stop).await else { break 'work Ok(()) };
            let (mut has_begun, mut pushed) = (false, None);
            let mut quiet = Quiet::new(self.delivery.settings.push_min_interval);
            loop {
                let only_if_changed = tokio::select! {
                    () = stop.cancelled() => break Ok(()),
                    Some(end) = workers.tasks.join_next() => match end {
                        // Nothing goes to its account any more.
                        Ok(()) => continue,
                        Err(error) => break Err(format!("the worker of an account ended: {error}")),
                    },
                    _ = ticks.tick(), if when != PushWhen::Change || !has_begun => false,
                    snapshot = reader.next(), if when != PushWhen::Interval && has_begun => {
                        if snapshot.is_none() {
                            break Ok(());
                        }
                        quiet.changed(Instant::now());
                        continue;
                    }
                    () = sleep_until(quiet.due().unwrap_or_else(Instant::now)), if quiet.due().is_some() => true,
                };
                let Some(latest) = reader.latest() else { continue };
                has_begun = true;
                // What was seen once more since is sent again: the receiver learns that it is true still.
                let seen = (latest.snapshot.generation(), latest.observed_at);
                if pushed == Some(seen) && !latest.is_watched {
                    tracing::debug!(observed_at = %latest.observed_at, "nothing was read since the last push");
                    continue;
                }
                let is_sent = self.plan(&latest, only_if_changed, &mut workers, &stop);
                quiet.settle(is_sent.then(Instant::now));
                if is_sent {
                    pushed = Some(seen);
                }
            }
        };
        workers.jobs.clear();
        while workers.tasks.join_next().await.is_some() {}
        ended
    }

    /// Waits for the moment of the first push and gives the clock of all; `None` when stopped before.
    async fn first(&self, reader: &mut SnapshotReader, stop: &CancellationToken) -> Option<Interval> {
        let begun = Instant::now();
        let snapshot = tokio::select! {
            snapshot = reader.next() => snapshot?,
            () = stop.cancelled() => return None,
        };
        let wait = spread(snapshot.cluster_name(), self.interval);
        if wait > Duration::from_secs(1) {
            let wait = wait.saturating_sub(begun.elapsed()).as_secs();
            tracing::info!("the first push is in {wait} s, so that not all clusters report in the same second");
        }
        let mut ticks = interval_at(begun + wait, self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Some(ticks)
    }

    /// Gives each account's worker its report, unless the whole is withheld.
    fn plan(&self, latest: &Latest, only_if_changed: bool, workers: &mut Workers, stop: &CancellationToken) -> bool {
        let plan = Plan::of(latest, &self.delivery.settings);
        self.log_unclear(&plan);
        if let Some(reason) = &plan.withheld {
            tracing::error!(generation = plan.snapshot.generation(), "nothing is pushed: {reason}");
            self.record_withheld(&plan, reason);
            return false;
        }
        let reports: Vec<Report> = plan.reports(&self.delivery.settings).collect();
        let is_wanted = |account: &str| reports.iter().any(|report| *report.account == *account);
        self.delivery.board.retain(|account| account.is_none_or(is_wanted));
        self.delivery.metrics.push().retain(|account| account.is_none_or(is_wanted));
        // A worker without an account ends; its last report was of namespaces that belong to others now.
        workers.jobs.retain(|account, _| is_wanted(account));
        for report in reports {
            let account = Arc::clone(&report.account);
            let content = self.delivery.request(&report, self.delivery.first_version()).content_hash();
            let job = Arc::new(Job { report, content, only_if_changed });
            let jobs = workers.jobs.entry(account).or_insert_with(|| {
                let (jobs, newest) = watch::channel(None);
                workers.tasks.spawn(work(Arc::clone(&self.delivery), newest, stop.clone(), self.interval));
                jobs
            });
            jobs.send_replace(Some(job));
        }
        true
    }

    /// Notes that nothing is sent, and why.
    fn record_withheld(&self, plan: &Plan, reason: &str) {
        for report in plan.reports(&self.delivery.settings) {
            let record = self.not_sent(plan, &report.account, reason.to_owned());
            self.delivery.board.record(Some(&report.account), record, None);
            self.delivery.metrics.push().withheld(Some(&report.account));
        }
    }

    /// Logs which namespaces go nowhere, and how many these are.
    fn log_unclear(&self, plan: &Plan) -> usize {
        let unclear: Vec<String> =
            plan.routing.unclear().map(|(namespace, reason)| format!("{}: {reason}", excerpt(namespace))).collect();
        for line in &unclear {
            tracing::error!(generation = plan.snapshot.generation(), "pushed to no account: namespace {line}");
        }
        if unclear.is_empty() {
            self.delivery.board.retain(|account| account.is_some());
        } else {
            let nobody: Arc<str> = "".into();
            let record = self.not_sent(plan, &nobody, unclear.join("; "));
            self.delivery.board.record(None, record, None);
            self.delivery.metrics.push().withheld(None);
        }
        unclear.len()
    }

    fn not_sent(&self, plan: &Plan, account: &Arc<str>, detail: String) -> PushRecord {
        PushRecord {
            at: Timestamp::now(),
            generation: plan.snapshot.generation(),
            observed_at: plan.observed_at,
            user: self.delivery.sender(account).user.as_str().into(),
            payloads: Vec::new(),
            containers: 0,
            bytes: 0,
            outcome: PushOutcome::Withheld,
            detail,
        }
    }
}

/// One task for each account, so that none waits for another.
struct Workers {
    jobs: HashMap<Arc<str>, Jobs>,
    tasks: JoinSet<()>,
}

/// Delivers the newest report of one account until nothing more can come or the service stops.
async fn work<R: Receiver>(
    delivery: Arc<Delivery<R>>,
    mut newest: watch::Receiver<Option<Arc<Job>>>,
    stop: CancellationToken,
    interval: Duration,
) {
    let mut accepted = None;
    loop {
        tokio::select! {
            changed = newest.changed() => if changed.is_err() { break },
            () = stop.cancelled() => break,
        }
        let Some(job) = newest.borrow_and_update().clone() else { continue };
        if job.only_if_changed && accepted == Some(job.content) {
            continue;
        }
        let mut retry = RetryPolicy::of_service(&mut newest, &stop, interval);
        match delivery.deliver(&job.report, &mut retry).await {
            End::Delivered => accepted = Some(job.content),
            End::Failed | End::Replaced => {}
        }
    }
}

/// When in the interval a cluster reports: the same in every process, another one in every cluster.
fn spread(cluster_name: &str, interval: Duration) -> Duration {
    let hash = Sha256::digest(cluster_name);
    let share = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    interval.mul_f64(f64::from(share) / f64::from(u32::MAX))
}
