//! What is sent: one JSON text that nobody puts together as a whole, and the same packed once for all its tries.

use std::convert::Infallible;
use std::fmt;
use std::io::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::{Frame, SizeHint};
use tokio::sync::OnceCell;

use crate::views::{PayloadBody, Pieces};

/// The body of a request. Cheap to clone: its clones share the bytes.
#[derive(Clone)]
pub struct Body {
    content: PayloadBody,
    packed: Arc<OnceCell<Option<Bytes>>>,
}

impl Body {
    /// Bytes in all, before they are packed.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.content.length()
    }

    /// The bytes in their order.
    #[must_use]
    pub fn pieces(&self) -> Pieces {
        self.content.pieces()
    }

    /// In gzip; packed at the first call, off the async workers, and kept for later tries. `None` when that did not work
    /// out (the runtime is stopping): packing saves something and is never a reason not to send.
    pub(super) async fn packed(&self) -> Option<Bytes> {
        let pack = || async {
            let pieces = self.pieces();
            tokio::task::spawn_blocking(move || pack(pieces)).await.ok()?.ok()
        };
        self.packed.get_or_init(pack).await.clone()
    }

    /// For one try.
    pub(super) fn sent(&self) -> reqwest::Body {
        reqwest::Body::wrap(Sent { pieces: self.pieces(), rest: self.length() })
    }
}

impl From<PayloadBody> for Body {
    fn from(content: PayloadBody) -> Self {
        Self { content, packed: Arc::default() }
    }
}

impl From<Vec<Bytes>> for Body {
    /// A body of UTF-8.
    fn from(pieces: Vec<Bytes>) -> Self {
        Self::from(PayloadBody::from(pieces))
    }
}

impl From<Bytes> for Body {
    /// A body of UTF-8.
    fn from(bytes: Bytes) -> Self {
        Self::from(vec![bytes])
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.length())
    }
}

fn pack(pieces: Pieces) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for piece in pieces {
        encoder.write_all(&piece)?;
    }
    Ok(encoder.finish()?.into())
}

/// The pieces as HTTP takes them. The exact size makes it a request with `Content-Length`: proxies in front of a receiver
/// may refuse one that comes in chunks.
struct Sent {
    pieces: Pieces,
    rest: u64,
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.next();
        self.rest -= piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
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

    fn body(texts: &[&'static str]) -> Body {
        Body::from(texts.iter().map(|text| Bytes::from_static(text.as_bytes())).collect::<Vec<_>>())
    }

    #[tokio::test]
    async fn pieces_are_sent_in_order_with_their_exact_length() {
        let sent = body(&["{", "", "\"a\":", "1}"]).sent();
        assert_eq!(sent.size_hint().exact(), Some(7));
        assert_eq!(sent.collect().await.unwrap().to_bytes(), "{\"a\":1}");
        assert!(body(&[]).sent().is_end_stream());
    }

    #[tokio::test]
    async fn clones_are_packed_once() {
        let body = body(&["{\"a\":", "1}"]);
        let packed = body.clone().packed().await.unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "{\"a\":1}");
        assert_eq!(body.packed().await.unwrap().as_ptr(), packed.as_ptr(), "the same bytes");
    }
}
