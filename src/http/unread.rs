//! What clients have not read yet: an answer counts for its connection, and keeps its permit, until it is written or
//! dropped.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::HeaderValue;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::limits::Permit;
use super::problem::{Problem, ProblemKind};

/// Bytes of answers that one connection may leave unread; a larger one is sent alone.
pub(super) const PER_CONNECTION: u64 = 16 * 1024 * 1024;
/// Bytes of a stream that are given to its connection at once.
const PIECE: usize = 16 * 1024;

/// What one connection has been given and has not read.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread(Arc<Account>);

#[derive(Debug, Default)]
struct Account {
    answers: AtomicUsize,
    bytes: AtomicU64,
    had_body: AtomicBool,
    /// Whether the client was given a body that goes on.
    follows: AtomicBool,
    /// Its client is not waited for any more.
    given_up: CancellationToken,
    streams: Mutex<Vec<Weak<Progress>>>,
}

/// When something of one stream was last taken or written.
#[derive(Debug)]
struct Progress(Mutex<Instant>);

/// A body that is given in pieces, so that its own progress shows.
struct Stream {
    left: Bytes,
    progress: Arc<Progress>,
}

/// A part of a stream on its way to a client.
struct Piece {
    bytes: Bytes,
    progress: Arc<Progress>,
}

/// A body on its way to a client.
struct Sent {
    body: Bytes,
    bytes: u64,
    account: Arc<Account>,
    _permit: Option<Permit>,
}

impl Unread {
    /// The body to send, counted until it is written. A shared body takes no memory of its own and counts no bytes.
    pub(super) fn send(
        &self,
        body: Bytes,
        is_shared: bool,
        permit: Option<Permit>,
        retry_after: &HeaderValue,
    ) -> Result<Bytes, Problem> {
        let bytes = if is_shared { 0 } else { body.len() as u64 };
        let before = self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.0.answers.fetch_add(1, Ordering::Relaxed);
        let sent = Sent { body, bytes, account: Arc::clone(&self.0), _permit: permit };
        if bytes > 0 && before > 0 && before + bytes > PER_CONNECTION {
            let detail = "Answers of 16 MiB on this connection are unread; read them before sending more requests.";
            return Err(Problem::new(ProblemKind::TooMuchUnread, detail).retry_after(retry_after));
        }
        Ok(Bytes::from_owner(sent))
    }

    /// The body of an answer that shares its connection with others: each of them must make progress by itself.
    pub(super) fn stream(&self, body: Bytes) -> Body {
        Body::new(Stream { left: body, progress: self.progress() })
    }

    /// A body that goes on for as long as its client stays: what is sent of it counts as an answer until it is written, and
    /// while nothing is to be sent there is nothing to wait for.
    pub(super) fn follow(self, body: Body, is_shared: bool) -> Body {
        self.0.follows.store(true, Ordering::Relaxed);
        Body::new(body.map_frame(move |frame| frame.map_data(|bytes| self.part(bytes, is_shared))))
    }

    /// Ends a connection whose client was given a body that goes on.
    pub(super) fn given_up(&self) -> &CancellationToken {
        &self.0.given_up
    }

    /// The same, for those who have to look whether that was done.
    pub(super) fn may_be_given_up(&self) -> Option<&CancellationToken> {
        self.0.follows.load(Ordering::Relaxed).then_some(&self.0.given_up)
    }

    fn part(&self, body: Bytes, is_shared: bool) -> Bytes {
        self.0.answers.fetch_add(1, Ordering::Relaxed);
        let sent = Bytes::from_owner(Sent { body, bytes: 0, account: Arc::clone(&self.0), _permit: None });
        if !is_shared {
            return sent;
        }
        Bytes::from_owner(Piece { bytes: sent, progress: self.progress() })
    }

    /// That of a stream that begins now.
    fn progress(&self) -> Arc<Progress> {
        let progress = Arc::new(Progress(Mutex::new(Instant::now())));
        let mut streams = locked(&self.0.streams);
        streams.retain(|stream| stream.strong_count() > 0);
        streams.push(Arc::downgrade(&progress));
        progress
    }

    /// Since when the slowest of the streams has made no progress.
    pub(super) fn slowest(&self) -> Option<Instant> {
        let streams = locked(&self.0.streams);
        streams.iter().filter_map(Weak::upgrade).map(|progress| *locked(&progress.0)).min()
    }

    /// Whether an answer is not written yet.
    pub(super) fn is_some(&self) -> bool {
        self.0.answers.load(Ordering::Relaxed) > 0
    }

    /// Notes that a request came with a body, which may be left unread on this side.
    pub(super) fn note_body(&self) {
        self.0.had_body.store(true, Ordering::Relaxed);
    }

    /// Whether a request came with a body.
    pub(super) fn had_body(&self) -> bool {
        self.0.had_body.load(Ordering::Relaxed)
    }
}

impl Progress {
    fn made(&self) {
        *locked(&self.0) = Instant::now();
    }
}

impl http_body::Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        self.progress.made();
        let length = self.left.len().min(PIECE);
        let piece = Piece { bytes: self.left.split_to(length), progress: Arc::clone(&self.progress) };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.progress.made();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.account.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.account.answers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn a_connection_is_given_16_mib_or_one_larger_answer_until_it_reads() {
        let (unread, later) = (Unread::default(), HeaderValue::from_static("5"));
        let send = |mib: usize, is_shared| unread.send(vec![0; mib * MIB].into(), is_shared, None, &later);
        let large = send(20, false).expect("a large answer alone");
        assert!(send(1, false).is_err());
        let shared = send(20, true).expect("what is there anyway");
        drop((large, shared));
        let all: Vec<_> = (0..4).map(|_| send(4, false).expect("within the bound")).collect();
        assert!(send(1, false).is_err() && unread.is_some());
        drop(all);
        assert!(send(4, false).is_ok() && !unread.is_some());
    }
}
