//! Answers that are written while they are sent: whole lists, of which no more than a few pieces are held.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt as _, stream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::generation::Generation;
use super::limits::Permit;
use super::negotiate::ContentCoding;
use crate::views::Format;

/// Bytes that are sent at once.
const PIECE: usize = 64 * 1024;
/// As many pieces wait for the client.
const AHEAD: usize = 4;
/// A client that takes no piece for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer that has no pages.
pub(super) struct Whole {
    pub(super) generation: Arc<Generation>,
    pub(super) format: Format,
    /// What the rows are, in a word.
    pub(super) name: &'static str,
    /// It lacks more than the snapshot does.
    pub(super) is_lacking: bool,
    pub(super) write: WriteWhole,
}

/// Writes the whole answer; does not flush.
pub(super) type WriteWhole = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

impl Whole {
    /// The body. It is begun when the client reads it, and keeps its permit until the last row is written.
    pub(super) fn body(self, coding: ContentCoding, permit: Permit) -> Body {
        let pieces = async move {
            let (sender, receiver) = mpsc::channel(AHEAD);
            let pieces = Pieces { sender, runtime: Handle::current(), piece: Vec::with_capacity(PIECE) };
            tokio::task::spawn_blocking(move || {
                let failures = pieces.sender.clone();
                let failed = write(self.write, coding, pieces).err();
                // Whoever has gone is told nothing.
                if let Some(error) = failed.filter(|error| error.kind() != io::ErrorKind::BrokenPipe) {
                    tracing::error!("an answer could not be written: {error}");
                    let _gone = failures.blocking_send(Err(error));
                }
                drop(permit);
            });
            stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)))
        };
        Body::from_stream(stream::once(pieces).flatten())
    }
}

fn write(write: WriteWhole, coding: ContentCoding, mut pieces: Pieces) -> io::Result<()> {
    match coding {
        ContentCoding::Identity => {
            write(&mut pieces)?;
            pieces.flush()
        }
        ContentCoding::Gzip => {
            let encoder = GzEncoder::new(pieces, Compression::default());
            let mut encoder = io::BufWriter::with_capacity(PIECE, encoder);
            write(&mut encoder)?;
            encoder.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?.flush()
        }
    }
}

/// Gives the client what is written, piece by piece. Blocks while it reads slower than that.
struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        let sent = self.runtime.block_on(self.sender.send_timeout(Ok(piece.into()), PATIENCE));
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
