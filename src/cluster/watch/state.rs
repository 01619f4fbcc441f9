//! What a watcher does next, after what happened: when it lists, from where it watches, how long it waits.
//!
//! Pure: the time and a random number are handed in. The rules are those of client-go's reflector, with what it lacks: a
//! stream that is silent is opened again, and a server that does not end its initial events is listed.

use std::time::{Duration, Instant};

use super::backoff::Backoff;
use super::fault::Fault;
use crate::decode::ResourceVersion;

/// Without a frame for so long, initial events that have not ended never will.
const INITIAL_SILENCE: Duration = Duration::from_secs(10);
/// A server that sends bookmarks sends one each minute.
const BOOKMARK_SILENCE: Duration = Duration::from_secs(150);
/// How much later than asked for a server without bookmarks may end a watch.
const GRACE: Duration = Duration::from_secs(10);
/// The shortest `timeoutSeconds`; the longest is twice that, so that the watches of many clients do not end together.
const TIMEOUT: Duration = Duration::from_mins(5);
/// A watch that ends sooner, without a frame, failed.
const SHORT: Duration = Duration::from_secs(1);
/// As often a watch is opened from one version that fails on the server's side, before a list is read.
const SAME_VERSION_TRIES: u32 = 5;

const NO_VERSION: &str = "the list has no resourceVersion to watch from";

/// Whether a watcher may poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// `collection.method: auto`: polls while it may not watch.
    Poll,
    /// `collection.method: watch`: is not ready while it may not watch.
    Never,
}

/// What happened to what the watcher did last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Happened {
    /// A relist was read to its end, as of that version.
    Listed(Option<ResourceVersion>),
    /// A frame about an object, read or skipped.
    Frame(Option<ResourceVersion>),
    Bookmark {
        version: Option<ResourceVersion>,
        ends_initial_events: bool,
    },
    /// The stream ended between two frames.
    Ended,
    /// Nothing came for [`Watcher::silence`].
    Silent,
    /// The relist, or the watch, failed.
    Failed(Fault),
    /// A wait is over.
    Waited,
    /// Credentials were read again.
    Renewed,
}

impl Happened {
    /// Why the stream is to be opened again, as a word to count by.
    pub(super) fn restart(&self) -> Option<&'static str> {
        match self {
            Self::Ended => Some("ended"),
            Self::Silent => Some("silent"),
            Self::Failed(fault) => Some(fault.word()),
            Self::Listed(_) | Self::Frame(_) | Self::Bookmark { .. } | Self::Waited | Self::Renewed => None,
        }
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Read everything anew.
    List,
    /// Open a stream.
    Watch(Request),
    /// Read on in the stream that is open.
    Read,
    /// The initial events were a whole relist: end it, and read on.
    EndRelist,
    /// Read the credentials again.
    Renew,
    /// Do nothing for a while.
    Wait(Duration),
    /// Do nothing for a while, and be not ready for that reason.
    Stall { reason: String, wait: Duration },
    /// List at the next poll, for that reason. Whether watching is possible then is tried after it.
    Poll(String),
}

/// A request for a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    /// Changes behind this version; `None`: everything that is there, then its changes.
    pub(super) from: Option<ResourceVersion>,
    /// When the server shall end it.
    pub(super) timeout: Duration,
}

impl Request {
    pub(super) fn query(&self) -> String {
        let start = match self.from {
            Some(version) => format!("resourceVersion={version}"),
            None => "sendInitialEvents=true&resourceVersionMatch=NotOlderThan".to_owned(),
        };
        format!("watch=true&allowWatchBookmarks=true&{start}&timeoutSeconds={}", self.timeout.as_secs())
    }
}

/// What the watcher is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Listing,
    /// A stream that begins with everything that is there.
    Initial,
    /// A stream of changes; it was asked for then, and has brought a frame or not.
    Watching {
        since: Instant,
        has_frames: bool,
    },
}

/// What is tried next, once a wait is over or credentials are renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retry {
    Relist,
    Watch,
    Renew,
}

/// The state of one watch.
#[derive(Debug)]
pub(super) struct Watcher {
    fallback: Fallback,
    phase: Phase,
    retry: Retry,
    /// How far it has come.
    version: Option<ResourceVersion>,
    /// The server can send what is there as initial events, as far as is known.
    offers_initial_events: bool,
    /// The server has sent a bookmark.
    has_bookmarks: bool,
    /// Credentials were renewed, and nothing has worked since.
    is_renewed: bool,
    /// Failures in a row that may be those of the version.
    tries: u32,
    /// Relists in a row whose version had expired when it was watched from.
    expiries: u32,
    timeout: Duration,
    backoff: Backoff,
}

impl Watcher {
    /// `offers_initial_events`: the server is new enough for it.
    pub(super) fn new(fallback: Fallback, offers_initial_events: bool) -> Self {
        Self {
            fallback,
            phase: Phase::Listing,
            retry: Retry::Relist,
            version: None,
            offers_initial_events,
            has_bookmarks: false,
            is_renewed: false,
            tries: 0,
            expiries: 0,
            timeout: TIMEOUT,
            backoff: Backoff::default(),
        }
    }

    /// What comes belongs to a relist that has not ended.
    pub(super) fn is_relisting(&self) -> bool {
        self.phase == Phase::Initial
    }

    /// After how long without a byte the stream is dead, from when it was asked for.
    pub(super) fn silence(&self) -> Duration {
        match self.phase {
            Phase::Initial => INITIAL_SILENCE,
            _ if self.has_bookmarks => BOOKMARK_SILENCE,
            _ => self.timeout + GRACE,
        }
    }

    /// What to do after that happened; `draw` is a random number from 0 to 1.
    pub(super) fn next(&mut self, happened: Happened, now: Instant, draw: f64) -> Next {
        match happened {
            Happened::Waited | Happened::Renewed => match self.retry {
                Retry::Relist => self.relist(draw),
                Retry::Watch => self.watch(now, draw),
                Retry::Renew => {
                    self.retry = self.after_failure();
                    Next::Renew
                }
            },
            Happened::Listed(version) => {
                self.version = version;
                self.succeed();
                match version {
                    Some(_) => self.watch(now, draw),
                    None => self.without_watch(NO_VERSION.to_owned(), Retry::Relist, now, draw),
                }
            }
            Happened::Frame(version) => self.frame(version),
            Happened::Bookmark { version, ends_initial_events } => {
                self.has_bookmarks = true;
                match (self.phase, version) {
                    (Phase::Initial, Some(_)) if ends_initial_events => {
                        self.version = version;
                        self.phase = Phase::Watching { since: now, has_frames: true };
                        self.succeed();
                        Next::EndRelist
                    }
                    // There is no version to go on from.
                    (Phase::Initial, None) if ends_initial_events => self.list_from_now_on(),
                    _ => self.frame(version),
                }
            }
            Happened::Ended => match self.phase {
                Phase::Initial => self.list_from_now_on(),
                Phase::Watching { since, has_frames: false } if now.duration_since(since) < SHORT => {
                    self.wait(Retry::Watch, None, now, draw)
                }
                Phase::Watching { .. } => self.watch(now, draw),
                Phase::Listing => self.wait(Retry::Relist, None, now, draw),
            },
            Happened::Silent => match self.phase {
                Phase::Initial => self.list_from_now_on(),
                Phase::Watching { .. } => self.watch(now, draw),
                Phase::Listing => self.wait(Retry::Relist, None, now, draw),
            },
            Happened::Failed(fault) => self.fail(fault, now, draw),
        }
    }

    /// The newest version that was heard of.
    pub(super) fn version(&self) -> Option<ResourceVersion> {
        self.version
    }

    fn frame(&mut self, version: Option<ResourceVersion>) -> Next {
        // Initial events come in no order: a version of theirs is no place to go on from.
        if let Phase::Watching { has_frames, .. } = &mut self.phase {
            *has_frames = true;
            self.version = self.version.max(version);
            self.succeed();
            self.expiries = 0;
        }
        Next::Read
    }

    fn fail(&mut self, fault: Fault, now: Instant, draw: f64) -> Next {
        match (self.phase, fault) {
            (_, Fault::Unauthorized) if self.is_renewed => self.wait(Retry::Renew, None, now, draw),
            (_, Fault::Unauthorized) => {
                self.is_renewed = true;
                self.retry = self.after_failure();
                Next::Renew
            }
            (Phase::Listing | Phase::Initial, Fault::Busy(asked)) => self.wait(Retry::Relist, asked, now, draw),
            (Phase::Listing, _) => self.wait(Retry::Relist, None, now, draw),
            (Phase::Initial, Fault::Unusable(_) | Fault::Refused(_) | Fault::Forbidden(_)) => self.list_from_now_on(),
            (Phase::Initial, _) => {
                self.phase = Phase::Listing;
                Next::List
            }
            (Phase::Watching { .. }, fault) => self.fail_watch(fault, now, draw),
        }
    }

    fn fail_watch(&mut self, fault: Fault, now: Instant, draw: f64) -> Next {
        match fault {
            Fault::Busy(asked) => return self.wait(Retry::Watch, asked, now, draw),
            // The version is as good as it was, however long the server is away.
            Fault::Transport | Fault::Unauthorized => return self.wait(Retry::Watch, None, now, draw),
            // A replica lags behind: that version is not to be had from it for now.
            Fault::TooLargeVersion => return self.wait(Retry::Relist, None, now, draw),
            Fault::Forbidden(reason) => return self.without_watch(reason, Retry::Watch, now, draw),
            Fault::Expired => {
                self.expiries += 1;
                let is_in_a_row = self.expiries > 1;
                return if is_in_a_row { self.wait(Retry::Relist, None, now, draw) } else { self.relist(draw) };
            }
            Fault::Server | Fault::Unusable(_) | Fault::Refused(_) => self.tries += 1,
        }
        if self.tries < SAME_VERSION_TRIES {
            return self.wait(Retry::Watch, None, now, draw);
        }
        self.tries = 0;
        match fault {
            Fault::Unusable(reason) | Fault::Refused(reason) => self.without_watch(reason, Retry::Relist, now, draw),
            _ => self.wait(Retry::Relist, None, now, draw),
        }
    }

    /// Something worked.
    fn succeed(&mut self) {
        self.is_renewed = false;
        self.tries = 0;
    }

    /// What failed, to be tried again as it was.
    fn after_failure(&self) -> Retry {
        if matches!(self.phase, Phase::Watching { .. }) { Retry::Watch } else { Retry::Relist }
    }

    fn relist(&mut self, draw: f64) -> Next {
        if !self.offers_initial_events {
            self.phase = Phase::Listing;
            return Next::List;
        }
        self.phase = Phase::Initial;
        self.timeout = TIMEOUT.mul_f64(1.0 + draw);
        Next::Watch(Request { from: None, timeout: self.timeout })
    }

    /// The server does not send initial events as it should.
    fn list_from_now_on(&mut self) -> Next {
        self.offers_initial_events = false;
        self.phase = Phase::Listing;
        Next::List
    }

    fn watch(&mut self, now: Instant, draw: f64) -> Next {
        if self.version.is_none() {
            return self.relist(draw);
        }
        self.phase = Phase::Watching { since: now, has_frames: false };
        self.timeout = TIMEOUT.mul_f64(1.0 + draw);
        Next::Watch(Request { from: self.version, timeout: self.timeout })
    }

    fn wait(&mut self, retry: Retry, asked: Option<Duration>, now: Instant, draw: f64) -> Next {
        self.retry = retry;
        Next::Wait(self.backoff.wait(asked, now, draw))
    }

    fn without_watch(&mut self, reason: String, retry: Retry, now: Instant, draw: f64) -> Next {
        match self.fallback {
            Fallback::Poll => {
                self.phase = Phase::Listing;
                Next::Poll(reason)
            }
            Fallback::Never => {
                self.retry = retry;
                Next::Stall { reason, wait: self.backoff.wait(None, now, draw) }
            }
        }
    }
}

#[cfg(test)]
mod tests;
