//! A saved dump, whatever its shape: JSON or YAML, a list or single objects, one document or many.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::de::IgnoredAny;

use super::cutter::Cutter;
use super::error::DecodeError;
use super::head::{Head, Kind};
use super::item::Format;
use super::objects::Objects;
use super::records::Records;
use super::sink::{Problem, Stop};
use super::yaml::YamlCutter;
use crate::inventory::excerpt;
use crate::snapshot::Event;

/// How much is read at a time.
const CHUNK: usize = 128 * 1024;

/// What a dump held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DumpEnd {
    /// Pods and namespaces that were read.
    pub objects: u64,
    /// Whether it lists namespaces; if not, the namespaces are those of the pods.
    pub had_namespaces: bool,
    /// Why the dump is not whole, when it ended too early or a later document could not be read. Escaped and cut for
    /// messages.
    pub cut_short: Option<Arc<str>>,
}

/// Reads a dump to its end and emits an [`Event::Namespace`], [`Event::Pod`] or [`Event::Skipped`] for each object, and an
/// [`Event::Node`] for each node when `records` keeps nodes; one that cannot be read is an [`Event::Skipped`] of
/// [`ListScope::Nodes`](crate::snapshot::ListScope::Nodes). At most one object is held at a time. When `emit` breaks,
/// reading ends there, without error.
///
/// # Errors
/// The input cannot be read, or is none that kai knows. Events of the part before may have been emitted: they do not count.
pub fn read_dump(
    reader: &mut dyn Read,
    records: &mut Records,
    emit: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<DumpEnd, DecodeError> {
    let mut objects = Objects::new(records, emit);
    let mut buffer = vec![0; CHUNK];
    let head = Head::read(reader, &mut buffer)?;
    let read = match head.kind {
        Kind::Json => read_json(reader, &mut buffer, &head, &mut objects),
        Kind::Yaml => read_yaml(reader, &mut buffer, &head, &mut objects),
    };
    let is_enough = matches!(read, Err(Stop::Enough));
    let cut_short = match read {
        Ok(cut_short) => cut_short,
        Err(Stop::Enough) => None,
        Err(Stop::Error(error)) => return Err(error),
        Err(Stop::Problem(problem)) => return Err(DecodeError::at(head.first_line, problem)),
    };
    if cut_short.is_none() && !is_enough && !objects.is_recognised() {
        return Err(objects.nothing_read());
    }
    let cut_short = cut_short.map(|reason| excerpt(&reason).to_string().into());
    Ok(DumpEnd { objects: objects.read, had_namespaces: objects.had_namespaces, cut_short })
}

/// Reads a stream of JSON documents; answers why it is not whole.
fn read_json(
    reader: &mut dyn Read,
    buffer: &mut [u8],
    head: &Head,
    objects: &mut Objects<'_>,
) -> Result<Option<String>, Stop> {
    let mut cutter = Cutter::new();
    let mut length = head.length;
    let mut from = head.start;
    while length > 0 {
        if let Err(stop) = cutter.push(&buffer[from..length], objects) {
            let problem = match stop {
                Stop::Problem(problem) => problem,
                stop => return later(cutter.documents(), objects, stop),
            };
            objects.note_go_names(&Format::Json.peek(cutter.unfinished_shell()));
            // Text behind a whole document, and nothing of the API so far: the documents are another program's.
            if matches!(problem, Problem::NoObject(_)) && cutter.documents() > 0 && !objects.is_recognised() {
                return Err(Stop::Error(DecodeError::ForeignLine { line: head.first_line, text: head.text.clone() }));
            }
            let error = DecodeError::at(cutter.line(), problem);
            return later(cutter.documents(), objects, Stop::Error(error));
        }
        from = 0;
        length = read_some(reader, buffer).map_err(Stop::Error)?;
    }
    if !cutter.is_inside_document() {
        return Ok(None);
    }
    // What is there is the beginning of an item, or else it was broken before it ended.
    let rest = cutter.unfinished_item().unwrap_or(cutter.unfinished_shell());
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(rest)
        && error.is_syntax()
    {
        let error = DecodeError::at(cutter.line(), Problem::Splice);
        return later(cutter.documents(), objects, Stop::Error(error));
    }
    let name = cutter.unfinished_item().map(|item| Format::Json.peek(item).name).unwrap_or_default();
    ended_early(objects, &name)
}

/// Reads a stream of YAML documents; answers why it is not whole.
fn read_yaml(
    reader: &mut dyn Read,
    buffer: &mut [u8],
    head: &Head,
    objects: &mut Objects<'_>,
) -> Result<Option<String>, Stop> {
    objects.format = Format::Yaml;
    let mut cutter = YamlCutter::new();
    let mut length = head.length;
    let mut from = head.start;
    let mut pushed = Ok(());
    while length > 0 && pushed.is_ok() {
        pushed = cutter.push(&buffer[from..length], objects);
        from = 0;
        length = read_some(reader, buffer).map_err(Stop::Error)?;
    }
    let pushed = match pushed.and_then(|()| cutter.push_last_line(objects)) {
        Ok(is_readable) if !is_readable || cutter.lacks_kind() => {
            let name = cutter.unfinished_item().map(|item| Format::Yaml.peek(item).name).unwrap_or_default();
            return ended_early(objects, &name);
        }
        pushed => pushed.map(|_| ()),
    };
    match pushed.and_then(|()| cutter.finish(objects)) {
        Ok(()) => Ok(None),
        Err(Stop::Problem(problem)) => {
            let error = DecodeError::at(cutter.line(), problem);
            later(cutter.documents(), objects, Stop::Error(error))
        }
        Err(stop) => later(cutter.documents(), objects, stop),
    }
}

/// A document could not be read: of several, what came before it is kept.
fn later(documents: u64, objects: &Objects<'_>, stop: Stop) -> Result<Option<String>, Stop> {
    match stop {
        Stop::Error(error) if documents > 0 && objects.read > 0 && !matches!(error, DecodeError::Read(_)) => {
            Ok(Some(format!("document {} of the input could not be read: {error}", documents + 1)))
        }
        stop => Err(stop),
    }
}

/// The input ended inside a document: what came before is kept, if anything did.
fn ended_early(objects: &mut Objects<'_>, name: &str) -> Result<Option<String>, Stop> {
    let item = objects.next_item();
    objects.settle_unfinished()?;
    let inside = match name {
        "" => format!("inside item {item}"),
        name => format!("inside item {item} ({})", excerpt(name)),
    };
    let place = format!("{inside}, after {} pods and namespaces", objects.read);
    if objects.read == 0 {
        return Err(Stop::Error(DecodeError::EndedEarly(place)));
    }
    Ok(Some(format!("the input ends too early, {place}")))
}

/// Reads on; 0 bytes are the end.
pub(super) fn read_some(reader: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, DecodeError> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            read => return read.map_err(DecodeError::Read),
        }
    }
}
