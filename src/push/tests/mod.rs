//! What must hold of deliveries whatever the receiver answers: a receiver that answers by a script, and paused time.

mod accounts;
mod delivery;
mod interfaces;
mod service;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::delivery::{Delivery, Receiver};
use super::failure::Refusal;
use super::plan::Plan;
use super::pusher::{PushError, Pusher};
use super::{Answer, Body, CallError, Failure, Sender};
use crate::config::{
    AccountRoute, AnchoreApi, AnchoreHttpSettings, AnchoreSettings, AnchoreUser, LabelRoute, MetadataSettings,
    MetricsSettings, Password, PushTarget, PushWhen, RegistrationSettings,
};
use crate::feed::{Latest, SnapshotWriter, feed};
use crate::health::{Health, PushBoard, PushOutcome};
use crate::inventory::{Metadata, NamespacePattern, NamespaceRecord, NamespaceSelection, NodeRecord, ReportPolicy};
use crate::metrics::{Exposition, Metrics, Serving};
use crate::snapshot::{Event, PodIndex, Snapshot};
use crate::testing::{self, cluster, namespace, pod, pods_of};

const V2: &str = "v2/kubernetes-inventory";
const V1: &str = "v1/enterprise/kubernetes-inventory";
const OLD: &str = "v1/enterprise/inventories";
const INTERVAL: Duration = Duration::from_mins(5);

#[derive(Debug, Clone)]
struct Posted {
    path: String,
    user: String,
    account: String,
    body: Value,
}

type Script = dyn Fn(&Posted) -> Result<Answer, Failure> + Send + Sync;

/// A receiver that answers by a script, in no time.
#[derive(Clone)]
struct Scripted {
    script: Arc<Script>,
    version: Arc<dyn Fn() -> Result<Answer, Failure> + Send + Sync>,
    posts: Arc<Mutex<Vec<Posted>>>,
}

impl Scripted {
    fn new(script: impl Fn(&Posted) -> Result<Answer, Failure> + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script), version: Arc::new(|| Err(refused(404, ""))), posts: Arc::default() }
    }

    fn version(self, version: impl Fn() -> Result<Answer, Failure> + Send + Sync + 'static) -> Self {
        Self { version: Arc::new(version), ..self }
    }

    fn posts(&self) -> Vec<Posted> {
        self.posts.lock().unwrap().clone()
    }

    fn paths(&self) -> Vec<String> {
        self.posts().into_iter().map(|posted| posted.path).collect()
    }
}

impl Receiver for Scripted {
    async fn post(&self, path: &str, sender: &Sender, body: Body) -> Result<Answer, Failure> {
        let mut bytes = Vec::new();
        body.write_to(&mut bytes).unwrap();
        let posted = Posted {
            path: path.to_owned(),
            user: sender.user.clone(),
            account: sender.account.as_deref().unwrap_or_default().to_owned(),
            body: serde_json::from_slice(&bytes).unwrap(),
        };
        self.posts.lock().unwrap().push(posted.clone());
        (self.script)(&posted)
    }

    async fn get(&self, _: &str, _: &Sender) -> Result<Answer, Failure> {
        (self.version)()
    }

    fn url(&self, path: &str) -> String {
        format!("https://anchore.example.com/{path}")
    }
}

#[expect(clippy::unnecessary_wraps, reason = "an answer of a script")]
fn taken() -> Result<Answer, Failure> {
    Ok(Answer { status: 201, json: None })
}

#[expect(clippy::unnecessary_wraps, reason = "an answer of a script")]
fn answers(version: Value) -> Result<Answer, Failure> {
    Ok(Answer { status: 200, json: Some(version) })
}

fn refused(status: u16, message: &str) -> Failure {
    Failure::Refused(Box::new(Refusal {
        url: "https://anchore.example.com".to_owned(),
        status,
        text: format!(": {message}"),
        advice: "see the log".to_owned(),
        retry_after: None,
        is_unknown_account: message == "User account not found",
    }))
}

fn down() -> Failure {
    let server = "https://anchore.example.com".to_owned();
    let (via, request, advice) = Default::default();
    Failure::Call(CallError::BrokenOff { server, via, request, reason: "reset".to_owned(), advice })
}

fn user(name: &str) -> AnchoreUser {
    AnchoreUser { user: name.to_owned(), password: Password::Text("secret".to_owned().into()) }
}

/// Routes by account, each with a user of its own.
fn settings(routes: &[(&str, &[&str])]) -> AnchoreSettings {
    let routes = routes.iter().map(|(account, entries)| {
        let namespaces = entries.iter().map(|entry| NamespacePattern::parse(entry).unwrap()).collect();
        ((*account).to_owned(), AccountRoute { credentials: Some(user(&format!("{account}-user"))), namespaces })
    });
    AnchoreSettings {
        push: Some(PushTarget { url: "https://anchore.example.com".to_owned(), credentials: user("me") }),
        account: "admin".to_owned(),
        api: AnchoreApi::Auto,
        push_when: PushWhen::Interval,
        push_min_interval: Duration::from_mins(1),
        push_incomplete: false,
        http: AnchoreHttpSettings {
            insecure: false,
            timeout: Duration::from_secs(10),
            compress: false,
            ca_certificate: None,
            client: None,
            proxy: None,
        },
        registration: RegistrationSettings::default(),
        health_report_interval: Duration::from_mins(1),
        account_routes: routes.collect(),
        route_by_label: None,
        namespaces_per_report: None,
        payload_threshold_bytes: None,
        metadata: MetadataSettings::default(),
    }
}

/// A cluster that can be read again and again.
struct Cluster(PodIndex);

impl Cluster {
    fn new() -> Self {
        Self(PodIndex::new("prod", NamespaceSelection::default()))
    }

    /// Namespaces with the value of their label `team`, each with a pod whose image is called as the namespace.
    fn read(&mut self, namespaces: &[(&str, Option<&str>)], more: Vec<Event>) -> Arc<Snapshot> {
        let labelled = namespaces.iter().map(|(name, team)| {
            let labels = team.map(|team| (Arc::from("team"), Arc::from(team))).into_iter().collect();
            let metadata = Metadata { labels, ..Metadata::default() };
            NamespaceRecord { metadata, ..NamespaceRecord::named(*name) }
        });
        let pods = namespaces.iter().map(|(name, _)| pod(&format!("{name}/web"), &format!("{name}:1")));
        let now = jiff::Timestamp::now().to_string();
        cluster().with(labelled).with(pods).with(more).at(&now).relist_into(&mut self.0)
    }
}

fn pusher(receiver: &Scripted, settings: AnchoreSettings, board: &PushBoard) -> Pusher<Scripted> {
    let policy = ReportPolicy::default();
    let delivery =
        Delivery::new(receiver.clone(), user("me"), Arc::new(settings), policy, board.clone(), Metrics::default());
    Pusher::to(delivery, INTERVAL)
}

async fn push(receiver: &Scripted, settings: AnchoreSettings, snapshot: &Arc<Snapshot>) -> Result<(), PushError> {
    pusher(receiver, settings, &PushBoard::default()).push_once(snapshot).await
}

/// The namespaces that a body has, in either form.
fn namespaces_in(body: &Value) -> BTreeSet<String> {
    let of = |list: &str, name: &str| -> BTreeSet<String> {
        let items = body[list].as_array().into_iter().flatten();
        items.map(|item| item[name].as_str().unwrap().to_owned()).collect()
    };
    &of("results", "namespace") | &of("namespaces", "name")
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}
