//! Events as they are sent.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::change::Change;
use super::users::cut;
use crate::inventory::Digest;
use crate::snapshot::Snapshot;
use crate::views::{Flags, utc_seconds};

/// Bytes of an image or a digest. A reference is shorter; this is for texts that are none.
const TEXT_MAX: usize = 4096;

/// Something that changed. What has no meaning for its type is null, or empty.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChangeRow<'a> {
    /// Send it as `Last-Event-ID`, or as `last-event-id`, to go on behind it.
    #[schema(example = "1f6b22c9-7")]
    pub id: &'a str,
    /// `image-appeared`, `image-left`, `digest-changed`, `namespace-refused` or `complete-changed`.
    #[serde(rename = "type")]
    #[schema(example = "digest-changed")]
    pub kind: &'static str,
    /// Number of the first snapshot that has it, in this process.
    #[schema(example = 43)]
    pub generation: u64,
    /// When that snapshot was observed, UTC in whole seconds.
    #[serde(serialize_with = "utc_seconds")]
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T09:30:00Z")]
    pub observed_at: Timestamp,
    /// The namespace; null when it concerns the cluster.
    #[schema(example = "shop")]
    pub namespace: Option<&'a str>,
    /// The reference as the manifest writes it.
    #[schema(example = "quay.io/acme/cart:1.25")]
    pub image: Option<&'a str>,
    /// The registry, `docker.io` where none is written; null when the text is no image reference.
    #[schema(example = "quay.io")]
    pub registry: Option<&'a str>,
    /// The repository, with `library/` where that is meant.
    #[schema(example = "acme/cart")]
    pub repository: Option<&'a str>,
    /// The tag, `latest` where neither tag nor digest is written.
    #[schema(example = "1.25")]
    pub tag: Option<&'a str>,
    /// The manifest digest that runs; while no node has reported one, the one that the manifest pins, or null.
    pub digest: Option<&'a str>,
    /// Of `digest-changed`: a digest that the reference ran with before.
    pub old_digest: Option<&'a str>,
    /// Of `digest-changed`: true when nothing in the namespace runs the old digest any more; false while both run.
    pub old_digest_left: Option<bool>,
    /// Containers, and image volumes, that have the image now; that had it, when it left; all of them in a namespace that is
    /// refused.
    #[schema(example = 3)]
    pub containers: usize,
    /// Pods of these containers.
    #[schema(example = 3)]
    pub pods: usize,
    /// Workloads of these pods. Pods without an owner are none.
    #[schema(example = 1)]
    pub owners: usize,
    /// The workloads, `KIND/NAME`, sorted, at most 100.
    #[schema(value_type = Vec<String>, example = json!(["Deployment/cart"]))]
    pub workloads: &'a [Box<str>],
    /// What is worth a look, as in `/v1/images`, but for `several-digests`.
    #[schema(value_type = Vec<String>, example = json!([]))]
    pub flags: Flags,
    /// Of `complete-changed`: true when nothing is missing any more.
    pub complete: Option<bool>,
    /// Why the namespace is refused, or what is missing.
    pub reason: Option<&'a str>,
}

/// Where events begin.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ChangeStart<'a> {
    /// The last event that the snapshot has.
    #[schema(example = "1f6b22c9-0")]
    pub id: &'a str,
    /// Number of the snapshot in this process.
    #[schema(example = 42)]
    pub generation: u64,
    /// When the snapshot was observed, UTC in whole seconds.
    #[serde(serialize_with = "utc_seconds")]
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T09:30:00Z")]
    pub observed_at: Timestamp,
    /// Send it as `pin` to `/v1/images` or `/v1/containers`, within a minute: the events that follow change what is there.
    #[schema(example = "1f6b22c9-42")]
    pub pin: String,
}

/// The events behind an id.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeList<'a> {
    /// Send it as `last-event-id` for what comes next.
    #[schema(example = "1f6b22c9-7")]
    pub last_event_id: &'a str,
    /// True when the id that was sent is unknown, too old or of another process: events may be missing.
    #[schema(example = false)]
    pub reset: bool,
    /// Where the events begin, when no id was sent or it is not known; else null.
    #[schema(required = true)]
    pub start: Option<ChangeStart<'a>>,
    /// In their order.
    #[schema(value_type = Vec<ChangeRow>)]
    pub events: Vec<&'a RawValue>,
}

impl<'a> ChangeRow<'a> {
    /// The event as the snapshot has it first.
    #[must_use]
    pub fn of(change: &'a Change, id: &'a str, snapshot: &Snapshot) -> Self {
        let Change { kind, namespace, image, digest, old, users, complete, reason } = change;
        let image = image.as_deref();
        let text = |digest: Option<&'a Digest>| digest.map(|digest| cut(digest.as_str(), TEXT_MAX));
        Self {
            id,
            kind: kind.word(),
            generation: snapshot.generation(),
            observed_at: snapshot.observed_at(),
            namespace: namespace.as_deref(),
            image: image.map(|image| cut(image.written(), TEXT_MAX)),
            registry: image.and_then(|image| image.registry()),
            repository: image.and_then(|image| image.repository()),
            tag: image.and_then(|image| image.tag()),
            digest: text(digest.as_ref()),
            old_digest: old.as_ref().and_then(|old| text(old.digest.as_ref())),
            old_digest_left: old.as_ref().map(|old| old.has_left),
            containers: users.containers,
            pods: users.pods,
            owners: users.owners,
            workloads: &users.workloads,
            flags: users.flags,
            complete: *complete,
            reason: reason.as_deref().map(|reason| cut(reason, TEXT_MAX)),
        }
    }
}
