//! Where rows come from: a snapshot that is read now, or a running kai.

use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;

use super::filters::Filters;
use super::server::{Paged, Server};
use crate::cli::Exit;
use crate::cli::globals::Globals;
use crate::cli::start::{Failure, Started, collector, once_failed, progress_bar, start};
use crate::collector::lacking;
use crate::config::{Flags, Mode};
use crate::dump::DumpInput;
use crate::inventory::excerpt;
use crate::once::{Ended, Once};
use crate::snapshot::Snapshot;
use crate::telemetry::LogGuard;
use crate::views::{
    ContainerPage, ContainerSort, Containers, ImagePage, ImageSort, PageHead, PageRequest, Sort, images,
};

/// What is read: flags of every question.
#[derive(Debug, Args)]
pub(super) struct Reading {
    /// Ask a running kai at this address (http://127.0.0.1:8080) instead of reading a cluster
    #[arg(long, value_name = "URL")]
    server: Option<String>,

    /// Every namespace, whatever the settings include
    #[arg(short = 'A', long)]
    all_namespaces: bool,

    /// Leave these namespaces out: names or regular expressions; repeat it, or separate them with commas
    #[arg(long, value_name = "NAMESPACE", value_delimiter = ',')]
    exclude: Vec<String>,
}

pub(super) enum Source {
    Snapshot {
        snapshot: Arc<Snapshot>,
        /// Of the namespaces that were typed, those that do not exist.
        unknown: Vec<String>,
        /// Kept until the end: what is buffered is written when it is dropped.
        _log: LogGuard,
    },
    Server {
        server: Server,
        /// The same, where it is not another's.
        _log: Option<LogGuard>,
    },
}

impl Reading {
    /// Refuses to read a cluster or a dump.
    pub(super) fn check_server(&self, what: &str) -> anyhow::Result<()> {
        self.server.is_some().then_some(()).ok_or_else(|| needs_server(what))
    }

    /// Reads what the flags name; `None` when a signal came before that.
    pub(super) async fn open(&self, globals: &Globals) -> anyhow::Result<Option<Source>> {
        let usage = |message: &str| Failure { exit: Exit::Usage, message: message.to_owned() };
        if self.all_namespaces && !globals.namespaces().is_empty() {
            return Err(usage("-A is every namespace and -n some; leave one of them out").into());
        }
        let Some(address) = &self.server else {
            let flags = Flags { output: None, exclude: self.exclude.clone(), ..globals.flags() };
            return read(&flags, globals.dump(), globals.namespaces(), self.all_namespaces).await;
        };
        if globals.dump().is_some() {
            return Err(usage("--server and --input both say what is read; leave one of them out").into());
        }
        if !self.exclude.is_empty() {
            let message = "--exclude needs a cluster or --input; with --server, name the namespaces with -n";
            return Err(usage(message).into());
        }
        // What is warned of is logged, and TLS needs what it is made from.
        let flags = Flags { output: None, ..globals.flags() };
        let Started { log, .. } = start(&flags, Some(Mode::Adhoc))?;
        Ok(Some(Source::Server { server: Server::new(address)?, _log: Some(log) }))
    }
}

/// Reads a cluster, or a dump, once.
pub(super) async fn read(
    flags: &Flags,
    dump: Option<DumpInput>,
    typed: Vec<String>,
    is_all: bool,
) -> anyhow::Result<Option<Source>> {
    let Started { mut settings, log } = start(flags, Some(Mode::Adhoc))?;
    if is_all {
        settings.selection = settings.selection.of_all();
    }
    let is_dump = dump.is_some();
    let progress = progress_bar(settings.quiet, is_dump);
    let collector = collector(settings, dump, progress.reporter());
    let once = Once { collector, report: None, push: None, typed, needs_name: false, progress };
    match once.run().await {
        Ok(Ended::Done { snapshot, unknown, .. }) => Ok(Some(Source::Snapshot { snapshot, unknown, _log: log })),
        Ok(Ended::Stopped) => Ok(None),
        Err(error) => {
            let error = once_failed(error, is_dump);
            log.record(&error);
            Err(error)
        }
    }
}

impl Source {
    /// The running kai; of a snapshot that was read now, nobody knows what was before.
    pub(super) fn server(&self, what: &str) -> anyhow::Result<&Server> {
        match self {
            Self::Server { server, .. } => Ok(server),
            Self::Snapshot { .. } => Err(needs_server(what)),
        }
    }

    /// Every image that the filters want.
    pub(super) async fn images(&self, filters: &Filters, sort: Option<&str>) -> anyhow::Result<ImagePage<'_>> {
        match self {
            Self::Snapshot { snapshot, .. } => {
                let page = images(snapshot, &filters.parse()?, &request::<ImageSort>(sort)?);
                Ok(ImagePage { head: PageHead::new(snapshot, None, page.total, None), gaps: None, images: page.rows })
            }
            Self::Server { server, .. } => {
                filters.parse()?;
                server.whole("/v1/images", &sorted::<ImageSort>(filters, sort)?).await
            }
        }
    }

    /// Every container that the filters want.
    pub(super) async fn containers(&self, filters: &Filters, sort: Option<&str>) -> anyhow::Result<ContainerPage<'_>> {
        match self {
            Self::Snapshot { snapshot, .. } => {
                let (filter, request) = (filters.parse()?, request::<ContainerSort>(sort)?);
                let rows = Containers::of(snapshot, &filter).page(&request, || 0).rows;
                Ok(ContainerPage { head: PageHead::new(snapshot, None, rows.len(), None), containers: rows })
            }
            Self::Server { server, .. } => {
                filters.parse()?;
                server.whole("/v1/containers", &sorted::<ContainerSort>(filters, sort)?).await
            }
        }
    }

    /// What of the whole is missing, by the head of an answer, in one line; `None` when nothing is.
    pub(super) fn lacking(&self, head: &PageHead<'_>) -> Option<String> {
        match self {
            Self::Snapshot { snapshot, unknown, .. } => {
                let all: Vec<String> = unknown.iter().cloned().chain(lacking(snapshot)).collect();
                (!all.is_empty()).then(|| all.join("; "))
            }
            Self::Server { .. } if head.complete => None,
            Self::Server { .. } => Some(match head.missing.first() {
                Some(missing) => match &missing.namespace {
                    Some(namespace) => format!("namespace {}: {}", excerpt(namespace), excerpt(&missing.reason)),
                    None => excerpt(&missing.reason).to_string(),
                },
                None => "the server has skipped objects, as its /readyz?verbose says".to_owned(),
            }),
        }
    }
}

/// The error of a question that only a running kai can answer.
pub(super) fn needs_server(what: &str) -> anyhow::Error {
    let message = format!(
        "{what} is what a running kai keeps; name it with --server, for example --server http://127.0.0.1:8080"
    );
    Failure { exit: Exit::Usage, message }.into()
}

/// All rows in the order that is asked for.
pub(super) fn request<S: Sort>(sort: Option<&str>) -> anyhow::Result<PageRequest<S>> {
    let mut request = PageRequest::first(usize::MAX);
    if let Some(text) = sort {
        let word = text.strip_prefix('-').unwrap_or(text);
        request.sort = *S::ALL.iter().find(|sort| sort.word() == word).ok_or_else(|| Failure {
            exit: Exit::Usage,
            message: format!(
                "--sort-by \"{}\": it must be {}; a - before it turns the order round (--sort-by=-{word})",
                excerpt(text),
                S::ALL.iter().map(|sort| sort.word()).collect::<Vec<_>>().join(" or "),
            ),
        })?;
        request.descending = text.starts_with('-');
    }
    Ok(request)
}

/// Refuses a column that there is none of, before anything is read.
pub(super) fn check_sort<S: Sort>(sort: Option<&str>) -> anyhow::Result<()> {
    request::<S>(sort).map(drop)
}

pub(super) fn sorted<S: Sort>(filters: &Filters, sort: Option<&str>) -> anyhow::Result<Filters> {
    request::<S>(sort)?;
    Ok(sort.map_or_else(|| filters.clone(), |sort| filters.with("sort", sort)))
}

impl Paged for ImagePage<'static> {
    fn next(&self) -> Option<(String, Option<String>)> {
        Some((self.head.next.clone()?, self.head.pin.clone()))
    }

    fn append(&mut self, next: Self) {
        self.images.extend(next.images);
        self.head.next = None;
    }
}

impl Paged for ContainerPage<'static> {
    fn next(&self) -> Option<(String, Option<String>)> {
        Some((self.head.next.clone()?, self.head.pin.clone()))
    }

    fn append(&mut self, next: Self) {
        self.containers.extend(next.containers);
        self.head.next = None;
    }
}

/// How long ago, in the largest unit: `5s`, `12m`, `3h`, `40d`, `2y`.
pub(super) fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(since.as_second()).max(0);
    let units = [("y", 365 * 86_400), ("d", 86_400), ("h", 3_600), ("m", 60)];
    let unit = units.into_iter().find(|(_, length)| seconds >= *length);
    unit.map_or_else(|| format!("{seconds}s"), |(name, length)| format!("{}{name}", seconds / length))
}
