//! What kai reports to Anchore Enterprise about itself: the registration, and the report of its health. JSON that is made
//! from what is passed in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::health::{AccountPush, PushOutcome, SentPayload};
use crate::views::utc_seconds;

/// The only type of integration that takes inventories of Kubernetes.
const TYPE: &str = "k8s_inventory_agent";
/// Of the exchange, and of the health data in it.
const PROTOCOL_VERSION: u8 = 1;

/// `POST /v2/system/integrations/registration`
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "as the receiver names them")]
pub(super) struct Registration {
    pub(super) registration_id: String,
    pub(super) registration_instance_id: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    pub(super) version: &'static str,
    #[serde(serialize_with = "utc_seconds")]
    pub(super) started_at: Timestamp,
    pub(super) uptime: f64,
    pub(super) username: String,
    pub(super) explicitly_account_bound: Vec<String>,
    pub(super) namespaces: Vec<String>,
    pub(super) cluster_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
    pub(super) health_report_interval: u64,
}

impl Registration {
    /// The constant members.
    pub(super) const KIND: &'static str = TYPE;
}

/// `POST /v2/system/integrations/{uuid}/health-report`
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "as the receiver names them")]
pub(super) struct HealthReport {
    /// Of this report alone.
    uuid: Uuid,
    protocol_version: u8,
    #[serde(serialize_with = "utc_seconds")]
    timestamp: Timestamp,
    /// Seconds.
    uptime: f64,
    /// Seconds.
    health_report_interval: u64,
    health_data: HealthData,
}

#[derive(Debug, Serialize)]
struct HealthData {
    #[serde(rename = "type")]
    kind: &'static str,
    version: u8,
    errors: Vec<String>,
    account_k8s_inventory_reports: BTreeMap<Arc<str>, AccountReport>,
}

#[derive(Debug, Serialize)]
struct AccountReport {
    #[serde(serialize_with = "utc_seconds")]
    report_timestamp: Timestamp,
    account_name: Arc<str>,
    sent_as_user: Arc<str>,
    batch_size: usize,
    /// From 1; -1 when none was taken.
    last_successful_index: i64,
    has_errors: bool,
    batches: Vec<Batch>,
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "as the receiver names them")]
struct Batch {
    /// From 1.
    batch_index: usize,
    #[serde(serialize_with = "utc_seconds")]
    send_timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl HealthReport {
    /// What the last pushes came to; `uuid` is this report's own.
    pub(super) fn of(
        pushes: &[AccountPush],
        uuid: Uuid,
        timestamp: Timestamp,
        uptime: Duration,
        interval: Duration,
    ) -> Self {
        let errors = pushes.iter().filter(|push| !push.last.outcome.is_delivered()).map(|push| {
            let account = push.account.as_deref().unwrap_or("no account");
            format!("{account}: {}: {}", push.last.outcome.as_str(), push.last.detail)
        });
        let reports = pushes.iter().filter_map(|push| {
            let account = push.account.as_ref()?;
            // A report that was not sent has no batches: it stands among the errors.
            (push.last.outcome != PushOutcome::Withheld)
                .then(|| (Arc::clone(account), AccountReport::of(account, push)))
        });
        Self {
            uuid,
            protocol_version: PROTOCOL_VERSION,
            timestamp,
            uptime: uptime.as_secs_f64(),
            health_report_interval: interval.as_secs(),
            health_data: HealthData {
                kind: TYPE,
                version: PROTOCOL_VERSION,
                errors: errors.collect(),
                account_k8s_inventory_reports: reports.collect(),
            },
        }
    }
}

impl AccountReport {
    fn of(account: &Arc<str>, push: &AccountPush) -> Self {
        let last = &push.last;
        let batch = |(index, sent): (usize, &SentPayload)| Batch {
            batch_index: index + 1,
            send_timestamp: sent.at,
            error: sent.error.clone(),
        };
        let taken = last.payloads.iter().rposition(|payload| payload.error.is_none());
        Self {
            report_timestamp: last.observed_at,
            account_name: Arc::clone(account),
            sent_as_user: Arc::clone(&last.user),
            batch_size: last.payloads.len().max(1),
            last_successful_index: taken.and_then(|index| i64::try_from(index + 1).ok()).unwrap_or(-1),
            has_errors: !last.outcome.is_delivered(),
            batches: last.payloads.iter().enumerate().map(batch).collect(),
        }
    }
}
