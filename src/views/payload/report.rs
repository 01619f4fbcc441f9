//! The KAI report in payloads: namespaces with their images, a large namespace continued from one to the next.

use std::sync::Arc;
use std::vec;

use bytes::Bytes;

use super::body::{Chunk, PayloadBody};
use super::entries::{Entries, Positions};
use super::json::Json as _;
use super::section::Section;
use super::{Payload, PayloadRequest, Writer};
use crate::inventory::ReportPolicy;
use crate::snapshot::{NamespacePart, NamespaceState, Snapshot};
use crate::views::report::KaiReport;

/// What closes the list of images of a namespace, and its object.
const NAMESPACE_END: &str = "]}";

pub(super) struct ReportWriter {
    policy: ReportPolicy,
    /// All of them stay, as what is remembered of entries wants it.
    namespaces: Vec<Arc<NamespacePart>>,
    /// Position of the next one.
    next: usize,
    /// What stands before the namespaces in every payload, and behind them.
    frame: (Bytes, Bytes),
    results: Section,
    /// Those of all payloads: most are there in several namespaces.
    entries: Entries,
    open: Option<OpenNamespace>,
    /// Namespaces and entries of the payload, those of the namespace under way included.
    begun: usize,
    written: usize,
}

/// The namespace that is being written.
struct OpenNamespace {
    name: Arc<str>,
    /// Entries that are not written yet.
    images: vec::IntoIter<usize>,
    /// Where it begins in the payload.
    start: usize,
    /// Where its first entry begins, and its last one.
    first: usize,
    last: usize,
    /// Its entries in the payload.
    entries: usize,
}

impl ReportWriter {
    pub(super) fn new(request: PayloadRequest) -> Self {
        let PayloadRequest { snapshot, namespaces, policy, .. } = request;
        Self {
            policy,
            namespaces,
            next: 0,
            frame: frame(&snapshot),
            results: Section::default(),
            entries: Entries::default(),
            open: None,
            begun: 0,
            written: 0,
        }
    }

    fn begin(&mut self, name: Arc<str>, images: Positions) {
        let start = self.results.len();
        if start > 0 {
            self.results.push(",");
        }
        self.push_head(&name);
        let first = self.results.len();
        self.open = Some(OpenNamespace { name, images: images.into_iter(), start, first, last: first, entries: 0 });
        self.begun += 1;
    }

    fn push_head(&mut self, name: &str) {
        self.results.push(r#"{"namespace":"#);
        self.results.push_text(name);
        self.results.push(r#","images":["#);
    }

    /// Closes the namespace under way.
    fn close(&mut self) {
        if self.open.take().is_some() {
            self.results.push(NAMESPACE_END);
        }
    }

    /// A payload of what stands in the section.
    fn payload(&mut self, namespaces: usize, containers: usize) -> Payload {
        let (head, tail) = &self.frame;
        let mut chunks = vec![Chunk::plain(head.clone())];
        chunks.extend(std::mem::take(&mut self.results).into_chunks());
        chunks.push(Chunk::plain(tail.clone()));
        let body = PayloadBody::new(chunks, self.entries.kept());
        self.begun -= namespaces;
        self.written -= containers;
        Payload { body, namespaces, pods: 0, containers }
    }
}

impl Writer for ReportWriter {
    fn write_next(&mut self) -> bool {
        if let Some(open) = &mut self.open {
            if let Some(entry) = open.images.next() {
                open.last = self.results.len();
                if open.entries > 0 {
                    self.results.push(",");
                }
                self.entries.push(entry, &mut self.results);
                open.entries += 1;
                self.written += 1;
                return true;
            }
            self.close();
        }
        while let Some(part) = self.namespaces.get(self.next) {
            self.next += 1;
            if !matches!(part.state(), NamespaceState::Read | NamespaceState::Unknown) {
                continue;
            }
            let images = self.entries.of(part, &self.policy);
            if !(self.policy.ignore_empty && images.is_empty()) {
                let name = Arc::clone(part.name());
                self.begin(name, images);
                return true;
            }
        }
        false
    }

    fn bytes(&self) -> u64 {
        let end = if self.open.is_some() { NAMESPACE_END.len() } else { 0 };
        (self.frame.0.len() + self.results.len() + end + self.frame.1.len()) as u64
    }

    fn namespaces(&self) -> usize {
        self.begun
    }

    fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    fn cut(&mut self) -> Option<Payload> {
        let mut open = self.open.take()?;
        let payload = if open.start > 0 {
            let tail = self.results.split_off_elements(open.start);
            let payload = self.payload(self.begun - 1, self.written - open.entries);
            self.results = tail;
            // The comma before it is gone, too.
            let moved = open.start + 1;
            open = OpenNamespace { start: 0, first: open.first - moved, last: open.last - moved, ..open };
            Some(payload)
        } else if open.entries > 1 {
            let tail = self.results.split_off_elements(open.last);
            self.results.push(NAMESPACE_END);
            let payload = self.payload(1, open.entries - 1);
            self.push_head(&open.name);
            self.results.append(tail);
            self.begun = 1;
            open = OpenNamespace { last: open.first, entries: 1, ..open };
            Some(payload)
        } else {
            None
        };
        self.open = Some(open);
        payload
    }

    fn finish(&mut self) -> Payload {
        self.close();
        self.payload(self.begun, self.written)
    }
}

/// The report's own JSON before and behind its namespaces.
fn frame(snapshot: &Snapshot) -> (Bytes, Bytes) {
    let empty = KaiReport::of(snapshot, &ReportPolicy::default(), |_| false);
    let text = serde_json::to_string(&empty).unwrap_or_default();
    // Nothing but the time stands before the list, so that no name can be taken for it.
    let Some((head, tail)) = text.split_once("[]") else { unreachable!("a report without namespaces: {text}") };
    (format!("{head}[").into(), format!("]{tail}").into())
}
