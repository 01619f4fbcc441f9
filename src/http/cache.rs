//! Rendered bodies: each made once, however many ask at once, and all of them together bounded in bytes.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderValue;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::generation::Generation;
use super::negotiate::Encoding;
use super::question::{Question, Version};
use crate::inventory::ReportPolicy;
use crate::snapshot::Snapshot;

/// What an entry takes besides its body and question: the cache's own records and the headers, rounded up.
const ENTRY_OVERHEAD: usize = 512;
/// Buffer in front of the gzip encoder, which is slow when it is fed by the byte.
const BUFFER: usize = 32 * 1024;

/// Names a body.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct BodyKey {
    pub(super) version: Version,
    pub(super) question: Question,
    pub(super) encoding: Encoding,
}

/// A body as it is sent, with its own headers.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) body: Bytes,
    pub(super) etag: HeaderValue,
    pub(super) length: HeaderValue,
    /// The last generation in which it was asked for: a reader takes no lock to say so twice.
    pub(super) asked_in: AtomicU64,
}

/// Bodies by key, the least recently used dropped first.
#[derive(Debug)]
pub(super) struct BodyCache {
    bodies: Cache<BodyKey, Arc<Rendered>>,
    max_bytes: u64,
    policy: ReportPolicy,
    renders: AtomicU64,
}

impl BodyCache {
    /// A cache of at most `max_bytes`, which renders by `policy`.
    pub(super) fn new(max_bytes: u64, policy: ReportPolicy) -> Self {
        let bodies = Cache::builder()
            .max_capacity(max_bytes)
            .weigher(|key: &BodyKey, body: &Arc<Rendered>| u32::try_from(weight(key, body)).unwrap_or(u32::MAX))
            // The default policy may refuse a new body in favour of one that was popular in the last generation.
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self { bodies, max_bytes, policy, renders: AtomicU64::new(0) }
    }

    /// How many bodies were rendered.
    pub(super) fn renders(&self) -> u64 {
        self.renders.load(Ordering::Relaxed)
    }

    /// The body, when it is there.
    pub(super) fn get(&self, generation: &Generation, key: &BodyKey) -> Option<Arc<Rendered>> {
        self.bodies.get(key).or_else(|| generation.oversize(key))
    }

    /// The body, rendered when it is not there. Blocks: while it renders, and while another thread renders the same.
    pub(super) fn get_or_render(
        &self,
        generation: &Generation,
        key: &BodyKey,
    ) -> Result<Arc<Rendered>, Arc<io::Error>> {
        let body = self.bodies.try_get_with_by_ref(key, || {
            if let Some(kept) = generation.oversize(key) {
                return Ok(kept);
            }
            self.renders.fetch_add(1, Ordering::Relaxed);
            let body = Arc::new(Rendered::of(key, &generation.snapshot, &self.policy)?);
            self.keep_oversize(generation, key, &body);
            Ok::<_, io::Error>(body)
        })?;
        // The cache drops what is too large for it a while after it came: what it gave may be of the last generation.
        self.keep_oversize(generation, key, &body);
        Ok(body)
    }

    /// Whether the cache can hold the body.
    pub(super) fn fits(&self, key: &BodyKey, body: &Rendered) -> bool {
        weight(key, body) as u64 <= self.max_bytes
    }

    fn keep_oversize(&self, generation: &Generation, key: &BodyKey, body: &Arc<Rendered>) {
        if !self.fits(key, body) {
            generation.keep_oversize(key, body);
        }
    }

    /// Drops the bodies that `snapshot` no longer answers with, instead of leaving that to the bound.
    pub(super) fn retain(&self, snapshot: &Snapshot) {
        for (key, _) in &self.bodies {
            if key.question.version(snapshot) != Some(key.version) {
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
}

impl Rendered {
    fn of(key: &BodyKey, snapshot: &Snapshot, policy: &ReportPolicy) -> io::Result<Self> {
        let (body, etag) = match key.encoding {
            Encoding::Identity => {
                let mut body = Vec::new();
                let etag = key.question.write(snapshot, policy, &mut body)?;
                (body, etag)
            }
            Encoding::Gzip => {
                let mut encoder = BufWriter::with_capacity(BUFFER, GzEncoder::new(Vec::new(), Compression::default()));
                let etag = key.question.write(snapshot, policy, &mut encoder)?;
                encoder.flush()?;
                (encoder.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?, etag)
            }
        };
        let etag = HeaderValue::try_from(format!("W/\"{etag}\"")).map_err(io::Error::other)?;
        Ok(Self::new(body.into_boxed_slice().into(), etag))
    }

    pub(super) fn new(body: Bytes, etag: HeaderValue) -> Self {
        Self { length: body.len().into(), body, etag, asked_in: AtomicU64::new(0) }
    }
}

fn weight(key: &BodyKey, body: &Rendered) -> usize {
    body.body.len() + key.question.weight() + ENTRY_OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::negotiate::Format;
    use crate::inventory::{NamespaceRecord, NamespaceSelection};
    use crate::snapshot::{Event, ListScope, PodIndex, RelistEnd, ServerVersion};

    fn snapshots(count: usize) -> Vec<Arc<Snapshot>> {
        let mut index = PodIndex::new("demo", NamespaceSelection::default());
        let mut relist = || {
            index.apply(Event::RelistBegun);
            index.apply(Event::ListBegun(ListScope::Namespaces));
            index.apply(Event::ListBegun(ListScope::AllPods));
            for number in 0..100 {
                index.apply(Event::Namespace(NamespaceRecord::named(format!("ns-{number:02}"))));
            }
            let observed_at = jiff::Timestamp::UNIX_EPOCH;
            let server_version = ServerVersion::default();
            index
                .apply(Event::RelistEnded(RelistEnd { observed_at, server_version, cut_short: None }))
                .expect("snapshot")
        };
        (0..count).map(|_| relist()).collect()
    }

    fn key(snapshot: &Snapshot, names: &[&str]) -> BodyKey {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let question = Question::inventory(snapshot, &names, Format::Json).expect("known namespaces");
        BodyKey { version: question.version(snapshot).expect("version"), question, encoding: Encoding::Identity }
    }

    #[test]
    fn any_number_of_questions_stays_within_the_bound() {
        let generation = Generation::new(snapshots(1).remove(0));
        let bound = 50_000;
        let cache = BodyCache::new(bound, ReportPolicy::default());
        for first in 0..100 {
            for second in (0..100).step_by(7) {
                let mut names = [format!("ns-{first:02}"), format!("ns-{second:02}")];
                names.sort();
                let key = key(&generation.snapshot, &[&names[0], &names[1]]);
                cache.get_or_render(&generation, &key).expect("body");
            }
        }
        assert!(cache.renders() > 1000);
        assert!((1..=bound).contains(&cache.weight()), "{} bytes", cache.weight());
    }

    #[test]
    fn what_a_snapshot_no_longer_answers_with_is_dropped_and_the_rest_stays() {
        let snapshots = snapshots(2);
        let (old, new) = (Generation::new(Arc::clone(&snapshots[0])), Generation::new(Arc::clone(&snapshots[1])));
        let cache = BodyCache::new(1_000_000, ReportPolicy::default());
        let images = Question::images(&old.snapshot, "ns-00").expect("namespace");
        let part = BodyKey {
            version: images.version(&old.snapshot).expect("version"),
            question: images,
            encoding: Encoding::Gzip,
        };
        let (whole, next) = (key(&old.snapshot, &[]), key(&new.snapshot, &[]));
        for (generation, key) in [(&old, &whole), (&old, &part), (&new, &next)] {
            cache.get_or_render(generation, key).expect("body");
        }
        cache.retain(&new.snapshot);
        assert!(cache.get(&old, &whole).is_none());
        assert!(cache.get(&new, &part).is_some() && cache.get(&new, &next).is_some());
    }
}
