//! One read of all files: what each gives, and what becomes of those that cannot be read.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc::Sender;

use super::batch::Batch;
use super::error::{Content, DumpError, shown};
use super::form::{Text, text_of};
use super::input::{Files, Found, InputFile, modified_at};
use super::total::Total;
use crate::decode::{DecodeError, DumpEnd, Records, read_dump};
use crate::snapshot::{Event, ListScope, Object, Observation};

/// Whatever a dump has comes as these.
const LISTS: [ListScope; 3] = [ListScope::Namespaces, ListScope::AllPods, ListScope::Nodes];

/// As many files that could not be read as one reason names.
const NAMED_MAX: usize = 5;

pub(super) struct Reading<'r> {
    records: &'r mut Records,
    batch: Batch<'r>,
    progress: Progress<'r>,
    /// When the oldest file was written.
    written: Option<Timestamp>,
    total: Total,
    /// Files that hold nothing that was asked for.
    passed_over: u64,
    /// What is missing, and why: each begins with its file.
    missing: Vec<String>,
    /// Why the first of the files could not be read.
    first_error: Option<DumpError>,
    broken_nodes: Option<(u64, String)>,
    namespaces: BTreeSet<Arc<str>>,
}

/// How many bytes were read, and how many there are.
struct Progress<'p> {
    read: Cell<u64>,
    total: Option<u64>,
    report: &'p dyn Fn(u64, Option<u64>),
}

impl<'r> Reading<'r> {
    pub(super) fn begin(
        files: &Files,
        records: &'r mut Records,
        events: &'r Sender<Vec<Event>>,
        report: &'r dyn Fn(u64, Option<u64>),
    ) -> Result<Self, DumpError> {
        let sizes: Vec<u64> = files.metadata().map(|metadata| metadata.len()).collect();
        let total = (sizes.len() == files.each.len()).then(|| sizes.iter().sum());
        let mut reading = Self {
            records,
            batch: Batch::new(events),
            progress: Progress { read: Cell::new(0), total, report },
            written: None,
            total: Total::default(),
            passed_over: files.passed_over,
            missing: files.closed.clone(),
            first_error: None,
            broken_nodes: None,
            namespaces: BTreeSet::new(),
        };
        LISTS.into_iter().try_for_each(|scope| reading.send(Event::RelistBegun(scope)))?;
        Ok(reading)
    }

    fn send(&mut self, event: Event) -> Result<(), DumpError> {
        if self.batch.push(event).is_break() { Err(DumpError::Stopped) } else { Ok(()) }
    }

    pub(super) fn file(&mut self, file: &InputFile) -> Result<(), DumpError> {
        let (reader, metadata): (Text<'static>, _) = match open(file) {
            Ok(opened) => opened,
            Err(error @ DumpError::Open { .. }) if file.found != Found::ByName => {
                self.miss(file, error);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let (content, skipped) = self.content(reader);
        if self.batch.is_stopped() {
            return Err(DumpError::Stopped);
        }
        match content {
            Ok(end) => {
                self.total.add(&end);
                if !(end.is_recognised || end.nodes > 0 || end.cut_short.is_some()) {
                    self.passed_over += u64::from(file.found != Found::ByName);
                    return Ok(());
                }
                for event in skipped.into_iter().flatten() {
                    self.send(event)?;
                }
                if let Some(written) = metadata.as_ref().and_then(modified_at) {
                    self.written = Some(self.written.map_or(written, |oldest| oldest.min(written)));
                }
                if let Some(reason) = end.cut_short {
                    self.missing.push(format!("{}: {reason}", file.name()));
                }
            }
            Err(error) if skipped.is_some() && is_foreign(file, &error) => self.passed_over += 1,
            Err(error) => self.miss(file, DumpError::Content { input: file.name(), cause: error.into() }),
        }
        Ok(())
    }

    /// Reads the objects of a file. When there were none, what was skipped comes back: it counts when the file does.
    fn content(&mut self, reader: Text<'_>) -> (Result<DumpEnd, Content>, Option<Vec<Event>>) {
        let Self { records, batch, progress, broken_nodes, namespaces, .. } = self;
        let mut skipped = Some(Vec::new());
        let counted = Box::new(Counted { reader, progress });
        let end = text_of(counted).map_err(Content::from).and_then(|mut text| {
            let read = read_dump(&mut text, records, &mut |event| {
                // Nodes are an addition: one that is missing makes nothing else untrue.
                if let Event::Skipped(item) = &event
                    && item.scope == ListScope::Nodes
                {
                    let first = || (0, format!("{}: {}", item.item, item.problem));
                    broken_nodes.get_or_insert_with(first).0 += 1;
                    return ControlFlow::Continue(());
                }
                match (&mut skipped, event) {
                    (Some(skipped), event @ Event::Skipped(_)) => {
                        skipped.push(event);
                        ControlFlow::Continue(())
                    }
                    (_, event) => {
                        if let Some(name) = namespace_of(&event)
                            && !namespaces.contains(name)
                        {
                            namespaces.insert(Arc::clone(name));
                        }
                        let mut events = skipped.take().into_iter().flatten().chain([event]);
                        events.try_for_each(|event| batch.push(event))
                    }
                }
            });
            Ok(read?)
        });
        (end, skipped)
    }

    fn miss(&mut self, file: &InputFile, error: DumpError) {
        let reason = match &error {
            DumpError::Open { cause, .. } => format!("{}: {cause}", file.name()),
            DumpError::Content { input, cause } => format!("{input}: {cause}"),
            error => error.to_string(),
        };
        self.missing.push(reason);
        self.first_error.get_or_insert(error);
    }

    /// Ends the relist, when anything was read; gives the namespaces that it names.
    pub(super) fn end(mut self, files: &Files) -> Result<BTreeSet<Arc<str>>, DumpError> {
        if !self.total.is_recognised {
            return Err(self.nothing_read(files));
        }
        self.missing.extend(self.total.lacks_pods());
        let objects = self.total.passed_over().map(|kinds| format!("objects of other kinds: {kinds}"));
        let others =
            (self.passed_over > 0).then(|| format!("files without pods, namespaces or nodes: {}", self.passed_over));
        let passed_over: Vec<String> = objects.into_iter().chain(others).collect();
        if !passed_over.is_empty() {
            tracing::info!("--input: passed over {}", passed_over.join(", and "));
        }
        if let Some((count, first)) = self.broken_nodes.take() {
            tracing::warn!("--input: nodes that cannot be read are left out: {count}, the first is {first}");
        }
        let now = Timestamp::now();
        let observed_at = self.written.map_or(now, |written| written.min(now));
        let observation = Observation { cut_short: self.cut_short(), ..Observation::at(observed_at) };
        LISTS.into_iter().try_for_each(|scope| self.send(Event::RelistEnded(scope)))?;
        self.send(Event::Observed(observation))?;
        if self.batch.flush().is_break() { Err(DumpError::Stopped) } else { Ok(self.namespaces) }
    }

    fn nothing_read(&mut self, files: &Files) -> DumpError {
        if let Some(error) = self.first_error.take() {
            return error;
        }
        let input = match (&files.folder, files.each.as_slice()) {
            (Some(folder), _) => shown(folder),
            (None, [first, ..]) => first.name(),
            (None, []) => String::new(),
        };
        match self.total.others() {
            Some(kinds) => DumpError::OtherKinds { input, kinds },
            None => DumpError::NothingInFolder {
                path: files.folder.clone().unwrap_or_default(),
                passed_over: self.passed_over,
            },
        }
    }

    fn cut_short(&self) -> Option<Arc<str>> {
        let more = self.missing.len().saturating_sub(NAMED_MAX);
        let more = (more > 0).then(|| format!("{more} more files could not be read"));
        let named = self.missing.iter().take(NAMED_MAX).cloned().chain(more).collect::<Vec<_>>();
        (!named.is_empty()).then(|| named.join("; ").into())
    }
}

fn namespace_of(event: &Event) -> Option<&Arc<str>> {
    match event {
        Event::Applied(Object::Pod(pod)) => Some(&pod.namespace),
        Event::Applied(Object::Namespace(namespace)) => Some(&namespace.name),
        _ => None,
    }
}

/// Whether the file holds nothing that was asked for, so that nothing is missing without it.
fn is_foreign(file: &InputFile, error: &Content) -> bool {
    match (file.found, error) {
        (Found::ByName, _) | (Found::InFolder, Content::Form(_)) => false,
        (_, Content::Decode(DecodeError::Empty)) => !file.is_missed_when_empty(),
        (Found::ByChance, _) => true,
        (Found::InFolder, Content::Decode(error)) => {
            matches!(error, DecodeError::NotText(_) | DecodeError::NoObject(_) | DecodeError::NotKubernetes(_))
        }
    }
}

/// Opens the file; what it is like is `None` for what is no file.
fn open(file: &InputFile) -> Result<(Text<'static>, Option<Metadata>), DumpError> {
    let Some(path) = &file.path else { return Ok((Box::new(io::stdin().lock()), None)) };
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.map_err(|cause| DumpError::Open { path: path.clone(), cause })?;
    Ok((Box::new(file), Some(metadata).filter(Metadata::is_file)))
}

/// Reports how much was read.
struct Counted<'c> {
    reader: Text<'c>,
    progress: &'c Progress<'c>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        let Progress { read, total, report } = self.progress;
        read.set(read.get() + length as u64);
        report(read.get(), *total);
        Ok(length)
    }
}
