//! Rendered bodies by content: each made once, however many ask at once, and the same for as long as its content is.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::generation::Generation;
use super::negotiate::ContentCoding;
use super::process::Process;
use super::question::{Lane, Question};
use super::rendered::{Alive, Rendered};
use crate::snapshot::{ContentHash, Snapshot};

/// What an entry takes besides its body and question: the cache's own records and the headers, rounded up.
const ENTRY_OVERHEAD: usize = 512;

/// Bytes that connections may hold beyond the cache however small that is: what one of them may.
const UNREAD_FLOOR: u64 = super::unread::PER_CONNECTION;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct BodyKey {
    content: ContentHash,
    pub(super) question: Question,
    pub(super) coding: ContentCoding,
}

/// The bodies of a generation, and in the cache those of questions that are not standard, the least recently used dropped
/// first.
#[derive(Debug)]
pub(super) struct BodyCache {
    bodies: Cache<BodyKey, Arc<Rendered>>,
    alive: Alive,
    max_bytes: u64,
    process: Process,
    renders: AtomicU64,
}

impl BodyKey {
    /// `None` when the snapshot has no answer.
    pub(super) fn of(question: &Question, coding: ContentCoding, snapshot: &Snapshot) -> Option<Self> {
        Some(Self { content: question.content(snapshot)?, question: question.clone(), coding })
    }

    /// Whether the snapshot answers with this body.
    fn is_good(&self, snapshot: &Snapshot) -> bool {
        self.question.content(snapshot) == Some(self.content)
    }
}

impl BodyCache {
    /// A cache of at most `max_bytes`, which renders by that.
    pub(super) fn new(max_bytes: u64, process: Process) -> Self {
        let bodies = Cache::builder()
            .max_capacity(max_bytes)
            .weigher(|key: &BodyKey, body: &Arc<Rendered>| u32::try_from(weight(key, body)).unwrap_or(u32::MAX))
            // The default policy may refuse a new body in favour of one that was popular in the last generation.
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self { bodies, alive: Alive::default(), max_bytes, process, renders: AtomicU64::new(0) }
    }

    /// How many bodies were rendered.
    pub(super) fn renders(&self) -> u64 {
        self.renders.load(Ordering::Relaxed)
    }

    /// The body, when it is there.
    pub(super) fn get(
        &self,
        generation: &Generation,
        question: &Question,
        coding: ContentCoding,
    ) -> Option<Arc<Rendered>> {
        match question.standard() {
            Some(_) => generation.get(question, coding).cloned(),
            None => self.bodies.get(&BodyKey::of(question, coding, &generation.snapshot)?),
        }
    }

    /// The body, rendered when it is not there, with what it can take from the one before. Blocks: while it renders, and
    /// while another thread renders the same.
    pub(super) fn get_or_render(
        &self,
        generation: &Generation,
        question: &Question,
        coding: ContentCoding,
        before: Option<&Rendered>,
    ) -> Result<Arc<Rendered>, Arc<io::Error>> {
        let render = || {
            self.renders.fetch_add(1, Ordering::Relaxed);
            let plain = generation.get(question, ContentCoding::Identity).filter(|_| coding == ContentCoding::Gzip);
            let (snapshot, process, plain) = (&generation.snapshot, &self.process, plain.map(|body| &**body));
            Rendered::answer(question, snapshot, process, coding, before, plain, &self.alive).map(Arc::new)
        };
        if let Some(body) = generation.get_or_render(question, coding, render) {
            return body.map_err(Arc::new);
        }
        let key = BodyKey::of(question, coding, &generation.snapshot)
            .ok_or_else(|| io::Error::other("the snapshot has no answer to the question"))?;
        self.bodies.try_get_with(key, render)
    }

    /// What somebody keeps asking for in a lane, and has another body in the next generation that is not there yet; with
    /// the last body.
    pub(super) fn changed(
        &self,
        lane: Lane,
        last: &Generation,
        next: &Generation,
        now: u64,
    ) -> Vec<(Arc<BodyKey>, Arc<Rendered>)> {
        let number = last.snapshot.generation();
        let asked = self.bodies.iter().filter(|(key, body)| {
            key.question.lane() == lane && key.question.is_made_ahead() && body.asked.is_steady(number, now)
        });
        let is_missing = |key: &BodyKey| {
            let renewed = BodyKey::of(&key.question, key.coding, &next.snapshot);
            renewed.is_some_and(|renewed| !self.bodies.contains_key(&renewed))
        };
        asked.filter(|(key, _)| is_missing(key)).collect()
    }

    /// Drops the bodies of a lane that neither of two snapshots answers with, instead of leaving that to the bound. Who asks
    /// while one takes the place of the other may still look for a body of the first.
    pub(super) fn retain(&self, lane: Lane, [last, next]: [&Snapshot; 2]) {
        for (key, _) in &self.bodies {
            if key.question.lane() == lane && !key.is_good(next) && !key.is_good(last) {
                self.bodies.invalidate(&*key);
            }
        }
        self.bodies.run_pending_tasks();
    }

    /// How many bytes the cache counts.
    pub(super) fn weight(&self) -> u64 {
        self.bodies.run_pending_tasks();
        self.bodies.weighted_size()
    }

    /// Bytes of bodies that only connections hold: neither the cache nor the generation that is served.
    pub(super) fn unread(&self, generation: Option<&Generation>) -> u64 {
        let standard = generation.into_iter().flat_map(Generation::standard);
        let kept: u64 = standard.map(|(_, _, body)| body.body.len() as u64).sum();
        self.alive.bytes().saturating_sub(kept + self.weight())
    }

    /// Whether connections hold as much beyond the cache as the cache itself may hold.
    pub(super) fn is_too_much_unread(&self, generation: Option<&Generation>) -> bool {
        let bound = self.max_bytes.max(UNREAD_FLOOR);
        self.alive.bytes() > bound && self.unread(generation) > bound
    }

    /// Counts a body that is not kept here.
    pub(super) fn pin(&self, snapshot: &Snapshot) -> String {
        self.process.pin(snapshot)
    }

    /// Renders a body that is not kept.
    pub(super) fn render_once(
        &self,
        coding: ContentCoding,
        next: Option<String>,
        write: impl FnOnce(&mut dyn Write) -> io::Result<String>,
    ) -> io::Result<Rendered> {
        Rendered::of(coding, &self.alive, write).map(|rendered| rendered.with_next(next))
    }

    pub(super) fn count(&self, body: Vec<u8>) -> Bytes {
        self.alive.count(body)
    }
}

fn weight(key: &BodyKey, body: &Rendered) -> usize {
    body.body.len() + key.question.weight() + ENTRY_OVERHEAD
}
