//! What Anchore is sent: a snapshot's namespaces as one or more bodies, none larger than it may be.
//!
//! In two passes. The first counts the bytes of each piece and plans where a body ends; nothing is kept of it but the
//! counts. The second writes a body from the snapshot, as often as it is sent. Both run the same `Serialize`, so that what
//! is counted is what is written.

mod containers;
mod element;
mod hash;
mod identity;
mod kubernetes;
mod length;
mod nodes;
mod plan;
mod report;

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use self::kubernetes::KubernetesInventory;
use self::length::json_length;
use self::plan::{Planner, Slice};
use self::report::Inventories;
use crate::inventory::{MetadataRule, ReportPolicy};
use crate::snapshot::{NamespacePart, Snapshot};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PayloadForm {
    /// The KAI report, for `inventories`: byte for byte the compact JSON of [`super::KaiReport`] when it is not split.
    Inventories,
    /// Namespaces, nodes, pods and containers joined by ids, for `kubernetes-inventory`, v1 and v2 alike.
    KubernetesInventory,
}

/// How large a payload may be; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PayloadLimits {
    /// The most namespaces in one payload, at least one.
    pub namespaces: Option<usize>,
    /// The most bytes of one payload. One that cannot be made smaller may be larger: a single pod with the namespace and
    /// the node that it needs, a single entry of the report, a single node.
    pub bytes: Option<u64>,
}

/// What is to be sent.
#[derive(Debug, Clone)]
pub struct PayloadRequest {
    /// Where the namespaces are of.
    pub snapshot: Arc<Snapshot>,
    /// When that was last known to be true.
    pub timestamp: Timestamp,
    /// Which namespaces, in any order. Each is sent as all that is in it: leave out those that the snapshot does not
    /// vouch for.
    pub namespaces: Vec<Arc<NamespacePart>>,
    /// How images are written, and which pods count.
    pub policy: ReportPolicy,
    pub form: PayloadForm,
    pub limits: PayloadLimits,
    /// What is sent of the labels and annotations of namespaces. One may have been kept for routing alone.
    pub namespace_rule: MetadataRule,
    /// Whether nodes that run none of the snapshot's pods are sent too, ahead of everything.
    pub with_idle_nodes: bool,
    /// Whether one payload is made even of nothing.
    pub at_least_one: bool,
}

/// A body for one request to Anchore.
#[derive(Debug, Clone)]
pub struct Payload {
    /// Compact JSON.
    pub body: PayloadBody,
    /// Namespaces in it, one that is continued from the payload before included.
    pub namespaces: usize,
    /// Pods in it. The KAI report names none: 0.
    pub pods: usize,
    /// Containers, or entries of the KAI report.
    pub containers: usize,
}

/// A body that is written when it is sent, the same bytes each time. Cheap to clone.
#[derive(Clone)]
pub struct PayloadBody {
    content: Arc<Content>,
    slice: Arc<Slice>,
    length: u64,
}

/// Plans the payloads of a request, one at a time and in the order of the namespaces' names. The same request gives the
/// same bytes in every process.
pub struct Payloads {
    content: Arc<Content>,
    planner: Planner,
    /// One is still owed, even an empty one.
    owed: bool,
}

/// All that is to be sent, in one of the forms.
enum Content {
    Inventories(Inventories),
    Kubernetes(Box<KubernetesInventory>),
}

impl PayloadRequest {
    /// For `kubernetes-inventory` it looks at every pod here: what each takes, and which ids are there twice.
    #[must_use]
    pub fn payloads(mut self) -> Payloads {
        self.namespaces.sort_unstable_by(|a, b| a.name().cmp(b.name()));
        self.namespaces.dedup_by(|a, b| a.name() == b.name());
        let (limits, owed) = (self.limits, self.at_least_one);
        let content = match self.form {
            PayloadForm::Inventories => Content::Inventories(Inventories::new(self)),
            PayloadForm::KubernetesInventory => Content::Kubernetes(Box::new(KubernetesInventory::new(self))),
        };
        Payloads { content: Arc::new(content), planner: Planner::new(limits), owed }
    }
}

impl Iterator for Payloads {
    type Item = Payload;

    fn next(&mut self) -> Option<Payload> {
        let (slice, tally, length) = match &*self.content {
            Content::Inventories(content) => self.planner.next_slice(content),
            Content::Kubernetes(content) => self.planner.next_slice(&**content),
        };
        let is_wanted = std::mem::take(&mut self.owed) || !tally.is_empty();
        is_wanted.then(|| Payload {
            body: PayloadBody { content: Arc::clone(&self.content), slice: Arc::new(slice), length },
            namespaces: tally.namespaces,
            pods: match &*self.content {
                Content::Inventories(_) => 0,
                Content::Kubernetes(_) => tally.items,
            },
            containers: tally.containers,
        })
    }
}

impl PayloadBody {
    /// Bytes in all.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Writes it, in many small pieces.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_to(&self, writer: impl Write) -> io::Result<()> {
        serde_json::to_writer(writer, self).map_err(io::Error::from)
    }
}

impl Serialize for PayloadBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &*self.content {
            Content::Inventories(content) => content.body(&self.slice).serialize(serializer),
            Content::Kubernetes(content) => content.body(&self.slice).serialize(serializer),
        }
    }
}

/// The body is long, and made of what a cluster holds: only its length is shown.
impl fmt::Debug for PayloadBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PayloadBody({} bytes)", self.length)
    }
}

impl fmt::Debug for Payloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payloads").field("planner", &self.planner).finish_non_exhaustive()
    }
}

/// A list whose elements are made while it is written.
struct Lazy<F>(F);

impl<I: Iterator<Item: Serialize>, F: Fn() -> I> Serialize for Lazy<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}
