//! A watch stream of the API server, frame by frame, as its bytes come in.

mod frame;
mod held;
mod kind;
mod lengths;
mod lines;
mod version;

pub(super) use kind::EventType;
pub use version::ResourceVersion;

use self::frame::{Opened, another_answer};
use self::held::Frame;
use self::lengths::Lengths;
use self::lines::Lines;
use super::encoding::Encoding;
use super::error::DecodeError;
use super::identity::Identity;
use super::item::{self, Read};
use super::objects::Bookmark;
use super::records::Records;
use super::skipped::{BrokenItem, Kind, Position, skipped};
use super::status::ApiStatus;
use crate::snapshot::{ListScope, Object, ObjectKey, PodKey, SkippedItem};

/// Reads a watch: bytes are pushed in as they come, frames come out in their order.
///
/// Sans-IO: the caller owns the connection, its deadlines and the gunzipping. At most one frame is held at a time, and of
/// one above 16 MiB its head alone.
#[derive(Debug)]
pub struct WatchReader {
    stream: Stream,
    course: Course,
}

#[derive(Debug)]
enum Stream {
    Json(Lines),
    Protobuf(Lengths),
}

/// What a frame says, and how far the watch has come with it.
#[derive(Debug)]
pub struct WatchFrame {
    /// `metadata.resourceVersion` of the frame's object; `None` where it is missing or no number.
    pub resource_version: Option<ResourceVersion>,
    /// What happened.
    pub event: WatchEvent,
}

/// What a watch saw happen.
#[derive(Debug)]
pub enum WatchEvent {
    /// An object is there, new or changed.
    Applied(Object),
    /// An object is gone.
    Deleted {
        /// Which one.
        key: ObjectKey,
        /// Its last state; `None` when that could not be read.
        last: Option<Object>,
    },
    /// Nothing happened up to the frame's version.
    Bookmark {
        /// Everything was sent that was there when the watch began.
        ends_initial_events: bool,
    },
    /// The watch failed; the server ends it.
    Error(ApiStatus),
    /// A frame, or an entry of the pod that follows, could not be read: something is not as it is in the cluster, until the
    /// next relist.
    Skipped(SkippedItem),
}

/// What a stream is read with.
#[derive(Debug)]
struct Course {
    scope: ListScope,
    encoding: Encoding,
    /// Frames that have ended.
    frames: u64,
}

impl WatchReader {
    /// Begins a watch of what that list holds.
    #[must_use]
    pub fn new(scope: ListScope, encoding: Encoding) -> Self {
        let stream = match encoding {
            Encoding::Json => Stream::Json(Lines::default()),
            Encoding::Protobuf => Stream::Protobuf(Lengths::new()),
        };
        Self { stream, course: Course { scope, encoding, frames: 0 } }
    }

    /// Takes the next bytes of the stream and appends what the frames say that they complete. Nodes are left out when
    /// `records` keeps none.
    ///
    /// # Errors
    /// This is no stream of frames, or not in that encoding. Nothing more can be read then.
    pub fn push(
        &mut self,
        bytes: &[u8],
        records: &mut Records,
        frames: &mut Vec<WatchFrame>,
    ) -> Result<(), DecodeError> {
        let course = &mut self.course;
        let mut found = |frame: Frame<'_>| course.read(frame, records, frames);
        match &mut self.stream {
            Stream::Json(lines) => lines.push(bytes, &mut found),
            Stream::Protobuf(lengths) => lengths.push(bytes, &mut found),
        }
    }

    /// Ends the stream. One without frames is in order: nothing happened.
    ///
    /// # Errors
    /// It ended inside a frame, or it was another answer.
    pub fn finish(self) -> Result<(), DecodeError> {
        let unfinished = match &self.stream {
            Stream::Json(lines) => lines.unfinished(),
            Stream::Protobuf(lengths) => lengths.unfinished(),
        };
        let Some(bytes) = unfinished else { return Ok(()) };
        let ended_early = || DecodeError::EndedEarly(format!("inside frame {}", self.course.frames + 1));
        Err(another_answer(bytes, self.course.encoding).unwrap_or_else(ended_early))
    }
}

impl Course {
    fn read(
        &mut self,
        frame: Frame<'_>,
        records: &mut Records,
        frames: &mut Vec<WatchFrame>,
    ) -> Result<(), DecodeError> {
        self.frames += 1;
        let opened = Opened::new(frame, self.encoding)?;
        let resource_version = ResourceVersion::parse(&opened.identity.resource_version);
        let (event, broken) = self.event(opened, frame.is_cut, records);
        let position = Position::Frame(self.frames);
        let name = |broken: &BrokenItem| skipped(self.scope.clone(), broken, position, records);
        let skipped: Vec<SkippedItem> = broken.iter().map(name).collect();
        let events = skipped.into_iter().map(WatchEvent::Skipped).chain(event);
        frames.extend(events.map(|event| WatchFrame { resource_version, event }));
        Ok(())
    }

    /// What a frame says, and what of it could not be read.
    fn event(&self, opened: Opened<'_>, is_cut: bool, records: &mut Records) -> (Option<WatchEvent>, Vec<BrokenItem>) {
        let kind = Kind::of_scope(&self.scope);
        let event_type = match opened.event_type_in(kind.word()) {
            Ok(EventType::Error) => return (Some(WatchEvent::Error(opened.status())), Vec::new()),
            Ok(event_type) => event_type,
            // Its name does not tell its kind.
            Err(problem) => {
                return (None, vec![BrokenItem { identity: opened.identity, kind: Kind::Unknown, problem }]);
            }
        };
        if event_type == EventType::Bookmark {
            return match item::read_fields::<Bookmark>(opened.object, self.encoding) {
                Ok(bookmark) => (Some(read_bookmark(bookmark)), Vec::new()),
                Err(problem) => (None, vec![BrokenItem { identity: opened.identity, kind: Kind::Unknown, problem }]),
            };
        }
        let key = (event_type == EventType::Deleted).then(|| key(kind, &opened.identity, records)).flatten();
        let Read { object, broken } = if is_cut {
            BrokenItem::too_large(opened.identity, kind).into()
        } else {
            item::read(opened.object, self.encoding, kind, records)
        };
        match (event_type, key) {
            (EventType::Applied, _) => (object.map(WatchEvent::Applied), broken),
            // What is wrong with its last state does not matter any more.
            (_, Some(key)) => (Some(WatchEvent::Deleted { key, last: object }), Vec::new()),
            (_, None) => (None, broken),
        }
    }
}

/// Marks the bookmark behind everything that was there when a watch began.
const INITIAL_EVENTS_END: &[u8] = b"k8s.io/initial-events-end";

fn read_bookmark(bookmark: Bookmark) -> WatchEvent {
    let annotations = bookmark.metadata.unwrap_or_default().annotations;
    let ends_initial_events =
        annotations.iter().any(|annotation| annotation.key == INITIAL_EVENTS_END && annotation.value == b"true");
    WatchEvent::Bookmark { ends_initial_events }
}

/// Which object it is that calls itself so.
fn key(kind: Kind, identity: &Identity, records: &mut Records) -> Option<ObjectKey> {
    let Identity { namespace, name, uid, .. } = identity;
    if name.is_empty() {
        return None;
    }
    match kind {
        Kind::Pod if namespace.is_empty() => None,
        Kind::Pod => Some(ObjectKey::Pod(PodKey {
            namespace: records.interner.string(namespace),
            name: name.as_str().into(),
            uid: Some(uid.as_str()).filter(|uid| !uid.is_empty()).map(Into::into),
        })),
        Kind::Namespace => Some(ObjectKey::Namespace(records.interner.string(name))),
        Kind::Node => Some(ObjectKey::Node(name.as_str().into())),
        Kind::Unknown => None,
    }
}
