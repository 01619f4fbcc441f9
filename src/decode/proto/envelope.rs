//! What a protobuf body says of itself: the kind of what it wraps, a list's metadata, and the `Status` of an error.

use super::cutter::MAGIC;
use super::fields::{Fault, Fields};
use crate::decode::error::DecodeError;
use crate::decode::forms::Text;
use crate::inventory::excerpt;

/// The kind in a `runtime.TypeMeta`.
pub(in crate::decode) fn kind_of(type_meta: &[u8]) -> Result<String, DecodeError> {
    read_kind(type_meta).map_err(|fault| broken(&fault.within("typeMeta")))
}

fn read_kind(type_meta: &[u8]) -> Result<String, Fault> {
    let mut kind = None;
    let mut fields = Fields::new(type_meta);
    while let Some(field) = fields.next()? {
        if field.number == 2 {
            kind = field.text("kind")?;
        }
    }
    Ok(owned(kind).unwrap_or_default())
}

/// What a list says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::decode) struct ListMeta {
    pub(in crate::decode) resource_version: Option<String>,
    pub(in crate::decode) continue_token: Option<String>,
    pub(in crate::decode) remaining: Option<u64>,
}

impl ListMeta {
    /// Reads a `meta.v1.ListMeta`.
    ///
    /// # Errors
    /// A field of it is broken.
    pub(in crate::decode) fn read(message: &[u8]) -> Result<Self, DecodeError> {
        Self::read_fields(message).map_err(|fault| broken(&fault.within("metadata")))
    }

    fn read_fields(message: &[u8]) -> Result<Self, Fault> {
        let mut found = Self::default();
        let mut fields = Fields::new(message);
        while let Some(field) = fields.next()? {
            match field.number {
                2 => found.resource_version = owned(field.text("resourceVersion")?),
                3 => found.continue_token = owned(field.text("continue")?),
                4 => found.remaining = u64::try_from(field.integer("remainingItemCount")?).ok(),
                _ => {}
            }
        }
        Ok(found)
    }
}

/// `meta.v1.Status`: what the API server answers when it does not do what it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiStatus {
    /// What went wrong, for people; may be empty.
    pub message: String,
    /// `details.retryAfterSeconds`: when to come again.
    pub retry_after_seconds: Option<u64>,
}

/// Reads the whole body of an error, if it is a `Status` in protobuf.
#[must_use]
pub fn read_status(body: &[u8]) -> Option<ApiStatus> {
    let wrapper = body.strip_prefix(&MAGIC)?;
    read_wrapped_status(wrapper).ok().flatten()
}

fn read_wrapped_status(wrapper: &[u8]) -> Result<Option<ApiStatus>, Fault> {
    let (mut kind, mut raw) = (String::new(), None);
    let mut fields = Fields::new(wrapper);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => kind = read_kind(field.bytes("a message")?)?,
            2 => raw = Some(field.bytes("a message")?),
            _ => {}
        }
    }
    let Some(raw) = raw.filter(|_| kind == "Status") else { return Ok(None) };
    let mut status = ApiStatus::default();
    let mut fields = Fields::new(raw);
    while let Some(field) = fields.next()? {
        match field.number {
            3 => status.message = owned(field.text("message")?).unwrap_or_default(),
            5 => {
                let mut details = Fields::new(field.bytes("a message")?);
                while let Some(detail) = details.next()? {
                    if detail.number == 5 {
                        let seconds = detail.integer("retryAfterSeconds")?;
                        // Written as 0 when there is none.
                        status.retry_after_seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(Some(status))
}

fn owned(text: Option<Text<'_>>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

fn broken(fault: &Fault) -> DecodeError {
    DecodeError::BrokenList(excerpt(&fault.to_string()).to_string())
}
