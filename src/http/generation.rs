//! The snapshot that HTTP serves, with the bodies that everybody asks for.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::HeaderValue;
use jiff::Timestamp;

use super::negotiate::ContentCoding;
use super::question::Question;
use super::rendered::Rendered;
use crate::snapshot::Snapshot;

const CODINGS: [ContentCoding; 2] = [ContentCoding::Identity, ContentCoding::Gzip];

/// A snapshot while it is the one served. It owns the bodies of the standard questions, whatever their size.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) snapshot: Arc<Snapshot>,
    /// `Inventory-Generation`
    pub(super) number: HeaderValue,
    /// `Inventory-Complete`
    pub(super) complete: HeaderValue,
    bodies: [[OnceLock<Arc<Rendered>>; CODINGS.len()]; Question::STANDARD],
    /// When the snapshot was last seen to be true, and how that is sent.
    observed: ArcSwap<(Timestamp, HeaderValue)>,
    /// One renders at a time, so that each body is rendered once.
    rendering: Mutex<()>,
}

impl Generation {
    pub(super) fn new(snapshot: Arc<Snapshot>) -> Self {
        Self {
            number: snapshot.generation().into(),
            observed: ArcSwap::from_pointee((snapshot.observed_at(), in_seconds(snapshot.observed_at()))),
            complete: HeaderValue::from_static(if snapshot.is_complete() { "true" } else { "false" }),
            snapshot,
            bodies: Default::default(),
            rendering: Mutex::default(),
        }
    }

    /// `Inventory-Observed-At`, when the snapshot was seen to be true at this time too.
    pub(super) fn observed_at(&self, time: Timestamp) -> HeaderValue {
        if self.observed.load().0 < time {
            let later = Arc::new((time, in_seconds(time)));
            // Another reader may know a later time already.
            self.observed.rcu(|known| Arc::clone(if known.0 < time { &later } else { known }));
        }
        self.last_observed_at()
    }

    /// `Inventory-Observed-At` as far as is known.
    pub(super) fn last_observed_at(&self) -> HeaderValue {
        self.observed.load().1.clone()
    }

    /// The body of a standard question, when it is there.
    pub(super) fn get(&self, question: &Question, coding: ContentCoding) -> Option<&Arc<Rendered>> {
        self.slot(question, coding)?.get()
    }

    /// The body of a standard question, rendered when it is not there; `None` when the question is not standard.
    pub(super) fn get_or_render<E>(
        &self,
        question: &Question,
        coding: ContentCoding,
        render: impl FnOnce() -> Result<Arc<Rendered>, E>,
    ) -> Option<Result<Arc<Rendered>, E>> {
        let slot = self.slot(question, coding)?;
        let _turn = self.rendering.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(body) = slot.get() {
            return Some(Ok(Arc::clone(body)));
        }
        Some(render().map(|body| Arc::clone(slot.get_or_init(|| body))))
    }

    /// Keeps the body that the last generation had, when there is none yet.
    pub(super) fn keep(&self, question: &Question, coding: ContentCoding, body: &Arc<Rendered>) {
        if let Some(slot) = self.slot(question, coding) {
            slot.get_or_init(|| Arc::clone(body));
        }
    }

    /// The standard bodies that are there.
    pub(super) fn standard(&self) -> impl Iterator<Item = (Question, ContentCoding, &Arc<Rendered>)> {
        let questions =
            Question::all_standard().into_iter().flat_map(|one| CODINGS.map(|coding| (one.clone(), coding)));
        questions.filter_map(|(question, coding)| {
            let body = self.get(&question, coding)?;
            Some((question, coding, body))
        })
    }

    fn slot(&self, question: &Question, coding: ContentCoding) -> Option<&OnceLock<Arc<Rendered>>> {
        self.bodies.get(question.standard()?)?.get(coding as usize)
    }
}

fn in_seconds(time: Timestamp) -> HeaderValue {
    let text = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or_else(|_| HeaderValue::from_static(""))
}
