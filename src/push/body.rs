//! What is sent: JSON that is written while it is sent, anew for each try, so that nobody holds it as a whole.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::{Frame, SizeHint};
use tokio::sync::{OnceCell, mpsc};

use crate::views::PayloadBody;

/// The most bytes of a chunk that is sent.
const CHUNK: usize = 64 * 1024;
/// Chunks that are written ahead of the one that is being sent.
const AHEAD: usize = 1;

/// The body of a request. Cheap to clone.
#[derive(Clone)]
pub struct Body {
    content: Content,
    compressed_length: Arc<OnceCell<Option<u64>>>,
}

#[derive(Clone)]
enum Content {
    Payload(PayloadBody),
    Bytes(Bytes),
}

/// How the bytes are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    Identity,
    /// In gzip of this length.
    Gzip {
        /// Bytes in all, compressed.
        length: u64,
    },
}

impl Body {
    /// Bytes in all, before they are compressed.
    #[must_use]
    pub fn length(&self) -> u64 {
        match &self.content {
            Content::Payload(body) => body.length(),
            Content::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_to(&self, mut writer: impl Write) -> io::Result<()> {
        match &self.content {
            Content::Payload(body) => body.write_to(writer),
            Content::Bytes(bytes) => writer.write_all(bytes),
        }
    }

    /// In gzip: the length is counted at the first call, by compressing it once for nothing, and kept for all tries. A
    /// receiver, or a proxy in front of one, may refuse a body without `Content-Length`.
    ///
    /// As it is, when that did not work out (the runtime is stopping): compression is never a reason not to send.
    pub async fn gzip(&self) -> Coding {
        let count = || async {
            let body = self.clone();
            tokio::task::spawn_blocking(move || {
                let mut counter = Counter(0);
                body.compress_to(&mut counter).map(|()| counter.0)
            })
            .await
            .ok()?
            .ok()
        };
        self.compressed_length.get_or_init(count).await.map_or(Coding::Identity, |length| Coding::Gzip { length })
    }

    /// For one try. To be called inside a runtime: the bytes are written on one of its threads for blocking work.
    #[must_use]
    pub fn stream(&self, coding: Coding) -> BodyStream {
        let (sender, chunks) = mpsc::channel(AHEAD);
        let body = self.clone();
        // An error is that of a receiver that takes no more. Whoever reads the stream knows that already.
        tokio::task::spawn_blocking(move || match coding {
            Coding::Identity => {
                let mut chunked = BufWriter::with_capacity(CHUNK, Chunks(sender));
                body.write_to(&mut chunked).and_then(|()| chunked.flush())
            }
            Coding::Gzip { .. } => {
                let mut chunked = BufWriter::with_capacity(CHUNK, Chunks(sender));
                body.compress_to(&mut chunked).and_then(|()| chunked.flush())
            }
        });
        let rest = match coding {
            Coding::Identity => self.length(),
            Coding::Gzip { length } => length,
        };
        BodyStream { chunks, rest }
    }

    /// The same writes give the same bytes: the length that was counted is the length that is sent.
    fn compress_to(&self, writer: impl Write) -> io::Result<()> {
        let mut encoder = BufWriter::with_capacity(CHUNK, GzEncoder::new(writer, Compression::fast()));
        self.write_to(&mut encoder)?;
        encoder.into_inner().map_err(io::IntoInnerError::into_error)?.finish().map(drop)
    }
}

impl From<PayloadBody> for Body {
    fn from(body: PayloadBody) -> Self {
        Self { content: Content::Payload(body), compressed_length: Arc::default() }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self { content: Content::Bytes(bytes), compressed_length: Arc::default() }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.length())
    }
}

/// Hands over what is written, and waits while nobody takes it.
struct Chunks(mpsc::Sender<Bytes>);

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk = &bytes[..bytes.len().min(CHUNK)];
        self.0.blocking_send(Bytes::copy_from_slice(chunk)).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(chunk.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The chunks as HTTP takes them. The exact size makes it a request with `Content-Length`.
#[derive(Debug)]
pub struct BodyStream {
    chunks: mpsc::Receiver<Bytes>,
    rest: u64,
}

impl http_body::Body for BodyStream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let chunk = ready!(self.chunks.poll_recv(cx));
        let length = chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Poll::Ready(match (chunk, self.rest.checked_sub(length)) {
            (None, Some(0)) => None,
            (Some(chunk), Some(rest)) => {
                self.rest = rest;
                Some(Ok(Frame::data(chunk)))
            }
            (None, Some(_)) | (_, None) => Some(Err(io::Error::other("the body is not as long as it was planned"))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.rest == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Body as _;
    use http_body_util::BodyExt as _;
    use std::io::Read as _;

    /// Long enough for several chunks, and of little that repeats.
    fn text() -> String {
        let numbers = (0..30_000_u64).map(|number| format!("{:x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        numbers.collect::<Vec<_>>().concat()
    }

    #[tokio::test]
    async fn a_body_is_sent_in_chunks_with_its_exact_length_as_often_as_it_is_tried() {
        let text = text();
        let body = Body::from(Bytes::from(text.clone()));
        for _ in 0..2 {
            let mut stream = body.stream(Coding::Identity);
            assert_eq!(stream.size_hint().exact(), Some(text.len() as u64));
            let mut sent = Vec::new();
            while let Some(frame) = stream.frame().await {
                let chunk = frame.unwrap().into_data().unwrap();
                assert!(chunk.len() <= CHUNK);
                sent.extend_from_slice(&chunk);
            }
            assert!(sent == text.as_bytes());
        }
        assert!(Body::from(Bytes::new()).stream(Coding::Identity).is_end_stream());
    }

    #[tokio::test]
    async fn a_body_is_compressed_to_the_length_that_was_counted() {
        let text = text();
        let body = Body::from(Bytes::from(text.clone()));
        let coding = body.clone().gzip().await;
        let Coding::Gzip { length } = coding else { panic!("{coding:?}") };
        for _ in 0..2 {
            let sent = body.stream(body.gzip().await).collect().await.unwrap().to_bytes();
            assert_eq!(sent.len() as u64, length);
            let mut read = String::new();
            flate2::read::GzDecoder::new(&sent[..]).read_to_string(&mut read).unwrap();
            assert!(read == text);
        }
    }

    #[tokio::test]
    async fn a_body_of_another_length_than_planned_is_an_error() {
        let body = Body::from(Bytes::from_static(b"{}"));
        for length in [20, 22, 1_000] {
            assert!(body.stream(Coding::Gzip { length: length + 3 }).collect().await.is_err());
        }
    }
}
