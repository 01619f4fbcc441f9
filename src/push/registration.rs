//! Registers this installation with Anchore Enterprise and reports its health there, for as long as the service runs. An
//! older Anchore that knows neither is logged once; inventories go on without.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::integration::{HealthReport, Registration};
use super::workload::Workload;
use super::{Answer, Body, Client, Failure, Sender};
use crate::config::{AnchoreSettings, AnchoreUser};
use crate::feed::SnapshotReader;
use crate::health::PushBoard;
use crate::snapshot::Snapshot;
use crate::warned::Warned;

const REGISTRATION: &str = "v2/system/integrations/registration";
/// The namespace whose uid distinguishes a cluster from every other.
const CLUSTER_NAMESPACE: &str = "kube-system";
/// Every id that is made here is of this namespace. Another value would make each installation another one.
const INSTALLATION: Uuid = Uuid::from_u128(0x2d9c_0c6e_5b7f_4f1a_8e3d_7a64_19b0_c5f2);
/// What the integration is called when the settings give it no name.
const NAME: &str = "kai";

/// Reports to the receiver that this installation is there, and how it is.
pub(crate) struct Registrar {
    client: Client,
    settings: Arc<AnchoreSettings>,
    sender: Sender,
    board: PushBoard,
    workload: Workload,
    /// `namespace-selectors.include`
    included: Vec<String>,
    started: Instant,
    started_at: Timestamp,
    /// The last failure: the same one is logged once.
    warned: Warned,
}

impl Registrar {
    /// For a process that starts now. `included` are the namespaces that it is limited to.
    #[must_use]
    pub(crate) fn new(
        client: Client,
        user: AnchoreUser,
        settings: Arc<AnchoreSettings>,
        board: PushBoard,
        workload: Workload,
        included: Vec<String>,
    ) -> Self {
        let AnchoreUser { user, password } = user;
        let sender = Sender { user, password, account: None };
        let (started, started_at) = (Instant::now(), Timestamp::now());
        Self { client, settings, sender, board, workload, included, started, started_at, warned: Warned::default() }
    }

    /// Registers and reports health, then again at every `health-report-interval-seconds`, until `stop`.
    pub(crate) async fn run(self, mut reader: SnapshotReader, stop: CancellationToken) {
        // The cluster is known by what is in it.
        let first = tokio::select! {
            snapshot = reader.next() => snapshot,
            () = stop.cancelled() => None,
        };
        let Some(first) = first else { return };
        let registration_id = self.registration_id(&first);
        let mut known: Option<String> = None;
        loop {
            // A stop waits for no answer to this: nobody misses the last report of health.
            let turn = async {
                let id = match known.take() {
                    None => self.register(&registration_id, first.cluster_name()).await?,
                    Some(id) => id,
                };
                // At once after the registration too: until then the receiver takes an installation for one that never ran.
                self.report(&id).await
            };
            known = tokio::select! {
                known = turn => known,
                () = stop.cancelled() => return,
            };
            tokio::select! {
                () = tokio::time::sleep(self.settings.health_report_interval) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// The id by which a registration is the same after a restart: of the settings, else of the cluster and of the release
    /// in it.
    fn registration_id(&self, snapshot: &Snapshot) -> String {
        if let Some(id) = &self.settings.registration.registration_id {
            return id.clone();
        }
        let uid = snapshot.namespace(CLUSTER_NAMESPACE).and_then(|part| part.record()?.uid.as_deref());
        let cluster = uid.unwrap_or(snapshot.cluster_name());
        let namespace = self.workload.namespace.as_deref().unwrap_or_default();
        let fields = [cluster, namespace, &self.workload.name];
        // Each behind its length, so that no two lists of fields are one name.
        let name = fields.map(|field| format!("{}:{field}", field.len())).concat();
        Uuid::new_v5(&INSTALLATION, name.as_bytes()).to_string()
    }

    /// Registers; gives the id that the receiver knows this installation by.
    async fn register(&self, registration_id: &str, cluster_name: &str) -> Option<String> {
        let settings = &self.settings.registration;
        let registration = Registration {
            registration_id: registration_id.to_owned(),
            registration_instance_id: self.workload.name.clone(),
            kind: Registration::KIND,
            name: settings.integration_name.clone().unwrap_or_else(|| NAME.to_owned()),
            description: settings.integration_description.clone(),
            version: env!("CARGO_PKG_VERSION"),
            started_at: self.started_at,
            uptime: self.started.elapsed().as_secs_f64(),
            username: self.sender.user.clone(),
            explicitly_account_bound: self.settings.account_routes.keys().cloned().collect(),
            namespaces: self.included.clone(),
            cluster_name: cluster_name.to_owned(),
            namespace: self.workload.namespace.clone(),
            health_report_interval: self.settings.health_report_interval.as_secs(),
        };
        match self.post(REGISTRATION, &registration).await {
            Ok(Answer { json, .. }) => {
                let id = json.as_ref().and_then(|json| json["uuid"].as_str());
                match id.and_then(|id| Uuid::parse_str(id).ok()) {
                    Some(id) => {
                        tracing::info!(integration = %id, "registered with Anchore Enterprise");
                        self.warned.replace([]);
                        Some(id.to_string())
                    }
                    None => self.warn("the registration was answered without the uuid of the integration".to_owned()),
                }
            }
            Err(failure) if failure.is_not_found() || failure.status() == Some(405) => self.warn(format!(
                "{failure}; registration and health reports need Anchore Enterprise 5.11 or later, inventories do not"
            )),
            Err(failure) => self.warn(format!("not registered with Anchore Enterprise: {failure}")),
        }
    }

    /// Reports health; gives the id again, unless the receiver does not know it any more.
    async fn report(&self, id: &str) -> Option<String> {
        let report = HealthReport::of(
            &self.board.accounts(),
            Uuid::new_v4(),
            Timestamp::now(),
            self.started.elapsed(),
            self.settings.health_report_interval,
        );
        match self.post(&format!("v2/system/integrations/{id}/health-report"), &report).await {
            Ok(_) => {
                self.warned.replace([]);
                Some(id.to_owned())
            }
            Err(failure) if failure.is_not_found() => self.warn(format!("{failure}; registering again")),
            Err(failure) => {
                let _: Option<String> = self.warn(format!("the health report was not accepted: {failure}"));
                Some(id.to_owned())
            }
        }
    }

    async fn post(&self, path: &str, value: &impl Serialize) -> Result<Answer, Failure> {
        let bytes = serde_json::to_vec(value).expect("texts and numbers are always JSON");
        self.client.post(path, &self.sender, Body::from(Bytes::from(bytes))).await
    }

    /// Logs a failure once, until there is another one or it went well.
    fn warn<T>(&self, text: String) -> Option<T> {
        for news in self.warned.replace([text]) {
            tracing::warn!("{news}");
        }
        None
    }
}
