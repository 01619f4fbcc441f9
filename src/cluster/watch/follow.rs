//! One watch: what its frames say, and when its stream is opened again.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::Sender;
use tokio::time::{sleep, timeout};

use super::fault::Fault;
use super::live::{Live, Seen, WatchEnd};
use super::state::{Happened, Next, Request, Watcher};
use super::stream::{Problem, Stream};
use crate::cluster::list::path;
use crate::cluster::request::Connection;
use crate::decode::{Records, ResourceVersion, WatchEvent, WatchFrame};
use crate::snapshot::{Event, ListScope};

/// What a watch needs beside its state.
pub(super) struct Follower<'a> {
    pub(super) connection: &'a Connection,
    pub(super) records: &'a Mutex<Records>,
    pub(super) scope: &'a ListScope,
    pub(super) live: &'a Sender<Live>,
    pub(super) seen: &'a Seen,
    /// There is a stream, and the server has not yet said that it reaches its store.
    pub(super) is_unsure: AtomicBool,
}

/// A server that has just started says so within moments; nothing else may come for minutes.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Nobody takes the events any more.
struct Abandoned;

impl<'a> Follower<'a> {
    /// Watches from the list's version until it has to be read again.
    pub(super) async fn run(self, watcher: &mut Watcher, version: Option<ResourceVersion>) -> WatchEnd {
        let mut next = watcher.next(Happened::Listed(version), Instant::now(), fastrand::f64());
        let mut stream: Option<Stream<'a>> = None;
        let (mut is_renewed, mut was_open) = (false, false);
        loop {
            let happened = match next {
                Next::Watch(request) => {
                    stream = None;
                    match self.open(watcher, request, was_open).await {
                        Ok(opened) => {
                            was_open = true;
                            let begins = watcher.is_relisting().then(|| Event::RelistBegun(self.scope.clone()));
                            if self.send(begins.into_iter().collect()).await.is_err() {
                                return WatchEnd::Abandoned;
                            }
                            (stream, is_renewed) = (Some(opened), false);
                            next = Next::Read;
                            continue;
                        }
                        Err(happened) => {
                            if self.send(Vec::new()).await.is_err() {
                                return WatchEnd::Abandoned;
                            }
                            happened
                        }
                    }
                }
                Next::EndRelist => {
                    let scope = || self.scope.clone();
                    if self.send(vec![Event::RelistEnded(scope()), Event::Settled(scope())]).await.is_err() {
                        return WatchEnd::Abandoned;
                    }
                    next = Next::Read;
                    continue;
                }
                Next::Read => match self.read(watcher, stream.as_mut()).await {
                    Ok(then) => {
                        next = then;
                        continue;
                    }
                    Err(Abandoned) => return WatchEnd::Abandoned,
                },
                // Other credentials may stand in the kubeconfig by now.
                Next::Renew if is_renewed => return WatchEnd::Reconnect,
                Next::Renew => match self.connection.renew().await {
                    Ok(()) => {
                        is_renewed = true;
                        Happened::Renewed
                    }
                    Err(error) => return WatchEnd::Failed(error),
                },
                Next::Wait(wait) => {
                    stream = None;
                    sleep(wait).await;
                    Happened::Waited
                }
                Next::List => return WatchEnd::Relist,
                Next::Poll(reason) => return WatchEnd::Poll(reason),
                Next::Stall { reason, wait } => return WatchEnd::Stalled { reason, wait },
            };
            next = self.step(watcher, happened);
        }
    }

    fn step(&self, watcher: &mut Watcher, happened: Happened) -> Next {
        tracing::debug!("watch of {}: {happened:?}", path(self.scope));
        if let Some(reason) = happened.restart() {
            self.connection.metrics.watch().restarted(reason);
        }
        watcher.next(happened, Instant::now(), fastrand::f64())
    }

    async fn open(&self, watcher: &Watcher, request: Request, was_open: bool) -> Result<Stream<'a>, Happened> {
        if let Err(error) = self.connection.refresh().await {
            self.seen.lose(self.scope, &error.to_string());
            return Err(Happened::Failed(Fault::Transport));
        }
        let opening = Stream::open(self.connection, self.records, self.scope, request);
        match timeout(watcher.silence(), opening).await {
            Ok(Ok(stream)) => {
                self.seen.regain(self.scope);
                // What changed since comes within moments; when nothing did, the next word may be a minute off. The first
                // stream follows a list.
                if request.from.is_some() {
                    self.hear_if(!was_open || self.connection.reaches_its_store().await);
                }
                Ok(stream)
            }
            Ok(Err(problem)) => Err(self.failed(problem)),
            Err(_elapsed) => Err(self.silent(watcher)),
        }
    }

    fn failed(&self, Problem { fault, words }: Problem) -> Happened {
        // What cannot be watched at all is not lost: whoever polls instead says why.
        if !matches!(fault, Fault::Forbidden(_) | Fault::Refused(_) | Fault::Unusable(_)) {
            self.seen.lose(self.scope, &words);
        }
        Happened::Failed(fault)
    }

    fn silent(&self, watcher: &Watcher) -> Happened {
        let (endpoint, seconds) = (self.connection.endpoint(), watcher.silence().as_secs());
        let words =
            format!("the API server {endpoint} sent nothing for {seconds} s in the watch of {}", path(self.scope));
        self.seen.lose(self.scope, &words);
        Happened::Silent
    }

    /// Takes the frames of the next bytes, and says what comes after them.
    async fn read(&self, watcher: &mut Watcher, stream: Option<&mut Stream<'a>>) -> Result<Next, Abandoned> {
        let Some(stream) = stream else { return Ok(self.step(watcher, Happened::Ended)) };
        let is_unsure = self.is_unsure.load(Ordering::Relaxed);
        let patience = if is_unsure { ASK_AGAIN.min(watcher.silence()) } else { watcher.silence() };
        let happened = match timeout(patience, stream.next()).await {
            Ok(Ok(Some(frames))) => return self.take(watcher, frames).await,
            Ok(Ok(None)) => Happened::Ended,
            Ok(Err(problem)) => self.failed(problem),
            Err(_elapsed) if is_unsure => {
                self.hear_if(self.connection.reaches_its_store().await);
                self.send(Vec::new()).await?;
                return Ok(Next::Read);
            }
            Err(_elapsed) => self.silent(watcher),
        };
        let next = self.step(watcher, happened);
        // Whoever shows how the watches stand hears of it.
        self.send(Vec::new()).await?;
        Ok(next)
    }

    async fn take(&self, watcher: &mut Watcher, frames: Vec<WatchFrame>) -> Result<Next, Abandoned> {
        if frames.is_empty() {
            return Ok(Next::Read);
        }
        let (mut events, mut next) = (Vec::with_capacity(frames.len()), Next::Read);
        let known = watcher.version();
        let are_bookmarks = frames.iter().all(|frame| matches!(frame.event, WatchEvent::Bookmark { .. }));
        for WatchFrame { resource_version, event } in frames {
            self.connection.metrics.watch().came(word(&event));
            let happened = match event {
                WatchEvent::Bookmark { ends_initial_events } => {
                    Happened::Bookmark { version: resource_version, ends_initial_events }
                }
                WatchEvent::Error(status) => {
                    let (endpoint, path) = (self.connection.endpoint(), path(self.scope));
                    let words = format!("the API server {endpoint} ended the watch of {path}: {}", status.message);
                    self.failed(Problem { fault: Fault::of(&status, self.scope), words })
                }
                WatchEvent::Applied(object) => {
                    events.push(Event::Applied(object));
                    Happened::Frame(resource_version)
                }
                WatchEvent::Deleted { key, .. } => {
                    events.push(Event::Deleted(key));
                    Happened::Frame(resource_version)
                }
                WatchEvent::Skipped(item) => {
                    // Nothing depends on nodes.
                    if *self.scope != ListScope::Nodes {
                        events.push(Event::Skipped(item));
                    }
                    Happened::Frame(resource_version)
                }
            };
            if let Some(reason) = happened.restart() {
                self.connection.metrics.watch().restarted(reason);
            }
            next = watcher.next(happened, Instant::now(), fastrand::f64());
            if next != Next::Read {
                break;
            }
        }
        // A bookmark of a version that is known comes from a server without its store, too.
        let is_word = !are_bookmarks || watcher.version() > known;
        if !watcher.is_relisting() {
            self.hear_if(is_word || self.connection.reaches_its_store().await);
        }
        self.send(events).await?;
        Ok(next)
    }

    fn hear_if(&self, is_sure: bool) {
        self.is_unsure.store(!is_sure, Ordering::Relaxed);
        if is_sure {
            self.seen.hear(self.scope);
        }
    }

    async fn send(&self, events: Vec<Event>) -> Result<(), Abandoned> {
        let (observed_at, lost) = self.seen.by_all();
        self.live.send(Live { events, observed_at, lost }).await.map_err(|_| Abandoned)
    }
}

fn word(event: &WatchEvent) -> &'static str {
    match event {
        WatchEvent::Applied(_) => "applied",
        WatchEvent::Deleted { .. } => "deleted",
        WatchEvent::Bookmark { .. } => "bookmark",
        WatchEvent::Error(_) => "error",
        WatchEvent::Skipped(_) => "skipped",
    }
}
