//! A rendered body as it is sent, and how many bytes of such bodies are alive.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderValue;

use super::negotiate::ContentCoding;

/// Buffer in front of the gzip encoder, which is slow when it is fed by the byte.
const BUFFER: usize = 32 * 1024;

/// A body with its own headers.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) body: Bytes,
    pub(super) etag: HeaderValue,
    pub(super) length: HeaderValue,
    /// The last generation in which it was asked for.
    pub(super) asked_in: AtomicU64,
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
        let etag = HeaderValue::try_from(format!("W/\"{etag}\"")).map_err(io::Error::other)?;
        let body = alive.count(bytes);
        Ok(Self { length: body.len().into(), body, etag, asked_in: AtomicU64::new(0) })
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
