//! What a push would send, for a person to read before anything is sent. Asks the receiver nothing and holds no secret.

use std::sync::Arc;

use jiff::Timestamp;
use serde::ser::{SerializeSeq as _, SerializeStruct as _};
use serde::{Serialize, Serializer};

use super::Client;
use super::api_version::ApiVersion;
use super::delivery::{Delivery, Receiver};
use super::plan::Plan;
use super::routing::{Decision, NoRoute, Route};
use crate::config::AnchoreApi;
use crate::views::{Payload, PayloadBody, utc_seconds};

/// What a push of one snapshot would send. Its JSON is made while it is written.
pub(crate) struct DryRun<R = Client> {
    delivery: Arc<Delivery<R>>,
    plan: Plan,
    version: ApiVersion,
}

/// Where one namespace would go.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NamespaceRoute<'p> {
    pub namespace: &'p str,
    /// Its account; none when it goes to none.
    pub account: Option<&'p str>,
    /// The setting that decides, or why it goes nowhere.
    pub rule: &'p str,
    /// The accounts to which k8s-inventory would have sent it, when they are others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub k8s_inventory: Option<&'p [Arc<str>]>,
}

#[derive(Serialize)]
struct Request<'r> {
    method: &'static str,
    url: String,
    account: &'r str,
    user: &'r str,
    namespaces: usize,
    pods: usize,
    containers: usize,
    bytes: u64,
    body: PayloadBody,
}

impl<R: Receiver> DryRun<R> {
    pub(super) fn new(delivery: Arc<Delivery<R>>, plan: Plan) -> Self {
        let version = delivery.first_version();
        Self { delivery, plan, version }
    }

    /// Why nothing would be sent.
    #[must_use]
    pub(crate) fn withheld(&self) -> Option<&str> {
        self.plan.withheld.as_deref()
    }

    /// The namespaces that would go nowhere although they should, each with the reason.
    pub(crate) fn unclear(&self) -> impl Iterator<Item = (&str, &str)> {
        self.plan.routing.unclear().map(|(namespace, reason)| (&**namespace, reason))
    }

    /// Where each namespace would go, sorted by namespace.
    pub(crate) fn namespaces(&self) -> impl Iterator<Item = NamespaceRoute<'_>> {
        self.plan.routing.decisions.iter().map(|Decision { namespace, route, k8s_inventory }| {
            let (account, rule) = match route {
                Ok(Route { account, rule }) => (Some(&**account), rule.as_str()),
                Err(NoRoute::Ignored(reason) | NoRoute::Unclear(reason)) => (None, reason.as_str()),
            };
            NamespaceRoute { namespace, account, rule, k8s_inventory: k8s_inventory.as_deref() }
        })
    }
}

impl<R: Receiver> Serialize for DryRun<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let snapshot = &self.plan.snapshot;
        let mut object = serializer.serialize_struct("DryRun", 8)?;
        object.serialize_field("receiver", self.delivery.receiver.url("").trim_end_matches('/'))?;
        object.serialize_field("api", &api(self.delivery.settings.api))?;
        object.serialize_field("cluster_name", snapshot.cluster_name())?;
        object.serialize_field("observed_at", &Seconds(self.plan.observed_at))?;
        object.serialize_field("complete", &snapshot.is_complete())?;
        object.serialize_field("withheld", &self.withheld())?;
        object.serialize_field("namespaces", &self.namespaces().collect::<Vec<_>>())?;
        object.serialize_field("requests", &Requests(self))?;
        object.end()
    }
}

/// A time as the payloads have it.
#[derive(Serialize)]
struct Seconds(#[serde(serialize_with = "utc_seconds")] Timestamp);

/// The requests, each made when it is written.
struct Requests<'d, R>(&'d DryRun<R>);

impl<R: Receiver> Serialize for Requests<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let DryRun { delivery, plan, version } = self.0;
        let mut requests = serializer.serialize_seq(None)?;
        for report in plan.reports(&delivery.settings).filter(|_| plan.withheld.is_none()) {
            let sender = delivery.sender(&report.account);
            for Payload { body, namespaces, pods, containers } in delivery.request(&report, *version).payloads() {
                requests.serialize_element(&Request {
                    method: "POST",
                    url: delivery.receiver.url(version.path()),
                    account: &report.account,
                    user: &sender.user,
                    namespaces,
                    pods,
                    containers,
                    bytes: body.length(),
                    body,
                })?;
            }
        }
        requests.end()
    }
}

/// Which interface would be used. Only the receiver knows more.
fn api(api: AnchoreApi) -> &'static str {
    match api {
        AnchoreApi::Auto => {
            "auto: kubernetes-inventory-v2, and the older ones where the receiver does not have it (see anchore.api)"
        }
        AnchoreApi::Inventories => "inventories",
        AnchoreApi::KubernetesInventoryV1 => "kubernetes-inventory-v1",
        AnchoreApi::KubernetesInventoryV2 => "kubernetes-inventory-v2",
    }
}
