//! One connection: it ends when its client stops reading it or one of its streams, and closes so that the last answer arrives.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tower::Layer as _;

use super::unread::Unread;

/// The longest that a write may make no progress while answers are unread.
const STALL: Duration = Duration::from_secs(20);
/// How much of an unread request is still read after the last answer, and for how long: closing on it at once resets the
/// connection, and a client that sends before it reads would not see the answer.
const LINGER: (usize, Duration) = (1024 * 1024, Duration::from_secs(1));

/// Accepts with another acceptor and watches what the client reads.
#[derive(Debug, Clone)]
pub(super) struct Watching<A> {
    pub(super) acceptor: A,
    pub(super) stall: Duration,
}

impl<A> Watching<A> {
    pub(super) fn new(acceptor: A) -> Self {
        Self { acceptor, stall: STALL }
    }
}

impl<A, I, S> Accept<I, S> for Watching<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Watched<A::Stream>;
    type Service = AddExtension<A::Service, Unread>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let (accepted, stall) = (self.acceptor.accept(stream, service), self.stall);
        Box::pin(async move {
            let (stream, service) = accepted.await?;
            let unread = Unread::default();
            Ok((Watched::new(stream, unread.clone(), stall), Extension(unread).layer(service)))
        })
    }
}

/// A stream with a deadline for writes that make no progress.
#[derive(Debug)]
pub(super) struct Watched<I> {
    stream: I,
    unread: Unread,
    stall: Duration,
    /// When something was last written, or found to be unwritten.
    progress: Instant,
    /// Whether the last write did not take everything.
    is_blocked: bool,
    /// Wakes the connection to look; there while something is unwritten.
    alarm: Option<Pin<Box<Sleep>>>,
    /// Since the answers are written: until when, and how many more bytes, the rest of a request is read away.
    linger: Option<(Pin<Box<Sleep>>, usize)>,
    /// Wakes the connection when its client is given up; there once it was given an answer that goes on.
    given_up: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl<I> Watched<I> {
    fn new(stream: I, unread: Unread, stall: Duration) -> Self {
        let progress = Instant::now();
        Self { stream, unread, stall, progress, is_blocked: false, alarm: None, linger: None, given_up: None }
    }

    /// An error when something has been unwritten for too long without progress; else the task is woken to look again.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if let Some(token) = self.unread.may_be_given_up() {
            let given_up = self.given_up.get_or_insert_with(|| Box::pin(token.clone().cancelled_owned()));
            if given_up.as_mut().poll(context).is_ready() {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the client is too far behind"));
            }
        }
        if !self.is_blocked && !self.unread.is_some() {
            self.alarm = None;
            return Ok(());
        }
        if self.alarm.is_none() {
            self.progress = Instant::now();
            self.alarm = Some(Box::pin(sleep(self.stall)));
        }
        let Some(alarm) = &mut self.alarm else { return Ok(()) };
        while alarm.as_mut().poll(context).is_ready() {
            // What another answer writes, or an answer to a ping, is no progress of a stream that stands still.
            let progress = self.unread.slowest().map_or(self.progress, |slowest| slowest.min(self.progress));
            let deadline = progress + self.stall;
            if deadline <= Instant::now() {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the client has stopped reading"));
            }
            alarm.as_mut().reset(deadline);
        }
        Ok(())
    }

    /// Notes what became of a write of so many bytes.
    fn wrote(
        &mut self,
        context: &mut Context<'_>,
        offered: usize,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(written)) if written > 0 => self.progress = Instant::now(),
            _ => {}
        }
        self.is_blocked = !matches!(result, Poll::Ready(Ok(written)) if written == offered);
        if self.is_blocked {
            self.check(context)?;
        }
        result
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(context, bytes.len(), result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wrote(context, slices.iter().map(|slice| slice.len()).sum(), result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let Some((alarm, left)) = &mut this.linger else {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            if !this.unread.had_body() {
                return Poll::Ready(Ok(()));
            }
            this.linger = Some((Box::pin(sleep(LINGER.1)), LINGER.0));
            return self.poll_shutdown(context);
        };
        let mut scratch = [0; 4096];
        while *left > 0 && alarm.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => *left = left.saturating_sub(buffer.filled().len()),
                // The client has closed too, or is gone.
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use bytes::Bytes;
    use futures::stream::{self, StreamExt as _};
    use http::HeaderValue;
    use http_body_util::BodyExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::timeout;

    const HOUR: Duration = Duration::from_hours(1);

    fn watched() -> (Watched<DuplexStream>, DuplexStream, Unread) {
        let (server, client) = duplex(64);
        let unread = Unread::default();
        (Watched::new(server, unread.clone(), STALL), client, unread)
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_makes_no_progress_ends_the_connection() {
        let (mut server, client, _) = watched();
        let began = Instant::now();
        let error = server.write_all(&[0; 1000]).await.expect_err("nobody reads");
        assert_eq!((error.kind(), began.elapsed().as_secs()), (io::ErrorKind::TimedOut, 20));
        drop(client);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_slowly_is_waited_for() {
        let (mut server, mut client, _) = watched();
        let reads = async {
            let mut read = [0; 10];
            for _ in 0..100 {
                sleep(Duration::from_secs(15)).await;
                client.read_exact(&mut read).await.expect("bytes");
            }
        };
        let (written, ()) = tokio::join!(server.write_all(&[0; 1000]), reads);
        written.expect("it reads");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_waits_for_its_window_ends_the_connection() {
        let (mut server, _client, unread) = watched();
        let answer = |unread: &Unread| {
            unread
                .send(Bytes::from_static(b"answer"), true, None, &HeaderValue::from_static("5"))
                .expect("within bounds")
        };
        let written = answer(&unread);
        drop(written);
        assert!(timeout(HOUR, server.read_u8()).await.is_err(), "an idle connection is not ended here");
        let _waiting = answer(&unread);
        let error = timeout(HOUR, server.read_u8()).await.expect("in time").expect_err("the answer is not read");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_stands_still_beside_others_ends_the_connection() {
        let (mut server, mut client, unread) = watched();
        let body = || Bytes::from(vec![0; 100_000]);
        let (still, mut moving) = (unread.stream(body()), unread.stream(body()));
        let answer = unread.send(body(), true, None, &HeaderValue::from_static("5")).expect("within bounds");
        // What is written of the one, and read of the other end, is progress of the connection.
        let moves = async {
            let mut read = [0; 8];
            while let Some(Ok(frame)) = moving.frame().await {
                server.write_all(&[0; 8]).await?;
                drop(frame);
                client.read_exact(&mut read).await?;
                let _still_open = timeout(Duration::from_secs(7), server.read_u8()).await.unwrap_or(Ok(0))?;
            }
            Ok::<_, io::Error>(())
        };
        let began = Instant::now();
        let error = moves.await.expect_err("one stands still");
        assert_eq!((error.kind(), began.elapsed().as_secs()), (io::ErrorKind::TimedOut, 20));
        drop((still, answer));
    }

    #[tokio::test(start_paused = true)]
    async fn streams_that_are_read_slowly_are_waited_for() {
        let (mut server, _client, unread) = watched();
        let mut stream = unread.stream(vec![0; 100_000].into());
        let answer = unread.send(Bytes::new(), true, None, &HeaderValue::from_static("5")).expect("within bounds");
        while let Some(Ok(frame)) = stream.frame().await {
            server.write_all(&[0]).await.expect("it is read");
            let quiet = timeout(Duration::from_secs(12), server.read_u8()).await;
            assert!(quiet.is_err(), "{quiet:?}");
            // Written later than it was taken.
            drop(frame);
            server.write_all(&[0]).await.expect("it is read");
            let quiet = timeout(Duration::from_secs(12), server.read_u8()).await;
            assert!(quiet.is_err(), "{quiet:?}");
        }
        drop(answer);
    }

    fn stream() -> Body {
        Body::from_stream(stream::iter([Ok::<_, io::Error>("event")]).chain(stream::pending()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_has_nothing_to_send_keeps_its_connection_and_one_that_is_not_read_ends_it() {
        for is_shared in [false, true] {
            let (mut server, _client, unread) = watched();
            let mut body = unread.follow(stream(), is_shared);
            let event = body.frame().await;
            drop(event);
            assert!(timeout(HOUR, server.read_u8()).await.is_err(), "there is nothing to read");
            let (mut server, _client, unread) = watched();
            let mut body = unread.follow(stream(), is_shared);
            let _unwritten = body.frame().await;
            let began = Instant::now();
            let error = timeout(HOUR, server.read_u8()).await.expect("in time").expect_err("it is not read");
            assert_eq!((error.kind(), began.elapsed().as_secs()), (io::ErrorKind::TimedOut, 20));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_given_up_is_not_waited_for() {
        let (mut server, _client, unread) = watched();
        let _body = unread.clone().follow(stream(), false);
        let given_up = async {
            sleep(Duration::from_secs(1)).await;
            unread.given_up().cancel();
        };
        let write = async {
            let began = Instant::now();
            (server.write_all(&[0; 1000]).await, began.elapsed().as_secs())
        };
        let ((written, seconds), ()) = tokio::join!(write, given_up);
        assert_eq!((written.expect_err("nobody reads").kind(), seconds), (io::ErrorKind::TimedOut, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_still_sent_is_read_away_before_the_connection_closes() {
        let (mut server, mut client, unread) = watched();
        unread.note_body();
        let sent = async { client.write_all(&[0; 10_000]).await.map(|()| drop(client)) };
        let (closed, sent) = tokio::join!(server.shutdown(), sent);
        closed.expect("closed");
        sent.expect("all of it was read");
        let (mut server, _silent, unread) = watched();
        unread.note_body();
        let began = Instant::now();
        server.shutdown().await.expect("closed");
        assert_eq!(began.elapsed(), LINGER.1, "no longer than that");
    }
}
