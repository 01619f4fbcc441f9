//! A saved dump, whatever its shape: JSON or YAML, a list or single objects, one document or many.

mod contents;
mod end;
mod gaps;
mod head;
mod item;
mod logs;
mod pages;
mod watch;
mod yaml;

pub use self::end::DumpEnd;

use std::io::Read;
use std::ops::ControlFlow;

use self::contents::Contents;
use self::head::{Head, Kind, read_some};
use self::item::Format;
use self::logs::WithoutLogs;
use super::error::{DecodeError, Problem};
use super::json::{self, Documents};
use super::records::Records;
use super::sink::Stop;
use crate::inventory::excerpt;
use crate::snapshot::Event;

/// How much is read at a time.
const CHUNK: usize = 128 * 1024;

/// Reads a dump to its end and emits an [`Event::Applied`] or [`Event::Skipped`] for each object, an [`Event::Deleted`]
/// for each that a watch saw deleted, and an [`Event::Applied`] for each node when `records` keeps nodes; one that cannot be read is an [`Event::Skipped`] of
/// [`ListScope::Nodes`](crate::snapshot::ListScope::Nodes). At most one object is held at a time. When `emit` breaks,
/// reading ends there, without error.
///
/// # Errors
/// The input cannot be read, or has no Kubernetes objects in a form that kai knows. Events of the part before may have been
/// emitted: they do not count.
pub fn read_dump(
    reader: &mut dyn Read,
    records: &mut Records,
    emit: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<DumpEnd, DecodeError> {
    let mut contents = Contents::new(records, emit);
    let mut buffer = vec![0; CHUNK];
    let mut reader = WithoutLogs::new(reader);
    let head = Head::read(&mut reader, &mut buffer)?;
    let read = match head.kind {
        Kind::Json => read_json(&mut reader, &mut buffer, &head, &mut contents),
        Kind::Yaml => read_yaml(&mut reader, &mut buffer, &head, &mut contents),
    };
    match read {
        Ok(()) | Err(Stop::Enough) => contents.found.finish(),
        Err(Stop::Error(error)) => Err(error),
        Err(Stop::Problem(problem)) => Err(DecodeError::at(head.first_line, head.first_line, problem)),
    }
}

/// Reads a stream of JSON documents.
fn read_json(reader: &mut dyn Read, buffer: &mut [u8], head: &Head, contents: &mut Contents<'_>) -> Result<(), Stop> {
    let mut stream = json::Stream::new(Documents::Many);
    let mut length = head.length;
    let mut from = head.start;
    while length > 0 {
        let pushed = stream.push(&buffer[from..length], contents);
        if pushed.is_err() {
            contents.found.note_go_names(&Format::Json.identity(stream.unfinished_envelope()));
        }
        match pushed.map_err(|stop| located(stop, |problem| stream.error(problem))) {
            Ok(()) => {}
            Err(stop) => {
                let stop = first_line_is_foreign(contents, stop, head);
                return later(contents, stop);
            }
        }
        from = 0;
        length = read_some(reader, buffer).map_err(Stop::Error)?;
    }
    if let Err(stop) = stream.finish(contents) {
        let stop = first_line_is_foreign(contents, stop, head);
        return later(contents, stop);
    }
    if !stream.is_inside_document() {
        return Ok(());
    }
    // A list as the last item of one that does not end is the whole copy behind one that was cut off.
    let is_whole_copy = stream.is_behind_item() && contents.ended_in_list();
    let whole_copy = is_whole_copy.then(|| stream.error(Problem::Splice { below: 0 }));
    if let Some(error) = whole_copy.or_else(|| stream.splice()) {
        return later(contents, Stop::Error(error));
    }
    let name = stream.unfinished_item().map(|item| Format::Json.identity(item).name).unwrap_or_default();
    ended_early(contents, &name)
}

/// Reads a stream of YAML documents.
fn read_yaml(reader: &mut dyn Read, buffer: &mut [u8], head: &Head, contents: &mut Contents<'_>) -> Result<(), Stop> {
    contents.format = Format::Yaml;
    let mut stream = yaml::Stream::new();
    let mut length = head.length;
    let mut from = head.start;
    let mut pushed = Ok(());
    while length > 0 && pushed.is_ok() {
        pushed = stream.push(&buffer[from..length], contents);
        from = 0;
        length = read_some(reader, buffer).map_err(Stop::Error)?;
    }
    if pushed.is_ok() {
        pushed = stream.push_last_line(contents);
        if pushed.is_ok() && stream.ended_early() {
            let name = stream.unfinished_item().map(|item| Format::Yaml.identity(item).name).unwrap_or_default();
            return ended_early(contents, &name);
        }
    }
    let ended = pushed.and_then(|()| stream.finish(contents));
    ended.map_err(|stop| located(stop, |problem| stream.error(problem))).or_else(|stop| later(contents, stop))
}

/// Gives a problem its line.
fn located(stop: Stop, error: impl FnOnce(Problem) -> DecodeError) -> Stop {
    match stop {
        Stop::Problem(problem) => Stop::Error(error(problem)),
        stop => stop,
    }
}

/// Text behind whole documents, none of them of Kubernetes: the documents are another program's as well.
fn first_line_is_foreign(contents: &Contents<'_>, stop: Stop, head: &Head) -> Stop {
    match stop {
        Stop::Error(DecodeError::ForeignLine { .. }) if contents.documents() > 0 && contents.found.is_foreign() => {
            Stop::Error(DecodeError::ForeignLine { line: head.first_line, text: head.text.clone() })
        }
        stop => stop,
    }
}

/// A document could not be read: of several, what came before it is kept.
fn later(contents: &mut Contents<'_>, stop: Stop) -> Result<(), Stop> {
    match stop {
        Stop::Error(error)
            if contents.documents() > 0 && contents.found.objects() > 0 && !matches!(error, DecodeError::Read(_)) =>
        {
            let document = contents.documents() + 1;
            contents.found.gaps.push(format!("document {document} of the input could not be read: {error}"));
            Ok(())
        }
        stop => Err(stop),
    }
}

/// The input ended inside a document: what came before is kept, if anything did.
fn ended_early(contents: &mut Contents<'_>, name: &str) -> Result<(), Stop> {
    let item = contents.next_item();
    contents.settle_unfinished()?;
    let inside = match name {
        "" => format!("inside item {item}"),
        name => format!("inside item {item} ({})", excerpt(name)),
    };
    let place = format!("{inside}, after {} pods and namespaces", contents.found.objects());
    if contents.found.objects() == 0 {
        return Err(Stop::Error(DecodeError::EndedEarly(place)));
    }
    contents.found.gaps.push(format!("the input ends too early, {place}"));
    Ok(())
}
