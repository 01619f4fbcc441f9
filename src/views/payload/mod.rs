//! What Anchore is sent: a snapshot's namespaces written as one or more bodies, none larger than it may be.
//!
//! A body is kept as chunks of JSON in which what repeats is marked, and put together while it is sent.
//!
//! [`Payloads`] is the one place that knows when to split; a form knows how to write the next piece and how to cut what
//! it wrote. Bytes are counted as they are written and carried over when they turn out to be too many: nothing is
//! serialized to be measured, and one payload at a time is held.

mod body;
mod containers;
mod element;
mod entries;
mod identity;
mod json;
mod kubernetes;
mod metadata;
mod node;
mod repeats;
mod report;
mod section;

use std::fmt;
use std::sync::Arc;

pub use self::body::{PayloadBody, Pieces};
use crate::inventory::{MetadataRule, ReportPolicy};
use crate::snapshot::{NamespacePart, Snapshot};

/// Which body is written.
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
    /// Which namespaces, in any order. Each is sent as all that is in it: leave out those that the snapshot does not
    /// vouch for.
    pub namespaces: Vec<Arc<NamespacePart>>,
    /// How images are said, and which pods count.
    pub policy: ReportPolicy,
    /// Which body.
    pub form: PayloadForm,
    /// How large.
    pub limits: PayloadLimits,
    /// What is sent of the labels and annotations of namespaces. One may have been kept for routing alone.
    pub namespace_rule: MetadataRule,
    /// Whether nodes that run none of the snapshot's pods are sent too, ahead of everything.
    pub with_idle_nodes: bool,
    /// Whether one payload is made when there is nothing to say.
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

/// Makes the payloads of a request, one at a time and in the order of the namespaces' names. The same request gives
/// the same bytes in every process.
pub struct Payloads {
    writer: Box<dyn Writer>,
    limits: PayloadLimits,
    /// One is still owed, even an empty one.
    owed: bool,
    ended: bool,
}

/// A form while it is written.
trait Writer: Send {
    /// Writes the next piece: the beginning of a namespace, one pod, one entry, one node. `false` when there is none.
    fn write_next(&mut self) -> bool;

    /// Length of the payload, were it to end here.
    fn bytes(&self) -> u64;

    /// Namespaces in the payload.
    fn namespaces(&self) -> usize;

    /// Whether nothing was written since the last payload.
    fn is_empty(&self) -> bool;

    /// Ends the payload so that the last piece is in the next one: before the namespace under way if something else is
    /// in the payload, else before its last piece. `None` when that piece is the only one, and so has to stay.
    fn cut(&mut self) -> Option<Payload>;

    /// Ends the payload here.
    fn finish(&mut self) -> Payload;
}

impl PayloadRequest {
    /// Makes the payloads.
    #[must_use]
    pub fn payloads(mut self) -> Payloads {
        self.namespaces.sort_unstable_by(|a, b| a.name().cmp(b.name()));
        self.namespaces.dedup_by(|a, b| a.name() == b.name());
        let (limits, owed) = (self.limits, self.at_least_one);
        let writer: Box<dyn Writer> = match self.form {
            PayloadForm::Inventories => Box::new(report::ReportWriter::new(self)),
            PayloadForm::KubernetesInventory => Box::new(kubernetes::KubernetesWriter::new(self)),
        };
        Payloads { writer, limits, owed, ended: false }
    }
}

impl Payloads {
    fn is_over(&self) -> bool {
        let PayloadLimits { namespaces, bytes } = self.limits;
        namespaces.is_some_and(|most| self.writer.namespaces() > most.max(1))
            || bytes.is_some_and(|most| self.writer.bytes() > most)
    }
}

impl Iterator for Payloads {
    type Item = Payload;

    fn next(&mut self) -> Option<Payload> {
        while !self.ended {
            if self.is_over()
                && let Some(payload) = self.writer.cut()
            {
                self.owed = false;
                return Some(payload);
            }
            self.ended = !self.writer.write_next();
        }
        let is_wanted = std::mem::take(&mut self.owed) || !self.writer.is_empty();
        is_wanted.then(|| self.writer.finish())
    }
}

impl fmt::Debug for Payloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payloads").field("limits", &self.limits).field("ended", &self.ended).finish_non_exhaustive()
    }
}
