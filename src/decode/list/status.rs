//! The `Status` that the API server answers in protobuf when it does not do what it was asked for.

use prost::Message as _;

use super::protobuf::MAGIC;
use crate::decode::objects::{Status, TypeMeta};

/// What a `Status` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiStatus {
    /// What went wrong, for people; may be empty.
    pub message: String,
    /// The HTTP status that goes with it.
    pub code: Option<u16>,
    /// `details.retryAfterSeconds`: when to come again.
    pub retry_after_seconds: Option<u64>,
}

/// `runtime.Unknown`: what every body of this encoding is.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Body {
    #[prost(message, optional, tag = "1")]
    type_meta: Option<TypeMeta>,
    #[prost(bytes = "vec", tag = "2")]
    raw: Vec<u8>,
}

/// Reads the whole body of an error, if it is a `Status` in protobuf.
#[must_use]
pub fn read_status(body: &[u8]) -> Option<ApiStatus> {
    let body = Body::decode(body.strip_prefix(&MAGIC)?).ok()?;
    body.type_meta.filter(|meta| meta.kind.as_deref() == Some("Status"))?;
    let Status { message, details, code, .. } = Status::decode(&*body.raw).ok()?;
    let seconds = details.and_then(|details| details.retry_after_seconds);
    // Written as 0 when there is none.
    let retry_after_seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
    let code = code.and_then(|code| u16::try_from(code).ok());
    Some(ApiStatus { message: message.unwrap_or_default(), code, retry_after_seconds })
}
