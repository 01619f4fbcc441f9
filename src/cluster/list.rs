//! One list of a relist, page by page, begun again when its pages expire.

use std::sync::{Mutex, PoisonError};

use futures::future::FutureExt as _;
use http::StatusCode;
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;

use super::ahead::{self, Asked};
use super::course::Course;
use super::ends::{ListEnd, Relisted};
use super::error::ClusterError;
use super::page::{Page, PageReader};
use super::progress::Tally;
use super::request::Connection;
use super::retry::RetryPolicy;
use crate::decode::{Records, ResourceVersion};
use crate::snapshot::{Event, ListScope};
use crate::warned::Warned;

/// How often a list is begun again whose pages expired.
const RESTARTS: usize = 4;

/// What every list of a relist shares.
pub(super) struct Lists<'a> {
    pub(super) connection: &'a Connection,
    pub(super) records: &'a Mutex<Records>,
    pub(super) events: &'a Sender<Vec<Event>>,
    pub(super) tally: Tally<'a>,
    /// What needs no warning any more.
    pub(super) warned: &'a Warned,
    pub(super) wants_nodes: bool,
    /// Whether the lists are watched from where they end.
    pub(super) are_watched: bool,
    /// Whether namespaces are wanted as objects, and not just by name.
    pub(super) wants_namespaces: bool,
    pub(super) page_size: u32,
    /// How each list that has ended did.
    pub(super) relisted: Mutex<Relisted>,
}

/// How one run through the pages ended.
enum Run {
    Ended(ListEnd),
    Expired,
}

impl Lists<'_> {
    /// Reads one list to its end.
    pub(super) async fn read(&self, scope: &ListScope) -> Result<ListEnd, ClusterError> {
        for restarts in 0..=RESTARTS {
            self.send(vec![Event::RelistBegun(scope.clone())]).await?;
            match self.run(scope, limit(self.page_size, restarts)).await? {
                Run::Ended(end) => {
                    self.relisted.lock().unwrap_or_else(PoisonError::into_inner).note(scope, &end);
                    let scope = scope.clone();
                    let event = match &end {
                        ListEnd::Refused(reason) => Event::Refused { scope, reason: reason.as_str().into() },
                        ListEnd::Read { .. } => Event::RelistEnded(scope),
                    };
                    self.send(vec![event]).await?;
                    return Ok(end);
                }
                Run::Expired => {
                    tracing::info!("the list {} expired (410) while it was read: starting it again", path(scope));
                }
            }
        }
        let endpoint = Box::new(self.connection.endpoint().clone());
        Err(ClusterError::Expired { endpoint, path: path(scope), restarts: RESTARTS })
    }

    /// Reads the pages from the first.
    async fn run(&self, scope: &ListScope, limit: Option<u32>) -> Result<Run, ClusterError> {
        let counts = matches!(scope, ListScope::AllPods | ListScope::PodsOf(_));
        let mut read = 0;
        let mut course = Course::default();
        let mut version = None;
        let mut page = self.ask(scope, limit, None);
        loop {
            let path = page.path.clone();
            let reads_ahead = !matches!(scope, ListScope::PodsOf(_));
            let (answer, mut ahead) = page.read(reads_ahead, |token| self.ask(scope, limit, Some(token))).await;
            let Page { events, end } = match answer {
                Ok(page) => page,
                Err(failed) => match failed.kubernetes_words() {
                    Some((StatusCode::GONE, _)) => {
                        if counts {
                            self.tally.take_back(read);
                        }
                        return Ok(Run::Expired);
                    }
                    Some((StatusCode::FORBIDDEN, message)) => {
                        return Ok(Run::Ended(ListEnd::Refused(missing_right("list", scope, message))));
                    }
                    _ => return Err(self.connection.error(&path, failed)),
                },
            };
            let events = if *scope == ListScope::Nodes { self.readable(events) } else { events };
            read += end.items;
            // Pages are of one state, that of the first; a later one would leave a gap before the watch.
            version = version.or_else(|| end.resource_version.as_deref().and_then(ResourceVersion::parse));
            if counts {
                self.tally.add(end.items, end.continue_token.as_ref().map_or(Some(0), |_| end.remaining));
            }
            ahead::meanwhile(ahead.as_mut(), self.send(events)).await?;
            let next = end.continue_token.filter(|next| !next.is_empty());
            if let Err(problem) = course.step(next.as_deref(), end.items) {
                let endpoint = Box::new(self.connection.endpoint().clone());
                return Err(ClusterError::Malformed { endpoint, path: self::path(scope), problem });
            }
            page = match (next, ahead) {
                (None, _) => return Ok(Run::Ended(ListEnd::Read { items: read, version })),
                (next, Some(ahead)) if ahead.token == next => ahead,
                (next, _) => self.ask(scope, limit, next),
            };
        }
    }

    /// Asks for a page, once it is polled. Pages of a single namespace are not read ahead: the number of requests at
    /// once is the user's (`kubernetes.worker-pool-size`), and other namespaces fill the time.
    fn ask<'a>(&'a self, scope: &'a ListScope, limit: Option<u32>, token: Option<String>) -> Asked<'a> {
        let path = page_path(scope, limit, token.as_deref());
        let (next, announced) = watch::channel(String::new());
        let reader = PageReader { scope, records: self.records, metrics: &self.connection.metrics, next: Some(next) };
        let answer = {
            let path = path.clone();
            async move { self.connection.get(&path, RetryPolicy::WhileItHelps, &reader).await }
        };
        Asked::new(path, token, announced, answer.boxed())
    }

    /// The events of a page of nodes without those that could not be read, which are logged alone: nothing depends on nodes.
    fn readable(&self, events: Vec<Event>) -> Vec<Event> {
        let is_readable = |event: &Event| {
            let Event::Skipped(item) = event else { return true };
            let finding = format!("{}: {}", item.item, item.problem);
            if self.warned.is_news(&finding) {
                tracing::warn!("left out, as it cannot be read: {finding}");
            }
            false
        };
        events.into_iter().filter(is_readable).collect()
    }

    /// Hands events on; waits while the receiver is busy.
    pub(super) async fn send(&self, events: Vec<Event>) -> Result<(), ClusterError> {
        if events.is_empty() {
            return Ok(());
        }
        self.events.send(events).await.map_err(|_| ClusterError::Abandoned)
    }
}

/// The page size of each run. A list expires when reading it takes longer than the server keeps old states (five
/// minutes by default): bigger pages are fewer and faster, and a list in one piece cannot expire.
fn limit(page_size: u32, restarts: usize) -> Option<u32> {
    match restarts {
        0 | 1 => Some(page_size),
        RESTARTS.. => None,
        restarts => {
            let factor = 4_u32.saturating_pow(u32::try_from(restarts - 1).unwrap_or(u32::MAX));
            Some(page_size.saturating_mul(factor))
        }
    }
}

/// The URL path of a list.
pub(super) fn path(scope: &ListScope) -> String {
    match scope {
        ListScope::Namespaces => "/api/v1/namespaces".to_owned(),
        ListScope::AllPods => "/api/v1/pods".to_owned(),
        ListScope::PodsOf(namespace) => format!("/api/v1/namespaces/{namespace}/pods"),
        ListScope::Nodes => "/api/v1/nodes".to_owned(),
    }
}

fn page_path(scope: &ListScope, limit: Option<u32>, token: Option<&str>) -> String {
    let limit = limit.map(|limit| format!("limit={limit}"));
    let token = token.map(|token| format!("continue={}", token.bytes().map(query_byte).collect::<String>()));
    let query: Vec<String> = limit.into_iter().chain(token).collect();
    if query.is_empty() { path(scope) } else { format!("{}?{}", path(scope), query.join("&")) }
}

/// A byte of a query value. Tokens are base64 today, and the API says that they may be anything.
fn query_byte(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    }
}

/// What is missing, by verb, resource and scope, and the server's words for it.
pub(super) fn missing_right(verb: &str, scope: &ListScope, message: &str) -> String {
    let what = match scope {
        ListScope::Namespaces => "namespaces".to_owned(),
        ListScope::AllPods => "pods in all namespaces".to_owned(),
        ListScope::PodsOf(namespace) => format!("pods in namespace {namespace}"),
        ListScope::Nodes => "nodes in the whole cluster".to_owned(),
    };
    let words = if message.is_empty() { String::new() } else { format!(" ({message})") };
    format!("missing right: {verb} {what}{words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_grow_with_each_restart_until_there_is_one() {
        let limits: Vec<_> = (0..=RESTARTS).map(|restarts| limit(500, restarts)).collect();
        assert_eq!(limits, [Some(500), Some(500), Some(2_000), Some(8_000), None]);
        assert_eq!(limit(u32::MAX, 3), Some(u32::MAX));
    }

    #[test]
    fn a_token_of_any_bytes_is_escaped() {
        let path = page_path(&ListScope::AllPods, Some(5), Some("a+b/c=&é"));
        assert_eq!(path, "/api/v1/pods?limit=5&continue=a%2Bb%2Fc%3D%26%C3%A9");
        assert_eq!(page_path(&ListScope::Namespaces, None, Some("x")), "/api/v1/namespaces?continue=x");
    }

    #[test]
    fn a_missing_right_has_verb_resource_and_scope() {
        let scope = ListScope::PodsOf("shop".into());
        assert_eq!(
            missing_right("list", &scope, "pods is forbidden"),
            "missing right: list pods in namespace shop (pods is forbidden)"
        );
    }
}
