//! One report to one account: payload after payload, over the interface that the receiver takes, again while that can help,
//! and to the default account after the one answer that means that the account does not exist.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::api_version::{Advertised, ApiVersion, ApiVersions, Missing, VERSION};
use super::plan::Report;
use super::retry_policy::{RetryPolicy, Verdict};
use super::{Answer, Body, Client, Failure, Sender};
use crate::config::{AnchoreSettings, AnchoreUser};
use crate::health::{PushBoard, PushOutcome, PushRecord, SentPayload};
use crate::inventory::{ReportPolicy, excerpt};
use crate::metrics::Metrics;
use crate::views::{Payload, PayloadLimits, PayloadRequest};

/// Where payloads go: the receiver, or what stands for it in a test.
pub trait Receiver: Send + Sync + 'static {
    /// Sends a body to a path below the receiver's URL.
    fn post(&self, path: &str, sender: &Sender, body: Body) -> impl Future<Output = Result<Answer, Failure>> + Send;

    /// Asks for a path below the receiver's URL.
    fn get(&self, path: &str, sender: &Sender) -> impl Future<Output = Result<Answer, Failure>> + Send;

    /// The whole URL of a path, for messages.
    fn url(&self, path: &str) -> String;
}

impl Receiver for Client {
    async fn post(&self, path: &str, sender: &Sender, body: Body) -> Result<Answer, Failure> {
        Self::post(self, path, sender, body).await
    }

    async fn get(&self, path: &str, sender: &Sender) -> Result<Answer, Failure> {
        Self::get(self, path, Some(sender)).await
    }

    fn url(&self, path: &str) -> String {
        Self::url(self, path)
    }
}

/// As many requests are under way at once.
pub(super) const AT_ONCE: usize = 16;

/// Brings reports to one receiver.
pub(super) struct Delivery<R> {
    pub(super) receiver: R,
    pub(super) settings: Arc<AnchoreSettings>,
    pub(super) board: PushBoard,
    pub(super) metrics: Metrics,
    default_user: AnchoreUser,
    versions: ApiVersions,
    policy: ReportPolicy,
    slots: Semaphore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The receiver has all of it.
    Delivered,
    Failed,
    Replaced,
}

/// Why a report was not delivered.
enum Undelivered {
    /// For good, or for now.
    Failed(String),
    Replaced(String),
}

/// Why a payload was not taken.
enum NotTaken {
    /// The interface is not there; another one is to be tried.
    OtherVersion(ApiVersion),
    /// There is no use in trying again.
    Gone(Undelivered),
}

/// What a 404 leads to.
enum Step {
    To(ApiVersion),
    /// The question which one could not be answered now.
    Later(Failure),
    Nowhere(String),
}

/// What has become of a report so far.
struct Progress<'r> {
    report: &'r Report,
    sender: Sender,
    is_rerouted: bool,
    version: ApiVersion,
    missing: Missing,
    payloads: Vec<SentPayload>,
    containers: u64,
    bytes: u64,
}

impl<R: Receiver> Delivery<R> {
    pub(super) fn new(
        receiver: R,
        default_user: AnchoreUser,
        settings: Arc<AnchoreSettings>,
        policy: ReportPolicy,
        board: PushBoard,
        metrics: Metrics,
    ) -> Self {
        let (versions, slots) = (ApiVersions::new(settings.api), Semaphore::new(AT_ONCE));
        Self { receiver, settings, board, metrics, default_user, versions, policy, slots }
    }

    /// Delivers a report, and records on the board and in the log what became of it.
    pub(super) async fn deliver<T: Send + Sync>(&self, report: &Report, retry: &mut RetryPolicy<'_, T>) -> End {
        let begun = tokio::time::Instant::now();
        let mut progress = Progress {
            report,
            sender: self.sender(&report.account),
            is_rerouted: false,
            version: self.versions.current(),
            missing: Missing::default(),
            payloads: Vec::new(),
            containers: 0,
            bytes: 0,
        };
        let result = self.send_all(&mut progress, retry).await;
        self.metrics.push().ended(begun.elapsed());
        let account = excerpt(&report.account);
        let generation = report.snapshot.generation();
        match result {
            Ok(()) => {
                let Progress { is_rerouted, version, containers, bytes, ref payloads, .. } = progress;
                let namespaces = report.namespaces.len();
                let payloads = payloads.iter().filter(|payload| payload.error.is_none()).count();
                tracing::info!(
                    %account,
                    generation,
                    namespaces,
                    containers,
                    payloads,
                    bytes,
                    rerouted = is_rerouted,
                    path = version.path(),
                    elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
                    "inventory pushed"
                );
                let outcome = if is_rerouted { PushOutcome::Rerouted } else { PushOutcome::Accepted };
                let detail = format!("{namespaces} namespaces in {payloads} payloads, POST {}", version.path());
                self.board.record(Some(&report.account), progress.record(outcome, detail), None);
                End::Delivered
            }
            Err(Undelivered::Failed(reason)) => {
                tracing::error!(%account, generation, "the inventory was not pushed: {reason}");
                self.board.record(Some(&report.account), progress.record(PushOutcome::Failed, reason), None);
                End::Failed
            }
            Err(Undelivered::Replaced(reason)) => {
                tracing::warn!(%account, generation, "the inventory was not pushed, a newer one replaces it: {reason}");
                self.board.record(Some(&report.account), progress.record(PushOutcome::Failed, reason), None);
                End::Replaced
            }
        }
    }

    /// Who sends for an account, with credentials of its own or the default's.
    pub(super) fn sender(&self, account: &Arc<str>) -> Sender {
        let AnchoreUser { user, password } = self.settings.credentials(account).unwrap_or(&self.default_user).clone();
        Sender { user, password, account: Some(Arc::clone(account)) }
    }

    async fn send_all<T: Send + Sync>(
        &self,
        progress: &mut Progress<'_>,
        retry: &mut RetryPolicy<'_, T>,
    ) -> Result<(), Undelivered> {
        'report: loop {
            let form = progress.version.form();
            let request = self.request(progress.report, progress.version);
            let mut payloads = off_the_workers(move || request.payloads()).await?;
            loop {
                let planned = off_the_workers(move || {
                    let payload = payloads.next();
                    (payloads, payload)
                });
                let payload;
                (payloads, payload) = planned.await?;
                let Some(payload) = payload else { return Ok(()) };
                let Payload { body, containers, .. } = payload;
                let body = Body::from(body);
                loop {
                    match self.send(body.clone(), progress, retry).await {
                        Ok(()) => break,
                        Err(NotTaken::OtherVersion(version)) => {
                            progress.version = version;
                            if version.form() != form {
                                progress.begin_again();
                                continue 'report;
                            }
                        }
                        Err(NotTaken::Gone(undelivered)) => return Err(undelivered),
                    }
                }
                progress.containers += containers as u64;
                progress.bytes += body.length();
            }
        }
    }

    /// The interface that a first push goes to.
    pub(super) fn first_version(&self) -> ApiVersion {
        self.versions.current()
    }

    /// What a report is to be sent as.
    pub(super) fn request(&self, report: &Report, version: ApiVersion) -> PayloadRequest {
        PayloadRequest {
            snapshot: Arc::clone(&report.snapshot),
            timestamp: report.observed_at,
            namespaces: report.namespaces.to_vec(),
            policy: self.policy.clone(),
            form: version.form(),
            limits: PayloadLimits {
                namespaces: self.settings.namespaces_per_report,
                bytes: self.settings.payload_threshold_bytes,
            },
            namespace_rule: self.settings.metadata.namespaces.clone(),
            with_idle_nodes: report.with_idle_nodes,
            at_least_one: report.even_if_empty,
        }
    }

    /// Sends one payload until it is taken, or until there is no use in it.
    async fn send<T: Send + Sync>(
        &self,
        body: Body,
        progress: &mut Progress<'_>,
        retry: &mut RetryPolicy<'_, T>,
    ) -> Result<(), NotTaken> {
        loop {
            let at = Timestamp::now();
            let slot = self.slots.acquire().await;
            let posted = self.receiver.post(progress.version.path(), &progress.sender, body.clone()).await;
            drop(slot);
            let account = &progress.report.account;
            let Err(mut failure) = posted else {
                self.metrics.push().accepted(account, body.length());
                progress.payloads.push(SentPayload { at, error: None });
                self.versions.worked(progress.version);
                retry.succeeded();
                return Ok(());
            };
            self.metrics.push().refused(account, failure.kind());
            if failure.is_unknown_account() && self.reroute(progress, &failure) {
                continue;
            }
            let mut reason = failure.to_string();
            if failure.is_not_found() && !self.versions.is_fixed() {
                match self.step(progress).await {
                    Step::To(version) => {
                        let missing = self.receiver.url(progress.version.path());
                        tracing::info!("{missing} is not there (404): trying {}", self.receiver.url(version.path()));
                        return Err(NotTaken::OtherVersion(version));
                    }
                    Step::Later(why) => {
                        reason = format!("{reason}; {why}");
                        failure = why;
                    }
                    Step::Nowhere(why) => reason = format!("{reason}; {why}"),
                }
            }
            if let Err(undelivered) = self.pause(failure, &reason, progress, retry).await {
                progress.payloads.push(SentPayload { at, error: Some(reason) });
                return Err(NotTaken::Gone(undelivered));
            }
        }
    }

    /// Waits for the next try, where another try can help.
    async fn pause<T: Send + Sync>(
        &self,
        failure: Failure,
        reason: &str,
        progress: &Progress<'_>,
        retry: &mut RetryPolicy<'_, T>,
    ) -> Result<(), Undelivered> {
        if !failure.is_retryable() {
            return Err(Undelivered::Failed(reason.to_owned()));
        }
        let verdict = match retry.next_wait(failure.retry_after()) {
            Err(verdict) => verdict,
            Ok(wait) => {
                tracing::warn!(
                    account = %excerpt(&progress.report.account),
                    generation = progress.report.snapshot.generation(),
                    "{reason}; next try in {:.1} s",
                    wait.as_secs_f32()
                );
                let next = Timestamp::now().checked_add(wait).ok();
                let record = progress.record(PushOutcome::Waiting, reason.to_owned());
                self.board.record(Some(&progress.report.account), record, next);
                retry.wait(wait).await
            }
        };
        match verdict {
            Verdict::Again => Ok(()),
            Verdict::Replaced => Err(Undelivered::Replaced(reason.to_owned())),
            Verdict::TooLate => Err(Undelivered::Failed(format!(
                "{reason}; not tried again, since a single run waits no longer than a minute"
            ))),
            Verdict::Enough => Err(Undelivered::Failed(format!("{reason}; given up after several tries"))),
            Verdict::Stopped => Err(Undelivered::Failed(format!("{reason}; kai stops before the next try"))),
        }
    }

    /// To the default account, once, with its own credentials.
    fn reroute(&self, progress: &mut Progress<'_>, failure: &Failure) -> bool {
        let default: Arc<str> = self.settings.account.as_str().into();
        if progress.is_rerouted || progress.report.account == default {
            return false;
        }
        tracing::warn!(
            account = %excerpt(&progress.report.account),
            generation = progress.report.snapshot.generation(),
            "{failure}; its namespaces go to the account {} (anchore.account) instead: create the account, or correct the route",
            excerpt(&default)
        );
        progress.sender = self.sender(&default);
        progress.is_rerouted = true;
        true
    }

    /// Which interface to try after a 404. That of version 2 is believed to be missing only when the receiver does not
    /// claim to have it.
    async fn step(&self, progress: &mut Progress<'_>) -> Step {
        if progress.version == ApiVersion::KubernetesV2 {
            match Advertised::of(self.receiver.get(VERSION, &progress.sender).await) {
                Err(failure) => return Step::Later(failure),
                Ok(Advertised::Second) => {
                    let url = self.receiver.url(VERSION);
                    return Step::Nowhere(format!(
                        "{url} has version 2 of the API, so the path must exist: check the path in anchore.url, and proxies"
                    ));
                }
                Ok(Advertised::Older | Advertised::Unknown) => {}
            }
        }
        match self.versions.after(progress.version, &mut progress.missing) {
            Some(version) => Step::To(version),
            None => Step::Nowhere(
                "it has no path for inventories, neither of Anchore Enterprise 5 nor of 4: check anchore.url"
                    .to_owned(),
            ),
        }
    }
}

/// Planning takes time that the runtime's threads owe to others.
async fn off_the_workers<T: Send + 'static>(plan: impl FnOnce() -> T + Send + 'static) -> Result<T, Undelivered> {
    let planned = tokio::task::spawn_blocking(plan).await;
    planned.map_err(|error| Undelivered::Failed(format!("the report could not be planned: {error}")))
}

impl Progress<'_> {
    /// The report is sent anew, in another form: what was taken in the old one does not count.
    fn begin_again(&mut self) {
        self.payloads.clear();
        self.containers = 0;
        self.bytes = 0;
    }

    fn record(&self, outcome: PushOutcome, detail: String) -> PushRecord {
        PushRecord {
            at: Timestamp::now(),
            generation: self.report.snapshot.generation(),
            observed_at: self.report.observed_at,
            user: self.sender.user.as_str().into(),
            payloads: self.payloads.clone(),
            containers: self.containers,
            bytes: self.bytes,
            outcome,
            detail,
        }
    }
}
