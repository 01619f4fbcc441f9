//! One stream of a watch: a request without a deadline, and the frames of its answer as they come.

use std::sync::Mutex;

use http::{StatusCode, header};
use http_body_util::BodyExt as _;
use kube::client::Body;

use super::fault::Fault;
use super::state::Request;
use crate::cluster::failure::{Failed, Failure};
use crate::cluster::list::path;
use crate::cluster::page::{lock, undecodable};
use crate::cluster::rejection::Rejection;
use crate::cluster::request::Connection;
use crate::decode::{ApiStatus, Encoding, Records, WatchFrame, WatchReader};
use crate::snapshot::ListScope;

/// A stream that is open. Dropping it closes its connection.
pub(super) struct Stream<'c> {
    connection: &'c Connection,
    records: &'c Mutex<Records>,
    scope: ListScope,
    body: Body,
    reader: WatchReader,
}

impl<'c> Stream<'c> {
    /// Asks for a stream, and waits for the head of its answer without a deadline: some proxies hold it back until the
    /// first frame. Whoever waits knows how long silence may last.
    pub(super) async fn open(
        connection: &'c Connection,
        records: &'c Mutex<Records>,
        scope: &ListScope,
        request: Request,
    ) -> Result<Self, Problem> {
        let answer = connection.watch(&format!("{}?{}", path(scope), request.query())).await;
        let response = answer.map_err(|failure| Problem::of(failure, scope, connection))?;
        let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let encoding = Encoding::of_content_type(content_type.unwrap_or_default());
        let reader = WatchReader::new(scope.clone(), encoding);
        connection.metrics.watch().opened();
        Ok(Self { connection, records, scope: scope.clone(), body: response.into_body(), reader })
    }

    /// The frames of the next bytes, perhaps none; `None` when the stream ended between two frames. May be dropped while
    /// it waits.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<WatchFrame>>, Problem> {
        let mut frames = Vec::new();
        let Some(frame) = self.body.frame().await else {
            let scope = ListScope::AllPods;
            let ended = std::mem::replace(&mut self.reader, WatchReader::new(scope, Encoding::Json));
            return match ended.finish() {
                Ok(()) => Ok(None),
                Err(error) => Err(self.problem(undecodable(error))),
            };
        };
        let frame = frame.map_err(|error| self.problem(Failure::of(&error)))?;
        if let Ok(bytes) = frame.into_data() {
            self.connection.metrics.api().received(bytes.len());
            let read = self.reader.push(&bytes, &mut lock(self.records), &mut frames);
            read.map_err(|error| self.problem(undecodable(error)))?;
        }
        Ok(Some(frames))
    }

    fn problem(&self, failure: Failure) -> Problem {
        Problem::of(failure, &self.scope, self.connection)
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        self.connection.metrics.watch().closed();
    }
}

/// Why there is no stream, or no more of it.
pub(super) struct Problem {
    pub(super) fault: Fault,
    /// The same in words, with the server's address.
    pub(super) words: String,
}

impl Problem {
    fn of(failure: Failure, scope: &ListScope, connection: &Connection) -> Self {
        let fault = fault(&failure, scope);
        let words = connection.error(&path(scope), Failed { failure, tries: 1 }).to_string();
        Self { fault, words }
    }
}

/// What a failure means for what comes next.
fn fault(failure: &Failure, scope: &ListScope) -> Fault {
    match failure {
        Failure::Transport(_) | Failure::Timeout | Failure::Credentials(_) => Fault::Transport,
        Failure::NotKubernetes(what) | Failure::Malformed(what) => {
            Fault::Unusable(format!("the answer to a watch of {} is no stream of frames: {what}", path(scope)))
        }
        Failure::Rejected(rejection) => of_rejection(rejection, scope),
    }
}

fn of_rejection(rejection: &Rejection, scope: &ListScope) -> Fault {
    let Rejection { status, retry_after, .. } = rejection;
    let reason = if *status == StatusCode::GONE { "Expired" } else { "" };
    let status = ApiStatus {
        message: rejection.words().trim_start_matches(": ").to_owned(),
        reason: reason.to_owned(),
        code: Some(status.as_u16()),
        retry_after_seconds: retry_after.map(|asked| asked.as_secs()),
    };
    Fault::of(&status, scope)
}
