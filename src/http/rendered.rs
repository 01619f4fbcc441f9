//! A rendered body as it is sent, and how many bytes of such bodies are alive.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderValue;

use super::negotiate::ContentCoding;
use super::process::Process;
use super::question::Question;
use super::segments::{self, Segment, Segmented, Written};
use crate::snapshot::{ContentHash, Snapshot};
use crate::views::Format;

/// Buffer in front of the gzip encoder, which is slow when it is fed by the byte.
const BUFFER: usize = 32 * 1024;
/// Seconds between two questions of somebody who keeps asking, at most, while the cluster changes all the time.
const STEADY: u64 = 60;

/// A body with its own headers.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) body: Bytes,
    pub(super) etag: HeaderValue,
    pub(super) length: HeaderValue,
    /// Where what a later body may take stands in it, when it is one of segments.
    segments: Vec<Segment>,
    /// The cursor of the next page, of one that has another behind it.
    pub(super) next: Option<Box<str>>,
    pub(super) asked: LastAsked,
}

/// When a body, or the one before it, was asked for last.
#[derive(Debug, Default)]
pub(super) struct LastAsked {
    /// Of the generation; 0: never.
    number: AtomicU64,
    /// Since the start.
    second: AtomicU64,
}

/// Bytes of all bodies that somebody holds: the cache, a generation, or a connection that has not sent them yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Alive(Arc<AtomicU64>);

/// A body that is counted for as long as it is alive.
struct Counted {
    bytes: Box<[u8]>,
    alive: Alive,
}

impl Rendered {
    /// Renders what `write` writes; it gives the opaque part of the ETag.
    pub(super) fn of(
        coding: ContentCoding,
        alive: &Alive,
        write: impl FnOnce(&mut dyn Write) -> io::Result<String>,
    ) -> io::Result<Self> {
        let (bytes, etag) = match coding {
            ContentCoding::Identity => {
                let mut bytes = Vec::new();
                let etag = write(&mut bytes)?;
                (bytes, etag)
            }
            ContentCoding::Gzip => {
                let mut encoder = BufWriter::with_capacity(BUFFER, GzEncoder::new(Vec::new(), Compression::default()));
                let etag = write(&mut encoder)?;
                encoder.flush()?;
                (encoder.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?, etag)
            }
        };
        Self::new(bytes, &etag, Vec::new(), alive)
    }

    /// With the cursor of the next page.
    pub(super) fn with_next(self, next: Option<String>) -> Self {
        Self { next: next.map(Into::into), ..self }
    }

    /// Renders the answer to a question, with what it can take from the answer to the same question in the same coding
    /// before, and from that of the same snapshot which is not encoded.
    pub(super) fn answer(
        question: &Question,
        snapshot: &Snapshot,
        process: &Process,
        coding: ContentCoding,
        before: Option<&Self>,
        plain: Option<&Self>,
        alive: &Alive,
    ) -> io::Result<Self> {
        let etag = |content: ContentHash| format!("{content}-{}", question.format().name());
        let rendered = if matches!(question, Question::Inventory { format: Format::Json, .. }) {
            let [before, plain] = [before, plain].map(|body| body.map_or_else(Default::default, Self::written));
            let wanted = |name: &str| question.wants(name);
            let Segmented { bytes, segments, content } =
                segments::write(snapshot, &process.policy, wanted, coding, before, plain)?;
            Self::new(bytes, &etag(content), segments, alive)?
        } else {
            let mut next = None;
            let rendered = Self::of(coding, alive, |writer| {
                let said = question.write(snapshot, process, writer)?;
                next = said.next;
                Ok(etag(said.content))
            })?;
            rendered.with_next(next)
        };
        if let Some(before) = before {
            rendered.asked.take_over(&before.asked);
        }
        Ok(rendered)
    }

    fn written(&self) -> Written<'_> {
        Written { segments: &self.segments, body: &self.body }
    }

    fn new(bytes: Vec<u8>, etag: &str, segments: Vec<Segment>, alive: &Alive) -> io::Result<Self> {
        let etag = HeaderValue::try_from(format!("W/\"{etag}\"")).map_err(io::Error::other)?;
        let body = alive.count(bytes);
        Ok(Self { length: body.len().into(), body, etag, segments, next: None, asked: LastAsked::default() })
    }
}

impl LastAsked {
    pub(super) fn note(&self, number: u64, second: u64) {
        for (last, now) in [(&self.number, number), (&self.second, second)] {
            // Read first: readers on several cores would wait for each other to write what is there already.
            if last.load(Ordering::Relaxed) != now {
                last.store(now, Ordering::Relaxed);
            }
        }
    }

    /// Whether somebody keeps asking: in the last generation, or often while generations come and go.
    pub(super) fn is_steady(&self, number: u64, second: u64) -> bool {
        let last = self.number.load(Ordering::Relaxed);
        last == number || (last > 0 && self.second.load(Ordering::Relaxed) + STEADY > second)
    }

    fn take_over(&self, before: &Self) {
        self.note(before.number.load(Ordering::Relaxed), before.second.load(Ordering::Relaxed));
    }
}

impl Alive {
    /// How many bytes there are.
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts a body until its last clone is dropped.
    pub(super) fn count(&self, bytes: Vec<u8>) -> Bytes {
        self.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Bytes::from_owner(Counted { bytes: bytes.into(), alive: self.clone() })
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.0.fetch_sub(self.bytes.len() as u64, Ordering::Relaxed);
    }
}
