//! The `Status` that the API server answers when it does not do what it was asked for.

use prost::Message as _;

use super::objects::Status;
use super::protobuf::{Wire, Wrapped};

/// What a `Status` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiStatus {
    /// What went wrong, for people; may be empty.
    pub message: String,
    /// The same in a word, for programs: `Expired`, `Forbidden`; may be empty.
    pub reason: String,
    /// The HTTP status that goes with it.
    pub code: Option<u16>,
    /// `details.retryAfterSeconds`: when to come again.
    pub retry_after_seconds: Option<u64>,
}

impl ApiStatus {
    /// Whether what was asked for is too old to be had: only a new list helps. Servers put it in one of two ways.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.code == Some(410) || matches!(self.reason.as_str(), "Expired" | "Gone")
    }
}

impl From<Status> for ApiStatus {
    fn from(Status { message, reason, details, code, .. }: Status) -> Self {
        let seconds = details.and_then(|details| details.retry_after_seconds);
        Self {
            message: message.unwrap_or_default(),
            reason: reason.unwrap_or_default(),
            // Numbers are written as 0 when there is none.
            code: code.and_then(|code| u16::try_from(code).ok()).filter(|code| *code > 0),
            retry_after_seconds: seconds.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0),
        }
    }
}

/// Reads the whole body of an error, if it is a `Status` in protobuf.
#[must_use]
pub fn read_status(body: &[u8]) -> Option<ApiStatus> {
    let Wrapped { type_meta, object } = Wrapped::read(Wire { bytes: body, is_cut: false }).ok()?;
    type_meta.kind.filter(|kind| kind == "Status")?;
    Status::decode(object.bytes).ok().map(ApiStatus::from)
}
