//! From a question to its body: out of the cache, or rendered off the async workers, and ready before a generation is
//! served when somebody keeps asking.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::HeaderValue;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::cache::BodyCache;
use super::generation::Generation;
use super::negotiate::ContentCoding;
use super::problem::Problem;
use super::process::Process;
use super::question::{Lane, Question};
use super::rendered::Rendered;
use crate::feed::{Latest, SnapshotReader};
use crate::snapshot::{ContentHash, Snapshot};

/// How many requests at once wait for a render in threads of their own. The others wait without one and mostly find the
/// body when it is their turn.
const RENDERERS: usize = 2;
/// How many bodies that are not standard are rendered for the next generation at most. Others are rendered on demand.
const AHEAD: usize = 64;
/// What takes long to render rests this many times as long: it never takes more than a tenth of a core.
const REST: u32 = 9;

/// Answers to all questions, each of the generation that its lane serves.
#[derive(Debug)]
pub(super) struct Answers {
    reader: SnapshotReader,
    short: ArcSwapOption<Generation>,
    long: ArcSwapOption<Generation>,
    /// Since when times are counted.
    begun: Instant,
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
    pub(super) fn new(reader: SnapshotReader, process: Process, max_bytes: u64) -> Self {
        let first = reader.current().map(|snapshot| Arc::new(Generation::new(snapshot)));
        Self {
            reader,
            short: ArcSwapOption::new(first.clone()),
            long: ArcSwapOption::new(first),
            begun: Instant::now(),
            cache: BodyCache::new(max_bytes, process),
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
        self.cache.unread(self.long.load().as_deref())
    }

    /// Whether connections hold as much beyond the cache as the cache itself may hold.
    pub(super) fn is_too_much_unread(&self) -> bool {
        self.cache.is_too_much_unread(self.long.load().as_deref())
    }

    /// Renders a body of JSON that is kept nowhere. Blocks.
    pub(super) fn render_once(
        &self,
        coding: ContentCoding,
        make: impl FnOnce() -> serde_json::Result<(Vec<u8>, Option<String>)>,
    ) -> io::Result<Rendered> {
        let (body, next) = make()?;
        self.cache.render_once(coding, next, |writer| {
            writer.write_all(&body)?;
            Ok(format!("{}-json", ContentHash::of(&body)))
        })
    }

    /// What names a snapshot among those of all processes.
    pub(super) fn pin(&self, snapshot: &Snapshot) -> String {
        self.cache.pin(snapshot)
    }

    /// Counts a body that is not cached as unread until it is sent.
    pub(super) fn count(&self, body: Vec<u8>) -> Bytes {
        self.cache.count(body)
    }

    /// The generation that a lane serves; `None` before the first snapshot.
    pub(super) fn current(&self, lane: Lane) -> Option<Arc<Generation>> {
        let served = self.served(lane);
        if let Some(generation) = &*served.load() {
            return Some(Arc::clone(generation));
        }
        // Nobody was served yet, so nobody waits for a body of the last generation: the first is taken at once.
        let first = Arc::new(Generation::new(self.reader.current()?));
        let before = served.compare_and_swap(&None::<Arc<Generation>>, Some(Arc::clone(&first)));
        Some(before.as_ref().map_or(first, Arc::clone))
    }

    fn served(&self, lane: Lane) -> &ArcSwapOption<Generation> {
        match lane {
            Lane::Short => &self.short,
            Lane::Long => &self.long,
        }
    }

    /// `Inventory-Observed-At`: it moves while the generation stays.
    pub(super) fn observed_at(&self, generation: &Generation) -> HeaderValue {
        // The newest snapshot may be another already, of which nothing is known about this one.
        match self.reader.latest() {
            Some(latest) if latest.snapshot.generation() == generation.snapshot.generation() => {
                generation.observed_at(latest.observed_at)
            }
            _ => generation.last_observed_at(),
        }
    }

    /// The body, when it is there.
    pub(super) fn find(
        &self,
        generation: &Generation,
        question: &Question,
        coding: ContentCoding,
    ) -> Option<Arc<Rendered>> {
        let body = self.cache.get(generation, question, coding)?;
        body.asked.note(generation.snapshot.generation(), self.second());
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
            self.render_now(generation, question, coding, None).await.map_err(Problem::internal)?
        };
        body.asked.note(generation.snapshot.generation(), self.second());
        Ok(body)
    }

    async fn render_now(
        self: &Arc<Self>,
        generation: &Arc<Generation>,
        question: &Question,
        coding: ContentCoding,
        before: Option<Arc<Rendered>>,
    ) -> Result<Arc<Rendered>, String> {
        let (answers, generation, question) = (Arc::clone(self), Arc::clone(generation), question.clone());
        let rendering = tokio::task::spawn_blocking(move || {
            answers.cache.get_or_render(&generation, &question, coding, before.as_deref())
        });
        match rendering.await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(error)) => Err(format!("a body could not be rendered: {error}")),
            Err(error) => Err(format!("rendering a body panicked: {error}")),
        }
    }

    /// Serves each snapshot that comes, once what somebody keeps asking for is rendered. Ends with the feed.
    pub(super) async fn follow(self: Arc<Self>) {
        // Apart from its owner: both are large.
        tokio::join!(Box::pin(self.follow_in(Lane::Short)), Box::pin(self.follow_in(Lane::Long)));
    }

    async fn follow_in(self: &Arc<Self>, lane: Lane) {
        let mut reader = self.reader.clone();
        while let Some(Latest { snapshot, observed_at, .. }) = reader.next_read().await {
            let Some(last) = self.current(lane) else { continue };
            if last.snapshot.generation() == snapshot.generation() {
                last.observed_at(observed_at);
                continue;
            }
            let begun = Instant::now();
            if let Err(error) = self.advance(lane, &last, snapshot).await {
                tracing::error!(error, "the next generation is served without a body that somebody keeps asking for");
            }
            if lane == Lane::Long {
                tokio::time::sleep(begun.elapsed() * REST).await;
            }
        }
    }

    async fn advance(
        self: &Arc<Self>,
        lane: Lane,
        last: &Arc<Generation>,
        snapshot: Arc<Snapshot>,
    ) -> Result<(), String> {
        let next = Arc::new(Generation::new(Arc::clone(&snapshot)));
        let outcome = self.prepare(lane, last, &next).await;
        self.served(lane).store(Some(next));
        let (answers, last) = (Arc::clone(self), Arc::clone(last));
        let dropped =
            tokio::task::spawn_blocking(move || answers.cache.retain(lane, [&last.snapshot, &snapshot])).await;
        outcome.and(dropped.map_err(|error| format!("dropping old bodies panicked: {error}")))
    }

    /// Gives the next generation what somebody keeps asking for: bodies of equal content, or new ones.
    async fn prepare(
        self: &Arc<Self>,
        lane: Lane,
        last: &Arc<Generation>,
        next: &Arc<Generation>,
    ) -> Result<(), String> {
        let (number, now) = (last.snapshot.generation(), self.second());
        let mut outcome = Ok(());
        for (question, coding, body) in last.standard().filter(|(question, ..)| question.lane() == lane) {
            if question.content(&last.snapshot) == question.content(&next.snapshot) {
                next.keep(&question, coding, body);
            } else if body.asked.is_steady(number, now) {
                let before = Some(Arc::clone(body));
                outcome = outcome.and(self.render_now(next, &question, coding, before).await.map(drop));
            }
        }
        for (key, body) in self.cache.changed(lane, last, next, now).into_iter().take(AHEAD) {
            outcome = outcome.and(self.render_now(next, &key.question, key.coding, Some(body)).await.map(drop));
        }
        outcome
    }

    /// The time, in seconds.
    fn second(&self) -> u64 {
        self.begun.elapsed().as_secs()
    }
}
