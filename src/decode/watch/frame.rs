//! One frame: what it says of itself, and the bytes of its object.

use super::held::Frame;
use super::kind::EventType;
use crate::decode::encoding::Encoding;
use crate::decode::error::DecodeError;
use crate::decode::identity::Identity;
use crate::decode::item;
use crate::decode::json;
use crate::decode::objects::Status;
use crate::decode::protobuf::{Wire, Wrapped};
use crate::decode::skipped::TOO_LARGE;
use crate::decode::status::{ApiStatus, read_status};
use crate::inventory::excerpt;

/// A frame whose object is not read yet.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    event_type: Result<EventType, String>,
    /// What the object calls itself, as far as that can be told.
    pub(super) identity: Identity,
    pub(super) object: &'a [u8],
    encoding: Encoding,
    /// What is wrong with the frame around the object.
    fault: Option<String>,
}

impl<'a> Opened<'a> {
    /// Takes a frame apart.
    ///
    /// # Errors
    /// It is no frame but another answer: this is no stream of them.
    pub(super) fn new(frame: Frame<'a>, encoding: Encoding) -> Result<Self, DecodeError> {
        match encoding {
            Encoding::Json => Self::of_json(frame),
            Encoding::Protobuf => Ok(Self::of_protobuf(frame)),
        }
    }

    fn of_json(frame: Frame<'a>) -> Result<Self, DecodeError> {
        let (event, end) = json::Event::find(frame.bytes);
        if event.is_none() {
            let no_event = || DecodeError::NotKubernetes(json::identity(frame.bytes).described());
            return Err(another_answer(frame.bytes, Encoding::Json).unwrap_or_else(no_event));
        }
        let object = event.object.unwrap_or_default();
        let fault = match event.kind() {
            // Its type would have stood behind its object.
            None if frame.is_cut => Some(TOO_LARGE.to_owned()),
            _ => end.err().filter(|_| !frame.is_cut),
        };
        Ok(Self {
            event_type: EventType::of_word(&event.kind().unwrap_or_default()),
            identity: json::identity(object),
            object,
            encoding: Encoding::Json,
            fault,
        })
    }

    fn of_protobuf(Frame { bytes, is_cut }: Frame<'a>) -> Self {
        let event = Wire { bytes, is_cut };
        // Whatever is wrong behind it: an error is to be told from other events.
        let word = Wire { bytes, is_cut: true }.field(1).map(|word| word.unwrap_or_default().bytes);
        let mut opened = Self {
            event_type: word.and_then(|word| EventType::of_word(&String::from_utf8_lossy(word))),
            identity: Identity::default(),
            object: &[],
            encoding: Encoding::Protobuf,
            fault: None,
        };
        let raw = event.field(2).and_then(|extension| extension.unwrap_or_default().field(1));
        match raw.and_then(|raw| Wrapped::read(raw.unwrap_or_default())) {
            Ok(Wrapped { type_meta, object }) => {
                opened.object = object.bytes;
                opened.identity = item::identity(object.bytes, Encoding::Protobuf);
                opened.identity.kind = type_meta.kind.unwrap_or_default();
                opened.identity.api_version = type_meta.api_version.unwrap_or_default();
            }
            Err(problem) => opened.fault = Some(format!("object: {problem}")),
        }
        opened
    }

    /// What happened, in a watch of objects of that kind; or what is wrong with the frame, apart from the object's fields.
    pub(super) fn event_type_in(&self, kind: &str) -> Result<EventType, String> {
        let event_type = self.event_type.clone();
        if event_type == Ok(EventType::Error) {
            return event_type;
        }
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        match (self.identity.api_version.as_str(), self.identity.kind.as_str()) {
            _ if event_type.is_err() => event_type,
            ("v1", found) if found == kind => event_type,
            (_, "") => Err("object.kind: missing".to_owned()),
            ("v1", found) => Err(format!("object.kind: expected `{kind}`, found `{}`", excerpt(found))),
            (found, _) => Err(format!("object.apiVersion: expected `v1`, found `{}`", excerpt(found))),
        }
    }

    /// Why the watch failed.
    pub(super) fn status(&self) -> ApiStatus {
        let status = match &self.fault {
            Some(problem) => Err(problem.clone()),
            None if self.identity.kind != "Status" => Err(format!("it has {}", self.identity.described())),
            None => item::read_fields::<Status>(self.object, self.encoding).map(ApiStatus::from),
        };
        status.unwrap_or_else(|problem| ApiStatus {
            message: format!("an ERROR without a Status that can be read: {problem}"),
            ..ApiStatus::default()
        })
    }
}

/// The error of a stream that is another answer of an API server, if it is one.
pub(super) fn another_answer(body: &[u8], encoding: Encoding) -> Option<DecodeError> {
    let (kind, status) = match encoding {
        Encoding::Json => {
            let kind = json::identity(body).kind;
            let status = (kind == "Status").then(|| item::read_fields::<Status>(body, encoding));
            (kind, status.and_then(Result::ok).map(ApiStatus::from))
        }
        Encoding::Protobuf => {
            let wrapped = Wrapped::read(Wire { bytes: body, is_cut: true });
            let kind = wrapped.ok().and_then(|wrapped| wrapped.type_meta.kind);
            (kind.unwrap_or_default(), read_status(body))
        }
    };
    match status {
        Some(status) => Some(DecodeError::Refused(excerpt(&status.message).to_string())),
        None if kind.is_empty() => None,
        None => Some(DecodeError::NotKubernetes(format!("`{}`", excerpt(&kind)))),
    }
}
