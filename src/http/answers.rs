//! From a question to its body: out of the cache, or rendered off the async workers, and ready before a generation is
//! served when it was asked for in the last one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::HeaderValue;
use tokio::sync::Semaphore;

use super::cache::BodyCache;
use super::generation::Generation;
use super::negotiate::ContentCoding;
use super::problem::Problem;
use super::question::Question;
use super::rendered::Rendered;
use crate::feed::SnapshotReader;
use crate::inventory::ReportPolicy;
use crate::snapshot::Snapshot;

/// How many requests at once wait for a render in threads of their own. The others wait without one and mostly find the
/// body when it is their turn.
const RENDERERS: usize = 2;
/// How many bodies that are not standard are rendered for the next generation at most. Others are rendered on demand.
const AHEAD: usize = 64;

/// Answers to all questions, of the generation that is served.
#[derive(Debug)]
pub(super) struct Answers {
    reader: SnapshotReader,
    current: ArcSwapOption<Generation>,
    cache: BodyCache,
    renderers: Semaphore,
    hits: Hits,
    waits: AtomicU64,
}

/// Counted by every reader. On a cache line of its own: beside what all of them read it would make each wait for the others.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Hits(AtomicU64);

impl Answers {
    pub(super) fn new(reader: SnapshotReader, policy: ReportPolicy, max_bytes: u64) -> Self {
        let first = reader.current().map(|snapshot| Arc::new(Generation::new(snapshot)));
        Self {
            reader,
            current: ArcSwapOption::new(first),
            cache: BodyCache::new(max_bytes, policy),
            renderers: Semaphore::new(RENDERERS),
            hits: Hits::default(),
            waits: AtomicU64::new(0),
        }
    }

    /// How many bodies were rendered.
    pub(super) fn renders(&self) -> u64 {
        self.cache.renders()
    }

    /// How many answers found their body.
    pub(super) fn hits(&self) -> u64 {
        self.hits.0.load(Ordering::Relaxed)
    }

    /// How many answers had to wait for a render.
    pub(super) fn waits(&self) -> u64 {
        self.waits.load(Ordering::Relaxed)
    }

    /// How many bytes the bodies in the cache count against its bound.
    pub(super) fn cached_bytes(&self) -> u64 {
        self.cache.weight()
    }

    /// How many bytes of bodies only connections hold, because clients have not read them.
    pub(super) fn unread_bytes(&self) -> u64 {
        self.cache.unread(self.current.load().as_deref())
    }

    /// Whether connections hold as much beyond the cache as the cache itself may hold.
    pub(super) fn is_too_much_unread(&self) -> bool {
        self.cache.is_too_much_unread(self.current.load().as_deref())
    }

    /// Counts a body that is not cached as unread until it is sent.
    pub(super) fn count(&self, body: Vec<u8>) -> Bytes {
        self.cache.count(body)
    }

    /// The generation that is served; `None` before the first snapshot.
    pub(super) fn current(&self) -> Option<Arc<Generation>> {
        if let Some(generation) = &*self.current.load() {
            return Some(Arc::clone(generation));
        }
        // Nobody was served yet, so nobody waits for a body of the last generation: the first is taken at once.
        let first = Arc::new(Generation::new(self.reader.current()?));
        let before = self.current.compare_and_swap(&None::<Arc<Generation>>, Some(Arc::clone(&first)));
        Some(before.as_ref().map_or(first, Arc::clone))
    }

    /// `Inventory-Observed-At`: it moves while the generation stays.
    pub(super) fn observed_at(&self, generation: &Generation) -> HeaderValue {
        let latest = self.reader.latest();
        let same = latest.filter(|latest| latest.snapshot.generation() == generation.snapshot.generation());
        // The newest snapshot may be another already, of which nothing is known about this one.
        generation.observed_at(same.map_or(generation.snapshot.observed_at(), |latest| latest.observed_at))
    }

    /// The body, when it is there.
    pub(super) fn find(
        &self,
        generation: &Generation,
        question: &Question,
        coding: ContentCoding,
    ) -> Option<Arc<Rendered>> {
        let body = self.cache.get(generation, question, coding)?;
        note(&body, generation);
        self.hits.0.fetch_add(1, Ordering::Relaxed);
        Some(body)
    }

    /// Waits for a body that is not there. Whether another one may be made is checked when it is its turn: of many
    /// requests at once the first ones may take all that is left.
    pub(super) async fn render(
        self: &Arc<Self>,
        generation: &Arc<Generation>,
        question: &Question,
        coding: ContentCoding,
        check: impl FnOnce() -> Result<(), Problem>,
    ) -> Result<Arc<Rendered>, Problem> {
        self.waits.fetch_add(1, Ordering::Relaxed);
        let _turn = self.renderers.acquire().await.map_err(|error| Problem::internal(error.to_string()))?;
        let body = if let Some(body) = self.cache.get(generation, question, coding) {
            body
        } else {
            check()?;
            self.render_now(generation, question, coding).await.map_err(Problem::internal)?
        };
        note(&body, generation);
        Ok(body)
    }

    async fn render_now(
        self: &Arc<Self>,
        generation: &Arc<Generation>,
        question: &Question,
        coding: ContentCoding,
    ) -> Result<Arc<Rendered>, String> {
        let (answers, generation, question) = (Arc::clone(self), Arc::clone(generation), question.clone());
        let rendering =
            tokio::task::spawn_blocking(move || answers.cache.get_or_render(&generation, &question, coding));
        match rendering.await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(error)) => Err(format!("a body could not be rendered: {error}")),
            Err(error) => Err(format!("rendering a body panicked: {error}")),
        }
    }

    /// Serves each snapshot that comes, once what was asked for in the last one is rendered. Ends with the feed.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut reader = self.reader.clone();
        while let Some(snapshot) = reader.next().await {
            if let Err(error) = self.advance(snapshot).await {
                tracing::error!(
                    error,
                    "the next generation is served without a body that was asked for in the last one"
                );
            }
        }
    }

    async fn advance(self: &Arc<Self>, snapshot: Arc<Snapshot>) -> Result<(), String> {
        let Some(last) = self.current() else { return Ok(()) };
        if last.snapshot.generation() == snapshot.generation() {
            return Ok(());
        }
        let next = Arc::new(Generation::new(Arc::clone(&snapshot)));
        let outcome = self.prepare(&last, &next).await;
        self.current.store(Some(next));
        let answers = Arc::clone(self);
        let dropped = tokio::task::spawn_blocking(move || answers.cache.retain(&snapshot)).await;
        outcome.and(dropped.map_err(|error| format!("dropping old bodies panicked: {error}")))
    }

    /// Gives the next generation what was asked for in the last one: bodies of equal content, or new ones.
    async fn prepare(self: &Arc<Self>, last: &Arc<Generation>, next: &Arc<Generation>) -> Result<(), String> {
        let number = last.snapshot.generation();
        let mut outcome = Ok(());
        for (question, coding, body) in last.standard() {
            if question.content(&last.snapshot) == question.content(&next.snapshot) {
                next.keep(&question, coding, body);
            } else if body.asked_in.load(Ordering::Relaxed) == number {
                outcome = outcome.and(self.render_now(next, &question, coding).await.map(drop));
            }
        }
        for key in self.cache.changed(last, next).into_iter().take(AHEAD) {
            outcome = outcome.and(self.render_now(next, &key.question, key.coding).await.map(drop));
        }
        outcome
    }
}

/// Notes that a reader asked for a body: it is then ready in the next generation too.
fn note(body: &Rendered, generation: &Generation) {
    let number = generation.snapshot.generation();
    // Read first: readers on several cores would wait for each other to write what is there already.
    if body.asked_in.load(Ordering::Relaxed) != number {
        body.asked_in.store(number, Ordering::Relaxed);
    }
}
