//! Objects inside objects: lists in a list, and the events of a watch.

use super::Contents;
use crate::decode::dump::item::{Format, Item, read_item};
use crate::decode::dump::{watch, yaml};
use crate::decode::envelope::ListKind;
use crate::decode::json::{self, Documents};
use crate::decode::pod::PodRead;
use crate::decode::sink::Stop;
use crate::decode::skipped::Kind;
use crate::inventory::PodRecord;
use crate::snapshot::{Event, ObjectKey, PodKey};

/// The most lists inside each other.
const DEPTH_MAX: u32 = 8;

impl Contents<'_> {
    /// A list inside the list: a document of its own.
    pub(super) fn take_nested(&mut self, bytes: &[u8], at: u64) -> Result<(), Stop> {
        let json = match self.format {
            Format::Json => None,
            Format::Yaml => match yaml::to_json(bytes) {
                Ok(json) => Some(json),
                Err(problem) => return self.take_unreadable(bytes, Kind::Unknown, problem, at),
            },
        };
        self.take_document(json.as_deref().unwrap_or(bytes), at)
    }

    /// A document of JSON inside another.
    fn take_document(&mut self, json: &[u8], at: u64) -> Result<(), Stop> {
        if self.depth >= DEPTH_MAX {
            let problem = format!("more than {DEPTH_MAX} lists inside each other");
            return self.take_unreadable(json, Kind::Unknown, problem, at);
        }
        let format = std::mem::replace(&mut self.format, Format::Json);
        let list = std::mem::take(&mut self.list);
        self.depth += 1;
        let mut stream = json::Stream::new(Documents::One);
        let pushed = stream.push(json, self);
        self.depth -= 1;
        self.list = list;
        self.format = format;
        pushed.map_err(|stop| match stop {
            Stop::Problem(problem) => Stop::Error(stream.error(problem)),
            stop => stop,
        })
    }

    pub(super) fn take_watch_event(&mut self, bytes: &[u8], at: u64) -> Result<(), Stop> {
        let json = match self.format {
            Format::Json => Ok(bytes.to_vec()),
            Format::Yaml => yaml::to_json(bytes),
        };
        match json.as_deref().map_err(Clone::clone).and_then(watch::read) {
            Ok(watch::Event::Object(object)) => self.take_document(object, at),
            Ok(watch::Event::Deleted(object)) => self.take_deleted(object, at),
            Ok(watch::Event::Bookmark) => Ok(()),
            Err(problem) => self.take_unreadable(bytes, Kind::Unknown, problem, at),
        }
    }

    /// An object that was there before, in this document or another, is gone.
    fn take_deleted(&mut self, object: &[u8], at: u64) -> Result<(), Stop> {
        let key = match read_item(object, Format::Json, ListKind::Unnamed, self.records) {
            Item::Pod(PodRead { pod: PodRecord { namespace, name, uid, .. }, .. }) => {
                self.found.end.had_pod_list = true;
                ObjectKey::Pod(PodKey { namespace, name, uid })
            }
            Item::Namespace(namespace) => ObjectKey::Namespace(namespace.name),
            Item::Node(node) => ObjectKey::Node(node.name),
            Item::Other(kind) => {
                self.found.count_other(&kind);
                return Ok(());
            }
            Item::Broken(broken) => return self.take_broken(&broken, at),
            Item::List | Item::Status | Item::Untold(_) | Item::Spliced { .. } => {
                let problem = "the object of a DELETED event is no single object with its kind".to_owned();
                return self.take_unreadable(object, Kind::Unknown, problem, at);
            }
        };
        self.found.end.is_recognised |= !matches!(key, ObjectKey::Node(_));
        self.send(Event::Deleted(key))
    }
}
