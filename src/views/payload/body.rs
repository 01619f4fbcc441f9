//! The body of a payload, as it is kept until the receiver has taken it, and as it is sent.

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use memchr::memchr;

use super::repeats::{Kept, Repeat};

/// The most bytes of a piece that is put together.
const PIECE: usize = 64 * 1024;

/// JSON, kept in less memory than it has bytes: what it says again and again is there once. Cheap to clone.
#[derive(Clone)]
pub struct PayloadBody(Arc<Content>);

struct Content {
    chunks: Vec<Chunk>,
    kept: Kept,
    length: u64,
}

/// Text with marks of what is kept.
pub(super) struct Chunk {
    pub(super) bytes: Bytes,
    /// Length of the text that it stands for.
    pub(super) length: usize,
}

/// A body put together, piece by piece. See [`PayloadBody::pieces`].
#[derive(Debug)]
pub struct Pieces {
    body: PayloadBody,
    /// The chunk under way, and how much of it is done.
    chunk: usize,
    done: usize,
    /// Where a piece is put together: in the memory of the one before, once that is dropped.
    piece: BytesMut,
}

impl PayloadBody {
    pub(super) fn new(chunks: Vec<Chunk>, kept: Kept) -> Self {
        let length = chunks.iter().map(|chunk| chunk.length as u64).sum();
        Self(Arc::new(Content { chunks, kept, length }))
    }

    /// Bytes in all.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.0.length
    }

    /// The bytes in their order, in pieces of 64 KiB at most, or as long as one text of the cluster. Each is made when it
    /// is asked for.
    #[must_use]
    pub fn pieces(&self) -> Pieces {
        Pieces { body: self.clone(), chunk: 0, done: 0, piece: BytesMut::new() }
    }
}

impl From<Vec<Bytes>> for PayloadBody {
    /// A body of UTF-8, sent in these pieces.
    fn from(pieces: Vec<Bytes>) -> Self {
        Self::new(pieces.into_iter().map(Chunk::plain).collect(), Kept::default())
    }
}

impl Chunk {
    /// Text that has no marks.
    pub(super) fn plain(bytes: Bytes) -> Self {
        Self { length: bytes.len(), bytes }
    }

    /// Whether it has no marks, each of which is shorter than its text.
    fn is_plain(&self) -> bool {
        self.length == self.bytes.len()
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let Content { chunks, kept, .. } = &*self.body.0;
        let chunk = chunks.get(self.chunk)?;
        if chunk.is_plain() {
            self.chunk += 1;
            return Some(chunk.bytes.clone());
        }
        self.piece.reserve(PIECE);
        self.done += put_together(&chunk.bytes[self.done..], kept, &mut self.piece);
        if self.done == chunk.bytes.len() {
            (self.chunk, self.done) = (self.chunk + 1, 0);
        }
        Some(self.piece.split().freeze())
    }
}

/// Adds to a piece until it is full. Gives how many of the chunk's bytes that took.
fn put_together(chunk: &[u8], kept: &Kept, piece: &mut BytesMut) -> usize {
    let mut rest = chunk;
    while !rest.is_empty() {
        let room = PIECE.saturating_sub(piece.len());
        let plain = memchr(Repeat::MARK, rest).unwrap_or(rest.len());
        if plain > 0 {
            let (now, later) = rest.split_at(plain.min(room));
            piece.extend_from_slice(now);
            rest = later;
            if now.len() < plain {
                break;
            }
        } else {
            let text = kept.text(Repeat::read(rest));
            if text.len() > room && !piece.is_empty() {
                break;
            }
            piece.extend_from_slice(text);
            rest = &rest[Repeat::WIDTH..];
        }
    }
    chunk.len() - rest.len()
}

/// The body is what a cluster says, and long: only its measures are shown.
impl fmt::Debug for PayloadBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Content { chunks, kept: _, length } = &*self.0;
        write!(f, "PayloadBody({length} bytes in {} chunks)", chunks.len())
    }
}
