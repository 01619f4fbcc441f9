//! From a question to its body: out of the cache, or rendered off the async workers, and ready before a generation is
//! served when it was asked for in the last one.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use tokio::sync::Semaphore;

use super::cache::{BodyCache, BodyKey, Rendered};
use super::generation::{Generation, OVERSIZE};
use super::negotiate::Encoding;
use super::problem::Problem;
use super::question::Question;
use crate::feed::SnapshotReader;
use crate::inventory::ReportPolicy;
use crate::snapshot::Snapshot;

/// How many requests at once wait for a render in threads of their own. The others wait without one and mostly find the
/// body when it is their turn.
const RENDERERS: usize = 2;

/// Answers to all questions, of the generation that is served.
#[derive(Debug)]
pub(super) struct Answers {
    reader: SnapshotReader,
    current: ArcSwapOption<Generation>,
    cache: BodyCache,
    max_bytes: u64,
    renderers: Semaphore,
    hits: Hits,
    waits: AtomicU64,
}

/// Counted by every reader. On a cache line of its own: beside what all of them read it would make each wait for the others.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Hits(AtomicU64);

/// What a look into the cache gives.
pub(super) enum Look {
    /// The body.
    Found(Arc<Rendered>),
    /// It has to be rendered.
    Absent(BodyKey),
    /// The next generation has taken over: ask again.
    Moved,
}

impl Answers {
    pub(super) fn new(reader: SnapshotReader, policy: ReportPolicy, max_bytes: u64) -> Self {
        let first = reader.current().map(|snapshot| Arc::new(Generation::new(snapshot)));
        Self {
            reader,
            current: ArcSwapOption::new(first),
            cache: BodyCache::new(max_bytes, policy),
            max_bytes,
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

    /// How many bytes the bodies in the cache count against its bound.
    pub(super) fn cached_bytes(&self) -> u64 {
        self.cache.weight()
    }

    /// How many answers had to wait for a render.
    pub(super) fn waits(&self) -> u64 {
        self.waits.load(Ordering::Relaxed)
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

    /// Looks for a body and remembers that it was asked for.
    pub(super) fn look(&self, generation: &Generation, question: Question, encoding: Encoding) -> Look {
        let Some(version) = question.version(&generation.snapshot) else {
            return Look::Moved;
        };
        let key = BodyKey { version, question, encoding };
        let number = generation.snapshot.generation();
        let found = self.cache.get(generation, &key);
        if let Some(body) = &found
            && body.asked_in.load(Ordering::Relaxed) == number
        {
            self.hits.0.fetch_add(1, Ordering::Relaxed);
            return Look::Found(Arc::clone(body));
        }
        if !generation.remember(&key.question, encoding) {
            return Look::Moved;
        }
        match found {
            Some(body) => {
                body.asked_in.store(number, Ordering::Relaxed);
                self.hits.0.fetch_add(1, Ordering::Relaxed);
                Look::Found(body)
            }
            None => Look::Absent(key),
        }
    }

    /// Waits for a body that is not there.
    pub(super) async fn render(
        self: &Arc<Self>,
        generation: &Arc<Generation>,
        key: BodyKey,
    ) -> Result<Arc<Rendered>, Problem> {
        self.waits.fetch_add(1, Ordering::Relaxed);
        let _turn = self.renderers.acquire().await.map_err(|_| Problem::internal())?;
        if let Some(body) = self.cache.get(generation, &key) {
            return Ok(body);
        }
        self.render_now(Arc::clone(generation), key).await.ok_or_else(Problem::internal)
    }

    async fn render_now(self: &Arc<Self>, generation: Arc<Generation>, key: BodyKey) -> Option<Arc<Rendered>> {
        let answers = Arc::clone(self);
        let rendering = tokio::task::spawn_blocking(move || answers.cache.get_or_render(&generation, &key));
        match rendering.await {
            Ok(Ok(body)) => Some(body),
            Ok(Err(error)) => {
                tracing::error!(%error, "a body could not be rendered");
                None
            }
            Err(error) => {
                tracing::error!(%error, "rendering a body panicked");
                None
            }
        }
    }

    /// Serves each snapshot that comes, once what was asked for in the last one is rendered. Ends with the feed.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut reader = self.reader.clone();
        while let Some(snapshot) = reader.next().await {
            self.advance(snapshot).await;
        }
    }

    async fn advance(self: &Arc<Self>, snapshot: Arc<Snapshot>) {
        let Some(last) = self.current() else { return };
        if last.snapshot.generation() == snapshot.generation() {
            return;
        }
        let next = Arc::new(Generation::new(Arc::clone(&snapshot)));
        let mut done = HashSet::new();
        let (mut bytes, mut oversize) = (0, 0);
        while let Err(missing) = last.seal(&done, || self.current.store(Some(Arc::clone(&next)))) {
            for (question, encoding) in missing {
                // Above the bound, one more choice of namespaces would only push out what is already there.
                let is_full = bytes >= self.max_bytes || oversize >= OVERSIZE;
                if let Some(version) = question.version(&snapshot)
                    && !(is_full && question.is_a_choice())
                {
                    let key = BodyKey { version, question: question.clone(), encoding };
                    match self.render_now(Arc::clone(&next), key.clone()).await {
                        Some(body) if self.cache.fits(&key, &body) => bytes += body.body.len() as u64,
                        Some(_) => oversize += 1,
                        None => {}
                    }
                }
                done.insert((question, encoding));
            }
        }
        let answers = Arc::clone(self);
        if let Err(error) = tokio::task::spawn_blocking(move || answers.cache.retain(&snapshot)).await {
            tracing::error!(%error, "dropping old bodies panicked");
        }
    }
}
