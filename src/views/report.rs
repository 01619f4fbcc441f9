//! The KAI report: every namespace with its images, in the shape that Anchore's KAI made known.

use std::hash::Hash;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::images::NamespaceImages;
use crate::inventory::ReportPolicy;
use crate::snapshot::{ContentHash, NamespacePart, ServerVersion, Snapshot};

/// The value of `inventory_type`.
pub(crate) const INVENTORY_TYPE: &str = "kubernetes";

/// Every namespace with the images that run in it.
#[derive(Debug, Clone, ToSchema)]
pub struct KaiReport<'a> {
    /// When the cluster was observed, UTC in whole seconds.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T09:30:00Z")]
    pub timestamp: Timestamp,
    /// Namespaces sorted by name.
    pub results: Vec<NamespaceImages<'a>>,
    /// Version of the API server.
    #[schema(rename = "serverVersionMetadata", value_type = ServerVersionMetadata)]
    pub server_version_metadata: &'a ServerVersion,
    /// The cluster's name in the configuration, or else of the kubeconfig's current context.
    #[schema(value_type = String, example = "prod-eu-1")]
    pub cluster_name: &'a str,
    /// Always `kubernetes`.
    #[schema(value_type = String, example = "kubernetes")]
    pub inventory_type: &'static str,
}

/// The report as it is written, whole or in a push: its results may be made while they are.
#[derive(Serialize)]
pub(super) struct ReportBody<'a, R> {
    #[serde(serialize_with = "utc_seconds")]
    pub(super) timestamp: Timestamp,
    pub(super) results: R,
    #[serde(rename = "serverVersionMetadata", with = "ServerVersionMetadata")]
    pub(super) server_version_metadata: &'a ServerVersion,
    pub(super) cluster_name: &'a str,
    pub(super) inventory_type: &'static str,
}

impl Serialize for KaiReport<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { timestamp, results, server_version_metadata, cluster_name, inventory_type } = self;
        let body = ReportBody { timestamp: *timestamp, results, server_version_metadata, cluster_name, inventory_type };
        body.serialize(serializer)
    }
}

/// `GET /version` of the API server; empty strings when it was refused, or for a file.
#[derive(Serialize, ToSchema)]
#[serde(remote = "ServerVersion", rename_all = "camelCase")]
pub(super) struct ServerVersionMetadata {
    /// Major version.
    #[schema(example = "1")]
    major: String,
    /// Minor version; some vendors add a suffix.
    #[schema(example = "37")]
    minor: String,
    /// Full version.
    #[schema(example = "v1.37.2")]
    git_version: String,
    /// Commit that the server was built from.
    #[schema(example = "5c9b3a1f0e2d4c6b8a7f9e1d3c5b7a9f1e3d5c7b")]
    git_commit: String,
    /// `clean` or `dirty`.
    #[schema(example = "clean")]
    git_tree_state: String,
    /// When the server was built.
    #[schema(example = "2026-10-14T12:00:00Z")]
    build_date: String,
    /// Go version.
    #[schema(example = "go1.26.8")]
    go_version: String,
    /// Go compiler.
    #[schema(example = "gc")]
    compiler: String,
    /// Operating system and architecture.
    #[schema(example = "linux/amd64")]
    platform: String,
}

impl<'a> KaiReport<'a> {
    /// The report of every namespace that `wanted` accepts.
    #[must_use]
    pub fn of(snapshot: &'a Snapshot, policy: &ReportPolicy, wanted: impl Fn(&str) -> bool) -> Self {
        Self {
            timestamp: snapshot.observed_at(),
            results: Self::parts(snapshot, wanted).filter_map(|part| Self::result(part, policy)).collect(),
            server_version_metadata: snapshot.server_version(),
            cluster_name: snapshot.cluster_name(),
            inventory_type: INVENTORY_TYPE,
        }
    }

    /// The namespaces that may be in a report.
    pub(crate) fn parts(
        snapshot: &'a Snapshot,
        wanted: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = &'a Arc<NamespacePart>> {
        snapshot.namespaces().iter().filter(move |part| part.is_known() && wanted(part.name()))
    }

    /// What a report says of one of [`Self::parts`].
    pub(crate) fn result(part: &'a NamespacePart, policy: &ReportPolicy) -> Option<NamespaceImages<'a>> {
        let namespace = NamespaceImages::of(part, policy);
        (!policy.ignore_empty || !namespace.images.is_empty()).then_some(namespace)
    }

    /// The hash of its content; the timestamp is not content.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        let Self { timestamp: _, results, server_version_metadata, cluster_name, inventory_type } = self;
        ContentHash::of(&(results, server_version_metadata, cluster_name, inventory_type))
    }
}

/// What stands around the results of a report.
pub(crate) struct ReportFrame<'a>(ReportBody<'a, [(); 0]>);

impl<'a> ReportFrame<'a> {
    pub(crate) fn of(snapshot: &'a Snapshot) -> Self {
        Self(ReportBody {
            timestamp: snapshot.observed_at(),
            results: [],
            server_version_metadata: snapshot.server_version(),
            cluster_name: snapshot.cluster_name(),
            inventory_type: INVENTORY_TYPE,
        })
    }

    /// What stands before the results in compact JSON, and behind them.
    pub(crate) fn json(&self) -> serde_json::Result<(Vec<u8>, Vec<u8>)> {
        let mut head = serde_json::to_vec(&self.0)?;
        // Only a time stands before the list.
        let results = head.iter().position(|byte| *byte == b'[').map_or(head.len(), |list| list + 1);
        let tail = head.split_off(results);
        Ok((head, tail))
    }

    /// The hash of a report with these results; the timestamp is not content.
    pub(crate) fn content_hash(&self, results: &impl Hash) -> ContentHash {
        let ReportBody { timestamp: _, results: [], server_version_metadata, cluster_name, inventory_type } = &self.0;
        ContentHash::of(&(results, server_version_metadata, cluster_name, inventory_type))
    }
}

/// Writes a time as RFC 3339 UTC in whole seconds: `2026-11-24T09:30:00Z`.
///
/// # Errors
/// Those of the serializer.
pub(crate) fn utc_seconds<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&time.strftime("%Y-%m-%dT%H:%M:%SZ"))
}
